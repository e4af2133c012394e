"""One partition end to end on a local home: what is read, kept, refused, and left alone."""

from __future__ import annotations

import gzip
import os
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import orjson
import pytest

from metaplat.ingest.partition import PartitionIngest, ingest_partitions
from metaplat.ingest.quarantine import quarantine_key, read_quarantine
from metaplat.ingest.receipts import Receipts
from metaplat.model.errors import MetaplatError, PermanentStoreError
from metaplat.model.partitioning import IdBuckets
from metaplat.settings import Settings
from metaplat.stores.home import open_stores
from metaplat.stores.local_objects import LocalObjects
from metaplat_tests.ingest.small_domain import DAY, FIELDS, NOW, RUNS, domain, home, land, ndjson, record

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from metaplat.model.landed import IngestReceipt
    from metaplat.stores.home import Stores


@dataclass(frozen=True)
class Recording(LocalObjects):
    """A local store that remembers what was read and written."""

    read: list[str] = field(default_factory=list)
    written: list[str] = field(default_factory=list)

    def get_many(
        self, keys: Sequence[str], max_bytes: int | None = None
    ) -> Iterator[tuple[str, bytes | None]]:
        """Note the keys."""
        self.read.extend(keys)
        return super().get_many(keys, max_bytes)

    def put(self, key: str, content: bytes) -> Any:
        """Note the key."""
        self.written.append(key)
        return super().put(key, content)


def ingest(stores: Stores, day: str = DAY, now: datetime = NOW) -> IngestReceipt:
    return PartitionIngest(RUNS, stores, now).run(day)


def rows(stores: Stores, day: str = DAY) -> list[dict[str, Any]]:
    return stores.lake.read(RUNS, [day]).to_dicts()


def reasons(stores: Stores, day: str = DAY) -> list[str]:
    return [bad["reason"] for bad in read_quarantine(stores.quarantine, RUNS, day)]


def derived_bytes(stores: Stores) -> dict[str, bytes]:
    """Return what an ingest wrote that must depend on the landed objects alone."""
    base = stores.settings.home
    files = [path for name in ("lake", "quarantine") for path in (base / name).rglob("*") if path.is_file()]
    return {str(path.relative_to(base)): path.read_bytes() for path in files}


def test_records_become_typed_sorted_rows_with_their_object(tmp_path: Path) -> None:
    stores = home(tmp_path)
    late = record("b", f"{DAY}T05:00:00+02:00", row_count=3.0, used={"peak_memory_gb": 2, "disk": 7})
    key = land(stores, "one.ndjson.gz", gzip.compress(ndjson(late, record("a"))))
    receipt = ingest(stores)
    assert [(row["job_name"], row["row_count"], row["peak_memory_gb"]) for row in rows(stores)] == [
        ("a", None, None),
        ("b", 3, 2.0),
    ]
    assert rows(stores)[1]["extra"] == '{"used.disk":7}'
    assert {row["source_object"] for row in rows(stores)} == {key}
    assert (receipt.rows, receipt.records, receipt.unknown_fields) == (2, 2, 1)
    assert receipt.newest == datetime.fromisoformat(f"{DAY}T03:00:00Z")
    assert receipt.oldest == datetime.fromisoformat(f"{DAY}T02:00:00Z")


def test_the_same_objects_give_the_same_bytes_whenever_they_were_landed(tmp_path: Path) -> None:
    objects: dict[str, object] = {
        "a.json": record("a", job_id="1", tier=1),
        "b.json": [record("b", steps=[{"reason": "x", "host": "n"}]), record("a", job_id="1", tier=1)],
        "c.ndjson": ndjson(record("c"), {"job_name": "bad"}, record("d", message="nobody@example.com")),
        "d.json": b"oops",
        "e.json": record("c"),
    }
    stores = [home(tmp_path / name) for name in ("one", "two")]
    for number, (name, content) in enumerate(objects.items()):
        land(stores[0], name, content, at=NOW + timedelta(seconds=number))
    for number, name in enumerate(reversed(objects)):
        land(stores[1], name, objects[name], at=NOW - timedelta(seconds=7 * number))
    first = ingest(stores[0])
    second = ingest(stores[1], now=NOW + timedelta(hours=30))
    assert derived_bytes(stores[0]) == derived_bytes(stores[1])
    assert replace(first, digest="", stored="", identities=frozenset()) == replace(
        second, digest="", stored="", identities=frozenset()
    )


