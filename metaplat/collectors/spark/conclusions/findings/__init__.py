"""What could be better about an application: evidence with its numbers, and a setting to try.

Here: the kinds of findings, their order, and how many of each are shown.
Not here: each kind (the modules of this package, one function a kind), thresholds (``settings.spark``).

Kinds and thresholds were compared with those of Dr. Elephant, DataFlint and sparklens: as there, skew is the
largest over the median with a floor, and idle cores are a share of the core time reserved; other than there,
advice looks at the properties first, so that it never asks for what is already set.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from metaplat.collectors.spark.conclusions.findings.capacity import driver_only, wasted_executors
from metaplat.collectors.spark.conclusions.findings.case import Case, Weighed
from metaplat.collectors.spark.conclusions.findings.failures import (
    failed_jobs,
    failed_stages,
    failed_tasks,
    retried_stages,
)
from metaplat.collectors.spark.conclusions.findings.lost_executors import lost_executors
from metaplat.collectors.spark.conclusions.findings.memory import gc, overprovisioned, spill
from metaplat.collectors.spark.conclusions.findings.skew import input_skew, shuffle_skew, task_skew
from metaplat.collectors.spark.conclusions.findings.task_counts import few_tasks, small_tasks

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from metaplat.collectors.spark.attempt import ApplicationAttempt, Finding
    from metaplat.collectors.spark.conclusions.properties import Properties
    from metaplat.settings import SparkSettings

MAX_PER_KIND = 5
"""So many findings of one kind are shown; the last one says how many more there are."""
SEVERITIES = ("high", "medium", "low")
KINDS: dict[str, Callable[[Case], Iterable[Weighed]]] = {
    "failed_jobs": failed_jobs,
    "failed_stage": failed_stages,
    "lost_executors": lost_executors,
    "retried_stage": retried_stages,
    "failed_tasks": failed_tasks,
    "spill": spill,
    "task_skew": task_skew,
    "shuffle_skew": shuffle_skew,
    "input_skew": input_skew,
    "gc": gc,
    "wasted_executors": wasted_executors,
    "few_tasks": few_tasks,
    "small_tasks": small_tasks,
    "driver_only": driver_only,
    "memory_overprovisioned": overprovisioned,
}
"""Every kind, in the order in which kinds of one severity are shown."""


def find(attempt: ApplicationAttempt, settings: SparkSettings, properties: Properties) -> list[Finding]:
    """Return the findings of an attempt whose figures are filled, worst first, always in the same order."""
    case = Case(attempt, settings, properties)
    found = [finding for look in KINDS.values() for finding in _most_important(look(case))]
    return sorted(found, key=_severity)  # a stable sort: within a severity, kinds stay in their order


def _most_important(found: Iterable[Weighed]) -> Iterator[Finding]:
    """Yield the findings of one kind, the weightiest first; the last one shown says how many are left out."""
    ordered = sorted(found, key=_rank)
    for place, weighed in enumerate(ordered[:MAX_PER_KIND]):
        finding, left_out = weighed.finding, len(ordered) - MAX_PER_KIND
        if place == MAX_PER_KIND - 1 and left_out > 0:
            finding.evidence += f" {left_out} more like this {'is' if left_out == 1 else 'are'} not shown."
        yield finding


def _rank(weighed: Weighed) -> tuple[int, float, int, int]:
    finding = weighed.finding
    return (
        _severity(finding),
        -weighed.weight,
        -1 if finding.stage_id is None else finding.stage_id,
        -1 if finding.stage_attempt_id is None else finding.stage_attempt_id,
    )


def _severity(finding: Finding) -> int:
    return SEVERITIES.index(finding.severity)
