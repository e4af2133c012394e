"""Memory: spilled, spent on collecting garbage, or reserved and never used.

Here: stages that spill or collect, and executors with more heap than they ever filled.
Not here: executors killed for their memory (``lost_executors``).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from metaplat.collectors.spark.attempt import RUNNING, Finding
from metaplat.collectors.spark.conclusions.findings.case import Weighed, about, graded
from metaplat.collectors.spark.conclusions.findings.lost_executors import lost_to_memory
from metaplat.collectors.spark.conclusions.findings.skew import shuffle_advice
from metaplat.collectors.spark.conclusions.findings.wording import (
    MIB,
    counted,
    mebibytes,
    percent,
    size,
    span,
    times,
)
from metaplat.collectors.spark.conclusions.properties import (
    ADVISORY,
    DEFAULT_ADVISORY,
    DEFAULT_PARTITIONS,
    DEFAULT_READ_BYTES,
    READ_BYTES,
    SHUFFLE_PARTITIONS,
)
from metaplat.collectors.spark.conclusions.quantities import known
from metaplat.collectors.spark.conclusions.workers import workers

if TYPE_CHECKING:
    from collections.abc import Iterator

    from metaplat.collectors.spark.attempt import StageAttempt
    from metaplat.collectors.spark.conclusions.findings.case import Case

GC_FLOOR_MS = 60_000
"""Garbage collection of a stage with less run time is never told."""
RESERVED_MB, EXECUTION_SHARE = 300, 0.6
"""Spark keeps so much of a heap for itself, and tasks have this share of the rest (spark.memory.fraction)."""
LEAST_HEAP_MB, UNUSED_HEAP, HEADROOM, HEAP_STEP_MB = 2048, 0.5, 1.3, 512


def spill(case: Case) -> Iterator[Weighed]:
    """Yield stages that spilled much to disk."""
    settings = case.settings
    medium, high = settings.spill_medium_mb * MIB, settings.spill_high_mb * MIB
    for stage in case.attempt.stages:
        spilled = known(stage.disk_spilled_bytes)
        severity = graded(spilled, medium, max(medium, high))
        if spilled is None or severity is None:
            continue
        finding = about(stage, "spill", severity, _spill_evidence(stage, spilled), _spill_advice(case, stage))
        yield Weighed(spilled, finding)


def gc(case: Case) -> Iterator[Weighed]:
    """Yield stages that spent much of their run time on garbage collection."""
    settings = case.settings
    for stage in case.attempt.stages:
        run_time, spent = known(stage.run_time_ms), known(stage.gc_time_ms)
        severity = graded(stage.gc_ratio, settings.gc_medium, max(settings.gc_medium, settings.gc_high))
        if severity is None or run_time is None or spent is None or run_time < GC_FLOOR_MS:
            continue
        evidence = (
            f"{percent(stage.gc_ratio or 0)} of the run time of its tasks was garbage collection "
            f"({span(spent)} of {span(run_time)})."
        )
        yield Weighed(spent, about(stage, "gc", severity, evidence, _gc_advice(case)))


def overprovisioned(case: Case) -> Iterator[Weighed]:
    """Yield the heap of the executors where none ever filled half of it, and nothing asks for more."""
    attempt, heap = case.attempt, case.heap_mb
    peaks = [known(each.peak_heap_bytes) for each in workers(attempt) if each.tasks]
    if case.local or attempt.status == RUNNING or not heap or heap < LEAST_HEAP_MB or not all(peaks):
        return
    pressed = attempt.disk_spilled_bytes or lost_to_memory(case)
    peak = max((peak for peak in peaks if peak), default=None)
    if peak is None or pressed or (attempt.gc_ratio or 0) >= case.settings.gc_medium:
        return
    if peak >= UNUSED_HEAP * heap * MIB:
        return
    enough = max(math.ceil(HEADROOM * peak / MIB / HEAP_STEP_MB) * HEAP_STEP_MB, LEAST_HEAP_MB // 2)
    evidence = (
        f"No executor ever filled more than {size(peak)} of its heap of {size(heap * MIB)} "
        f"({percent(peak / MIB / heap)})."
    )
    advice = f"Lower spark.executor.memory to {enough}m (now {heap}m), and watch garbage collection."
    yield Weighed(heap, Finding("memory_overprovisioned", "low", evidence, advice))


def _spill_evidence(stage: StageAttempt, spilled: int) -> str:
    in_memory, tasks = known(stage.memory_spilled_bytes), known(stage.tasks)
    evidence = f"{size(spilled)} spilled to disk"
    evidence += f" ({size(in_memory)} in memory)" if in_memory else ""
    evidence += f" by {counted(tasks, 'task')}" if tasks else ""
    return evidence + (f", {times(stage.spill_ratio)} what it read." if stage.spill_ratio else ".")


def _spill_advice(case: Case, stage: StageAttempt) -> str:
    if (stage.shuffle_skew or 0) >= case.settings.skew_medium:
        return f"Its largest reads spill most. {shuffle_advice(case, stage)}"
    return f"{_smaller_tasks(case, stage)}; or raise {case.more_memory}."


def _smaller_tasks(case: Case, stage: StageAttempt) -> str:
    """Return how to cut the work of a stage into more tasks, so that each of them fits."""
    properties, tasks = case.properties, known(stage.tasks) or 1
    cut = _cut(case, stage, tasks)
    read, shuffled = known(stage.input_bytes) or 0, known(stage.shuffle_read_bytes) or 0
    if not shuffled or read > shuffled:
        return _smaller_reads(case, read / tasks, cut)
    partitions = properties.whole(SHUFFLE_PARTITIONS) or DEFAULT_PARTITIONS
    if properties.coalescing and tasks < partitions:
        now = mebibytes(properties.size(ADVISORY) or DEFAULT_ADVISORY)
        return f"Lower {ADVISORY} to {mebibytes(shuffled / tasks / cut)} (now {now})"
    if tasks * cut > partitions:
        return f"Raise {SHUFFLE_PARTITIONS} to {tasks * cut} (now {partitions})"
    return f"Repartition to {tasks * cut} partitions (the stage has {tasks})"


def _smaller_reads(case: Case, average: float, cut: int) -> str:
    limit = case.properties.size(READ_BYTES) or DEFAULT_READ_BYTES
    wanted = min(average or limit, limit) / cut
    if wanted < MIB:
        return "Repartition before what spills, so that each task holds less"
    return f"Lower {READ_BYTES} to {mebibytes(wanted)} (now {mebibytes(limit)})"


def _cut(case: Case, stage: StageAttempt, tasks: int) -> int:
    """Return by how much tasks should be smaller, 2 to 10: what they held over what they may hold."""
    heap, cores, spilled = case.heap_mb, known(case.attempt.executor_cores), known(stage.memory_spilled_bytes)
    if not heap or not cores or not spilled:
        return 2
    at_once = max(cores // case.properties.task_cpus, 1)
    available = max(heap - RESERVED_MB, RESERVED_MB) * MIB * EXECUTION_SHARE / at_once
    return min(max(math.ceil(1 + spilled / tasks / available), 2), 10)


def _gc_advice(case: Case) -> str:
    cores = known(case.attempt.executor_cores)
    if case.local or not cores or cores == 1:
        return f"Raise {case.more_memory}, and unpersist what is cached and no longer needed."
    return (
        f"Raise {case.more_memory}, or lower spark.executor.cores to {max(cores // 2, 1)} (now {cores}), and "
        "unpersist what is cached and no longer needed."
    )