def test_a_second_run_reads_and_writes_nothing(tmp_path: Path) -> None:
    stores = home(tmp_path)
    for number in range(5):
        land(stores, f"{number}.json", record(f"job-{number}"))
    first = ingest(stores)
    landing, state = Recording(stores.landing.root), Recording(stores.state.root)  # type: ignore[attr-defined]
    assert ingest(replace(stores, landing=landing, state=state)) == first
    assert landing.read == landing.written == state.written == []


def test_a_rewritten_object_and_a_late_one_are_read_and_give_other_rows(tmp_path: Path) -> None:
    stores = home(tmp_path)
    land(stores, "a.json", record("a", row_count=1))
    ingest(stores)
    land(stores, "a.json", record("a", row_count=2), at=NOW + timedelta(seconds=1))
    land(stores, "b.json", record("b"))
    receipt = ingest(stores)
    assert [(row["job_name"], row["row_count"]) for row in rows(stores)] == [("a", 2), ("b", None)]
    assert receipt.conflicts == 0


def test_a_lake_partition_that_was_removed_or_overwritten_is_written_again(tmp_path: Path) -> None:
    stores = home(tmp_path)
    land(stores, "a.json", record("a"))
    ingest(stores)
    expected = derived_bytes(stores)
    stores.lake.delete(RUNS, DAY)
    ingest(stores)
    assert derived_bytes(stores) == expected
    stores.lake.write(RUNS, DAY, stores.lake.read(RUNS, [DAY]).head(0))  # another ingest that knew less, late
    ingest(stores)
    assert derived_bytes(stores) == expected


def test_other_privacy_settings_give_other_rows_at_once(tmp_path: Path) -> None:
    stores = home(tmp_path)
    land(stores, "a.json", record("a", job_id="j"))
    ingest(stores)
    ingest(home(tmp_path, drop=["runs.job_id"]))
    assert rows(stores)[0]["job_id"] is None


def test_bad_records_are_kept_with_reason_object_and_place_and_the_good_ones_go_on(tmp_path: Path) -> None:
    stores = home(tmp_path)
    content = ndjson(record("a"), record("b", status="UNKNOWN"), record("c")) + b'{"job_name":\n'
    key = land(stores, "mixed.ndjson", content)
    receipt = ingest(stores)
    first, second = read_quarantine(stores.quarantine, RUNS, DAY)
    assert (first["object"], first["position"]) == (key, 1)
    assert first["reason"] == "status: expected 'SUCCESS', 'FAILED' or 'RUNNING', got 'UNKNOWN'"
    assert first["record"] == record("b", status="UNKNOWN")
    assert (second["position"], second["record"]) == (3, None)
    assert (receipt.rows, receipt.quarantined, sum(receipt.reasons.values())) == (2, 2, 2)


def test_the_quarantine_follows_the_objects_and_goes_when_it_is_empty(tmp_path: Path) -> None:
    stores = home(tmp_path)
    land(stores, "a.json", b"oops")
    land(stores, "b.json", b"")
    ingest(stores)
    assert len(reasons(stores)) == 2
    land(stores, "a.json", record("a"))
    ingest(stores)
    assert reasons(stores) == ["the object is empty"]
    land(stores, "b.json", record("b"))
    ingest(stores)
    assert stores.quarantine.info(quarantine_key(RUNS, DAY)) is None
    assert len(rows(stores)) == 2


