"""Partitions of the catalog's domains: from the index to the lake, and which of them are stale."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from metaplat.domains import all_domains, domain_named
from metaplat.ingest.cataloged import CatalogedPartitions
from metaplat.ingest.receipts import Receipts
from metaplat.model.errors import UsageError
from metaplat.model.landed import IngestReceipt
from metaplat.settings import Settings
from metaplat.stores.catalog.index import Change
from metaplat.stores.catalog.opening import open_index
from metaplat.stores.home import Stores, open_stores
from metaplat.stores.sql import connect, query
from metaplat_tests.stores.catalog.catalog_rows import observation

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from metaplat.stores.catalog.index import CatalogIndex

NOW = datetime(2026, 3, 20, 12, tzinfo=UTC)
OBSERVATIONS = domain_named("observations")
UNKNOWN = "1957-10-03"


@pytest.fixture
def stores(tmp_path: Path) -> Stores:
    return open_stores(Settings(home=tmp_path))


@pytest.fixture
def index(stores: Stores) -> Iterator[CatalogIndex]:
    with closing(open_index(stores.settings)) as opened:
        yield opened


def put(index: CatalogIndex, name: str, time: datetime | None, **values: Any) -> str:
    row = observation(sum(name.encode()), observation_timestamp=time, **values)
    index.apply(Change([row]), NOW)
    return str(row["dataset_id"])


def partitions(stores: Stores, index: CatalogIndex, now: datetime = NOW) -> CatalogedPartitions:
    return CatalogedPartitions(OBSERVATIONS, stores, index, now)


def write_stale(stores: Stores, index: CatalogIndex, now: datetime = NOW) -> dict[str, int]:
    """Rows of every partition that was written."""
    parts = partitions(stores, index, now)
    results = parts.write(sorted(parts.stale()))
    assert all(isinstance(result, IngestReceipt) for result in results.values())
    return {key: result.rows for key, result in results.items() if isinstance(result, IngestReceipt)}


def held(stores: Stores, *keys: str) -> set[str]:
    return set(stores.lake.read(OBSERVATIONS, list(keys))["dataset_id"])


def day(number: int, month: int = 3, year: int = 2026) -> datetime:
    return datetime(year, month, number, 10, tzinfo=UTC)


def test_days_lie_in_files_of_a_month_and_are_read_apart(stores: Stores, index: CatalogIndex) -> None:
    first, second, other = put(index, "a", day(1)), put(index, "b", day(2)), put(index, "c", day(1, 2))
    assert write_stale(stores, index) == {"2026-02-01": 1, "2026-03-01": 1, "2026-03-02": 1}
    files = sorted(item.key for item in stores.lake.objects.list_objects("lake/observations/"))
    assert files == [f"lake/observations/month=2026-{month}/data.parquet" for month in ("02", "03")]
    assert held(stores, "2026-03-01") == {first}
    assert held(stores, "2026-03-01", "2026-03-02", "2026-02-01") == {first, second, other}
    assert held(stores, "2026-03-03") == set()
    assert set(stores.lake.read(OBSERVATIONS)["dataset_id"]) == {first, second, other}


def test_files_without_a_usable_time_have_a_partition_of_their_own(
    stores: Stores, index: CatalogIndex
) -> None:
    nowhere = {
        put(index, "none", None),
        put(index, "plate", day(1, 5, 1893)),
        put(index, "roman", datetime(33, 4, 3, tzinfo=UTC)),
        put(index, "ahead", day(1, 1, 2069)),
    }
    first = put(index, "first", datetime(1957, 10, 4, tzinfo=UTC))
    assert write_stale(stores, index) == {UNKNOWN: 4, "1957-10-04": 1}
    assert held(stores, UNKNOWN) == nowhere
    assert held(stores, "1957-10-04") == {first}
    receipt = Receipts(stores.state, OBSERVATIONS).load(UNKNOWN)
    assert receipt is not None
    assert receipt.newest is None  # what lies ahead makes no table look fresh


def test_what_lay_ahead_moves_to_its_day_when_that_has_come(stores: Stores, index: CatalogIndex) -> None:
    ahead = put(index, "ahead", NOW + timedelta(days=2))
    assert write_stale(stores, index) == {UNKNOWN: 1}
    later = NOW + timedelta(days=3)
    assert write_stale(stores, index, later) == {UNKNOWN: 0, "2026-03-22": 1}
    assert held(stores, UNKNOWN) == set()
    assert held(stores, "2026-03-22") == {ahead}


def test_nothing_is_stale_after_writing_and_only_what_changed_later(
    stores: Stores, index: CatalogIndex
) -> None:
    put(index, "a", day(1))
    put(index, "b", day(2))
    put(index, "c", day(1, 2))
    write_stale(stores, index)
    assert partitions(stores, index).stale() == set()
    put(index, "a", day(1), target_object="other")
    assert partitions(stores, index).stale() == {"2026-03-01"}


def test_an_observation_that_moves_leaves_its_old_day(stores: Stores, index: CatalogIndex) -> None:
    moved = put(index, "a", day(1))
    write_stale(stores, index)
    put(index, "a", day(5, 4, 2025))
    assert partitions(stores, index).stale() == {"2026-03-01", "2025-04-05"}
    assert write_stale(stores, index) == {"2025-04-05": 1, "2026-03-01": 0}
    assert held(stores, "2026-03-01") == set()
    assert held(stores, "2025-04-05") == {moved}


def test_days_of_a_file_that_was_written_anew_have_new_receipts(stores: Stores, index: CatalogIndex) -> None:
    """Their rows are those of now; a receipt of before would contradict them."""
    put(index, "a", day(1))
    put(index, "b", day(2))
    write_stale(stores, index)
    put(index, "c", day(2))
    results = partitions(stores, index).write(["2026-03-01"])
    assert list(results) == ["2026-03-01", "2026-03-02"]
    assert partitions(stores, index).stale() == set()


def test_written_again_a_file_has_the_same_bytes(stores: Stores, index: CatalogIndex) -> None:
    for number in range(5):
        put(index, f"file {number}", day(1 + number % 2))
    write_stale(stores, index)
    key = "lake/observations/month=2026-03/data.parquet"
    before = stores.lake.objects.get(key), stores.lake.objects.info(key)
    partitions(stores, index).write(["2026-03-01"])
    assert (stores.lake.objects.get(key), stores.lake.objects.info(key)) == before


def test_vanished_and_rejected_files_are_in_the_lake_too(stores: Stores, index: CatalogIndex) -> None:
    put(index, "gone", day(1), file_state="vanished")
    put(index, "bad", None, file_state="rejected", extraction_status="failed")
    write_stale(stores, index)
    frame = stores.lake.read(OBSERVATIONS)
    assert sorted(frame["file_state"]) == ["rejected", "vanished"]


def test_sql_sees_a_null_month_where_the_time_is_unknown(stores: Stores, index: CatalogIndex) -> None:
    put(index, "a", day(1))
    put(index, "b", None)
    write_stale(stores, index)
    with closing(connect(stores.lake, all_domains())) as connection:
        found = query(connection, "select month, count(*) as files from observations group by 1 order by 1")
    assert found.rows() == [("2026-03", 1), (None, 1)]


def test_relationships_say_how_their_ends_stand(stores: Stores, index: CatalogIndex) -> None:
    domain = domain_named("dataset_relationships")
    here, gone = put(index, "a", day(1)), put(index, "b", day(1), file_state="vanished")
    edges = [
        {"parent_dataset_id": parent, "child_dataset_id": child, "relationship_type": "derived"}
        for parent, child in ((here, gone), (gone, "nobody"))
    ]
    filled = [{**edge, "relationship_metadata": None, "run_id": None} for edge in edges]
    index.apply(Change(relationships=filled), NOW)
    parts = CatalogedPartitions(domain, stores, index, NOW)
    parts.write(parts.stale())
    frame = stores.lake.read(domain).sort("parent_state", descending=True)
    assert frame.select("parent_state", "child_state").rows() == [
        ("vanished", "missing"),
        ("present", "vanished"),
    ]
    assert parts.stale() == set()


def test_events_lie_in_the_day_they_occurred(stores: Stores, index: CatalogIndex) -> None:
    domain = domain_named("processing_events")
    event: dict[str, Any] = dict.fromkeys((field.name for field in domain.fields), None)
    rows = [
        event | {"event_id": str(number), "occurred_at": NOW - timedelta(days=number), "action": "start"}
        for number in range(3)
    ]
    index.apply(Change(events=rows), NOW)
    parts = CatalogedPartitions(domain, stores, index, NOW)
    results = parts.write(sorted(parts.stale()))
    assert sum(result.rows for result in results.values() if isinstance(result, IngestReceipt)) == 3
    assert stores.lake.read(domain).schema["occurred_at"] == pl.Datetime("us", "UTC")


@pytest.mark.parametrize("key", ["1957-10-02", "2026-03-21", "march"])
def test_a_partition_that_does_not_exist_is_told(key: str) -> None:
    with pytest.raises(UsageError, match="no partition"):
        OBSERVATIONS.partitions.check(key, NOW)


def test_a_person_may_call_the_partition_unknown() -> None:
    assert OBSERVATIONS.partitions.check("unknown", NOW) == UNKNOWN
