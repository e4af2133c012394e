"""How the work of a stage is cut: into too many small tasks, or into too few for the cores.

Here: stages whose number of tasks costs time.
Not here: tasks of uneven size (``skew``), tasks too large for their memory (``memory``).
"""

from __future__ import annotations

from bisect import bisect_left
from itertools import accumulate
from typing import TYPE_CHECKING

from metaplat.collectors.spark.conclusions.driver_time import active, wall
from metaplat.collectors.spark.conclusions.findings.case import Weighed, about
from metaplat.collectors.spark.conclusions.findings.wording import (
    MIB,
    counted,
    mebibytes,
    sentence,
    size,
    span,
)
from metaplat.collectors.spark.conclusions.properties import (
    ADAPTIVE,
    ADVISORY,
    COALESCE,
    DEFAULT_ADVISORY,
    DEFAULT_PARTITIONS,
    DEFAULT_READ_BYTES,
    READ_BYTES,
    SHUFFLE_PARTITIONS,
)
from metaplat.collectors.spark.conclusions.quantities import known, share
from metaplat.collectors.spark.conclusions.workers import cores_of, workers

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from metaplat.collectors.spark.attempt import StageAttempt
    from metaplat.collectors.spark.conclusions.findings.case import Case
    from metaplat.collectors.spark.conclusions.properties import Properties

VERY_MANY = 10
"""So many times the number that is too many is a medium finding."""
LONG_MS, LONG_SHARE, FEW = 60_000, 0.25, 0.5
"""A stage is long from so much time on, and weighs for the application from this share of it; its tasks are
few where they fill no more than this share of the cores."""
PARALLELISM_FIRST = "spark.sql.adaptive.coalescePartitions.parallelismFirst"
TASKS_A_CORE = 2


def small_tasks(case: Case) -> Iterator[Weighed]:
    """Yield stages with very many tasks that end at once."""
    settings = case.settings
    for stage in case.attempt.stages:
        tasks, usual = known(stage.tasks), known(stage.task_ms_median)
        if tasks is None or usual is None:
            continue
        if tasks < settings.small_task_count or usual >= settings.small_task_ms:
            continue
        severity = "medium" if tasks >= VERY_MANY * settings.small_task_count else "low"
        average = _read(stage) / tasks
        read = f" and read {size(average)} on average" if average else ""
        evidence = (
            f"{counted(tasks, 'task')} took {span(usual)} in the median{read}; starting them costs as much."
        )
        yield Weighed(tasks, about(stage, "small_tasks", severity, evidence, _fewer(case, stage)))


def few_tasks(case: Case) -> Iterator[Weighed]:
    """Yield long stages that left most cores idle, with all that ran beside them counted."""
    spanned = wall(case.attempt)
    if spanned is None:
        return
    crowd = _Crowd(case.attempt.stages, spanned[1])
    for stage in case.attempt.stages:
        tasks, took, interval = known(stage.tasks), known(stage.duration_ms), active(stage, spanned[1])
        if not tasks or took is None or took < LONG_MS or interval is None or interval[0] >= interval[1]:
            continue
        slots = _slots(case, *interval)
        if slots is None or crowd.tasks_between(*interval) > FEW * slots:
            continue
        severity = "medium" if (share(took, case.wall_ms) or 0) >= LONG_SHARE else "low"
        evidence = f"{counted(tasks, 'task')} ran for {span(took)}, with room for {slots:,} at once."
        finding = about(stage, "few_tasks", severity, evidence, _more(case, stage, tasks, slots))
        yield Weighed(took, finding)


class _Crowd:
    """Counts the tasks of all stages that were active in a time, each look-up in logarithmic time.

    Parameters
    ----------
    stages : list of StageAttempt
        All of an application; those without times or tasks are not counted.
    end : datetime
        Until when an active one counts.
    """

    def __init__(self, stages: list[StageAttempt], end: datetime) -> None:
        spans = [(*interval, known(stage.tasks) or 0) for stage in stages if (interval := active(stage, end))]
        started = sorted((start, tasks) for start, _, tasks in spans)
        ended = sorted((last, tasks) for _, last, tasks in spans)
        self._starts, self._ends = [at for at, _ in started], [at for at, _ in ended]
        self._started = [0, *accumulate(tasks for _, tasks in started)]
        self._ended = [0, *accumulate(tasks for _, tasks in ended)]

    def tasks_between(self, start: datetime, end: datetime) -> int:
        """Return the tasks of all stages that started before ``end`` and did not end before ``start``."""
        return self._started[bisect_left(self._starts, end)] - self._ended[bisect_left(self._ends, start)]


