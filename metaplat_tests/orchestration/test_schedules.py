"""The schedule takes the newest partition with landed objects, else the last ingested one, else none."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import dagster as dg
import pytest

from metaplat.model.errors import TransientStoreError
from metaplat.orchestration.build import build_definitions
from metaplat.orchestration.origins import newest
from metaplat_tests.orchestration.small_domains import COUNTS, days, land
from metaplat_tests.orchestration.watched_objects import WatchedObjects

if TYPE_CHECKING:
    from metaplat.stores.home import Stores
    from metaplat_tests.orchestration.conftest import Run

DAY, NEXT = "2025-11-01", "2025-11-02"


def tick(stores: Stores) -> dg.ScheduleExecutionData:
    definitions = build_definitions(domains=[COUNTS], resources={"stores": stores})
    moment = datetime.now(UTC)
    with dg.build_schedule_context(
        scheduled_execution_time=moment,
        resources={"stores": stores},
        repository_def=definitions.get_repository_def(),
    ) as context:
        return definitions.resolve_schedule_def("counts_cadence").evaluate_tick(context)


def asked(stores: Stores) -> str | None:
    told = tick(stores)
    return told.run_requests[0].tags["dagster/partition"] if told.run_requests else None


def test_where_nothing_was_ever_landed_the_schedule_says_so(stores: Stores) -> None:
    told = tick(stores)
    assert not told.run_requests
    assert "nothing was ever landed" in str(told.skip_message)


def test_the_partition_of_today_is_taken_once_something_landed_for_it(stores: Stores) -> None:
    today = datetime.now(UTC).strftime("%Y-%m-%d")
    land(stores, COUNTS, DAY, "a.json", x=1)
    assert asked(stores) == DAY
    land(stores, COUNTS, today, "a.json", x=1)
    assert asked(stores) == today


def test_the_newest_landed_partition_is_taken_though_it_was_never_ingested(stores: Stores, run: Run) -> None:
    land(stores, COUNTS, DAY, "a.json", x=1)
    run(DAY)
    land(stores, COUNTS, NEXT, "a.json", x=1)
    land(stores, COUNTS, "2099-01-01", "a.json", x=1)
    assert asked(stores) == NEXT


def test_where_landed_objects_have_expired_the_last_ingested_partition_is_taken(
    stores: Stores, run: Run
) -> None:
    keys = [land(stores, COUNTS, day, "a.json", x=1) for day in (DAY, NEXT)]
    run(DAY)
    for key in keys:
        stores.landing.delete(key)
    assert asked(stores) == DAY


def test_what_the_schedule_asks_for_can_be_run(stores: Stores, instance: dg.DagsterInstance) -> None:
    land(stores, COUNTS, DAY, "a.json", x=1)
    told = tick(stores)
    job = build_definitions(domains=[COUNTS], resources={"stores": stores}).resolve_job_def("ingest_counts")
    result = job.execute_in_process(instance=instance, tags=dict(told.run_requests[0].tags))
    assert [event.partition for event in result.get_asset_materialization_events()] == [DAY]


def test_an_outage_raises(stores: Stores) -> None:
    down = replace(stores, landing=WatchedObjects(stores.landing, lambda *_: TransientStoreError))
    with pytest.raises(dg.DagsterError, match="counts_cadence") as caught:
        tick(down)
    assert isinstance(caught.value.__cause__, TransientStoreError)


def test_few_folders_are_listed_however_many_there_are(stores: Stores) -> None:
    for day in days("2025-01-01", 200):
        land(stores, COUNTS, day, "a.json", x=1)
    landing = WatchedObjects(stores.landing)
    assert newest(COUNTS, replace(stores, landing=landing), datetime.now(UTC)) == "2025-07-19"
    assert landing.asked == {"list_folders": 1, "list": 1}
