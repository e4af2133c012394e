"""Records that lost so much that what is missing would be taken for idleness.

Here: when work, or stages, are missing from a record.
Not here: finding out that events were lost (``events``), telling it (``rules.spark.event_loss``).

A task that still ran when its job failed has no end: one of many is no reason to call a figure unknown.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from metaplat.collectors.spark.conclusions.quantities import known

if TYPE_CHECKING:
    from metaplat.collectors.spark.attempt import ApplicationAttempt

PARTS_LOST = frozenset({"compacted", "hs_truncated", "no_event_log"})
EVENT_LOSS = "event_loss"
FEW = 0.01
"""So large a share of the tasks may be missing without a word."""


def work_is_lost(attempt: ApplicationAttempt) -> bool:
    """Whether tasks that ran are missing, so that their time would look idle."""
    if PARTS_LOST & {*attempt.data_quality}:
        return True
    if EVENT_LOSS not in attempt.data_quality:
        return False
    without_end, tasks = known(attempt.tasks_without_end), known(attempt.total_tasks)
    if attempt.dropped_events or without_end is None or not tasks:
        return True
    return max(without_end, _missing(attempt)) > FEW * tasks


def stages_are_lost(attempt: ApplicationAttempt) -> bool:
    """Whether stages, or their ends, are missing, so that the driver would seem to be alone."""
    if PARTS_LOST & {*attempt.data_quality}:
        return True
    if EVENT_LOSS not in attempt.data_quality:
        return False
    return attempt.stages_without_end != 0 or bool(attempt.dropped_events)


def _missing(attempt: ApplicationAttempt) -> int:
    """Return how many tasks of completed stages never ended; a second attempt runs only what was lost."""
    complete = [each for each in attempt.stages if each.status == "COMPLETE" and not each.stage_attempt_id]
    return sum(max((known(each.planned_tasks) or 0) - (known(each.tasks) or 0), 0) for each in complete)
