"""Applications as a History Server's REST interface has them, and collecting them.

Here: list entries, the answers about one attempt, zips, and a request to the real collector, so that a test
says only what it plants and what it expects.
Not here: the server (``spark_rest``).
"""

from __future__ import annotations

import io
import zipfile
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from metaplat.collectors.collector import CollectRequest
from metaplat.collectors.spark.history_server import collect
from metaplat.settings import Settings, SparkSettings
from metaplat_tests.standins.platform_collection import RememberedThings

if TYPE_CHECKING:
    from collections.abc import Mapping

NOW = datetime(2026, 1, 2, tzinfo=UTC)
START = 1_767_225_600_000
"""2026-01-01T00:00:00Z in milliseconds."""


@dataclass
class Collected:
    """What came of one collection; ``memory`` is for the next one."""

    memory: RememberedThings = field(default_factory=RememberedThings)
    records: list[Mapping[str, Any]] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    rejected: dict[str, str] = field(default_factory=dict)

    @property
    def only(self) -> Mapping[str, Any]:
        """The one record that was expected."""
        assert len(self.records) == 1, (self.records, self.warnings, self.rejected)
        return self.records[0]

    @property
    def names(self) -> list[str]:
        """Applications and attempts in the order of their records."""
        return ["/".join(filter(None, (one["app_id"], one["attempt_id"]))) for one in self.records]


def collected(url: str, memory: RememberedThings | None = None, **asked: Any) -> Collected:
    """Collect from a server; what is no field of a request is a setting of ``[spark]``."""
    into = Collected(memory or RememberedThings())
    gather(into, url, **asked)
    return into


def gather(into: Collected, url: str, **asked: Any) -> None:
    """Collect from a server; what came before an error stays in ``into``."""
    fields = {name: asked.pop(name) for name in ("since", "user", "name", "tags", "via") if name in asked}
    spark = SparkSettings(**{"retries": 1, "timeout_seconds": 60.0, "replay_seconds": 60.0, **asked})
    request = CollectRequest(
        Settings(spark=spark),
        NOW,
        into.warnings.append,
        url=url,
        reject=into.rejected.__setitem__,
        memory=into.memory,
        **fields,
    )
    for record in collect(request):
        into.records.append(record)


def date(milliseconds: int) -> str:
    """Return a time as the server writes it."""
    moment = datetime.fromtimestamp(milliseconds / 1000, UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{milliseconds % 1000:03d}GMT"


def attempt(end: int | None = START + 1000, start: int = START, **other: Any) -> dict[str, Any]:
    """Return an attempt as the list has it; without an end it runs."""
    return {
        "startTime": date(start),
        "endTime": "1969-12-31T23:59:59.999GMT" if end is None else date(end),
        "lastUpdated": date(end or start),
        "duration": 0 if end is None else end - start,
        "sparkUser": "ana",
        "completed": end is not None,
        "appSparkVersion": "3.5.1",
        "startTimeEpoch": start,
        "endTimeEpoch": -1 if end is None else end,
        "lastUpdatedEpoch": end or start,
        **other,
    }


def application(app_id: str = "app-1", *attempts: Any, name: str = "nightly") -> dict[str, Any]:
    """Return an application as the list has it; without attempts it has one that ended."""
    return {"id": app_id, "name": name, "attempts": list(attempts) or [attempt()]}


def zipped(files: Mapping[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    """Return a zip of some files."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", compression) as opened:
        for name, data in files.items():
            opened.writestr(name, data)
    return content.getvalue()


def stage(stage_id: int = 0, tasks: int = 2, attempt_id: int = 0, **other: Any) -> dict[str, Any]:
    """Return a completed stage; each task runs 100 ms and reads 1000 bytes."""
    spread = {
        "quantiles": [0.0, 0.5, 0.95, 1.0],
        "duration": [100.0, 110.0, 120.0, 130.0],
        "peakExecutionMemory": [0.0, 1.0, 2.0, 64.0],
        "inputMetrics": {"bytesRead": [0.0, 1000.0, 1000.0, 1500.0]},
        "shuffleReadMetrics": {"readBytes": [0.0, 10.0, 20.0, 30.0]},
    }
    return {
        "status": "COMPLETE",
        "stageId": stage_id,
        "attemptId": attempt_id,
        "name": "count at job.py:1",
        "submissionTime": date(START + 100),
        "completionTime": date(START + 600),
        "numTasks": tasks,
        "numActiveTasks": 0,
        "numCompleteTasks": tasks,
        "numFailedTasks": 0,
        "numKilledTasks": 0,
        "executorRunTime": 100 * tasks,
        "executorCpuTime": 90_600_000 * tasks,
        "jvmGcTime": tasks,
        "inputBytes": 1000 * tasks,
        "outputBytes": 10,
        "shuffleReadBytes": 20,
        "shuffleWriteBytes": 30,
        "memoryBytesSpilled": 40,
        "diskBytesSpilled": 50,
        "taskMetricsDistributions": spread,
        **other,
    }


def executor(executor_id: str = "1", tasks: int = 2, **other: Any) -> dict[str, Any]:
    """Return an executor that lived from 100 ms after the start."""
    return {
        "id": executor_id,
        "hostPort": "worker:7337",
        "isActive": True,
        "totalCores": 2,
        "activeTasks": 0,
        "failedTasks": 0,
        "completedTasks": tasks,
        "totalTasks": tasks,
        "totalDuration": 150 * tasks,
        "totalGCTime": tasks,
        "totalInputBytes": 1000 * tasks,
        "totalShuffleRead": 20,
        "totalShuffleWrite": 30,
        "addTime": date(START + 100),
        "peakMemoryMetrics": {"JVMHeapMemory": 500, "ProcessTreeJVMRSSMemory": 0},
        "resourceProfileId": 0,
        **other,
    }


def job(job_id: int = 0, stage_ids: tuple[int, ...] = (0,), **other: Any) -> dict[str, Any]:
    """Return a job that succeeded."""
    return {
        "jobId": job_id,
        "status": "SUCCEEDED",
        "submissionTime": date(START + 90),
        "completionTime": date(START + 700),
        "stageIds": list(stage_ids),
        **other,
    }


def properties(**other: str) -> dict[str, Any]:
    """Return an environment with some properties; double underscores of a name are dots."""
    every = {
        "spark.master": "yarn",
        "spark.app.submitTime": str(START - 500),
        "spark.executor.cores": "2",
        "spark.executor.memory": "4g",
        "spark.metaplat.tag.team": "blue",
        **{name.replace("__", "."): value for name, value in other.items()},
    }
    return {"runtime": {}, "sparkProperties": [list(pair) for pair in every.items()]}


def parts(path: str = "app-1", **other: Any) -> dict[str, Any]:
    """Return the answers about one attempt, by their paths."""
    driver = executor("driver", 0, totalCores=0)
    every = {
        "environment": properties(),
        "allexecutors": [driver, executor()],
        "jobs": [job()],
        "stages": [stage()],
        **other,
    }
    return {f"{path}/{name}": answer for name, answer in every.items()}
