"""A run first known by its creation time is one row once its start is known, whatever day that is."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import orjson
import pytest

from metaplat.domains.job_executions import DOMAIN
from metaplat.ingest.partition import ingest_partitions
from metaplat_tests.ingest.small_domain import home

if TYPE_CHECKING:
    from pathlib import Path

    from metaplat.stores.home import Stores

NOW = datetime(2025, 12, 2, 12, tzinfo=UTC)
CREATED, STARTED = "2025-11-29", "2025-11-30"
WAITING = {
    "job_name": "load",
    "job_id": "uid-1",
    "execution_date": f"{CREATED}T23:59:00Z",
    "execution_date_source": "creationTimestamp",
    "status": "RUNNING",
}
DONE = {
    "job_name": "load",
    "job_id": "uid-1",
    "execution_date": f"{STARTED}T00:01:00Z",
    "execution_date_source": "startTime",
    "status": "SUCCESS",
    "duration_minutes": 3,
    "resources_used": {},
}
OTHER = WAITING | {"job_name": "other", "job_id": "uid-2"}


def land(stores: Stores, day: str, name: str, *records: dict[str, Any]) -> None:
    content = b"\n".join(orjson.dumps(record) for record in records)
    stores.landing.put(f"job-executions/{day.replace('-', '/')}/{name}.ndjson", content)


def ingest(stores: Stores, *days: str) -> list[str]:
    return list(ingest_partitions(DOMAIN, stores, days, NOW))


def runs(stores: Stores) -> list[tuple[str, str]]:
    frame = stores.lake.read(DOMAIN).sort("job_name", "execution_timestamp")
    return [(row["job_id"], row["status"]) for row in frame.to_dicts()]


def test_a_run_that_waited_over_midnight_is_one_row(tmp_path: Path) -> None:
    stores = home(tmp_path)
    land(stores, CREATED, "waiting", WAITING, OTHER)
    ingest(stores, CREATED)
    assert runs(stores) == [("uid-1", "RUNNING"), ("uid-2", "RUNNING")]
    land(stores, STARTED, "done", DONE)
    assert ingest(stores, STARTED) == [STARTED, CREATED]  # told, so that its figures are shown
    assert runs(stores) == [("uid-1", "SUCCESS"), ("uid-2", "RUNNING")]


@pytest.mark.parametrize("order", [(CREATED, STARTED), (STARTED, CREATED)])
def test_it_does_not_matter_which_day_is_ingested_first_in_a_run(
    tmp_path: Path, order: tuple[str, str]
) -> None:
    stores = home(tmp_path)
    land(stores, CREATED, "waiting", WAITING)
    land(stores, STARTED, "done", DONE)
    ingest(stores, *order)
    assert runs(stores) == [("uid-1", "SUCCESS")]


@pytest.mark.parametrize("order", [(CREATED, STARTED), (STARTED, CREATED)])
def test_nor_does_it_where_the_two_days_are_ingested_apart(tmp_path: Path, order: tuple[str, str]) -> None:
    stores = home(tmp_path)
    land(stores, CREATED, "waiting", WAITING, OTHER)
    land(stores, STARTED, "done", DONE)
    for day in order:
        ingest(stores, day)
    assert runs(stores) == [("uid-1", "SUCCESS"), ("uid-2", "RUNNING")]


def test_what_was_settled_stays_settled_when_its_day_is_read_again(tmp_path: Path) -> None:
    stores = home(tmp_path)
    land(stores, CREATED, "waiting", WAITING)
    land(stores, STARTED, "done", DONE)
    ingest(stores, CREATED, STARTED)
    land(stores, CREATED, "another", OTHER)
    ingest(stores, CREATED)
    assert runs(stores) == [("uid-1", "SUCCESS"), ("uid-2", "RUNNING")]
    before = stores.lake.objects.info(stores.lake.key(DOMAIN, CREATED))
    assert ingest(stores, STARTED) == [STARTED]
    assert stores.lake.objects.info(stores.lake.key(DOMAIN, CREATED)) == before


def test_rows_of_other_runs_with_no_identity_are_left_alone(tmp_path: Path) -> None:
    stores = home(tmp_path)
    land(stores, CREATED, "waiting", WAITING | {"job_id": None})
    land(stores, STARTED, "done", DONE | {"job_id": None})
    ingest(stores, CREATED, STARTED)
    assert len(runs(stores)) == 2