def _slots(case: Case, start: datetime, end: datetime) -> int | None:
    """Return how many tasks fit at once on the executors that were alive all of the time."""
    cores = 0.0
    for worker in workers(case.attempt):
        came, went, has = worker.add_time, worker.remove_time, known(cores_of(case.attempt, worker))
        if came is None or has is None:
            return None
        cores += has if came <= start and (went is None or went >= end) else 0
    return int(cores) // case.properties.task_cpus


def _fewer(case: Case, stage: StageAttempt) -> str:
    """Return how to have fewer tasks, by where the stage reads."""
    properties, shuffled = case.properties, known(stage.shuffle_read_bytes) or 0
    if not _read(stage):
        return "Make fewer partitions where the data is made, or use coalesce() before the work."
    if (known(stage.input_bytes) or 0) > shuffled:
        limit = mebibytes(properties.size(READ_BYTES) or DEFAULT_READ_BYTES)
        return (
            f"Merge small input files, or raise {READ_BYTES} (now {limit}), or use coalesce() after reading."
        )
    return _merged(properties, max(round(shuffled / DEFAULT_ADVISORY), 1))


def _merged(properties: Properties, wanted: int) -> str:
    """Return how to have about ``wanted`` partitions after a shuffle, by what is set already."""
    otherwise = f"use coalesce({wanted})"
    now = mebibytes(properties.size(ADVISORY) or DEFAULT_ADVISORY)
    if properties.coalescing and properties.at_least(3, 2) is not False and _parallelism_first(properties):
        return f"Set {PARALLELISM_FIRST}=false (it is on), so that partitions grow to {now}; or {otherwise}."
    if properties.coalescing:
        return f"Raise {ADVISORY} (now {now}); or {otherwise}."
    if properties.adaptive:
        return f"Set {COALESCE}=true (it is off); or {otherwise}."
    partitions = properties.whole(SHUFFLE_PARTITIONS) or DEFAULT_PARTITIONS
    if wanted < partitions:
        otherwise = f"lower {SHUFFLE_PARTITIONS} to {wanted} (now {partitions})"
    if properties.adaptive is None or properties.at_least(3, 0) is False:
        return f"{sentence(otherwise)}."
    return f"Set {ADAPTIVE}=true (it is off), which merges small partitions; or {otherwise}."


def _parallelism_first(properties: Properties) -> bool:
    return properties.flag(PARALLELISM_FIRST, default=True) is not False


def _more(case: Case, stage: StageAttempt, tasks: int, slots: int) -> str:
    """Return how to have more tasks, by where the stage reads."""
    properties, wanted = case.properties, TASKS_A_CORE * slots
    read, shuffled = known(stage.input_bytes) or 0, known(stage.shuffle_read_bytes) or 0
    if tasks == 1:
        return (
            "A single task does it all: look for coalesce(1), a window without PARTITION BY, a global limit, "
            f"a JDBC read without a partition column; else use repartition({wanted})."
        )
    if read > shuffled:
        smaller, limit = read / wanted, properties.size(READ_BYTES) or DEFAULT_READ_BYTES
        if MIB <= smaller < limit:
            lower = f"Lower {READ_BYTES} to {mebibytes(smaller)} (now {mebibytes(limit)})"
            return f"{lower}, or use repartition({wanted}) after reading."
        return f"Use repartition({wanted}) after reading, or files that can be split."
    if not shuffled:
        return f"Use repartition({wanted}), or more partitions where the data is made."
    partitions = properties.whole(SHUFFLE_PARTITIONS) or DEFAULT_PARTITIONS
    if properties.coalescing and tasks < partitions:
        return f"Lower {ADVISORY} to {mebibytes(shuffled / wanted)}, or use repartition({wanted})."
    if wanted > partitions:
        return f"Raise {SHUFFLE_PARTITIONS} to {wanted} (now {partitions}), or use repartition({wanted})."
    return f"Use repartition({wanted})."


def _read(stage: StageAttempt) -> int:
    return (known(stage.input_bytes) or 0) + (known(stage.shuffle_read_bytes) or 0)