@pytest.mark.parametrize("order", [["2025-11-28", DAY], [DAY, "2025-11-28"]])
def test_strays_are_landed_where_they_belong_and_ingested_in_the_same_range(
    tmp_path: Path, order: list[str]
) -> None:
    stores = home(tmp_path)
    both = ndjson(record("here"), record("there", "2025-11-28T23:59:59Z"))
    land(stores, "two-days.ndjson", both)
    land(stores, "two-days.ndjson", both, day="2025-11-28")
    results = ingest_partitions(RUNS, stores, order, NOW)
    assert [row["job_name"] for row in rows(stores)] == ["here"]
    assert [row["job_name"] for row in rows(stores, "2025-11-28")] == ["there"]
    receipt = results["2025-11-28"]
    assert not isinstance(receipt, MetaplatError)
    assert (receipt.rows, receipt.repeated, receipt.rerouted) == (1, 1, 1)
    listing = stores.landing.list_objects()
    assert len(listing) == 4
    before = derived_bytes(stores)
    assert ingest_partitions(RUNS, stores, order[::-1], NOW) == results
    assert stores.landing.list_objects() == listing
    assert derived_bytes(stores) == before


def test_a_stray_of_a_partition_outside_of_the_range_waits_in_its_folder(tmp_path: Path) -> None:
    stores = home(tmp_path)
    land(stores, "late.json", record("late", "2025-11-02T00:00:00Z", owner="Ann"))
    ingest(stores)
    [routed] = stores.landing.list_objects("runs/2025/11/02/")
    assert orjson.loads(stores.landing.get(routed.key))["owner"] is None  # redacted, as everything we write
    assert ingest(stores, "2025-11-02").rows == 1


@pytest.mark.parametrize("at", ["2024-12-31T23:59:59Z", "0999-01-01T00:00:00Z", "1900-01-01T00:00:00Z"])
def test_records_before_the_first_partition_are_quarantined(tmp_path: Path, at: str) -> None:
    stores = home(tmp_path)
    land(stores, "old.json", record("old", at))
    assert ingest(stores).quarantined == 1
    assert reasons(stores) == ["execution_date: lies outside of all partitions"]


def test_a_time_may_lie_five_minutes_after_its_landing_and_no_more(tmp_path: Path) -> None:
    stores = home(tmp_path)
    landed = datetime.fromisoformat(f"{DAY}T10:00:00Z")
    land(stores, "a.json", record("a", f"{DAY}T10:05:00Z"), at=landed)
    land(stores, "b.json", record("b", f"{DAY}T10:05:01Z"), at=landed)
    land(stores, "c.json", record("c", f"{DAY}T09:00:00Z", end_date="2031-01-01T00:00:00Z"), at=landed)
    ingest(stores, now=NOW + timedelta(days=3000))  # judged by the time of landing, so that all runs agree
    assert [row["job_name"] for row in rows(stores)] == ["a"]
    assert {reason.split(":")[0] for reason in reasons(stores)} == {"execution_date", "end_date"}


def test_a_record_of_tomorrow_is_a_stray_only_where_clocks_allow_it(tmp_path: Path) -> None:
    stores = home(tmp_path)
    midnight = datetime.fromisoformat("2025-11-29T23:58:00Z")
    land(stores, "a.json", record("a", "2025-11-30T00:02:00Z"), at=midnight)
    land(stores, "b.json", record("b", "2025-12-01T00:00:00Z"), at=midnight)
    receipt = ingest(stores, now=midnight)
    assert (receipt.rerouted, receipt.quarantined) == (1, 1)


def test_an_object_of_200_mb_is_quarantined_unread(tmp_path: Path) -> None:
    stores = home(tmp_path)
    key = land(stores, "huge.json", b"{")
    os.truncate(tmp_path / "landing" / key, 200 << 20)
    land(stores, "small.json", record("a"))
    receipt = ingest(stores)
    assert (receipt.rows, receipt.quarantined, receipt.records) == (1, 1, 2)
    assert reasons(stores) == [
        "the object of 200 MiB is larger than ingest.max_object_mb; split it, or raise the limit"
    ]


def test_an_object_that_unpacks_beyond_the_limit_is_quarantined(tmp_path: Path) -> None:
    stores = home(tmp_path, max_object_mb=1)
    land(stores, "bomb.json.gz", gzip.compress(orjson.dumps(record("a", note="x" * (2 << 20)))))
    ingest(stores)
    [reason] = reasons(stores)
    assert "larger than 1 MiB unpacked" in reason


