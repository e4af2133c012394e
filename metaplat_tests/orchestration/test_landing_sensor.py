"""The sensor, tick by tick: it asks for exactly the partitions with objects nobody has read, once."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import dagster as dg
import pytest

from metaplat.model.errors import TransientStoreError
from metaplat.orchestration.build import build_definitions
from metaplat.orchestration.sensors import build_sensor
from metaplat.settings import Settings
from metaplat.stores.home import Stores, open_stores
from metaplat_tests.orchestration.small_domains import (
    COUNTS,
    HOURS,
    SHARDS,
    days,
    land,
    set_time,
)
from metaplat_tests.orchestration.watched_objects import WatchedObjects

if TYPE_CHECKING:
    from pathlib import Path

    from metaplat.model.domain import MetadataDomain
    from metaplat_tests.orchestration.conftest import Run

DAY, NEXT, THIRD, FIFTH = "2025-11-01", "2025-11-02", "2025-11-03", "2025-11-05"
MOMENT = datetime(2025, 11, 6, 12, tzinfo=UTC)
Asked = list[tuple[str, str]]


@dataclass
class Ticking:
    """A sensor and its cursor, as the daemon keeps it."""

    stores: Stores
    domain: MetadataDomain = COUNTS
    cursor: str | None = None
    requests: tuple[dg.RunRequest, ...] = ()
    skipped: str | None = None

    def tick(self) -> Asked:
        """Evaluate one tick; returns the first and the last partition of each run asked for."""
        context = dg.build_sensor_context(cursor=self.cursor, resources={"stores": self.stores})
        definitions = build_definitions(domains=[self.domain])
        with context:
            told = definitions.resolve_sensor_def(f"{self.domain.name}_landed").evaluate_tick(context)
        self.requests, self.skipped = tuple(told.run_requests or ()), told.skip_message
        self.cursor = told.cursor
        return [span(request) for request in self.requests]


def span(request: dg.RunRequest) -> tuple[str, str]:
    tags = request.tags
    if one := tags.get("dagster/partition"):
        return one, one
    return tags["dagster/asset_partition_range_start"], tags["dagster/asset_partition_range_end"]


@pytest.fixture
def sensor(stores: Stores) -> Ticking:
    return Ticking(stores)


def test_each_change_asks_for_exactly_the_touched_partitions_and_once(sensor: Ticking) -> None:
    stores = sensor.stores
    assert sensor.tick() == []
    assert sensor.skipped is not None

    for day, name in ((DAY, "a.json"), (DAY, "b.json"), (THIRD, "c.json")):  # three objects of one moment
        set_time(stores, land(stores, COUNTS, day, name, x=1), MOMENT)
    assert sensor.tick() == [(DAY, DAY), (THIRD, THIRD)]
    assert sensor.tick() == []

    set_time(stores, land(stores, COUNTS, DAY, "d.json", y=1), MOMENT)  # a fourth of the same moment
    assert sensor.tick() == [(DAY, DAY)]

    land(stores, COUNTS, THIRD, "c.json", x=2, y=3)  # rewritten in place
    assert sensor.tick() == [(THIRD, THIRD)]

    late = land(stores, COUNTS, DAY, "late.json", z=1)  # late, and dated long ago
    set_time(stores, late, MOMENT - timedelta(days=300))
    assert sensor.tick() == [(DAY, DAY)]

    old = land(stores, COUNTS, "2025-01-07", "old.json", z=1)  # in an old folder never seen before
    set_time(stores, old, MOMENT - timedelta(days=400))
    assert sensor.tick() == [("2025-01-07", "2025-01-07")]
    assert sensor.tick() == []


def test_a_deleted_object_asks_for_nothing_and_hides_nothing(sensor: Ticking, run: Run) -> None:
    stores = sensor.stores
    keys = [land(stores, COUNTS, DAY, name, x=1) for name in ("a.json", "b.json")]
    sensor.tick()
    run(DAY)
    stores.landing.delete(keys[1])
    assert sensor.tick() == []
    land(stores, COUNTS, DAY, "c.json", y=1)
    assert sensor.tick() == [(DAY, DAY)]
    for key in (keys[0], keys[0].replace("a.json", "c.json")):
        stores.landing.delete(key)
    assert sensor.tick() == []
    land(stores, COUNTS, DAY, "d.json", y=1)  # into the folder that had become empty
    assert sensor.tick() == [(DAY, DAY)]


def test_what_was_ingested_by_hand_is_not_asked_for(sensor: Ticking, run: Run) -> None:
    sensor.tick()
    land(sensor.stores, COUNTS, DAY, "a.json", x=1)
    land(sensor.stores, COUNTS, THIRD, "a.json", x=1)
    run(DAY)
    assert sensor.tick() == [(THIRD, THIRD)]
    run(THIRD)
    assert sensor.tick() == []


@pytest.mark.parametrize(
    "lost", [None, "", "not a cursor", "[]", '{"listings":{},"position":0}', '{"begun":"x"}']
)
def test_a_lost_or_foreign_cursor_asks_again_for_what_was_not_ingested_and_for_nothing_else(
    sensor: Ticking, run: Run, lost: str | None
) -> None:
    land(sensor.stores, COUNTS, DAY, "a.json", x=1)
    land(sensor.stores, COUNTS, THIRD, "a.json", x=1)
    sensor.tick()
    run(DAY)
    sensor.cursor = lost
    assert sensor.tick() == [(THIRD, THIRD)]
    assert sensor.tick() == []


def test_a_run_asked_for_after_a_reset_has_a_key_dagster_does_not_know(
    sensor: Ticking, monkeypatch: pytest.MonkeyPatch
) -> None:
    land(sensor.stores, COUNTS, DAY, "a.json", x=1)
    sensor.tick()
    [first] = sensor.requests
    sensor.cursor = None
    monkeypatch.setattr(
        "metaplat.orchestration.sensors.utc_now", lambda: datetime.now(UTC) + timedelta(hours=1)
    )
    sensor.tick()
    [again] = sensor.requests
    assert again.run_key != first.run_key


def test_contiguous_partitions_are_one_run_each(sensor: Ticking) -> None:
    for day in (DAY, NEXT, THIRD, FIFTH):
        land(sensor.stores, COUNTS, day, "a.json", x=1)
    assert sensor.tick() == [(DAY, THIRD), (FIFTH, FIFTH)]
    assert "dagster/partition" not in sensor.requests[0].tags
    assert sensor.requests[1].tags["dagster/partition"] == FIFTH


def test_buckets_are_neighbours_by_number(stores: Stores) -> None:
    sensor = Ticking(stores, SHARDS)
    for bucket in ("1", "2", "5", "6", "7"):
        land(stores, SHARDS, bucket, "a.json", x=1)
    assert sensor.tick() == [("1", "2"), ("5", "7")]


def test_hours_are_watched_like_days(stores: Stores) -> None:
    sensor = Ticking(stores, HOURS)
    sensor.tick()
    now = datetime.now(UTC)
    newest = HOURS.partitions.keys(now)[-1]
    land(stores, HOURS, newest, "a.json", x=1)
    assert sensor.tick() == [(newest, newest)]
    land(stores, HOURS, newest, "b.json", x=1)
    assert sensor.tick() == [(newest, newest)]


def test_above_the_cap_the_nearest_stretches_share_a_covering_range(sensor: Ticking) -> None:
    landed = days("2025-03-01", 20)[::2]  # ten stretches of one day, with one day between
    far = "2025-10-01"
    for day in (*landed, far):
        land(sensor.stores, COUNTS, day, "a.json", x=1)
    asked = sensor.tick()
    assert len(asked) == sensor.stores.settings.sensor.max_run_requests
    assert asked[-1] == (far, far)
    for day in landed:
        assert sum(first <= day <= last for first, last in asked) == 1


def test_run_keys_are_short_and_differ_with_the_content(sensor: Ticking) -> None:
    seen = set()
    for number in range(3):
        for day in days("2025-01-01", 30):
            land(sensor.stores, COUNTS, day, "a.json", x=number)
        sensor.tick()
        [request] = sensor.requests
        assert request.run_key is not None
        assert len(request.run_key.encode()) < 200
        seen.add(request.run_key)
    assert len(seen) == 3


def test_a_job_can_be_launched_with_what_is_asked(sensor: Ticking, instance: dg.DagsterInstance) -> None:
    for day in (DAY, NEXT):
        land(sensor.stores, COUNTS, day, "a.json", x=1)
    sensor.tick()
    definitions = build_definitions(domains=[COUNTS], resources={"stores": sensor.stores})
    job = definitions.resolve_job_def("ingest_counts")
    result = job.execute_in_process(instance=instance, tags=dict(sensor.requests[0].tags))
    assert {event.partition for event in result.get_asset_materialization_events()} == {DAY, NEXT}
    assert sensor.tick() == []


def test_an_unreachable_landing_zone_raises(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    s3 = {"endpoint_url": "http://127.0.0.1:1", "retries": 0}
    stores = open_stores(Settings(home=tmp_path, root="s3://bucket", s3=s3))
    for cursor in (None, json.dumps({"begun": 1, "listings": {DAY: "0"}, "position": 0})):
        with pytest.raises(TransientStoreError, match="no connection"):
            Ticking(stores, cursor=cursor).tick()


@pytest.mark.parametrize("operation", ["list", "list_folders", "list_tree"])
def test_a_listing_that_fails_raises_and_the_next_tick_finds_everything(
    sensor: Ticking, operation: str
) -> None:
    stores = sensor.stores
    if operation != "list_tree":
        land(stores, COUNTS, THIRD, "a.json", x=1)
        sensor.tick()
    land(stores, COUNTS, DAY, "a.json", x=1)
    down = WatchedObjects(
        stores.landing, lambda asked, _: TransientStoreError if asked == operation else None
    )
    before, sensor.stores = sensor.cursor, replace(stores, landing=down)
    with pytest.raises(TransientStoreError, match="store of the test"):
        sensor.tick()
    assert sensor.cursor == before
    sensor.stores = stores
    assert sensor.tick() == [(DAY, DAY)]


def test_objects_outside_dated_folders_neither_break_a_tick_nor_are_asked_for(sensor: Ticking) -> None:
    stores = sensor.stores
    for key in ("stray.json", "2025/stray.json", "2025/11/stray.json", "2025/13/45/x.json", "a/b/c/d.json"):
        stores.landing.put(f"counts/{key}", b"{}")
    assert sensor.tick() == []
    land(stores, COUNTS, DAY, "a.json", x=1)
    stores.landing.put("counts/2025/02/30/x.json", b"{}")
    assert sensor.tick() == [(DAY, DAY)]
    assert sensor.tick() == []
    assert "3 folders there belong to no partition" in str(sensor.skipped)


def test_an_object_below_a_dated_folder_belongs_to_its_day(sensor: Ticking) -> None:
    land(sensor.stores, COUNTS, DAY, "part/a.json", x=1)
    assert sensor.tick() == [(DAY, DAY)]
    assert sensor.tick() == []


def test_partitions_that_do_not_exist_are_not_asked_for_and_the_others_are(sensor: Ticking) -> None:
    stores = sensor.stores
    for day in ("2024-12-31", "2099-01-01", DAY):
        land(stores, COUNTS, day, "a.json", x=1)
    assert sensor.tick() == [(DAY, DAY)]
    assert sensor.tick() == []
    for day in ("2024-12-30", "2098-01-01"):
        land(stores, COUNTS, day, "a.json", x=1)
    assert sensor.tick() == []
    assert "4 folders there belong to no partition" in str(sensor.skipped)


@pytest.mark.parametrize("empty", [False, True])
def test_a_quiet_tick_lists_a_bounded_number_of_folders_and_reads_nothing(
    stores: Stores, empty: bool
) -> None:
    for day in days("2025-01-01", 300):
        key = land(stores, COUNTS, day, "a.json", x=1)
        if empty:
            stores.landing.delete(key)
    sensor = Ticking(stores)
    sensor.tick()
    sensor.tick()
    landing, state = WatchedObjects(stores.landing), WatchedObjects(stores.state)
    sensor.stores = replace(stores, landing=landing, state=state)
    for _ in range(20):
        landing.asked.clear()
        assert sensor.tick() == []
        limits = stores.settings.sensor
        assert landing.asked["list"] <= limits.recent_partitions + 2 * limits.older_partitions
        assert set(landing.asked) == {"list", "list_folders"}
    assert state.asked == {}


def test_a_tick_that_finds_something_reads_no_landed_object(sensor: Ticking) -> None:
    stores = sensor.stores
    sensor.stores = replace(stores, landing=(landing := WatchedObjects(stores.landing)))
    land(stores, COUNTS, DAY, "a.json", x=1)
    assert sensor.tick() == [(DAY, DAY)]
    assert landing.asked["get"] == 0


def test_an_old_folder_is_listed_again_within_a_few_ticks(sensor: Ticking) -> None:
    for day in days("2025-01-01", 200):
        land(sensor.stores, COUNTS, day, "a.json", x=1)
    sensor.tick()
    land(sensor.stores, COUNTS, "2025-01-20", "late.json", y=1)
    asked = [span for _ in range(8) for span in sensor.tick()]
    assert asked == [("2025-01-20", "2025-01-20")]


def test_the_sensor_runs_by_default_and_says_what_it_watches() -> None:
    sensor = build_sensor(COUNTS)
    assert sensor.default_status is dg.DefaultSensorStatus.RUNNING
    assert "landing/counts/" in str(sensor.description)
