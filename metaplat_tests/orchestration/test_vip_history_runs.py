"""The histories in Dagster: one run for all three, by the hour, backfilled freely, drawn and linked."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import dagster as dg
import polars as pl
import pytest

from metaplat.domains import domain_named
from metaplat.model.extract import Extract, ExtractStatus
from metaplat.orchestration.build import build_definitions
from metaplat.orchestration.vip.assets import CHARTS, HISTORY_JOB, HOURS_TAG
from metaplat.orchestration.vip.histories import NAMES, Span, due_span, read_histories
from metaplat.orchestration.vip.schedule import history_schedule
from metaplat.settings import Settings, VipSettings
from metaplat.stores.home import Stores, open_stores
from metaplat.vip.pulling.remembered import ExtractMemory
from metaplat_tests.orchestration.watched_objects import WatchedObjects
from metaplat_tests.standins.vip.history_tree import HistoryFaults, TreeFacts, write_history

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FIRST = datetime(2026, 3, 2, tzinfo=UTC)
HOURS = 60
FAULTS = HistoryFaults(missing=(5, 30, 31), incomplete=(12,), unexpected=(40,), short=(44,), foreign=(50,))
ONE_HOUR = timedelta(hours=1)


@pytest.fixture
def stores(tmp_path: Path) -> Stores:
    return open_stores(Settings(home=tmp_path / "home", vip=VipSettings(environment="Prod")))


@pytest.fixture
def tree(stores: Stores) -> TreeFacts:
    return write_history(stores.settings.home, FIRST, HOURS, tables=4, seed=3, faults=FAULTS)


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as opened:
        yield opened


def run(stores: Stores, instance: dg.DagsterInstance, tags: dict[str, str]) -> dg.ExecuteInProcessResult:
    job = build_definitions(tables=[]).resolve_job_def(HISTORY_JOB)
    return job.execute_in_process(
        instance=instance, resources={"stores": stores}, tags=tags, raise_on_error=False
    )


def days(first: str, last: str) -> dict[str, str]:
    if first == last:
        return {"dagster/partition": first}
    return {"dagster/asset_partition_range_start": first, "dagster/asset_partition_range_end": last}


def tick(stores: Stores, instance: dg.DagsterInstance) -> Any:
    with dg.build_schedule_context(instance=instance, resources={"stores": stores}) as context:
        return history_schedule.evaluate_tick(context)


def test_one_backfill_run_writes_all_three_histories_with_a_row_for_every_hour(
    stores: Stores, tree: TreeFacts, instance: dg.DagsterInstance
) -> None:
    done = run(stores, instance, days("2026-03-02", "2026-03-04"))
    assert done.success
    rows = read_histories(stores, FIRST, FIRST + HOURS * ONE_HOUR)
    assert rows.jobs["hour_utc"].to_list() == [FIRST + number * ONE_HOUR for number in range(HOURS)]
    assert rows.sizes.height == HOURS
    missing = rows.jobs.filter(pl.col("status") == "missing")["hour_utc"].to_list()
    assert missing == sorted(tree.missing)
    for name in NAMES:
        assert len(instance.get_materialized_partitions(dg.AssetKey(name))) == 3


def test_the_assets_link_to_the_charts_and_show_small_pictures(
    stores: Stores, tree: TreeFacts, instance: dg.DagsterInstance
) -> None:
    del tree
    done = run(stores, instance, days("2026-03-02", "2026-03-02"))
    charts = instance.get_latest_materialization_event(dg.AssetKey(CHARTS))
    assert charts is not None
    assert charts.asset_materialization is not None
    metadata = charts.asset_materialization.metadata
    page = stores.reports.get(str(metadata["charts"].value).removeprefix(f"{stores.reports.address}/"))
    assert page.startswith(b"<!")
    pictures = str(metadata["pictures"].value)
    assert pictures.count("data:image/png;base64,") >= 3
    assert len(pictures) < 400_000
    assert {
        event.asset_key.to_user_string()
        for event in done.get_asset_materialization_events()
        if event.asset_key
    } >= {
        *NAMES,
        CHARTS,
    }


def test_the_schedule_asks_for_everything_first_and_for_new_hours_later(
    stores: Stores, tree: TreeFacts, instance: dg.DagsterInstance
) -> None:
    del tree
    [request] = tick(stores, instance).run_requests
    assert Span.read(request.tags[HOURS_TAG]) == Span(FIRST, FIRST + (HOURS - 1) * ONE_HOUR)
    assert run(stores, instance, dict(request.tags)).success
    assert tick(stores, instance).run_requests == []
    before = read_histories(stores, FIRST, FIRST + 99 * ONE_HOUR)
    later = FIRST + HOURS * ONE_HOUR
    write_history(stores.settings.home, later, 3, tables=4, seed=4, faults=HistoryFaults())
    [request] = tick(stores, instance).run_requests
    span = Span.read(request.tags[HOURS_TAG])
    assert span.last == later + 2 * ONE_HOUR
    assert span.first >= later - 3 * ONE_HOUR
    assert run(stores, instance, dict(request.tags)).success
    rows = read_histories(stores, FIRST, FIRST + 99 * ONE_HOUR)
    assert rows.jobs.height == HOURS + 3
    assert rows.jobs.head(HOURS - 3).equals(before.jobs.head(HOURS - 3))


def test_extending_hour_by_hour_gives_what_building_at_once_gives(
    stores: Stores, tree: TreeFacts, instance: dg.DagsterInstance, tmp_path: Path
) -> None:
    del tree
    for number in range(0, HOURS, 7):
        span = Span(
            FIRST + number * ONE_HOUR, min(FIRST + (number + 6) * ONE_HOUR, FIRST + (HOURS - 1) * ONE_HOUR)
        )
        tags = days(f"{span.first:%Y-%m-%d}", f"{span.last:%Y-%m-%d}")
        assert run(stores, instance, {**tags, HOURS_TAG: str(span)}).success
    settings = stores.settings.model_copy(update={"home": tmp_path / "other"})
    vip = settings.vip.model_copy(update={"target": str(stores.settings.home)})
    other = open_stores(settings.model_copy(update={"vip": vip}))
    assert run(other, instance, days("2026-03-02", "2026-03-04")).success
    pieces, whole = (read_histories(each, FIRST, FIRST + 99 * ONE_HOUR) for each in (stores, other))
    for part in ("jobs", "tables", "sizes"):
        assert getattr(pieces, part).equals(getattr(whole, part))


def test_where_pulling_is_set_up_hours_without_a_pull_show_up_to_now(stores: Stores, tree: TreeFacts) -> None:
    del tree
    vip = stores.settings.vip.model_copy(update={"company": "ACME"})
    live = open_stores(stores.settings.model_copy(update={"vip": vip}))
    span = due_span(live, datetime(2026, 3, 10, 12, 29, tzinfo=UTC))
    assert span == Span(FIRST, datetime(2026, 3, 10, 11, tzinfo=UTC))


def test_two_configurations_share_a_day_and_never_mix(
    stores: Stores, tree: TreeFacts, instance: dg.DagsterInstance
) -> None:
    del tree
    assert run(stores, instance, days("2026-03-02", "2026-03-02")).success
    test = open_stores(stores.settings.model_copy(update={"vip": VipSettings()}))
    write_history(
        stores.settings.home, FIRST, 5, prefix="DEV/IMOSDL/Hourly/", tables=2, faults=HistoryFaults()
    )
    assert run(test, instance, days("2026-03-02", "2026-03-02")).success
    rows = stores.lake.read(domain_named(NAMES[0]), ["2026-03-02"])
    counts = dict(rows.group_by("config_name").len().iter_rows())
    assert counts == {"onDemandExtract1DayProd": 24, "onDemandExtract1DayTest": 5}


def test_today_can_be_backfilled_though_its_last_hours_are_still_to_come() -> None:
    """Dagster refused a backfill of it: the day depends on hours of the extracts that do not exist yet."""
    definitions = build_definitions(tables=[])
    graph = definitions.resolve_asset_graph()
    now = datetime(2026, 3, 2, 12, 40, tzinfo=UTC)
    hours = graph.get(dg.AssetKey("vip_extracts")).partitions_def
    for name in NAMES:
        node = graph.get(dg.AssetKey(name))
        days_definition = node.partitions_def
        assert hours is not None
        assert days_definition is not None
        found = node.partition_mappings[dg.AssetKey("vip_extracts")]
        with dg.partition_loading_context(effective_dt=now):
            today = days_definition.subset_with_partition_keys(["2026-03-02"])
            mapped = found.get_upstream_mapped_partitions_result_for_partitions(today, days_definition, hours)
        assert mapped.required_but_nonexistent_subset.is_empty
        assert len(list(mapped.partitions_subset.get_partition_keys())) == 13


def test_the_hours_that_are_due_are_found_without_reading_every_extract_of_the_past(stores: Stores) -> None:
    """Each tick of the schedule read all that pulls had ever remembered: two objects an hour, for years."""
    vip = stores.settings.vip.model_copy(update={"company": "ACME"})
    watched = WatchedObjects(stores.state)
    busy = replace(stores, settings=stores.settings.model_copy(update={"vip": vip}), state=watched)
    memory = ExtractMemory(stores.state)
    running = FIRST + 1000 * ONE_HOUR
    for number in [*range(-50, -40), *range(1001)]:  # missed hours before the first pull are no beginning
        hour = FIRST + number * ONE_HOUR
        known = Extract(
            vip.config, vip.environment, hour, vip.folder(hour), ExtractStatus.OK, job_guid="a-job"
        )
        missed = replace(known, status=ExtractStatus.MISSING, job_guid=None)
        left = replace(known, status=ExtractStatus.RUNNING)
        memory.save(missed if number < 0 else left if hour == running else known)
    (stores.settings.home / "state" / "vip" / vip.config / "20269999").mkdir()
    span = due_span(busy, running + 40 * timedelta(minutes=1))
    assert span == Span(FIRST, running - ONE_HOUR)
    assert watched.asked["get"] < 100
