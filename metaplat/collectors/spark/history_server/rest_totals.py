"""Sums of an attempt from its executors, stages and jobs, None where the server cut what they are made of.

Here: which list each sum comes from, and what is said of those that cannot be had.
Not here: the lists (``rest_stages``, ``rest_executors``).

Sums come from the stages, or from the executors where stages were cut. A sum of a cut list is too low, and no
number at all is better than one that looks right.
"""

from __future__ import annotations

from dataclasses import dataclass
from operator import attrgetter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from metaplat.collectors.spark.attempt import ApplicationAttempt

CUT = "hs_truncated"
NEVER = (
    "speculative_tasks",
    "unknown_events",
    "broken_lines",
    "jobs_without_end",
    "stages_without_end",
    "tasks_without_end",
    "dropped_events",
)
"""Fields of an attempt that no answer of the server has."""
OF_STAGES = ("run_time_ms", "output_bytes", "memory_spilled_bytes", "disk_spilled_bytes")
OF_BOTH = ("gc_time_ms", "input_bytes", "shuffle_read_bytes", "shuffle_write_bytes")
"""Sums that executors have too."""


@dataclass(frozen=True)
class Whole:
    """Which lists the server gave as a whole."""

    stages: bool
    jobs: bool
    executors: bool


def fill_totals(
    attempt: ApplicationAttempt, whole: Whole, cpu_ns: int | None, resubmitted: int | None
) -> None:
    """Fill the sums of an attempt whose lists are filled, in place, and name those it lacks.

    Parameters
    ----------
    attempt : ApplicationAttempt
        With stages, jobs and executors.
    whole : Whole
        Which of them are all there were.
    cpu_ns : int or None
        CPU time of all stages.
    resubmitted : int or None
        Tasks that were; None where nobody knows.
    """
    _fill_jobs(attempt, whole)
    _fill_stage_counts(attempt, whole)
    _fill_tasks(attempt, whole, resubmitted)
    for name in OF_STAGES:
        setattr(attempt, name, _sum(attempt.stages, name) if whole.stages else None)
    for name in OF_BOTH:
        parts = attempt.stages if whole.stages else attempt.executors if whole.executors else None
        setattr(attempt, name, None if parts is None else _sum(parts, name))
    if whole.stages:
        attempt.cpu_time_ms = None if cpu_ns is None else cpu_ns // 1_000_000
        peaks = [stage.peak_execution_memory_bytes for stage in attempt.stages]
        attempt.peak_execution_memory_bytes = max((peak for peak in peaks if peak is not None), default=None)
    if not whole.executors:
        attempt.num_executors = attempt.num_executors_added = attempt.executor_seconds = None
    if not (whole.stages and whole.jobs and whole.executors):
        attempt.flag(CUT)
    name_what_is_missing(attempt)


def _fill_jobs(attempt: ApplicationAttempt, whole: Whole) -> None:
    if whole.jobs:
        attempt.jobs = len(attempt.job_list)
        attempt.failed_jobs = sum(job.status == "FAILED" for job in attempt.job_list)


def _fill_stage_counts(attempt: ApplicationAttempt, whole: Whole) -> None:
    if whole.stages:
        skipped = sum(stage.status == "SKIPPED" for stage in attempt.stages)
        attempt.total_stages = len(attempt.stages) - skipped
        attempt.skipped_stages = skipped
        attempt.failed_stages = sum(stage.status == "FAILED" for stage in attempt.stages)


def _fill_tasks(attempt: ApplicationAttempt, whole: Whole, resubmitted: int | None) -> None:
    attempt.resubmitted_tasks = resubmitted
    if whole.stages:
        attempt.total_tasks = _sum(attempt.stages, "tasks")
        attempt.failed_tasks = _sum(attempt.stages, "failed_tasks")
        attempt.killed_tasks = _sum(attempt.stages, "killed_tasks")
    if attempt.total_tasks is None and whole.executors:
        attempt.total_tasks = _sum(attempt.executors, "tasks")
    if attempt.failed_tasks is None and whole.executors and resubmitted == 0:
        attempt.failed_tasks = _sum(attempt.executors, "failed_tasks")


def _sum(parts: Iterable[object], name: str) -> int | None:
    """Return the sum over some parts, of nothing 0; None where one of them does not say."""
    values = [attrgetter(name)(part) for part in parts]
    return None if None in values else sum(values)


def name_what_is_missing(attempt: ApplicationAttempt) -> None:
    """List in ``source_coverage`` what this source should have said of the attempt and could not."""
    sums = (
        "num_executors",
        "num_executors_added",
        "executor_seconds",
        "total_tasks",
        "failed_tasks",
        "killed_tasks",
        "resubmitted_tasks",
        "total_stages",
        "failed_stages",
        "skipped_stages",
        "jobs",
        "failed_jobs",
        "cpu_time_ms",
        "peak_execution_memory_bytes",
        *OF_STAGES,
        *OF_BOTH,
    )
    missing = {name for name in (*sums, *NEVER) if getattr(attempt, name) is None}
    if attempt.stages and all(stage.task_ms_median is None for stage in attempt.stages if stage.tasks):
        missing |= {"stages.task_ms_median", "stages.input_bytes_median", "stages.shuffle_read_bytes_median"}
    if any(each.failed_tasks is None for each in attempt.executors):
        missing.add("executors.failed_tasks")
    attempt.source_coverage = sorted(
        {*attempt.source_coverage, *missing, "stages.task_ms_histogram", "executors.run_time_ms"}
    )
