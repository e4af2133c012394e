"""When the hour is asked for: as soon as the vendor allows, not on every tick, and never for another hour."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import dagster as dg
import pytest

from metaplat.domains import domain_named
from metaplat.model.errors import PermanentSourceError
from metaplat.model.extract import Extract, ExtractStatus
from metaplat.orchestration.vip import due, extracts
from metaplat.orchestration.vip.due import build_due_sensor
from metaplat.orchestration.vip.extracts import EXTRACTS, pull_hours
from metaplat.settings import Settings, VipSettings
from metaplat.stores.home import Stores, open_stores
from metaplat.vip.pulling.remembered import ExtractMemory
from metaplat_tests.standins.vip import Scenario, VipServer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

DOMAIN = domain_named(EXTRACTS)
NOON = datetime(2025, 5, 4, 12, tzinfo=UTC)
ONE_HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)


@dataclass
class Watch:
    """The sensor on a clock that is set by hand."""

    stores: Stores
    instance: dg.DagsterInstance
    patch: pytest.MonkeyPatch
    cursor: str | None = None
    reason: str | None = None

    def tick(self, moment: datetime) -> list[dg.RunRequest]:
        """Tick once at a moment; return the runs it asks for."""
        self.patch.setattr(due, "utc_now", lambda: moment)
        context = dg.build_sensor_context(self.instance, self.cursor, resources={"stores": self.stores})
        with context:
            told: Any = build_due_sensor(DOMAIN).evaluate_tick(context)
        self.cursor, self.reason = told.cursor, told.skip_message
        return list(told.run_requests or ())

    def hours(self, moment: datetime) -> list[str]:
        """Tick once; return the partitions that are asked for."""
        return [request.tags["dagster/partition"][-5:] for request in self.tick(moment)]

    def remember(self, hour: datetime, status: ExtractStatus = ExtractStatus.OK, **facts: Any) -> None:
        """Note an extract as a pull would have."""
        vip = self.stores.settings.vip
        known = Extract(vip.config, vip.environment, hour, vip.folder(hour), status, **facts)
        ExtractMemory(self.stores.state).save(known)


@pytest.fixture
def watch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Watch]:
    stores = open_stores(Settings(home=tmp_path, vip=VipSettings(company="ACME")))
    with dg.DagsterInstance.ephemeral() as instance:
        yield Watch(stores, instance, monkeypatch)


def test_the_hour_is_asked_for_as_soon_as_the_time_of_the_vendor_has_come(watch: Watch) -> None:
    """It was asked for ten minutes after the last time only: every hour came later than the one before."""
    assert watch.hours(NOON) == ["12:00"]
    watch.remember(NOON, ExtractStatus.SKIPPED, next_slot=NOON + 3 * MINUTE)
    assert watch.hours(NOON + MINUTE) == []
    assert "12:03:00" in str(watch.reason)
    assert watch.hours(NOON + 3 * MINUTE) == ["12:00"]
    assert watch.hours(NOON + 4 * MINUTE) == []


def test_a_run_that_left_no_trace_is_not_asked_for_on_every_tick(watch: Watch) -> None:
    """A target that cannot be reached made a failing run a minute."""
    assert watch.hours(NOON) == ["12:00"]
    assert [watch.hours(NOON + number * MINUTE) for number in range(1, 10)] == [[]] * 9
    assert "a moment ago" in str(watch.reason)
    assert watch.hours(NOON + 10 * MINUTE) == ["12:00"]


def test_a_new_hour_is_asked_for_at_once_however_late_the_last_one_was(watch: Watch) -> None:
    assert watch.hours(NOON + 59 * MINUTE) == ["12:00"]
    assert watch.hours(NOON + 60 * MINUTE) == ["13:00"]


def test_after_an_outage_of_days_the_last_24_hours_are_told_as_missed(watch: Watch) -> None:
    """With no pull in those hours, none of them was."""
    watch.remember(NOON - 80 * ONE_HOUR, job_guid="a-job")
    asked = watch.tick(NOON)
    assert len(asked) == 1 + 24
    assert asked[1].tags["dagster/partition"] == DOMAIN.partitions.key_of(NOON - 24 * ONE_HOUR)


def test_an_hour_that_was_told_as_missed_is_not_told_again_with_the_next_one(watch: Watch) -> None:
    watch.remember(NOON - 2 * ONE_HOUR, job_guid="a-job")
    assert watch.hours(NOON) == ["12:00", "11:00"]
    assert watch.hours(NOON + ONE_HOUR) == ["13:00", "12:00"]
    assert watch.hours(NOON + 3 * ONE_HOUR) == ["15:00", "13:00", "14:00"]


def test_hours_before_the_first_pull_of_all_are_not_missed(watch: Watch) -> None:
    watch.remember(NOON - 80 * ONE_HOUR, ExtractStatus.MISSING)
    watch.remember(NOON - 2 * ONE_HOUR, job_guid="a-job")
    assert watch.hours(NOON) == ["12:00", "11:00"]


def test_a_run_whose_hour_ends_before_its_export_fails_and_pulls_no_other_hour(
    watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Waiting for another pull may take it across the hour; its partition was written empty, then."""
    with VipServer(Scenario(files=2)) as vendor:
        vip = VipSettings.model_validate(vendor.settings)
        stores = open_stores(watch.stores.settings.model_copy(update={"vip": vip}))
        moments = iter([NOON + 59 * MINUTE])
        monkeypatch.setattr(extracts, "utc_now", lambda: next(moments, NOON + ONE_HOUR))
        key = DOMAIN.partitions.key_of(NOON)
        prepared = pull_hours(DOMAIN, stores, [key])
    assert prepared.keys == []
    assert isinstance(prepared.failed[key], PermanentSourceError)
    assert vendor.export_calls == 0


def test_years_of_hours_that_nobody_knows_are_refused_without_a_trace(watch: Watch) -> None:
    """One click on "missing" in a backfill asks for all of them: each was looked for, and noted, singly."""
    watch.remember(NOON - 5 * ONE_HOUR, job_guid="a-job")
    hours = [NOON - number * ONE_HOUR for number in range(3000, 12, -1)]
    prepared = pull_hours(DOMAIN, watch.stores, [DOMAIN.partitions.key_of(hour) for hour in hours])
    assert prepared.keys == []
    assert len(prepared.failed) == len(hours)
    assert all("can no longer be pulled" in str(error) for error in prepared.failed.values())
    noted = ExtractMemory(watch.stores.state).load_range(watch.stores.settings.vip.config, hours[0], NOON)
    assert list(noted) == [NOON - 5 * ONE_HOUR]


def test_an_hour_that_another_client_delivered_is_found_among_many_that_nobody_knows(watch: Watch) -> None:
    vip, hour = watch.stores.settings.vip, NOON - 500 * ONE_HOUR
    folder = watch.stores.settings.home / vip.folder(hour)
    folder.mkdir(parents=True)
    (folder / "Voyages_0.csv").write_bytes(b"a,b\n")
    keys = [DOMAIN.partitions.key_of(NOON - number * ONE_HOUR) for number in range(540, 460, -1)]
    prepared = pull_hours(DOMAIN, watch.stores, keys)
    assert prepared.keys == [DOMAIN.partitions.key_of(hour)]
    assert len(prepared.failed) == len(keys) - 1
