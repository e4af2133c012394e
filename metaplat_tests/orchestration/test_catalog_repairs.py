"""What a run that was killed, a writer that was overtaken, or a lost file leaves: it is asked for again."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import dagster as dg
import pytest

from metaplat.domains import domain_named
from metaplat.ingest.cataloged import CatalogedPartitions
from metaplat.orchestration import cataloged
from metaplat.settings import Settings
from metaplat.stores.catalog.index import Change
from metaplat.stores.catalog.opening import open_index
from metaplat.stores.home import Stores, open_stores
from metaplat_tests.stores.catalog.catalog_rows import observation

if TYPE_CHECKING:
    from pathlib import Path

OBSERVATIONS = domain_named("observations")
NOW = datetime(2026, 3, 20, 12, tzinfo=UTC)
SENSOR = cataloged.build_changes_sensor(OBSERVATIONS)
MONTH = "lake/observations/month=2026-03/data.parquet"


@pytest.fixture
def stores(tmp_path: Path) -> Stores:
    return open_stores(Settings(home=tmp_path))


def put(stores: Stores, number: int, time: datetime) -> None:
    with closing(open_index(stores.settings)) as index:
        index.apply(Change([observation(number, observation_timestamp=time)]), NOW)


def write(stores: Stores, *keys: str) -> None:
    cataloged.write_cataloged(OBSERVATIONS, stores, list(keys), NOW)


def stale(stores: Stores) -> set[str]:
    return cataloged.stale_partitions(OBSERVATIONS, stores, NOW)


def asked(
    stores: Stores, cursor: str | None, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> tuple[list[str], str | None]:
    """Tick the sensor once at a time; return the days it asks for, and its cursor."""
    monkeypatch.setattr(cataloged, "utc_now", lambda: now)
    with (
        dg.DagsterInstance.ephemeral() as instance,
        dg.build_sensor_context(instance, cursor, resources={"stores": stores}) as context,
    ):
        told = SENSOR.evaluate_tick(context)
    return [request.tags["dagster/partition"] for request in told.run_requests or ()], told.cursor


def test_a_partition_whose_file_is_gone_is_stale(stores: Stores) -> None:
    put(stores, 1, datetime(2026, 3, 1, tzinfo=UTC))
    write(stores, "2026-03-01")
    assert stale(stores) == set()
    stores.lake.objects.delete(MONTH)
    assert stale(stores) == {"2026-03-01"}
    write(stores, "2026-03-01")
    assert stale(stores) == set()


def test_older_rows_written_by_one_that_was_overtaken_do_not_stay(stores: Stores) -> None:
    """Its file came last, the receipt of the other one after that."""
    put(stores, 1, datetime(2026, 3, 1, tzinfo=UTC))
    write(stores, "2026-03-01")
    older = stores.lake.objects.get(MONTH)
    put(stores, 2, datetime(2026, 3, 1, 5, tzinfo=UTC))
    write(stores, "2026-03-01")
    stores.lake.objects.put(MONTH, older)
    assert stale(stores) == {"2026-03-01"}
    write(stores, "2026-03-01")
    assert stores.lake.read(OBSERVATIONS, ["2026-03-01"]).height == 2
    assert stale(stores) == set()


def test_two_writers_of_one_month_that_know_nothing_of_each_other_leave_nothing_out(stores: Stores) -> None:
    put(stores, 1, datetime(2026, 3, 1, tzinfo=UTC))
    with closing(open_index(stores.settings)) as index:
        early = CatalogedPartitions(OBSERVATIONS, stores, index, NOW)
        put(stores, 2, datetime(2026, 3, 2, tzinfo=UTC))
        write(stores, "2026-03-02")
        early.write(["2026-03-01"])
    write(stores, *sorted(stale(stores)))
    assert stale(stores) == set()
    assert stores.lake.read(OBSERVATIONS, ["2026-03-01", "2026-03-02"]).height == 2


def test_days_whose_run_was_killed_are_asked_for_again_later(
    stores: Stores, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(stores, 1, datetime(2026, 3, 1, tzinfo=UTC))
    days, cursor = asked(stores, None, NOW, monkeypatch)
    assert days == ["2026-03-01"]
    days, cursor = asked(stores, cursor, NOW + timedelta(minutes=1), monkeypatch)
    assert days == []  # its run may be under way
    days, cursor = asked(stores, cursor, NOW + timedelta(hours=2), monkeypatch)
    assert days == ["2026-03-01"]
    write(stores, *days)
    days, _ = asked(stores, cursor, NOW + timedelta(hours=4), monkeypatch)
    assert days == []


def test_a_day_that_lay_ahead_is_asked_for_when_it_has_come(
    stores: Stores, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(stores, 1, NOW + timedelta(days=2))
    days, cursor = asked(stores, None, NOW, monkeypatch)
    assert days == ["1957-10-03"]
    write(stores, *days)
    days, cursor = asked(stores, cursor, NOW + timedelta(days=3), monkeypatch)
    assert days == ["2026-03-22"]


def test_what_was_written_by_hand_is_not_asked_for_by_the_first_tick(
    stores: Stores, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(stores, 1, datetime(2026, 3, 1, tzinfo=UTC))
    put(stores, 2, datetime(2026, 3, 9, tzinfo=UTC))
    write(stores, "2026-03-01")
    days, cursor = asked(stores, None, NOW, monkeypatch)
    assert days == ["2026-03-09"]
    put(stores, 3, datetime(2026, 3, 1, tzinfo=UTC))
    days, _ = asked(stores, cursor, NOW, monkeypatch)
    assert days == ["2026-03-01"]


@pytest.mark.parametrize("cursor", ["3", "", "x", "1@2@3", "1@", "-1", "²"], ids=ascii)
def test_a_cursor_of_another_form_loses_nothing(
    stores: Stores, cursor: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(stores, 1, datetime(2026, 3, 1, tzinfo=UTC))
    assert asked(stores, cursor, NOW, monkeypatch)[0] == ["2026-03-01"]
