"""Names of the pages of Spark applications in the report store.

Here: one name an attempt, safe in every store and every browser. Not here: writing pages (``pages``).
"""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING, Any

from metaplat.collectors.spark.sources import MODULES

if TYPE_CHECKING:
    from collections.abc import Mapping

FOLDER = "spark"
OVERVIEW = f"{FOLDER}/index.html"
_NUMBER = re.compile(r"[1-9]\d*", re.ASCII)
_SAFE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,150}", re.ASCII)


def page_name(record: Mapping[str, Any]) -> str:
    """Return the key of an attempt's page, for example ``spark/app-1-0-event-logs.html``.

    What is no plain name (``../x``, 300 letters, an attempt that is no number) gives a digest instead.
    """
    app_id, attempt_id, source = (record.get(name) for name in ("app_id", "attempt_id", "source"))
    name = f"{app_id}-{attempt_id or 0}-{source}"
    numbered = attempt_id is None or _NUMBER.fullmatch(str(attempt_id))
    if not (_SAFE.fullmatch(name) and numbered and source in MODULES) or ".." in name:
        parts = f"{app_id}\0{attempt_id}\0{source}"
        name = hashlib.sha256(parts.encode("utf-8", "surrogatepass")).hexdigest()[:32]
    return f"{FOLDER}/{name}.html"
