"""Attempts as sources fill them, for the tests of what is concluded from them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from metaplat.collectors.spark.attempt import ApplicationAttempt, Executor, Finding, StageAttempt
from metaplat.collectors.spark.conclusions import conclude
from metaplat.settings import SparkSettings

START = datetime(2025, 11, 20, 3, tzinfo=UTC)
END = START + timedelta(hours=2)
NOW = datetime(2025, 11, 20, 12, tzinfo=UTC)
MIB, GIB = 2**20, 2**30


def after(minutes: float) -> datetime:
    """Return the moment so many minutes after the start."""
    return START + timedelta(minutes=minutes)


def attempt(**changes: Any) -> ApplicationAttempt:
    """Make a completed application of two hours on YARN, with four busy executors of four cores."""
    values: dict[str, Any] = {
        "source": "event-logs",
        "app_id": "application_1_1",
        "status": "COMPLETED",
        "master": "yarn",
        "spark_version": "3.5.1",
        "start_time": START,
        "end_time": END,
        "observed_end": END,
        "duration_ms": 7_200_000,
        "executor_cores": 4,
        "executor_memory_mb": 4096,
        "num_executors": 4,
        "num_executors_added": 4,
        "total_stages": 1,
        "run_time_ms": 28 * 3_600_000,
        "executors": [executor(str(number)) for number in range(1, 5)],
        "stages": [stage()],
    }
    return ApplicationAttempt(**(values | changes))


def local_attempt(**changes: Any) -> ApplicationAttempt:
    """Make the same application in local mode, where the driver does the work."""
    driver = executor("driver", cores=2, memory_mb=None, overhead_mb=None)
    values: dict[str, Any] = {
        "master": "local[2]",
        "num_executors": 0,
        "num_executors_added": 0,
        "driver_memory_mb": 2048,
        "executors": [driver],
        "run_time_ms": 3_600_000,
    }
    return attempt(**(values | changes))


def executor(executor_id: str, **changes: Any) -> Executor:
    """Make an executor that lived as long as the application."""
    values: dict[str, Any] = {
        "add_time": START,
        "cores": 4,
        "memory_mb": 4096,
        "overhead_mb": 410,
        "lifetime_ms": 7_200_000,
        "tasks": 50,
    }
    return Executor(executor_id, **(values | changes))


def stage(stage_id: int = 0, stage_attempt_id: int = 0, **changes: Any) -> StageAttempt:
    """Make a stage that was active all the time, with nothing worth a word."""
    values: dict[str, Any] = {
        "name": "count at job.py:12",
        "status": "COMPLETE",
        "submission_time": START,
        "completion_time": END,
        "duration_ms": 7_200_000,
        "tasks": 200,
        "failed_tasks": 0,
    }
    return StageAttempt(stage_id, stage_attempt_id, **(values | changes))


def concluded(made: ApplicationAttempt, now: datetime = NOW, **settings: Any) -> ApplicationAttempt:
    """Return the attempt after what follows from it was filled."""
    conclude(made, SparkSettings(**settings), now)
    return made


def findings(made: ApplicationAttempt, **settings: Any) -> dict[str, Finding]:
    """Return the findings of an attempt by their kind; there may be one of each at the most."""
    found = concluded(made, **settings).findings
    by_kind = {finding.kind: finding for finding in found}
    assert len(by_kind) == len(found)
    return by_kind
