"""What a History Server's REST interface says of an attempt, in the words of metaplat's records.

Here: a plain reading of ``applications``, ``jobs``, ``stages``, ``allexecutors`` and ``environment``, which
shares no code with metaplat and leaves out what REST cannot say, or says wrongly (``raw_figures`` has that).
Not here: the server (``history_server``).
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

if TYPE_CHECKING:
    from metaplat_tests.standins.history_server import HistoryServer
    from metaplat_tests.standins.record_figures import Figures

MEBIBYTES = {"m": 1, "g": 1024, "t": 1024 * 1024}
TAG = "spark.metaplat.tag."
SUMS = {
    "run_time_ms": "executorRunTime",
    "gc_time_ms": "jvmGcTime",
    "input_bytes": "inputBytes",
    "output_bytes": "outputBytes",
    "shuffle_read_bytes": "shuffleReadBytes",
    "shuffle_write_bytes": "shuffleWriteBytes",
    "memory_spilled_bytes": "memoryBytesSpilled",
    "disk_spilled_bytes": "diskBytesSpilled",
}
"""Sums over the tasks of a stage, in REST's words."""


def server_figures(server: HistoryServer, app_id: str, attempt_id: str | None) -> Figures:
    """Ask a server for everything it knows of one attempt."""
    at = f"applications/{quote(app_id)}" + (f"/{attempt_id}" if attempt_id else "")
    application = server.ask(f"applications/{quote(app_id)}")
    [entry] = [one for one in application["attempts"] if one.get("attemptId") == attempt_id]
    properties = dict(server.ask(f"{at}/environment")["sparkProperties"])
    stages, jobs = _counted(server.ask(f"{at}/stages")), server.ask(f"{at}/jobs")
    executors = [
        one for one in server.ask(f"{at}/allexecutors") if one["id"] != "driver" or one["totalCores"]
    ]
    workers = [one for one in executors if one["id"] != "driver"]
    attempt = {
        "app_id": app_id,
        "attempt_id": attempt_id,
        **_of_entry(entry),
        **_of_properties(properties, executors),
        **_of_stages(stages),
        **(_of_workers(workers, entry["endTime"]) if entry["completed"] else {}),
        "jobs": len(jobs),
        "failed_jobs": sum(job["status"] == "FAILED" for job in jobs),
    }
    return {
        ("attempt",): attempt,
        **{("job", job["jobId"]): _job(job) for job in jobs},
        **{("stage", one["stageId"], one["attemptId"]): _stage(one, jobs) for one in stages},
        **{("executor", one["id"]): _executor(one) for one in executors},
    }


def _of_entry(entry: dict[str, Any]) -> dict[str, Any]:
    exit_code, ended = entry.get("exitCode"), entry["completed"]
    return {
        "user": entry["sparkUser"],
        "status": ("FAILED" if exit_code else "COMPLETED") if ended else "RUNNING",
        "exit_code": exit_code,
        "start_time": _time(entry["startTime"]),
        "end_time": _time(entry["endTime"]) if ended else None,
        "duration_ms": entry["duration"] if ended else None,
        "spark_version": entry["appSparkVersion"],
    }


def _of_properties(properties: dict[str, str], executors: list[dict[str, Any]]) -> dict[str, Any]:
    cores = properties.get("spark.executor.cores") or max(one["totalCores"] for one in executors)
    driver = properties.get("spark.driver.memory")
    return {
        "app_name": properties["spark.app.name"],
        "master": properties["spark.master"],
        "submit_time": _time_of_epoch(properties["spark.app.submitTime"]),
        "executor_cores": int(cores),
        "executor_memory_mb": _mebibytes(properties.get("spark.executor.memory", "1g")),
        "driver_memory_mb": None if driver is None else _mebibytes(driver),
        "environment": {name: text for name, text in properties.items() if "redacted" not in text},
        "tags": {name[len(TAG) :]: text for name, text in properties.items() if name.startswith(TAG)},
    }


def _of_workers(workers: list[dict[str, Any]], end: str) -> dict[str, Any]:
    """Count executors: a lifetime ends with the application where the executor was never removed."""
    lives = [(_read(one["addTime"]), _read(one.get("removeTime", end))) for one in workers]
    alive = [sum(added <= moment < removed for added, removed in lives) for moment, _ in lives]
    return {
        "num_executors": max(alive, default=0),
        "num_executors_added": len(lives),
        "executor_seconds": sum((removed - added).total_seconds() for added, removed in lives),
    }


