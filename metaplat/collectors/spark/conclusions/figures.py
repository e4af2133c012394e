"""The figures concluded for every stage and for the attempt.

Here: ratios, skew, and what was reserved against what was used.
Not here: money (``cost``), what is worth a word (``findings``).

Core seconds reserved are the sum over the executors of lifetime times cores (in local mode the driver is the
executor); core seconds used are the run time of all tasks times ``spark.task.cpus``. Wasted executor seconds
are the lifetimes times the idle share, ``lifetimes * (1 - used / reserved)``, never below 0: what could
have been given back had the same work been packed without gaps.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from metaplat.collectors.spark.conclusions.driver_time import driver_only_ms
from metaplat.collectors.spark.conclusions.lost_parts import work_is_lost
from metaplat.collectors.spark.conclusions.quantities import known, ratio, share, total
from metaplat.collectors.spark.conclusions.workers import (
    cores_of,
    lifetime_seconds,
    memory_gb_of,
    workers,
)

if TYPE_CHECKING:
    from metaplat.collectors.spark.attempt import ApplicationAttempt, Executor, StageAttempt
    from metaplat.collectors.spark.conclusions.properties import Properties


def fill_figures(attempt: ApplicationAttempt, properties: Properties) -> None:
    """Fill the figures of an attempt and of its stages, in place."""
    for stage in attempt.stages:
        _fill_stage(stage)
    attempt.core_seconds_reserved = lifetime_seconds(attempt, cores_of)
    attempt.core_seconds_used = _used(attempt, properties)
    attempt.wasted_executor_seconds = _wasted(attempt)
    attempt.memory_gb_seconds_reserved = lifetime_seconds(attempt, memory_gb_of)
    attempt.driver_only_ms = driver_only_ms(attempt)
    attempt.peak_executor_memory_bytes = _peak(attempt)
    attempt.spill_ratio = _spill_ratio(attempt)
    attempt.gc_ratio = ratio(attempt.gc_time_ms, attempt.run_time_ms)
    attempt.failure_rate = share(attempt.failed_tasks, attempt.total_tasks)


def _fill_stage(stage: StageAttempt) -> None:
    several = stage.tasks is None or stage.tasks > 1
    stage.task_time_skew = ratio(stage.task_ms_max, stage.task_ms_median) if several else None
    stage.input_skew = ratio(stage.input_bytes_max, stage.input_bytes_median) if several else None
    stage.shuffle_skew = (
        ratio(stage.shuffle_read_bytes_max, stage.shuffle_read_bytes_median) if several else None
    )
    stage.spill_ratio = _spill_ratio(stage)
    stage.gc_ratio = ratio(stage.gc_time_ms, stage.run_time_ms)
    stage.failure_rate = share(stage.failed_tasks, stage.tasks)


def _spill_ratio(part: ApplicationAttempt | StageAttempt) -> float | None:
    return ratio(part.disk_spilled_bytes, total(part.input_bytes, part.shuffle_read_bytes))


def _used(attempt: ApplicationAttempt, properties: Properties) -> float | None:
    run_time = known(attempt.run_time_ms)
    return None if run_time is None else run_time * properties.task_cpus / 1000


def _wasted(attempt: ApplicationAttempt) -> float | None:
    reserved, used = attempt.core_seconds_reserved, attempt.core_seconds_used
    lifetimes = lifetime_seconds(attempt, _one)
    if reserved is None or used is None or lifetimes is None or work_is_lost(attempt):
        return None
    return max(lifetimes * (1 - used / reserved), 0.0) if reserved else 0.0


def _one(attempt: ApplicationAttempt, worker: Executor) -> float:
    del attempt, worker  # the signature of a sum over lifetimes
    return 1


def _peak(attempt: ApplicationAttempt) -> int | None:
    """Return the largest process tree of any executor, where that is not logged the largest heap.

    Spark logs 0 for what it does not measure: process trees are off unless
    ``spark.executor.processTreeMetrics.enabled`` is set.
    """
    found = workers(attempt)
    trees = [size for each in found if (size := known(each.peak_memory_bytes))]
    return max(trees or [size for each in found if (size := known(each.peak_heap_bytes))], default=None)
