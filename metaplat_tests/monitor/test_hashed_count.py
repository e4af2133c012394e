"""Counting by hashes: the same figures as counting keys, whatever fits into memory."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from metaplat.model.table import BucketFunction, MonitoredTable
from metaplat.monitor.profilers.bucket import BucketProfiler
from metaplat.monitor.profilers.global_ import GlobalProfiler
from metaplat.monitor.profilers.hash_ranges import FEW, RANGES, HashRanges
from metaplat.monitor.profilers.hashed_count import HashedCount
from metaplat.monitor.profilers.key_figures import figures_frame
from metaplat.monitor.profilers.key_reader import KeyReader
from metaplat_tests.standins.key_tables import request_of, true_figures, write_table

if TYPE_CHECKING:
    import polars as pl
    from numpy.typing import NDArray

KEYS = st.one_of(st.none(), st.integers(0, 30).map(str), st.text(max_size=3))
TABLES = st.dictionaries(
    st.integers(0, 3), st.lists(st.lists(KEYS, max_size=30), min_size=1, max_size=2), min_size=1
)


def one_by_one(keys: Any, function: BucketFunction | None) -> list[dict[str, int | None]]:
    return true_figures(keys, pa.string(), function, 4)


@given(keys=TABLES, function=st.sampled_from([None, BucketFunction.CRC32]), data=st.data())
@settings(max_examples=40, deadline=None)
def test_figures_are_the_truth_however_little_memory_there_is(
    keys: Any, function: BucketFunction | None, data: st.DataObject
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        write_table(Path(folder), keys, pa.string())
        request = request_of(MonitoredTable("part_t", folder, "k", 4), function)
        count = HashedCount(
            KeyReader(request),
            threads=2,
            memory_rows=data.draw(st.sampled_from([0, 5, 1000])),
            repeated_rows=data.draw(st.sampled_from([1, 1000])),
            block_rows=data.draw(st.sampled_from([3, 1000])),
        )
        count.run(sorted(request.buckets))
    assert figures_frame(count.figures.values()).to_dicts() == one_by_one(keys, function)


class Colliding(HashedCount):
    """All keys share three hashes, as if hashing were very bad."""

    def _hashes(self, keys: pl.Series) -> NDArray[np.uint64]:
        return super()._hashes(keys) % np.uint64(3)


@given(keys=TABLES)
@settings(max_examples=20, deadline=None)
def test_keys_that_share_a_hash_are_told_apart(keys: Any) -> None:
    with tempfile.TemporaryDirectory() as folder:
        write_table(Path(folder), keys, pa.string())
        request = request_of(MonitoredTable("part_t", folder, "k", 4), None)
        count = Colliding(KeyReader(request), threads=1, memory_rows=1000)
        count.run(sorted(request.buckets))
    assert figures_frame(count.figures.values()).to_dicts() == one_by_one(keys, None)


@given(keys=TABLES, function=st.sampled_from([None, BucketFunction.MD5]))
@settings(max_examples=20, deadline=None)
def test_a_bucket_too_large_for_memory_has_the_same_figures(
    keys: Any, function: BucketFunction | None
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        write_table(Path(folder), keys, pa.string())
        request = request_of(MonitoredTable("part_t", folder, "k", 4), function)
        usual, tight = (
            BucketProfiler().count_keys(request),
            BucketProfiler(memory_bytes=1).count_keys(request),
        )
    assert tight.frame.equals(usual.frame)
    assert not tight.whole_table
    assert {(item.bucket, item.key, item.rows) for item in tight.samples if item.kind == "duplicate"} == {
        (item.bucket, item.key, item.rows) for item in usual.samples if item.kind == "duplicate"
    }


def test_samples_across_buckets_are_those_with_most_rows_and_at_most_twenty(tmp_path: Path) -> None:
    many = [f"key-{number:02d}" for number in range(30)]
    write_table(tmp_path, {0: [[*many, "often"]], 1: [[*many, "often", "often"]]}, pa.string())
    samples = (
        GlobalProfiler().count_keys(request_of(MonitoredTable("t", str(tmp_path), "k", 4), None)).samples
    )
    for bucket in (0, 1):
        found = [(item.key, item.rows) for item in samples if item.bucket == bucket]
        assert found == [("often", 3), *((key, 2) for key in many[:19])]


def test_samples_are_the_same_in_one_pass_and_in_many(tmp_path: Path) -> None:
    many = [f"key-{number:02d}" for number in range(40)]
    write_table(tmp_path, {0: [[*many, *many, *many[:25]]]}, pa.string())
    request = request_of(MonitoredTable("t", str(tmp_path), "k", 4), None)
    found = []
    for repeated_rows in (1, 1000):
        count = HashedCount(KeyReader(request), 1, 1000, repeated_rows)
        count.run([0])
        found.append([(item.key, item.rows) for item in count.figures[0].samples])
    assert found[0] == found[1] == [(key, 3) for key in many[:20]]


def test_a_broken_file_takes_no_part_and_is_named(tmp_path: Path) -> None:
    write_table(tmp_path, {0: [["a", "b"]], 1: [["a"]], 2: [["b"]]}, pa.string())
    request = request_of(MonitoredTable("t", str(tmp_path), "k", 4), None)
    path = tmp_path / "id_bucket=1/part-0.parquet"
    path.unlink()
    counts = GlobalProfiler().count_keys(request)
    assert counts.frame["id_bucket"].to_list() == [0, 2]
    assert counts.frame["duplicate_rows"].to_list() == [1, 1]
    assert list(counts.problems) == ["id_bucket=1/part-0.parquet"]


@pytest.mark.parametrize("memory_rows", [0, 3 * FEW, 10**6])
def test_repeated_hashes_are_found_with_their_places_in_memory_and_on_disk(memory_rows: int) -> None:
    chance = np.random.default_rng(1)
    first, second = (chance.integers(0, 2**64, 2 * FEW, dtype=np.uint64) for _ in range(2))
    both = chance.integers(0, 2**64, 5, dtype=np.uint64)
    with HashRanges(memory_rows) as hashes:
        hashes.add(0, np.concatenate([first, both]))
        hashes.add(1, second)
        hashes.add(2, np.concatenate([both, both[:1]]))
        hashes.finish()
        found = [hashes.repeated(number) for number in range(RANGES)]
    assert sorted(set(np.concatenate([item for item, _ in found]).tolist())) == sorted(both.tolist())
    assert set().union(*(places for _, places in found)) == {0, 2}
