"""Time in which only the driver was at work.

Here: the wall time that no stage covers.
Not here: whether that is too much (``findings.capacity``).
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from metaplat.collectors.spark.conclusions.lost_parts import stages_are_lost

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from metaplat.collectors.spark.attempt import ApplicationAttempt, StageAttempt

MILLISECOND = timedelta(milliseconds=1)


def wall(attempt: ApplicationAttempt) -> tuple[datetime, datetime] | None:
    """Return start and end of an attempt, as far as it was seen; None where one is unknown or they cross."""
    start, end = attempt.start_time or attempt.observed_start, attempt.end_time or attempt.observed_end
    return (start, end) if start is not None and end is not None and start <= end else None


def active(stage: StageAttempt, end: datetime) -> tuple[datetime, datetime] | None:
    """Return submission and completion of a stage, until ``end`` while it is active; None where unknown."""
    start, completion = stage.submission_time, stage.completion_time
    if completion is None and stage.status == "ACTIVE":
        completion = end
    return (start, completion) if start is not None and completion is not None else None


def driver_only_ms(attempt: ApplicationAttempt) -> int | None:
    """Return the wall time in which no stage was active, in ms; None where not every stage is known."""
    spanned, intervals = wall(attempt), _intervals(attempt)
    if spanned is None or intervals is None:
        return None
    start, end = spanned
    covered, reached = timedelta(0), start
    for first, last in sorted(intervals):
        first, last = max(first, reached), min(last, end)  # noqa: PLW2901, RUF100  # clipped to what is new
        if last > first:
            covered += last - first
            reached = last
    return (end - start - covered) // MILLISECOND


def _intervals(attempt: ApplicationAttempt) -> list[tuple[datetime, datetime]] | None:
    """Return the active times of all stages, or None where some are not known."""
    ran = [stage for stage in attempt.stages if stage.status != "SKIPPED"]
    counted = attempt.total_stages
    if counted is None or len(ran) < counted or stages_are_lost(attempt):
        return None
    return _all_known(ran, attempt)


def _all_known(
    stages: list[StageAttempt], attempt: ApplicationAttempt
) -> list[tuple[datetime, datetime]] | None:
    spanned = wall(attempt)
    found = list(_active(stages, spanned[1])) if spanned else []
    return found if len(found) == len(stages) else None


def _active(stages: list[StageAttempt], end: datetime) -> Iterator[tuple[datetime, datetime]]:
    for stage in stages:
        interval = active(stage, end)
        if interval is not None:
            yield interval
