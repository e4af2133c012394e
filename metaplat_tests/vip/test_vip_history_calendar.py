"""Which hours belong to the history, by the clock."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING

import pytest

from metaplat.model.extract import ExtractStatus, hours_between
from metaplat.settings import Settings, VipSettings
from metaplat.vip.history.calendar import closed_hours, known_range
from metaplat_tests.standins.vip_hour_folders import FIRST, HourFolders, extract

if TYPE_CHECKING:
    from pathlib import Path

SETTINGS = Settings()


@pytest.mark.parametrize(
    ("now", "last"),
    [("09:29:59", "08"), ("09:30:00", "09"), ("10:00:00", "09"), ("10:30:00", "10"), ("08:30:00", "08")],
)
def test_an_hour_is_closed_half_an_hour_after_it_began(now: str, last: str) -> None:
    closed = closed_hours(FIRST, datetime.fromisoformat(f"2022-02-08T{now}+00:00"), SETTINGS)
    assert (closed[0], closed[-1]) == (FIRST, datetime.fromisoformat(f"2022-02-08T{last}:00+00:00"))


def test_no_hour_is_closed_before_the_first_has_settled() -> None:
    assert closed_hours(FIRST, FIRST + timedelta(minutes=29), SETTINGS) == []
    assert closed_hours(FIRST, FIRST - timedelta(days=3), SETTINGS) == []


def test_the_settling_time_is_a_setting() -> None:
    at_once = Settings(vip=VipSettings(settle_minutes=0))
    assert closed_hours(FIRST, FIRST, at_once) == [FIRST]
    slow = Settings(vip=VipSettings(settle_minutes=90))
    assert closed_hours(FIRST, FIRST + timedelta(minutes=150), slow) == [FIRST, FIRST + timedelta(hours=1)]


def test_other_zones_mean_the_same_hours() -> None:
    zone = timezone(timedelta(hours=5, minutes=30))
    first, now = FIRST.astimezone(zone), datetime(2022, 2, 8, 10, 30, tzinfo=UTC).astimezone(zone)
    closed = closed_hours(first, now, SETTINGS)
    assert closed == hours_between(FIRST, FIRST + timedelta(hours=2))
    assert {hour.tzinfo for hour in closed} == {UTC}


def test_the_reference_period_has_2689_hours() -> None:
    closed = closed_hours(FIRST, datetime(2022, 5, 31, 8, 30, tzinfo=UTC), SETTINGS)
    assert len(closed) == 2_689


def test_nothing_at_all_has_no_range(tmp_path: Path) -> None:
    folders = HourFolders(tmp_path)
    assert known_range(folders.deliveries, folders.settings, {}) is None
    folders.put(3, {"_manifest.json": "{}"})
    assert known_range(folders.deliveries, folders.settings, {}) is None


def test_jobs_that_are_remembered_widen_the_range_and_others_do_not(tmp_path: Path) -> None:
    folders = HourFolders(tmp_path)
    folders.put(3, {"Voyages_0.csv.gz": 1})
    numbers = {
        0: ExtractStatus.MISSING,
        2: ExtractStatus.FAILED,
        5: ExtractStatus.RUNNING,
        9: ExtractStatus.SKIPPED,
    }
    extracts = {
        folders.hour(number): extract(
            folders.hour(number), status, job_guid="one" if number in {2, 5} else None
        )
        for number, status in numbers.items()
    }
    assert known_range(folders.deliveries, folders.settings, extracts) == (folders.hour(2), folders.hour(5))


def test_test_and_prod_lie_in_folders_of_their_own(tmp_path: Path) -> None:
    prod, test = HourFolders(tmp_path), HourFolders(tmp_path, environment="Test")
    test.put(4, {"Voyages_0.csv.gz": 1})
    assert (tmp_path / "DEV/IMOSDL/Hourly/20220208/12/Voyages_0.csv.gz").is_file()
    assert known_range(prod.deliveries, prod.settings, {}) is None
    assert known_range(test.deliveries, test.settings, {}) == (test.hour(4), test.hour(4))
