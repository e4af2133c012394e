"""What a log says by a plain reading: json.loads, dicts, one line after the other, no thought of speed.

Here: the counting, and the comparison with an attempt. Not here: the logs that are compared.
"""

from __future__ import annotations

import json
import statistics
from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from metaplat.collectors.spark.attempt import ApplicationAttempt

Event = dict[str, Any]
NO_FAILURES = {"Success", "TaskKilled", "TaskCommitDenied", "Resubmitted"}
PATHS = {
    "run_time_ms": ("Executor Run Time",),
    "gc_time_ms": ("JVM GC Time",),
    "input_bytes": ("Input Metrics", "Bytes Read"),
    "output_bytes": ("Output Metrics", "Bytes Written"),
    "shuffle_write_bytes": ("Shuffle Write Metrics", "Shuffle Bytes Written"),
    "memory_spilled_bytes": ("Memory Bytes Spilled",),
    "disk_spilled_bytes": ("Disk Bytes Spilled",),
    "cpu_ns": ("Executor CPU Time",),
    "remote": ("Shuffle Read Metrics", "Remote Bytes Read"),
    "local": ("Shuffle Read Metrics", "Local Bytes Read"),
}


class Reference:
    """Counts as the contract says."""

    def __init__(self, data: bytes) -> None:
        self.broken = self.unknown = 0
        self.sums: dict[Any, Counter[str]] = defaultdict(Counter)
        self.ids: dict[str, set[int]] = defaultdict(set)
        self.durations: dict[Any, list[int]] = defaultdict(list)
        self.closed: set[Any] = set()
        self.failed: set[Any] = set()
        self.started: dict[int, Any] = {}
        for text in data.split(b"\n"):
            if text.strip():
                self._line(text)

    def _line(self, text: bytes) -> None:
        try:
            event = json.loads(text)
            name = event["Event"]
        except (ValueError, KeyError, TypeError):
            self.broken += 1
            return
        if name == "SparkListenerTaskStart":
            self.started[event["Task Info"]["Task ID"]] = (event["Stage ID"], event["Stage Attempt ID"])
        elif name == "SparkListenerTaskEnd":
            self._end(event)
        elif name == "SparkListenerStageCompleted":
            info = event["Stage Info"]
            self.closed.add((info["Stage ID"], info["Stage Attempt ID"]))
            if "Failure Reason" in info:
                self.failed.add((info["Stage ID"], info["Stage Attempt ID"]))
        elif not name.startswith(("SparkListener", "org.apache.spark.")):
            self.unknown += 1

    def _end(self, event: Event) -> None:
        info, reason = event["Task Info"], event["Task End Reason"]["Reason"]
        task, stage = info["Task ID"], (event["Stage ID"], event["Stage Attempt ID"])
        metrics = event.get("Task Metrics") or {}
        marks = {
            "tasks": True,
            "failed_tasks": reason not in NO_FAILURES,
            "killed_tasks": reason in ("TaskKilled", "TaskCommitDenied"),
            "resubmitted_tasks": reason == "Resubmitted",
            "speculative_tasks": info["Speculative"],
            "succeeded": reason == "Success",
        }
        new = {mark for mark, is_so in marks.items() if is_so and task not in self.ids[mark]}
        for mark in new:
            self.ids[mark].add(task)
        for key in ("all", stage, info["Executor ID"]):
            self.sums[key].update(dict.fromkeys(new, 1))
            self.sums[key].update({figure: _at(metrics, *path) for figure, path in PATHS.items()})
        if "succeeded" in new and stage not in self.closed and info["Finish Time"] >= info["Launch Time"]:
            self.durations[stage].append(info["Finish Time"] - info["Launch Time"])

    def figures(self, key: Any) -> dict[str, int]:
        """Return what the record must say of the application, a stage or an executor."""
        sums = self.sums[key]
        figures = {name: sums[name] for name in (*PATHS, "tasks", "failed_tasks", "killed_tasks")}
        figures["cpu_time_ms"] = figures.pop("cpu_ns") // 1_000_000
        figures["shuffle_read_bytes"] = figures.pop("remote") + figures.pop("local")
        return figures


def _at(metrics: Event, *path: str) -> int:
    value: Any = metrics
    for key in path:
        value = value.get(key) or {}
    return value if isinstance(value, int) and value >= 0 else 0


def told_by(attempt: ApplicationAttempt, reference: Reference) -> None:
    """Compare all figures of an attempt with those of the reference."""
    record = attempt.record()
    record["tasks"] = record["total_tasks"]
    figures = reference.figures("all")
    assert {name: record[name] for name in figures} == figures
    for name in ("resubmitted_tasks", "speculative_tasks"):
        assert record[name] == len(reference.ids[name])
    assert (attempt.broken_lines, attempt.unknown_events) == (reference.broken, reference.unknown)
    if attempt.status != "RUNNING":
        lost = [reference.started[task] for task in reference.started.keys() - reference.ids["tasks"]]
        assert attempt.tasks_without_end == sum(stage not in reference.failed for stage in lost)
    for stage in record["stages"]:
        _stage_is(stage, reference)
    for executor in record["executors"]:
        told = reference.figures(executor["executor_id"])
        assert {name: executor[name] for name in told if name in executor} == {
            name: value for name, value in told.items() if name in executor
        }


def _stage_is(stage: Event, reference: Reference) -> None:
    key = (stage["stage_id"], stage["stage_attempt_id"])
    figures = reference.figures(key)
    assert {name: stage[name] for name in figures} == figures
    durations = reference.durations[key]
    told = [stage["task_ms_min"], stage["task_ms_median"], stage["task_ms_max"]]
    if not durations:
        assert told == [None, None, None]
        return
    assert told == [min(durations), statistics.median(durations), max(durations)]
    assert sum(stage["task_ms_histogram"]) == len(durations)
