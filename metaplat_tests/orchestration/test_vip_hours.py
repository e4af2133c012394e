"""The hour in Dagster: pulled by its run, skipped where it is too early, red where it was missed."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import dagster as dg
import pytest

from metaplat.domains import domain_named
from metaplat.model.extract import Extract, ExtractStatus, hour_start
from metaplat.orchestration.assets import SKIPPED_TAG
from metaplat.orchestration.build import build_definitions
from metaplat.orchestration.jobs import ingest_job_name
from metaplat.orchestration.vip.due import build_due_sensor
from metaplat.orchestration.vip.extracts import EXTRACTS
from metaplat.settings import Settings, VipSettings
from metaplat.stores.home import Stores, open_stores
from metaplat.vip.pulling.remembered import ExtractMemory
from metaplat_tests.standins.vip import Scenario, VipServer
from metaplat_tests.standins.vip.hour_edge import away_from_the_hours_edge

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

EXTRACT_DOMAIN = domain_named(EXTRACTS)
ONE_HOUR = timedelta(hours=1)


@dataclass
class Hourly:
    """A vendor, the stores, and a Dagster instance whose sensor is ticked by hand."""

    vendor: VipServer
    stores: Stores
    instance: dg.DagsterInstance
    cursor: str | None = None
    reasons: list[str | None] = field(default_factory=list)

    def tick(self) -> list[dg.RunRequest]:
        """Tick the sensor once; return the runs it asks for."""
        context = dg.build_sensor_context(self.instance, self.cursor, resources={"stores": self.stores})
        with context:
            told: Any = build_due_sensor(EXTRACT_DOMAIN).evaluate_tick(context)
        self.cursor = told.cursor
        self.reasons.append(told.skip_message)
        return list(told.run_requests or ())

    def run(self, tags: dict[str, str]) -> dg.ExecuteInProcessResult:
        """Do a run that was asked for."""
        job = build_definitions(tables=[]).resolve_job_def(ingest_job_name(EXTRACT_DOMAIN))
        return job.execute_in_process(
            instance=self.instance, resources={"stores": self.stores}, tags=tags, raise_on_error=False
        )

    def run_of(self, hour: datetime) -> dg.ExecuteInProcessResult:
        """Do the run of one hour."""
        return self.run({"dagster/partition": EXTRACT_DOMAIN.partitions.key_of(hour)})

    def remember(self, hour: datetime, **facts: Any) -> None:
        """Note an extract as an earlier pull would have."""
        vip = self.stores.settings.vip
        values = {"status": ExtractStatus.OK, "job_guid": "a-job", **facts}
        ExtractMemory(self.stores.state).save(
            Extract(vip.config, vip.environment, hour, vip.folder(hour), **values)
        )


@pytest.fixture(autouse=True)
def one_hour() -> None:
    away_from_the_hours_edge()


@pytest.fixture
def hourly(tmp_path: Path) -> Iterator[Hourly]:
    with VipServer(Scenario(files=5, size=2_000)) as vendor, dg.DagsterInstance.ephemeral() as instance:
        vip = VipSettings.model_validate(vendor.settings)
        yield Hourly(vendor, open_stores(Settings(home=tmp_path, vip=vip)), instance)


def test_the_sensor_asks_for_the_hour_and_its_run_pulls_and_judges_it(hourly: Hourly) -> None:
    [request] = hourly.tick()
    run = hourly.run(dict(request.tags))
    assert run.success
    assert hourly.vendor.accepted_exports == 1
    [event] = run.asset_materializations_for_node(EXTRACTS)
    assert event.metadata["dagster/partition_row_count"].value == 1
    checks = {each.check_name: each.passed for each in run.get_asset_check_evaluations()}
    assert checks["promise_kept"]
    assert checks["extract_ended_well"]
    assert hourly.tick() == []
    assert "is ok" in str(hourly.reasons[-1])


def test_a_run_that_comes_too_early_ends_well_without_a_result_and_says_until_when(hourly: Hourly) -> None:
    hourly.vendor.set_faults("too_early_429")
    [request] = hourly.tick()
    run = hourly.run(dict(request.tags))
    assert run.success
    assert not run.asset_materializations_for_node(EXTRACTS)
    stored = hourly.instance.get_run_by_id(run.run_id)
    assert stored is not None
    assert stored.tags[SKIPPED_TAG]
    assert hourly.tick() == []
    assert "too early" in str(hourly.reasons[-1]) or "a moment ago" in str(hourly.reasons[-1])


def test_a_past_hour_without_a_job_fails_for_good_and_asks_the_vendor_nothing(hourly: Hourly) -> None:
    run = hourly.run_of(datetime(2025, 4, 1, 7, tzinfo=UTC))
    assert not run.success
    [failure] = [event for event in run.all_events if event.is_step_failure]
    data = failure.step_failure_data.user_failure_data
    assert data is not None
    assert "can no longer be pulled" in str(data.description)
    assert hourly.vendor.export_calls == 0


def test_every_hour_that_was_missed_is_asked_for_once_so_that_it_shows_red(hourly: Hourly) -> None:
    now = hour_start(datetime.now(UTC))
    hourly.remember(now - 4 * ONE_HOUR)
    hourly.remember(now - 2 * ONE_HOUR)
    asked = hourly.tick()
    keys = [EXTRACT_DOMAIN.partitions.key_of(now - back * ONE_HOUR) for back in (0, 3, 1)]
    assert [
        request.tags["dagster/partition"] for request in asked
    ] == keys  # the one that can be pulled first
    assert [request.asset_check_keys for request in asked] == [None, [], []]
    assert not hourly.run_of(now - 3 * ONE_HOUR).success
    assert not any("missed" in str(request.run_key) for request in hourly.tick())


def test_excused_hours_are_not_asked_for(hourly: Hourly) -> None:
    now = hour_start(datetime.now(UTC))
    hourly.remember(now - 3 * ONE_HOUR)
    vip = hourly.stores.settings.vip.model_copy(
        update={
            "excused": VipSettings.model_validate(
                {"excused": [{"first": now - 2 * ONE_HOUR, "last": now - ONE_HOUR, "reason": "moved"}]}
            ).excused
        }
    )
    hourly.stores = open_stores(hourly.stores.settings.model_copy(update={"vip": vip}))
    assert not any("missed" in str(request.run_key) for request in hourly.tick())


def test_an_extract_that_did_not_end_is_gone_on_with_and_never_asked_for_anew(hourly: Hourly) -> None:
    hourly.vendor.set_faults("file_cut_always")
    slow = hourly.stores.settings.vip.model_copy(update={"file_retries": 0, "rounds": 1})
    hourly.stores = open_stores(hourly.stores.settings.model_copy(update={"vip": slow}))
    [request] = hourly.tick()
    first = hourly.run(dict(request.tags))
    assert first.success
    checks = {each.check_name: each.passed for each in first.get_asset_check_evaluations()}
    assert not checks["promise_kept"]
    hourly.vendor.set_faults()
    again = hourly.run(dict(request.tags))
    checks = {each.check_name: each.passed for each in again.get_asset_check_evaluations()}
    assert checks["promise_kept"]
    assert hourly.vendor.accepted_exports == 1


def test_without_settings_nothing_is_asked_for_and_a_run_names_the_key(tmp_path: Path) -> None:
    with VipServer() as vendor, dg.DagsterInstance.ephemeral() as instance:
        hourly = Hourly(vendor, open_stores(Settings(home=tmp_path)), instance)
        assert hourly.tick() == []
        assert hourly.reasons == ["vip.company is not set"]
        run = hourly.run_of(datetime(2025, 4, 1, 7, tzinfo=UTC))
        [failure] = [event for event in run.all_events if event.is_step_failure]
        assert "vip.company" in str(failure.step_failure_data.user_failure_data)


def test_a_run_that_begins_a_little_before_the_slot_waits_for_it(hourly: Hourly) -> None:
    moment = datetime.now(UTC)
    if hour_start(moment + timedelta(seconds=5)) != hour_start(moment):  # the slot is to lie in this hour
        time.sleep(6)
        moment = datetime.now(UTC)
    slot = moment + timedelta(seconds=3)
    hourly.remember(hour_start(moment), status=ExtractStatus.SKIPPED, job_guid=None, next_slot=slot)
    [request] = hourly.tick()
    run = hourly.run(dict(request.tags))
    assert run.success
    assert (hourly.vendor.export_calls, hourly.vendor.accepted_exports) == (1, 1)
    extract = ExtractMemory(hourly.stores.state).load(hourly.stores.settings.vip.config, hour_start(moment))
    assert extract is not None
    assert extract.accepted_at is not None
    assert extract.accepted_at >= slot
