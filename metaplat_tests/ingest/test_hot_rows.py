"""What of a partition goes to the hot store."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from metaplat.ingest.partition import PartitionIngest
from metaplat.model.retention import Retention
from metaplat_tests.ingest.small_domain import DAY, NOW, RUNS, domain, home, land, record

if TYPE_CHECKING:
    from pathlib import Path

    from metaplat.model.domain import MetadataDomain
    from metaplat.stores.home import Stores

MOMENT = int(NOW.timestamp())


def hot_rows(stores: Stores, *names: str, of: MetadataDomain = RUNS) -> list[dict[str, Any]]:
    store = stores.hot(of)
    assert store is not None
    found = [row for name in names for row in store.query(name, MOMENT, limit=1000).rows]
    return [{name: value for name, value in row.items() if name != "ttl"} for row in found]


def ingest(stores: Stores, day: str = DAY, of: MetadataDomain = RUNS) -> str:
    return PartitionIngest(of, stores, NOW).run(day).hot_problem


def test_the_hot_store_holds_the_lake_rows_and_a_rebuild_changes_nothing(tmp_path: Path) -> None:
    stores = home(tmp_path)
    land(
        stores, "a.json", [record(name, f"{DAY}T0{n}:00:00Z", row_count=n) for name in "ab" for n in range(5)]
    )
    ingest(stores)
    before = hot_rows(stores, "a", "b")
    assert [(row["job_name"], row["row_count"]) for row in before] == [(n, r) for n in "ab" for r in range(5)]
    store = stores.hot(RUNS)
    assert store is not None
    columns = ["job_name", "execution_timestamp", "status", "job_id", "row_count"]
    store.rebuild(stores.lake.read(RUNS, columns=columns).to_dicts(), MOMENT)
    assert hot_rows(stores, "a", "b") == before


def test_rows_past_their_time_to_live_are_not_written(tmp_path: Path) -> None:
    stores = home(tmp_path)
    edge = NOW - timedelta(days=90)
    day = edge.date().isoformat()
    for name, moment in (("gone", edge), ("live", edge + timedelta(seconds=1))):
        land(stores, f"{name}.json", record(name, moment.isoformat()), day=day)
    ingest(stores, day)
    assert [row["job_name"] for row in hot_rows(stores, "gone", "live")] == ["live"]
    assert stores.lake.read(RUNS, [day]).height == 2


def test_the_hot_row_follows_the_lake_from_running_to_its_end_and_through_conflicts(tmp_path: Path) -> None:
    stores = home(tmp_path)
    landings: list[dict[str, Any]] = [
        {"status": "RUNNING"},
        {"status": "FAILED"},
        {"status": "FAILED", "row_count": 3},
        {"job_id": "other"},
    ]
    for number, changes in enumerate(landings):
        land(
            stores,
            f"{number}.json",
            record("a", **{"job_id": "j", **changes}),
            at=NOW + timedelta(seconds=number),
        )
        ingest(stores)
        [hot], [lake] = hot_rows(stores, "a"), stores.lake.read(RUNS, [DAY]).to_dicts()
        assert hot == {name: lake[name] for name in hot}
        assert hot["status"] == changes.get("status", "SUCCESS")


def test_a_row_the_hot_store_cannot_hold_does_not_hold_up_the_partition(tmp_path: Path) -> None:
    stores = home(tmp_path)
    land(stores, "a.json", [record("a"), record("x" * 3000)])
    assert "left out of the hot store" in ingest(stores)
    assert stores.lake.read(RUNS, [DAY]).height == 2
    assert len(hot_rows(stores, "a")) == 1


def test_a_domain_without_hot_rows_opens_no_hot_store(tmp_path: Path) -> None:
    cold = domain(retention=Retention(archive=timedelta(days=730)))
    stores = home(tmp_path)
    land(stores, "a.json", record("a"))
    assert ingest(stores, of=cold) == ""
    assert not list(tmp_path.glob("hot*"))
