"""Lines of Spark event logs, made by hand: as Spark writes them, unless a test wants them otherwise.

Here: one function an event, and its bytes. Not here: logs of real applications (``spark_jobs``).
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from metaplat.collectors.spark.events.replay import LogReplay

if TYPE_CHECKING:
    from collections.abc import Iterable
    from random import Random

    from metaplat.collectors.spark.attempt import ApplicationAttempt

Event = dict[str, Any]
START = 1_700_000_000_000
ACCUMULABLES = [
    {"ID": 1, "Name": "internal.metrics.executorRunTime", "Update": 7, "Value": 7, "Internal": True},
    {"ID": 2, "Name": "duration", "Update": "12", "Value": "99", "Internal": True, "Metadata": "sql"},
]
NOT_MEASURED = {"JVMHeapMemory": 0, "JVMOffHeapMemory": 0, "ProcessTreeJVMRSSMemory": 0, "TotalGCTime": 0}


def named(name: str, **members: Any) -> Event:
    """Return an event of Spark's."""
    return {"Event": f"SparkListener{name}", **members}


def application_start(app_id: str | None = "app-1", at: int = START, **more: Any) -> Event:
    event = named(
        "ApplicationStart", **{"App Name": "nightly", "App ID": app_id, "Timestamp": at, "User": "ann"}
    )
    return {**event, **more}


def application_end(at: int = START + 60_000, **more: Any) -> Event:
    return named("ApplicationEnd", Timestamp=at, **more)


def environment(**properties: str) -> Event:
    """Return an EnvironmentUpdate; names are without ``spark.``, with ``_`` for the dots."""
    named_so = {f"spark.{name.replace('_', '.')}": value for name, value in properties.items()}
    return named("EnvironmentUpdate", **{"JVM Information": {}, "Spark Properties": named_so})


def executor_added(executor: str, at: int = START, cores: int = 2, profile: int = 0) -> Event:
    info = {"Host": f"host-{executor}", "Total Cores": cores, "Log Urls": {}, "Resource Profile Id": profile}
    return named("ExecutorAdded", **{"Timestamp": at, "Executor ID": executor, "Executor Info": info})


def executor_removed(executor: str, at: int, reason: str = "idle") -> Event:
    return named("ExecutorRemoved", **{"Timestamp": at, "Executor ID": executor, "Removed Reason": reason})


def stage_info(stage: int, attempt: int = 0, tasks: int = 1, **more: Any) -> Event:
    info = {"Stage ID": stage, "Stage Attempt ID": attempt, "Stage Name": f"count at {stage}"}
    return {**info, "Number of Tasks": tasks, "RDD Info": [], **more}


def stage_submitted(stage: int, attempt: int = 0, tasks: int = 1, at: int = START) -> Event:
    return named(
        "StageSubmitted", **{"Stage Info": stage_info(stage, attempt, tasks, **{"Submission Time": at})}
    )


def stage_completed(
    stage: int, attempt: int = 0, tasks: int = 1, at: int = START, end: int = START + 1000, failure: str = ""
) -> Event:
    more: Event = {"Submission Time": at, "Completion Time": end}
    if failure:
        more["Failure Reason"] = failure
    return named("StageCompleted", **{"Stage Info": stage_info(stage, attempt, tasks, **more)})


def job_start(job: int, stages: list[int], at: int | None = START) -> Event:
    infos = [stage_info(stage) for stage in stages]
    return named(
        "JobStart", **{"Job ID": job, "Submission Time": at, "Stage Infos": infos, "Stage IDs": stages}
    )


def job_end(job: int, at: int = START + 2000, result: str = "JobSucceeded") -> Event:
    return named("JobEnd", **{"Job ID": job, "Completion Time": at, "Job Result": {"Result": result}})


def task_metrics(run: int = 10, cpu: int | None = 9_000_000, **others: int) -> Event:
    """Return ``Task Metrics``; ``others`` are ``gc``, ``peak``, ``memory``, ``disk``, ``remote``, ...."""
    metrics: Event = {"Executor Deserialize Time": 1, "Executor Run Time": run}
    if cpu is not None:
        metrics["Executor CPU Time"] = cpu
    return {
        **metrics,
        "Peak Execution Memory": others.get("peak", 0),
        "JVM GC Time": others.get("gc", 0),
        "Memory Bytes Spilled": others.get("memory", 0),
        "Disk Bytes Spilled": others.get("disk", 0),
        "Shuffle Read Metrics": {
            "Remote Bytes Read": others.get("remote", 0),
            "Local Bytes Read": others.get("local", 0),
            "Push Based Shuffle": {"Merged Remote Bytes Read": 5},
        },
        "Shuffle Write Metrics": {"Shuffle Bytes Written": others.get("written", 0)},
        "Input Metrics": {"Bytes Read": others.get("input", 0), "Records Read": 3},
        "Output Metrics": {"Bytes Written": others.get("output", 0)},
        "Updated Blocks": [],
    }


def task_start(task: int, stage: int = 0, attempt: int = 0, at: int = START, executor: str = "1") -> Event:
    info = {"Task ID": task, "Index": 0, "Attempt": 0, "Launch Time": at, "Executor ID": executor}
    return named(
        "TaskStart",
        **{"Stage ID": stage, "Stage Attempt ID": attempt, "Task Info": {**info, "Accumulables": []}},
    )


def task_end(  # noqa: PLR0913, RUF100  # what an end has
    task: int,
    stage: int = 0,
    attempt: int = 0,
    *,
    reason: str = "Success",
    at: int = START,
    lasted: int = 100,
    executor: str = "1",
    speculative: bool = False,
    metrics: Event | None = None,
    peaks: Event | None = None,
    lost: bool = False,
) -> Event:
    """Return a TaskEnd; ``lost`` leaves out its metrics, as Spark does for a lost executor's tasks."""
    info = {"Task ID": task, "Index": 0, "Attempt": 0, "Launch Time": at, "Executor ID": executor}
    info |= {"Host": "h", "Locality": "ANY", "Speculative": speculative, "Getting Result Time": 0}
    info |= {"Finish Time": at + lasted, "Failed": False, "Killed": False, "Accumulables": ACCUMULABLES}
    event = named("TaskEnd", **{"Stage ID": stage, "Stage Attempt ID": attempt, "Task Type": "ResultTask"})
    event |= {"Task End Reason": {"Reason": reason}, "Task Info": info}
    event["Task Executor Metrics"] = NOT_MEASURED if peaks is None else peaks
    return event if lost else {**event, "Task Metrics": metrics or task_metrics()}


def line(event: Event, *, spaced: bool = False, shuffled: Random | None = None) -> bytes:
    """Return the line of an event; its keys in another order, or with spaces between, where asked for."""
    if shuffled is not None:
        event = _shuffled(event, shuffled)
    return json.dumps(event, separators=(", ", ": ") if spaced else (",", ":")).encode() + b"\n"


def _shuffled(value: Any, random: Random) -> Any:
    if isinstance(value, list):
        return [_shuffled(member, random) for member in value]
    if not isinstance(value, dict):
        return value
    return {key: _shuffled(value[key], random) for key in random.sample(list(value), len(value))}


def log(*events: Event) -> bytes:
    """Return the bytes of a log."""
    return b"".join(map(line, events))


def replayed(data: bytes | Iterable[bytes], *, cut: bool = False) -> ApplicationAttempt:
    """Return the attempt of one file, fed whole or in chunks."""
    replay = LogReplay()
    for chunk in [data] if isinstance(data, bytes) else data:
        replay.feed(chunk)
    replay.end_file(cut=cut)
    return replay.attempt("event-logs")
