"""Small Spark event logs written by hand, for what no real job can be asked to write.

Here: the events of one application as lines. Not here: logs of a real Spark (``spark_jobs``).
"""

from __future__ import annotations

import json
from typing import Any

START = 1_763_900_000_000
"""2025-11-23 12:13:20 UTC, in ms."""
SPARK = "org.apache.spark.scheduler."


def line(event: str, **members: Any) -> bytes:
    """Return one event as a line; member names have spaces where the argument has underscores."""
    named = {key.replace("__", "-").replace("_", " "): value for key, value in members.items()}
    return json.dumps({"Event": event, **named}, separators=(",", ":")).encode() + b"\n"


def log_start(version: str = "4.0.0") -> bytes:
    return line("SparkListenerLogStart", Spark_Version=version)


def environment(**properties: str) -> bytes:
    named = {key.replace("__", "."): value for key, value in properties.items()}
    return line("SparkListenerEnvironmentUpdate", Spark_Properties={"spark.master": "yarn", **named})


def application_start(
    app_id: str, name: str = "etl", user: str = "alice", at: int = START, **other: Any
) -> bytes:
    return line(
        "SparkListenerApplicationStart", App_Name=name, App_ID=app_id, Timestamp=at, User=user, **other
    )


def application_end(at: int = START + 60_000) -> bytes:
    return line("SparkListenerApplicationEnd", Timestamp=at)


def executor_added(executor_id: str = "1", at: int = START + 1_000, cores: int = 2) -> bytes:
    info = {"Host": "10.0.0.1", "Total Cores": cores, "Log Urls": {}}
    return line("SparkListenerExecutorAdded", Timestamp=at, Executor_ID=executor_id, Executor_Info=info)


def stage_info(stage_id: int, tasks: int, at: int, end: int | None = None) -> dict[str, Any]:
    info: dict[str, Any] = {
        "Stage ID": stage_id,
        "Stage Attempt ID": 0,
        "Stage Name": f"count at etl.py:{stage_id}",
        "Number of Tasks": tasks,
        "RDD Info": [],
        "Parent IDs": [],
        "Details": "",
        "Submission Time": at,
        "Accumulables": [],
    }
    return info if end is None else {**info, "Completion Time": end}


def job(job_id: int, stage_id: int, tasks: int, at: int = START + 2_000) -> bytes:
    """Return a whole job of one stage, whose tasks take a second each."""
    info = stage_info(stage_id, tasks, at)
    started = line(
        "SparkListenerJobStart",
        Job_ID=job_id,
        Submission_Time=at,
        Stage_Infos=[info],
        Stage_IDs=[stage_id],
        Properties={},
    )
    submitted = line("SparkListenerStageSubmitted", Stage_Info=info, Properties={})
    first = job_id * 1000
    ended = b"".join(task(first + index, stage_id, at) for index in range(tasks))
    completed = line("SparkListenerStageCompleted", Stage_Info=stage_info(stage_id, tasks, at, at + 1_500))
    result = {"Result": "JobSucceeded"}
    finished = line("SparkListenerJobEnd", Job_ID=job_id, Completion_Time=at + 1_600, Job_Result=result)
    return started + submitted + ended + completed + finished


def task(task_id: int, stage_id: int, at: int, *, run_ms: int = 900, input_bytes: int = 100) -> bytes:
    """Return the start and the successful end of a task."""
    info = {
        "Task ID": task_id,
        "Index": task_id % 1000,
        "Attempt": 0,
        "Launch Time": at,
        "Executor ID": "1",
        "Host": "10.0.0.1",
        "Locality": "ANY",
        "Speculative": False,
        "Getting Result Time": 0,
        "Finish Time": at + 1_000,
        "Failed": False,
        "Killed": False,
        "Accumulables": [],
    }
    metrics = {
        "Executor Deserialize Time": 1,
        "Executor Run Time": run_ms,
        "Executor CPU Time": run_ms * 900_000,
        "Peak Execution Memory": 10,
        "Result Size": 10,
        "JVM GC Time": 5,
        "Memory Bytes Spilled": 0,
        "Disk Bytes Spilled": 0,
        "Shuffle Read Metrics": {"Remote Bytes Read": 3, "Local Bytes Read": 4},
        "Shuffle Write Metrics": {"Shuffle Bytes Written": 5},
        "Input Metrics": {"Bytes Read": input_bytes, "Records Read": 1},
        "Output Metrics": {"Bytes Written": 6, "Records Written": 1},
        "Updated Blocks": [],
    }
    started = line("SparkListenerTaskStart", Stage_ID=stage_id, Stage_Attempt_ID=0, Task_Info=info)
    ended = line(
        "SparkListenerTaskEnd",
        Stage_ID=stage_id,
        Stage_Attempt_ID=0,
        Task_Type="ResultTask",
        Task_End_Reason={"Reason": "Success"},
        Task_Info=info,
        Task_Metrics=metrics,
    )
    return started + ended


def head(app_id: str, *, at: int = START, name: str = "etl", user: str = "alice", **properties: str) -> bytes:
    """Return the beginning of a log: version, properties, application start, one executor."""
    start = application_start(app_id, name=name, user=user, at=at)
    return log_start() + environment(**properties) + start + executor_added(at=at + 1_000)


def whole_log(
    app_id: str, *, tasks: int = 3, at: int = START, name: str = "etl", user: str = "alice", **properties: str
) -> bytes:
    """Return the log of an application with one job, from start to end."""
    beginning = head(app_id, at=at, name=name, user=user, **properties)
    return beginning + job(0, 0, tasks, at + 2_000) + application_end(at + 60_000)