def test_objects_that_expired_from_landing_leave_the_rows(tmp_path: Path) -> None:
    stores = home(tmp_path)
    key = land(stores, "a.json", record("a"))
    known = ingest(stores)
    stores.landing.delete(key)
    assert ingest(stores) == known
    for path in (tmp_path / "state").rglob("*.json"):
        path.unlink()
    found = ingest(stores)
    assert (found.rows, found.newest, found.quarantined) == (1, known.newest, 0)
    assert len(rows(stores)) == 1


def test_a_partition_without_objects_is_empty_and_said_to_be_ingested(tmp_path: Path) -> None:
    stores = home(tmp_path)
    assert ingest(stores).rows == 0
    assert rows(stores) == []
    land(stores, "a.json", record("a"))
    assert ingest(stores).rows == 1


def test_one_partition_that_fails_does_not_lose_the_others(tmp_path: Path) -> None:
    stores = home(tmp_path)
    land(stores, "a.json", record("a"))
    path = tmp_path / "state" / "receipts" / "runs" / "2025-11-28.json"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"{")
    results = ingest_partitions(RUNS, stores, ["2025-11-28", DAY], NOW)
    assert isinstance(results["2025-11-28"], PermanentStoreError)
    assert len(rows(stores)) == 1


def test_a_name_that_is_not_utf8_is_shown_in_full_and_its_rows_are_kept(tmp_path: Path) -> None:
    stores = home(tmp_path)
    folder = tmp_path / "landing" / "runs" / "2025" / "11" / "29"
    folder.mkdir(parents=True)
    for name, content in ((b"\xff.json", record("a")), (b"\xfe.json", {"job_name": 1})):
        (folder / os.fsdecode(name)).write_bytes(orjson.dumps(content))
    receipt = ingest(stores)
    assert rows(stores)[0]["source_object"] == "runs/2025/11/29/\\xff.json"
    assert read_quarantine(stores.quarantine, RUNS, DAY)[0]["object"].endswith("\\xfe.json")
    assert Receipts(stores.state, RUNS).load(DAY) == receipt


def test_rows_by_id_bucket_are_partitioned_by_a_derived_column(tmp_path: Path) -> None:
    def derive(row: dict[str, Any]) -> None:
        row["execution_timestamp"], row["id_bucket"] = 0, len(row["job_name"])

    bucket = replace(FIELDS[1], name="id_bucket", key=False)
    shards = domain(fields=(*FIELDS, bucket), partitions=IdBuckets(256), derive=derive)
    stores = home(tmp_path)
    stores.landing.put(
        "runs/id_bucket=3/x.json", orjson.dumps([record("abc"), record("four"), record("x" * 300)])
    )
    results = ingest_partitions(shards, stores, ["3", "4"], NOW)
    assert [receipt.rows for receipt in results.values() if not isinstance(receipt, MetaplatError)] == [1, 1]
    assert read_quarantine(stores.quarantine, shards, "3")[0]["position"] == 2


def test_on_s3_the_same_objects_give_the_same_lake_and_a_second_run_reads_nothing(
    tmp_path: Path, moto_endpoint: str, s3_bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", moto_endpoint)
    local = home(tmp_path / "local")
    remote = open_stores(Settings(home=tmp_path / "remote", root=f"s3://{s3_bucket}/pre"))
    at = datetime.now(UTC) - timedelta(days=1)
    day, now = at.date().isoformat(), datetime.now(UTC)
    items = [
        record("a", at.isoformat()),
        record("b", (at - timedelta(days=1)).isoformat()),
        {"job_name": "x"},
    ]
    for stores in (local, remote):
        stores.landing.put(f"runs/{day.replace('-', '/')}/a.json", orjson.dumps(items))
    receipts = [ingest(stores, day, now) for stores in (local, remote)]
    assert receipts[0].rows == receipts[1].rows == receipts[0].rerouted == receipts[1].rerouted == 1
    lakes = [stores.lake.objects.get(stores.lake.key(RUNS, day)) for stores in (local, remote)]
    assert lakes[0] == lakes[1]
    before = remote.lake.objects.info(remote.lake.key(RUNS, day))
    assert ingest(remote, day, now) == receipts[1]
    assert remote.lake.objects.info(remote.lake.key(RUNS, day)) == before
    assert before is not None
    assert receipts[1].stored == before.identity
