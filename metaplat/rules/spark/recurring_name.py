"""The name of an application that recurs, without what is different each time.

Here: dates, times, ids and hashes inside names. Not here: what recurring applications are compared by
(``regression``).
"""

from __future__ import annotations

import re
from functools import lru_cache

VARIABLE = re.compile(
    r"""(?<![0-9a-z]) [0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12} (?![0-9a-z])     # a UUID
      | (?<!\d) (?:19|20)\d\d[-_/.]?(?:0[1-9]|1[0-2])[-_/.]?(?:0[1-9]|[12]\d|3[01])   # a date
        (?:(?:[t_\s-]|__)?\d\d(?:[:_.-]?\d\d){0,2}(?:[.,]\d{1,9})?z?)? (?!\d)         # ... and a time
      | (?<!\d) \d{6,} (?!\d)                                                       # a number, an epoch
      | (?<![0-9a-z]) (?=[a-f]*\d)(?=\d*[a-f]) [0-9a-f]{7,} (?![0-9a-z])              # a hash""",
    re.VERBOSE | re.IGNORECASE,
)
INTERACTIVE = frozenset(
    {"pysparkshell", "pyspark-shell", "spark shell", "spark-shell", "sparkr", "databricks shell", "zeppelin"}
)
"""Names that Spark gives to a session without one: what runs under them has nothing else in common."""


@lru_cache(maxsize=200_000)  # a range run asks for the names of every day thirty times
def recurring_name(name: str) -> str | None:
    """Return ``name`` with ``*`` for what is different each time, or None for one that says nothing.

    Dates with or without a time, numbers of six digits and more, UUIDs and hashes are replaced:
    ``etl-2026-11-20`` and ``etl-2026-11-21`` are both ``etl-*``. Shorter numbers stay: ``load-shard-3`` is
    another job than ``load-shard-4``.
    """
    if name.strip().lower() in INTERACTIVE:
        return None
    found = VARIABLE.sub("*", name).strip()
    return found if found.strip("* -_") else None
