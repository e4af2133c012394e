"""Hot tables to test with, one with states and one without, on each implementation."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from metaplat.model.field import Field, ListOf, Struct
from metaplat.model.retention import HotTable
from metaplat.settings import HotSettings
from metaplat.stores.dynamodb_hot import DynamoHot
from metaplat.stores.sqlite_hot import SqliteHot

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import pytest

    from metaplat.stores.hot import HotPage, HotRow, HotStore

KEEP = 1000
"""Retention of both tables, in seconds."""
NOW = 500
"""Later than every row that ``job`` makes, and before any of them expires."""
RUNNING, SUCCESS, FAILED = "RUNNING", "SUCCESS", "FAILED"

JOBS = HotTable(
    "job-executions",
    "job_name",
    "execution_timestamp",
    columns=("memory_gb", "rows", "is_late", "ended", "tables", "error"),
    status="status",
    identity="job_id",
)
ERROR = Struct((Field("code", int, "d", nullable=True), Field("text", str, "d", nullable=True)))
JOB_FIELDS = (
    Field("job_name", str, "d", key=True),
    Field("execution_timestamp", int, "d", key=True),
    Field("status", str, "d"),
    Field("job_id", str, "d", nullable=True),
    Field("memory_gb", float, "d", nullable=True),
    Field("rows", int, "d", nullable=True),
    Field("is_late", bool, "d", nullable=True),
    Field("ended", datetime, "d", nullable=True),
    Field("tables", ListOf(str), "d", nullable=True),
    Field("error", ERROR, "d", nullable=True),
    Field("not_hot", str, "d", nullable=True),
)
CLUSTERS = HotTable("cluster-state", "cluster_name", "timestamp", columns=("available_cpu",))
CLUSTER_FIELDS = (
    Field("cluster_name", str, "d", key=True),
    Field("timestamp", int, "d", key=True),
    Field("available_cpu", float, "d", nullable=True),
)


def job(name: str = "load", at: int = 100, status: str = "RUNNING", **columns: Any) -> HotRow:
    """Return a row of ``JOBS``; its run is ``job_id`` "a" unless told."""
    return {"job_name": name, "execution_timestamp": at, "status": status, "job_id": "a"} | columns


def times(page: HotPage) -> list[int]:
    """Return the sort keys of a page of ``JOBS``."""
    return [row["execution_timestamp"] for row in page.rows]


def dynamo_settings(endpoint: str, **changes: Any) -> HotSettings:
    """Return settings of tables that nobody else uses."""
    values = {"backend": "dynamodb", "endpoint_url": endpoint, "table_prefix": f"{uuid.uuid4().hex}-"}
    return HotSettings(**(values | changes))


def open_hot(
    request: pytest.FixtureRequest, folder: Path, table: HotTable, fields: Sequence[Field]
) -> HotStore:
    """Return a new, empty store of the implementation that the fixture's parameter names."""
    if request.param == "sqlite":
        return SqliteHot(folder / "hot.sqlite", table, KEEP, fields)
    return DynamoHot(dynamo_settings(request.getfixturevalue("moto_endpoint")), table, KEEP, fields)


def sqlite_jobs(path: Path) -> HotStore:
    """Return ``JOBS`` in a SQLite file."""
    return SqliteHot(path, JOBS, KEEP, JOB_FIELDS)


def keeping(store: HotStore, keep: int) -> HotStore:
    """Open the ``JOBS`` of ``store`` with another retention."""
    if isinstance(store, SqliteHot):
        return SqliteHot(store._file._path, JOBS, keep, JOB_FIELDS)
    assert isinstance(store, DynamoHot)
    return DynamoHot(store._settings, JOBS, keep, JOB_FIELDS)


LAWFUL = [
    # name, stored, incoming, outcome
    ("the same running row", job(), job(), "unchanged"),
    ("the same terminal row", job(status=SUCCESS), job(status=SUCCESS), "unchanged"),
    ("a refreshed running row", job(), job(memory_gb=1.0), "updated"),
    ("the end of the run", job(), job(status=FAILED), "updated"),
    ("the end of a run whose start had no id", job(job_id=None), job(status=FAILED), "updated"),
    ("a running row of a run without id", job(job_id=None), job(job_id=None, rows=1), "updated"),
    ("a late start", job(status=SUCCESS), job(), "stale"),
    ("a late start of a run without id", job(status=SUCCESS, job_id=None), job(), "stale"),
    ("whole numbers as floats", job(rows=12, memory_gb=12), job(rows=12.0, memory_gb=12.0), "unchanged"),
    ("a zero with a sign", job(memory_gb=0.0), job(memory_gb=-0.0), "unchanged"),
    ("nulls and nothing", job(rows=None), job(), "unchanged"),
    ("another zone", job(ended=datetime(2025, 1, 1, tzinfo=UTC)),
     job(ended=datetime.fromisoformat("2025-01-01T02:00+02:00")), "unchanged"),
    ("a missing member and a null one", job(error={"code": 1}),
     job(error={"code": 1, "text": None}), "unchanged"),
]  # fmt: skip
CONFLICTS = [
    # name, stored, incoming
    ("two ends", job(status=SUCCESS), job(status=FAILED)),
    ("two contents of one end", job(status=SUCCESS, rows=1), job(status=SUCCESS, rows=2)),
    ("another run while running", job(), job(job_id="b")),
    ("the end of another run", job(), job(status=SUCCESS, job_id="b")),
    ("another run after the end", job(status=SUCCESS), job(job_id="b")),
    ("a missing id where one is stored", job(), job(job_id=None, rows=1)),
    ("a late start without id", job(status=SUCCESS), job(job_id=None)),
]
