"""Which values a hot row may hold, and that they come back, on every hot store."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from metaplat.model.errors import InvalidInputError
from metaplat.stores.hot import PutOutcome
from metaplat_tests.standins.hot_tables import (
    JOB_FIELDS,
    JOBS,
    KEEP,
    NOW,
    RUNNING,
    job,
    open_hot,
)

if TYPE_CHECKING:
    from pathlib import Path

    from metaplat.stores.hot import HotStore


@pytest.fixture(params=["sqlite", "dynamodb"])
def jobs(request: pytest.FixtureRequest, tmp_path: Path) -> HotStore:
    return open_hot(request, tmp_path, JOBS, JOB_FIELDS)


def test_a_row_comes_back_with_its_types_and_its_ttl(jobs: HotStore) -> None:
    row = job(
        memory_gb=0.1, rows=2**62, is_late=True, ended=datetime(2025, 1, 1, 0, 0, 0, 123456, UTC),
        tables=["a", "é\x00", ""], error={"code": -1, "text": None},
    )  # fmt: skip
    jobs.put(row, NOW)
    found = jobs.get("load", 100, NOW)
    assert found == row | {"ttl": 100 + KEEP}
    assert found is not None
    assert found == jobs.query("load", NOW).rows[0] == jobs.query_status(RUNNING, NOW).rows[0]
    assert jobs.put(found, NOW) is PutOutcome.UNCHANGED


@pytest.mark.parametrize("number", [0.0, -0.0, 1e-130, -1.5e-7, 12.0, 1e22, 0.1 + 0.2, 9e125])
def test_floats_come_back_exactly(jobs: HotStore, number: float) -> None:
    jobs.put(job(memory_gb=number), NOW)
    found = jobs.get("load", 100, NOW)
    assert found is not None
    assert (found["memory_gb"], type(found["memory_gb"])) == (number, float)


UNSTORABLE: list[tuple[dict[str, Any], str]] = [
    ({"memory_gb": float("nan")}, "memory_gb: NaN or Infinity"),
    ({"memory_gb": float("-inf")}, "memory_gb: NaN or Infinity"),
    ({"memory_gb": 1e-200}, "memory_gb: a number out of the range"),
    ({"memory_gb": 10**400}, "memory_gb: a number out of the range"),
    ({"memory_gb": True}, "memory_gb: expected a number"),
    ({"rows": 1.5}, "rows: expected a whole number"),
    ({"rows": float("nan")}, "rows: expected a whole number"),
    ({"rows": 2**63}, "rows: a whole number beyond 64 bits"),
    ({"rows": "1"}, "rows: expected a whole number"),
    ({"is_late": 1}, "is_late: expected true or false"),
    ({"ended": datetime(2025, 1, 1)}, "ended: a time without a zone"),  # noqa: DTZ001
    ({"ended": "2025-01-01"}, "ended: expected a time"),
    ({"tables": "a"}, "tables: expected a list"),
    ({"tables": [1]}, "tables: expected text"),
    ({"error": {"code": float("inf")}}, "error: expected a whole number"),
    ({"error": {"other": 1}}, "error: undeclared members"),
    ({"error": "x"}, "error: expected a struct"),
    ({"not_hot": "x"}, "undeclared columns ['not_hot']"),
    ({"job_name": None}, "job_name must be text"),
    ({"job_name": ""}, "job_name must be text"),
    ({"job_name": "x" * 2049}, "job_name must be text"),
    ({"job_name": 5}, "job_name: expected text"),
    ({"job_name": "\ud800"}, "job_name must be text"),
    ({"job_id": "\ud800"}, "surrogates"),
    ({"execution_timestamp": None}, "whole seconds"),
    ({"execution_timestamp": 1_764_000_000_000}, "whole seconds"),
    ({"status": ""}, "status must be text"),
    ({"tables": ["x" * 400_000]}, "400000 of a hot row"),
    ({"tables": [" "] * 250_000}, "400000 of a hot row"),
]


@pytest.mark.parametrize(("columns", "reason"), UNSTORABLE)
def test_what_cannot_be_stored_is_refused_with_key_and_reason(
    jobs: HotStore, columns: dict[str, Any], reason: str
) -> None:
    with pytest.raises(InvalidInputError) as caught:
        jobs.put(job() | columns, NOW)
    message = str(caught.value)
    assert message.startswith("hot store table job-executions: row (")
    assert reason in message
    assert len(message) < 500
    assert "\n" not in message


def test_a_row_below_the_size_limit_is_stored(jobs: HotStore) -> None:
    jobs.put(job(tables=["é" * 195_000]), NOW)
    found = jobs.get("load", 100, NOW)
    assert found is not None
    assert len(found["tables"][0]) == 195_000
