"""What the events of a log say where a History Server counts wrongly, or does not tell.

Here: a plain count, every line decoded, every task kept; it shares no code with metaplat. A server counts a
task as run when it starts, as failed when only its output was lost (``Resubmitted``), and forgets those that
end after their executor.
Not here: what a server does know (``server_figures``).
"""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass, field
from statistics import median
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    from metaplat_tests.standins.record_figures import Figures

READ = ("Remote Bytes Read", "Local Bytes Read")
NOT_FAILED = ("Success", "TaskKilled", "TaskCommitDenied", "Resubmitted")


@dataclass
class Tasks:
    """Ends of tasks, by task id."""

    ends: dict[int, list[dict[str, Any]]] = field(default_factory=lambda: defaultdict(list))

    def count(self, *reasons: str) -> int:
        """How many tasks ended for one of ``reasons``."""
        return sum(any(_reason(end) in reasons for end in ends) for ends in self.ends.values())

    def failed(self) -> int:
        """How many tasks failed."""
        return sum(any(_reason(end) not in NOT_FAILED for end in ends) for ends in self.ends.values())

    def each(self, metric: str) -> list[int]:
        """Return one of the task metrics of every end."""
        return [_metric(end, (metric,)) for ends in self.ends.values() for end in ends]

    def succeeded(self) -> list[dict[str, Any]]:
        """Return the ends of successful tasks."""
        return [end for ends in self.ends.values() for end in ends if _reason(end) == "Success"]


def raw_figures(events: Path) -> Figures:
    """Count the tasks of one attempt, from a file of all its events."""
    started, everything, ended = set(), Tasks(), False
    of_stage: dict[tuple[int, int], Tasks] = defaultdict(Tasks)
    of_executor: dict[str, Tasks] = defaultdict(Tasks)
    for line in events.read_bytes().splitlines():
        event = json.loads(line)
        if event["Event"] == "SparkListenerTaskStart":
            started.add(event["Task Info"]["Task ID"])
        ended |= event["Event"] == "SparkListenerApplicationEnd"
        if event["Event"] == "SparkListenerTaskEnd":
            task, stage = event["Task Info"], (event["Stage ID"], event["Stage Attempt ID"])
            for tasks in (everything, of_stage[stage], of_executor[task["Executor ID"]]):
                tasks.ends[task["Task ID"]].append(event)
    attempt = {
        "total_tasks": len(everything.ends),
        "failed_tasks": everything.failed(),
        "killed_tasks": everything.count("TaskKilled"),
        "resubmitted_tasks": everything.count("Resubmitted"),
        "speculative_tasks": 0,
        "tasks_without_end": len(started - set(everything.ends)) if ended else None,
        "unknown_events": 0,
        "broken_lines": 0,
    }
    return {
        ("attempt",): attempt,
        **{("stage", *identity): _stage(tasks) for identity, tasks in of_stage.items()},
        **{("executor", name): _executor(tasks) for name, tasks in of_executor.items()},
    }


def _stage(tasks: Tasks) -> dict[str, Any]:
    counts = {
        "tasks": len(tasks.ends),
        "failed_tasks": tasks.failed(),
        "peak_execution_memory_bytes": max(tasks.each("Peak Execution Memory")),
    }
    ends = tasks.succeeded()
    if not ends:
        return counts
    times = [end["Task Info"]["Finish Time"] - end["Task Info"]["Launch Time"] for end in ends]
    lengths = [time.bit_length() for time in times]
    inputs = [_metric(end, ("Input Metrics", "Bytes Read")) for end in ends]
    shuffled = [sum(_metric(end, ("Shuffle Read Metrics", name)) for name in READ) for end in ends]
    return {
        **counts,
        "task_ms_min": min(times),
        "task_ms_median": median(times),
        "task_ms_max": max(times),
        "task_ms_histogram": [lengths.count(length) for length in range(max(lengths) + 1)],
        "input_bytes_median": median(inputs),
        "input_bytes_max": max(inputs),
        "shuffle_read_bytes_median": median(shuffled),
        "shuffle_read_bytes_max": max(shuffled),
    }


def _executor(tasks: Tasks) -> dict[str, Any]:
    return {
        "tasks": len(tasks.ends),
        "failed_tasks": tasks.failed(),
        "run_time_ms": sum(tasks.each("Executor Run Time")),
        "gc_time_ms": sum(tasks.each("JVM GC Time")),
    }


def _reason(end: dict[str, Any]) -> str:
    return str(end["Task End Reason"]["Reason"])


def _metric(end: dict[str, Any], path: tuple[str, ...]) -> int:
    value: Any = end.get("Task Metrics") or {}
    for name in path:
        value = value.get(name, {})
    return value if isinstance(value, int) else 0
