"""A small event log of one application, with as many tasks as wanted and known sums.

Here: the lines, with the members that Spark writes and readers need.
Not here: real logs (``spark_jobs``).
"""

from __future__ import annotations

import json
from typing import Any

START = 1_767_225_600_000
"""2026-01-01T00:00:00Z in milliseconds."""


def event_lines(
    app_id: str,
    *,
    tasks: int = 3,
    name: str = "nightly",
    user: str = "ana",
    attempt: str | None = None,
    start: int = START,
    ended: bool = True,
    properties: dict[str, str] | None = None,
) -> list[str]:
    """Return the lines of a log: each task runs 100 ms, and reads 1000 bytes."""
    spark = {"spark.app.id": app_id, "spark.executor.cores": "2", "spark.executor.memory": "4g"}
    application: dict[str, Any] = {
        "Event": "SparkListenerApplicationStart",
        "App Name": name,
        "App ID": app_id,
        "Timestamp": start,
        "User": user,
        **({"App Attempt ID": attempt} if attempt else {}),
    }
    stage = {"Stage ID": 0, "Stage Attempt ID": 0, "Stage Name": "count", "Number of Tasks": tasks}
    done = {**stage, "Submission Time": start + 10, "Completion Time": start + 500}
    events: list[dict[str, Any]] = [
        {"Event": "SparkListenerLogStart", "Spark Version": "3.5.1"},
        {"Event": "SparkListenerEnvironmentUpdate", "Spark Properties": {**spark, **(properties or {})}},
        application,
        {"Event": "SparkListenerJobStart", "Job ID": 0, "Submission Time": start + 5, "Stage IDs": [0]},
        {"Event": "SparkListenerStageSubmitted", "Stage Info": stage},
        *(_task_end(number, start) for number in range(tasks)),
        {"Event": "SparkListenerStageCompleted", "Stage Info": done},
        {
            "Event": "SparkListenerJobEnd",
            "Job ID": 0,
            "Completion Time": start + 600,
            "Job Result": {"Result": "JobSucceeded"},
        },
    ]
    if ended:
        events.append({"Event": "SparkListenerApplicationEnd", "Timestamp": start + 1000})
    return [json.dumps(event, separators=(",", ":")) for event in events]


def event_log(app_id: str, **options: Any) -> bytes:
    """Return ``event_lines`` as the content of a file."""
    return "".join(f"{line}\n" for line in event_lines(app_id, **options)).encode()


def _task_end(number: int, start: int) -> dict[str, Any]:
    return {
        "Event": "SparkListenerTaskEnd",
        "Stage ID": 0,
        "Stage Attempt ID": 0,
        "Task Type": "ResultTask",
        "Task End Reason": {"Reason": "Success"},
        "Task Info": {
            "Task ID": number,
            "Index": number,
            "Attempt": 0,
            "Launch Time": start + 20,
            "Executor ID": "1",
            "Host": "worker",
            "Locality": "ANY",
            "Speculative": False,
            "Finish Time": start + 130,
            "Failed": False,
            "Killed": False,
        },
        "Task Metrics": {
            "Executor Run Time": 100,
            "Executor CPU Time": 90_000_000,
            "JVM GC Time": 1,
            "Memory Bytes Spilled": 0,
            "Disk Bytes Spilled": 0,
            "Input Metrics": {"Bytes Read": 1000, "Records Read": 10},
            "Output Metrics": {"Bytes Written": 0, "Records Written": 0},
            "Shuffle Read Metrics": {"Remote Bytes Read": 0, "Local Bytes Read": 0},
            "Shuffle Write Metrics": {"Shuffle Bytes Written": 0},
        },
    }
