"""Executors that went away without being asked to.

Here: which reasons of removal are losses, their causes, and what helps against each.
Not here: executors given back when they were idle, or stopped with the application.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from metaplat.collectors.spark.attempt import Finding
from metaplat.collectors.spark.conclusions.findings.case import Weighed
from metaplat.collectors.spark.conclusions.findings.wording import counted
from metaplat.collectors.spark.conclusions.quantities import known
from metaplat.collectors.spark.conclusions.secret_values import shown
from metaplat.collectors.spark.conclusions.workers import workers

if TYPE_CHECKING:
    from collections.abc import Iterator

    from metaplat.collectors.spark.attempt import Executor
    from metaplat.collectors.spark.conclusions.findings.case import Case

ASKED_FOR = re.compile(
    r"killed by (?:the )?driver|requested by (?:the )?driver|idle|decommission finished|scal(?:ed|ing) down"
    r"|exit(?:ed)?\W+(?:with\W+)?(?:code|status)?\W*0\b|(?:app|application|worker)\b.{0,20}\bfinished",
    re.IGNORECASE,
)
HEAP = re.compile(
    r"OutOfMemoryError|heap space|GC overhead|exit(?:ed)?\W+(?:with\W+)?(?:code|status)\W+52\b", re.IGNORECASE
)
BEYOND_HEAP = re.compile(
    r"exceed\w*.{0,40}memory|memory limit|beyond the .{0,12}memory|OOM|out of memory"
    r"|exit(?:ed)?\W+(?:with\W+)?(?:code|status)\W+137\b",
    re.IGNORECASE,
)
SILENT = re.compile(r"heartbeat|timed? ?out", re.IGNORECASE)
TAKEN = re.compile(
    r"preempt|spot|decommission|reclaim|evict|node.{0,20}(?:lost|terminat)|(?:host|worker|slave) lost"
    r"|terminated by",
    re.IGNORECASE,
)
CAUSES = {
    "memory": "probably for want of memory",
    "silent": "as they fell silent",
    "taken": "with their machine",
}
MANY = 0.5
"""Losing so large a share of all executors is severe whatever the cause."""
OVERHEAD_SHARE, LEAST_OVERHEAD_MB, MORE = 0.1, 384, 2


def lost_executors(case: Case) -> Iterator[Weighed]:
    """Yield, as one finding, the executors that were lost, by cause."""
    lost = _lost(case)
    if not lost:
        return
    by_cause: dict[str, list[str]] = {}
    for executor in lost:
        reason = executor.removed_reason or ""
        by_cause.setdefault(_cause(reason), []).append(reason)
    worst = next(cause for cause in ("memory", "silent", "other", "taken") if cause in by_cause)
    everyone = max(len(workers(case.attempt)), known(case.attempt.num_executors_added) or 0)
    parts = [
        f'{len(reasons)} {CAUSES.get(cause, "otherwise")}, as in "{shown(reasons[0])}"'
        for cause, reasons in sorted(by_cause.items(), key=lambda item: -len(item[1]))
    ]
    verb = "was" if len(lost) == 1 else "were"
    evidence = f"{len(lost)} of {counted(everyone, 'executor')} {verb} lost: {'; '.join(parts)}."
    severe = worst == "memory" or len(lost) >= MANY * everyone
    severity = "high" if severe else "low" if worst == "taken" else "medium"
    yield Weighed(
        len(lost), Finding("lost_executors", severity, evidence, _advice(case, worst, by_cause[worst][0]))
    )


def lost_to_memory(case: Case) -> bool:
    """Whether an executor was lost, or a stage failed, for want of memory."""
    reasons = [executor.removed_reason or "" for executor in _lost(case)]
    reasons += [stage.failure_reason or "" for stage in case.attempt.stages]
    return any(is_memory(reason) for reason in reasons)


def is_memory(reason: str) -> bool:
    """Whether a reason speaks of too little memory, inside the heap or beyond it."""
    return bool(HEAP.search(reason) or BEYOND_HEAP.search(reason))


def memory_advice(case: Case, reason: str) -> str:
    """Return which memory to raise: the heap where it was full, else what lies beyond it."""
    heap, now = case.heap_mb, _overhead_mb(case)
    if HEAP.search(reason) or case.local:
        wanted = f" to {MORE * heap}m (now {heap}m)" if heap else ""
        return f"Raise {case.memory_property}{wanted}, or cut the work into smaller tasks."
    name = (
        "spark.yarn.executor.memoryOverhead"
        if case.properties.at_least(2, 3) is False
        else "spark.executor.memoryOverhead"
    )
    wanted = f" to {MORE * now}m (now {now}m)" if now else ""
    return (
        f"Raise {name}{wanted}: an executor was killed from outside, most often for memory beyond its heap; "
        "or lower spark.executor.cores."
    )


def _lost(case: Case) -> list[Executor]:
    """Return the executors that were removed before the end for a reason that nobody asked for."""
    end = case.attempt.end_time
    return [
        each
        for each in workers(case.attempt)
        if each.removed_reason
        and not ASKED_FOR.search(each.removed_reason)
        and (end is None or each.remove_time is None or each.remove_time < end)
    ]


def _cause(reason: str) -> str:
    if is_memory(reason):
        return "memory"
    if SILENT.search(reason):
        return "silent"
    return "taken" if TAKEN.search(reason) else "other"


def _advice(case: Case, cause: str, reason: str) -> str:
    properties = case.properties
    if cause == "memory":
        return memory_advice(case, reason)
    if cause == "silent":
        now = properties.values.get("spark.network.timeout", "120s")
        return (
            "Look for long garbage collection or a full disk on their hosts; "
            f"then raise spark.network.timeout (now {now}) and {case.more_memory}."
        )
    if cause == "taken":
        return _taken_advice(case)
    return "Look at the end of the log of these executors, and at the events of their hosts."


def _taken_advice(case: Case) -> str:
    if case.properties.at_least(3, 1) is False:
        return "Use machines that stay for the executors that hold shuffle files."
    switches = ("spark.decommission.enabled", "spark.storage.decommission.shuffleBlocks.enabled")
    off = [f"{name}=true" for name in switches if not case.properties.flag(name, default=False)]
    if off:
        return f"Set {' and '.join(off)}, so that blocks move before a machine goes."
    return "Blocks already move before a machine goes; where that is too late, use machines that stay."


def _overhead_mb(case: Case) -> int | None:
    """Return the memory beyond the heap: as an executor has it, else Spark's default."""
    found = [size for each in workers(case.attempt) if (size := known(each.overhead_mb))]
    heap = case.heap_mb
    if found or not heap:
        return max(found, default=None)
    return max(int(OVERHEAD_SHARE * heap), LEAST_OVERHEAD_MB)
