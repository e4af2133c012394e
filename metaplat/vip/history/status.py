"""How the extract of an hour stands, from what is known of it.

Here: the words of column ``status``, and when each is said.
Not here: counting (``job_rows``), what is good enough (``rules.vip``).

- ``missing``: no job, and no file of the vendor's. A note that somebody left there is none.
- ``failed``: a pull remembers that the job failed, and no table came.
- ``incomplete``: an expected table is missing, a promised file is not there as promised, or there is a job
  and nothing came of it (yet).
- ``late``: nothing of these, and it ended more than ``late_minutes`` after the start of the hour.
- ``ok``: nothing of these. Where no time is known, nothing is late; where nothing says what was expected or
  promised, having files is enough.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from metaplat.model.extract import Extract, ExtractStatus

if TYPE_CHECKING:
    from collections.abc import Set

_NO_JOB = frozenset({ExtractStatus.MISSING, ExtractStatus.SKIPPED})


@dataclass(frozen=True)
class HourFacts:
    """What counts for the status of an hour.

    Parameters
    ----------
    vendor_files : int
        Files in the folder, but for foreign ones and our manifest.
    extract : Extract or None
        What is remembered of its pull.
    delivered, missing : set of str
        Tables with a file; expected tables without one.
    files_promised, files_kept : int or None
        Files of the promise, and those of them that are there as promised; None without a promise.
    lag_min : float or None
        Minutes from the start of the hour to the end of the pull.
    late_minutes : float
        What is later is late.
    """

    vendor_files: int
    extract: Extract | None
    delivered: Set[str]
    missing: Set[str]
    files_promised: int | None
    files_kept: int | None
    lag_min: float | None
    late_minutes: float


def hour_status(facts: HourFacts) -> ExtractStatus:
    """Return the status of an hour: ok, late, incomplete, failed or missing."""
    has_job = facts.extract is not None and facts.extract.status not in _NO_JOB
    if not facts.vendor_files and not has_job:
        return ExtractStatus.MISSING
    failed = facts.extract is not None and facts.extract.status is ExtractStatus.FAILED
    if failed and not facts.delivered:
        return ExtractStatus.FAILED
    if not _is_complete(facts):
        return ExtractStatus.INCOMPLETE
    is_late = facts.lag_min is not None and facts.lag_min > facts.late_minutes
    return ExtractStatus.LATE if is_late else ExtractStatus.OK


def _is_complete(facts: HourFacts) -> bool:
    if facts.missing or facts.files_kept != facts.files_promised:
        return False
    return bool(facts.delivered or facts.files_promised)