def _counted(stages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Leave out what is not submitted yet, and the attempt before the first of a stage that did run.

    A stage whose output is there already is planned as attempt 0; once that is lost, it runs as attempt 1.
    """
    ran = {one["stageId"] for one in stages if one["status"] not in ("SKIPPED", "PENDING")}
    return [
        one
        for one in stages
        if one["status"] != "PENDING" and (one["status"] != "SKIPPED" or one["stageId"] not in ran)
    ]


def _of_stages(stages: list[dict[str, Any]]) -> dict[str, Any]:
    statuses = [one["status"] for one in stages]
    return {
        "total_stages": len(statuses) - statuses.count("SKIPPED"),
        "failed_stages": statuses.count("FAILED"),
        "skipped_stages": statuses.count("SKIPPED"),
        "killed_tasks": sum(one["numKilledTasks"] for one in stages),
        "cpu_time_ms": sum(one["executorCpuTime"] for one in stages) // 10**6,
        **{name: sum(one[theirs] for one in stages) for name, theirs in SUMS.items()},
    }


def _job(job: dict[str, Any]) -> dict[str, Any]:
    return {
        "status": job["status"],
        "submission_time": _time(job["submissionTime"]),
        "completion_time": _time(job.get("completionTime")),
        "stage_ids": sorted(job["stageIds"]),
    }


def _stage(stage: dict[str, Any], jobs: list[dict[str, Any]]) -> dict[str, Any]:
    known = {
        "status": stage["status"],
        "name": stage["name"],
        "job_ids": sorted(job["jobId"] for job in jobs if stage["stageId"] in job["stageIds"]),
        "planned_tasks": stage["numTasks"],
        "submission_time": _time(stage.get("submissionTime")),
        "completion_time": _time(stage.get("completionTime")),
        "failure_reason": _failure(stage.get("failureReason")),
    }
    if stage["status"] == "SKIPPED":
        return known
    return {
        **known,
        "killed_tasks": stage["numKilledTasks"],
        "cpu_time_ms": stage["executorCpuTime"] // 10**6,
        **{name: stage[theirs] for name, theirs in SUMS.items()},
    }


def _executor(executor: dict[str, Any]) -> dict[str, Any]:
    known = {
        "add_time": _time(executor["addTime"]),
        "remove_time": _time(executor.get("removeTime")),
        "removed_reason": _first_line(executor.get("removeReason")),
        "cores": executor["totalCores"],
        "input_bytes": executor["totalInputBytes"],
        "shuffle_read_bytes": executor["totalShuffleRead"],
        "shuffle_write_bytes": executor["totalShuffleWrite"],
    }
    if executor["id"] == "driver":  # its garbage is not that of its tasks, its host that of the block manager
        return known
    return known | {"gc_time_ms": executor["totalGCTime"], "host": executor["hostPort"].rpartition(":")[0]}


def _read(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("GMT", "+00:00"))


def _time(text: str | None) -> str | None:
    """Return a time of REST as records have it: both in milliseconds."""
    return None if text is None else text.replace("GMT", "Z")


def _time_of_epoch(milliseconds: str) -> str:
    moment = datetime.fromtimestamp(int(milliseconds) / 1000, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _mebibytes(text: str) -> int:
    """Read ``2g``, ``512m``, or a bare number of MiB."""
    return int(text) if text.isdigit() else int(text[:-1]) * MEBIBYTES[text[-1].lower()]


def _failure(reason: str | None) -> str | None:
    """Return the first line of a reason, with the error of Python in place of "Traceback ..."."""
    lines = (reason or "").split("\n")
    before, traceback, _ = lines[0].partition("Traceback (most recent call last):")
    if not traceback:
        return lines[0] or None
    raised = [line for line in lines[1:] if re.match(r"\w+(\.\w+)*(Error|Exception)\b", line)]
    return before + raised[-1] if raised else lines[0]


def _first_line(text: str | None) -> str | None:
    return text.splitlines()[0] if text else None
