"""Receipts are kept whole, in order, and a broken one is said to be broken."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from metaplat.ingest.receipts import Receipts
from metaplat.model.errors import PermanentStoreError
from metaplat.model.landed import IngestReceipt
from metaplat.model.partitioning import IdBuckets
from metaplat.stores.local_objects import LocalObjects
from metaplat_tests.ingest.small_domain import DAY, FIELDS, RUNS, domain

if TYPE_CHECKING:
    from pathlib import Path

counts = st.integers(0, 2**60)
times = st.none() | st.datetimes(datetime(1, 1, 2), timezones=st.just(UTC))  # noqa: DTZ001  # timezones says it
receipts = st.builds(
    IngestReceipt,
    st.just(DAY),
    st.frozensets(st.text("0123456789abcdef", min_size=1)),
    st.text(max_size=5),
    *[counts] * 9,
    st.lists(st.dictionaries(st.text(), st.text() | st.integers(0, 9))),
    st.dictionaries(st.text(), counts),
    times,
    times,
    st.text(max_size=5),
    st.text(),
    st.lists(st.text(), max_size=3).map(tuple),
    st.lists(st.text(), max_size=3).map(tuple),
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(receipts)
def test_a_receipt_comes_back_as_it_was_saved(tmp_path: Path, receipt: IngestReceipt) -> None:
    kept = Receipts(LocalObjects(tmp_path), RUNS)
    kept.save(receipt)
    assert kept.load(DAY) == receipt


def test_a_partition_that_was_never_ingested_has_none(tmp_path: Path) -> None:
    assert Receipts(LocalObjects(tmp_path), RUNS).load(DAY) is None
    assert Receipts(LocalObjects(tmp_path), RUNS).load_all() == {}


def test_all_receipts_come_in_the_order_of_their_partitions(tmp_path: Path) -> None:
    shards = domain(
        name="shards", fields=(*FIELDS, FIELDS[1].__class__("id_bucket", int, "")), partitions=IdBuckets()
    )
    for of, keys in ((RUNS, ["2025-02-01", "2025-01-31", DAY]), (shards, ["10", "9", "200"])):
        kept = Receipts(LocalObjects(tmp_path), of)
        for key in keys:
            kept.save(IngestReceipt(key, frozenset({"f"}), rows=3))
        found = kept.load_all()
        assert list(found) == (["2025-01-31", "2025-02-01", DAY] if of is RUNS else ["9", "10", "200"])
        assert {receipt.rows for receipt in found.values()} == {3}


def test_a_receipt_whose_inventory_is_gone_counts_as_none(tmp_path: Path) -> None:
    kept = Receipts(LocalObjects(tmp_path), RUNS)
    kept.save(IngestReceipt(DAY))
    (tmp_path / "inventories" / "runs" / f"{DAY}.json").unlink()
    assert kept.load(DAY) is None


BROKEN = [
    b"",
    b"{",
    b"null",
    b"[]",
    b"7",
    b'"x"',
    b'{"unheard_of": 1}',
    b'{"partition":"x","newest":"yesterday"}',
    b"\xff",
]


@pytest.mark.parametrize("content", BROKEN)
def test_a_broken_receipt_is_one_clear_line(tmp_path: Path, content: bytes) -> None:
    kept = Receipts(LocalObjects(tmp_path), RUNS)
    kept.save(IngestReceipt(DAY))
    (tmp_path / "receipts" / "runs" / f"{DAY}.json").write_bytes(content)
    for read in (lambda: kept.load(DAY), kept.load_all):
        with pytest.raises(PermanentStoreError, match="ingest receipt of runs: the file is broken") as caught:
            read()
        assert f"Delete receipts/runs/{DAY}.json there" in str(caught.value)
        assert "\n" not in str(caught.value)


def test_a_broken_inventory_is_one_clear_line(tmp_path: Path) -> None:
    kept = Receipts(LocalObjects(tmp_path), RUNS)
    kept.save(IngestReceipt(DAY))
    (tmp_path / "inventories" / "runs" / f"{DAY}.json").write_bytes(b"\xff\xfe")
    with pytest.raises(PermanentStoreError, match=f"Delete inventories/runs/{DAY}.json there"):
        kept.load(DAY)
