"""Key columns of every type and writer, whole and in blocks, from a folder and from S3."""

from __future__ import annotations

import datetime as dt
import subprocess
import sys
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from metaplat.model.errors import InvalidInputError, PermanentStoreError
from metaplat.settings import S3Settings
from metaplat.stores.tables.files import open_table_files
from metaplat.stores.tables.footers import read_footer
from metaplat.stores.tables.key_column import iter_keys, read_keys
from metaplat_tests.standins.counting_s3 import counting_s3

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

DAY = dt.date(2026, 2, 28)
NOON = dt.datetime(2026, 2, 28, 12, tzinfo=dt.UTC)
KEYS: dict[str, tuple[pa.Array, list[object]]] = {
    "string": (pa.array(["a", "", None, "ü"]), ["a", "", None, "ü"]),
    "large string": (pa.array(["a", None], pa.large_string()), ["a", None]),
    "dictionary": (pa.array(["a", "b", "a", None]).dictionary_encode(), ["a", "b", "a", None]),
    "int64": (pa.array([2**62, -1, None]), [2**62, -1, None]),
    "int8": (pa.array([1, None], pa.int8()), [1, None]),
    "uint64": (pa.array([2**64 - 1], pa.uint64()), [2**64 - 1]),
    "binary": (pa.array([b"\xff", b"", None]), [b"\xff", b"", None]),
    "fixed binary": (pa.array([b"ab", None], pa.binary(2)), [b"ab", None]),
    "decimal": (pa.array([Decimal("1.25"), None], pa.decimal128(20, 2)), [Decimal("1.25"), None]),
    "small decimal": (pa.array([Decimal("-1.5"), None], pa.decimal128(5, 1)), [Decimal("-1.5"), None]),
    "date": (pa.array([DAY, None]), [DAY, None]),
    "timestamp": (pa.array([NOON, None], pa.timestamp("us", "UTC")), [NOON, None]),
    "bool": (pa.array([True, False, None]), [True, False, None]),
    "double": (pa.array([1.5, None]), [1.5, None]),
    "nothing": (pa.nulls(2), [None, None]),
    "no rows": (pa.array([], pa.string()), []),
}
HOWS: dict[str, dict[str, Any]] = {
    "default": {},
    "small row groups": {"row_group_size": 1},
    "no Arrow schema": {"store_schema": False},
    "v2 zstd": {"data_page_version": "2.0", "compression": "zstd"},
    "plain, no statistics": {"compression": "none", "use_dictionary": False, "write_statistics": False},
}


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")


def keys_in(location: str, column: str = "k", settings: S3Settings | None = None) -> pl.Series:
    files = open_table_files(location, settings or S3Settings())
    (info,) = files.list_objects()
    return read_keys(files, info, read_footer(files, info, column), column)


def blocks_in(location: str, rows: int, settings: S3Settings | None = None) -> list[pl.Series]:
    files = open_table_files(location, settings or S3Settings())
    (info,) = files.list_objects()
    return list(iter_keys(files, info, read_footer(files, info), "k", rows))


@pytest.mark.parametrize("how", HOWS.values(), ids=HOWS.keys())
@pytest.mark.parametrize(("values", "expected"), KEYS.values(), ids=KEYS.keys())
def test_keys_of_any_type_come_as_they_were_written(
    tmp_path: Path, values: pa.Array, expected: list[object], how: dict[str, Any]
) -> None:
    table = pa.table({"before": pa.array(range(len(values))), "k": values})
    pq.write_table(table, tmp_path / "x.parquet", **how)
    keys = keys_in(str(tmp_path))
    assert keys.name == "k"
    assert keys.to_list() == expected
    assert not isinstance(keys.dtype, pl.Categorical | pl.Enum)
    in_blocks = [value for block in blocks_in(str(tmp_path), 2) for value in block.to_list()]
    assert in_blocks == keys.to_list()


@pytest.mark.parametrize("name", ["^a.*$", "*", "a.b", "a b", "ü", "", "'; DROP TABLE x", "id_bucket"])
def test_a_column_may_have_any_name(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "id_bucket=7"
    folder.mkdir()
    pq.write_table(pa.table({"ab": ["no"], name: ["yes"], "b": ["no"]}), folder / "x.parquet")
    assert keys_in(str(tmp_path), name).to_list() == ["yes"]


@pytest.mark.parametrize(
    "name", ["a[1]*?.parquet", "ü b.parquet", "%41{x}.parquet", "$HOME.parquet", "x", "-x"]
)
def test_a_file_may_have_any_name(tmp_path: Path, name: str) -> None:
    pq.write_table(pa.table({"k": ["a"]}), tmp_path / "made")
    (tmp_path / "made").rename(tmp_path / name)
    assert keys_in(str(tmp_path)).to_list() == ["a"]


def test_a_local_name_that_is_no_text_is_read_all_the_same(tmp_path: Path) -> None:
    pq.write_table(pa.table({"k": ["a"], "v": [1]}), tmp_path / "made")
    (tmp_path / "made").rename(tmp_path / "caf\udce9.parquet")
    assert keys_in(str(tmp_path)).to_list() == ["a"]


def big_table(rows: int) -> pa.Table:
    return pa.table({"v": list(range(rows)), "k": [f"key-{number:09d}" for number in range(rows)]})


@settings(max_examples=25)
@given(rows=st.integers(0, 60), group=st.integers(1, 30), block=st.integers(1, 70))
def test_blocks_are_the_column_cut_in_order(
    tmp_path_factory: pytest.TempPathFactory, rows: int, group: int, block: int
) -> None:
    folder = tmp_path_factory.mktemp("blocks")
    pq.write_table(big_table(rows), folder / "x.parquet", row_group_size=group)
    blocks = blocks_in(str(folder), block)
    assert all(0 < len(found) <= block for found in blocks)
    assert [key for found in blocks for key in found] == big_table(rows)["k"].to_pylist()


def test_from_s3_only_the_footer_and_the_keys_are_fetched_each_once(tmp_path: Path) -> None:
    table = big_table(200_000)
    pq.write_table(table, tmp_path / "x.parquet", use_dictionary=False, compression="none")
    content = (tmp_path / "x.parquet").read_bytes()
    with counting_s3({"t/x.parquet": content}) as store:
        keys = keys_in("s3://bucket/t", settings=S3Settings(endpoint_url=store.endpoint))
        asked = store.requests_of("t/x.parquet")
    assert keys.to_list() == table["k"].to_pylist()
    assert len(asked) == 2
    fetched = sum(int(line.rpartition("-")[2]) - int(line.split("=")[1].split("-")[0]) for line in asked)
    assert fetched < len(content) * 0.75


@pytest.mark.parametrize("group", [1000, 100_000])
def test_from_s3_blocks_hold_the_same_keys(tmp_path: Path, group: int) -> None:
    table = big_table(10_000)
    pq.write_table(table, tmp_path / "x.parquet", row_group_size=group)
    with counting_s3({"t/x.parquet": (tmp_path / "x.parquet").read_bytes()}) as store:
        blocks = blocks_in("s3://bucket/t", 2500, S3Settings(endpoint_url=store.endpoint))
    assert [key for block in blocks for key in block] == table["k"].to_pylist()
    assert max(map(len, blocks)) <= 2500


def test_from_s3_a_footer_longer_than_its_tail_costs_one_request_more(tmp_path: Path) -> None:
    wide = pa.table({"k": ["a", "b"], **{f"column_{number:05d}": [1, 2] for number in range(2000)}})
    pq.write_table(wide, tmp_path / "x.parquet", row_group_size=1)
    content = (tmp_path / "x.parquet").read_bytes()
    assert int.from_bytes(content[-8:-4], "little") > 65536
    with counting_s3({"t/x.parquet": content}) as store:
        assert keys_in("s3://bucket/t", settings=S3Settings(endpoint_url=store.endpoint)).to_list() == [
            "a",
            "b",
        ]
        assert len(store.requests_of("t/x.parquet")) == 3


def damaged(folder: Path, start: int, end: int, how: Callable[[int], int]) -> None:
    path = folder / "x.parquet"
    content = bytearray(path.read_bytes())
    content[start:end] = bytes(how(byte) for byte in content[start:end])
    path.write_bytes(content)


@pytest.mark.parametrize("compression", ["snappy", "zstd", "gzip", "none"])
@pytest.mark.parametrize(
    "how", [lambda _: 0, lambda _: 0xFF, lambda byte: byte ^ 0x55], ids=["0", "ff", "xor"]
)
def test_damaged_pages_are_one_sentence_without_a_path(
    tmp_path: Path, compression: str, how: Callable[[int], int]
) -> None:
    pq.write_table(big_table(5000), tmp_path / "x.parquet", compression=compression)
    files = open_table_files(str(tmp_path), S3Settings())
    (info,) = files.list_objects()
    (chunk,) = read_footer(files, info, "k").chunks("k")
    damaged(tmp_path, chunk.start, chunk.end, how)
    with pytest.raises(InvalidInputError, match="column 'k'") as caught:
        keys_in(str(tmp_path))
    assert str(tmp_path) not in str(caught.value)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 300
    content = (tmp_path / "x.parquet").read_bytes()
    with counting_s3({"t/x.parquet": content}) as store, pytest.raises(InvalidInputError) as caught:
        keys_in("s3://bucket/t", settings=S3Settings(endpoint_url=store.endpoint))
    assert "metaplat-" not in str(caught.value)


def test_a_type_that_cannot_be_read_is_one_sentence(tmp_path: Path) -> None:
    table = pa.table({"k": pa.array([Decimal(1)], pa.decimal256(60, 2))})
    pq.write_table(table, tmp_path / "x.parquet")
    with pytest.raises(InvalidInputError, match="column 'k' cannot be read"):
        keys_in(str(tmp_path))


def test_a_column_that_is_not_there_is_a_key_error(tmp_path: Path) -> None:
    pq.write_table(pa.table({"v": [1]}), tmp_path / "x.parquet")
    with pytest.raises(KeyError):
        keys_in(str(tmp_path))


@pytest.mark.parametrize("change", ["removed", "rewritten"])
def test_a_file_that_is_no_longer_the_listed_one_is_a_key_error(tmp_path: Path, change: str) -> None:
    path = tmp_path / "x.parquet"
    pq.write_table(pa.table({"k": ["a"]}), path)
    files = open_table_files(str(tmp_path), S3Settings())
    (info,) = files.list_objects()
    footer = read_footer(files, info)
    path.unlink()
    if change == "rewritten":
        pq.write_table(pa.table({"k": ["b", "c"]}), path)
    with pytest.raises(KeyError):
        read_keys(files, info, footer, "k")
    with pytest.raises(KeyError):
        list(iter_keys(files, info, footer, "k", 10))


@pytest.mark.parametrize("change", ["removed", "rewritten"])
def test_an_object_that_is_no_longer_the_listed_one_is_a_key_error(tmp_path: Path, change: str) -> None:
    pq.write_table(pa.table({"k": ["a"]}), tmp_path / "x.parquet")
    content = (tmp_path / "x.parquet").read_bytes()
    with counting_s3({"t/x.parquet": content}) as store:
        files = open_table_files("s3://bucket/t", S3Settings(endpoint_url=store.endpoint, retries=0))
        (info,) = files.list_objects()
        footer = read_footer(files, info)
        store.objects = {"t/x.parquet": b"x" + content[1:]} if change == "rewritten" else {}
        with pytest.raises(KeyError):
            read_keys(files, info, footer, "k")


def test_no_room_for_a_temporary_file_is_an_error_of_the_store(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pq.write_table(pa.table({"k": ["a"]}), tmp_path / "x.parquet")
    with counting_s3({"t/x.parquet": (tmp_path / "x.parquet").read_bytes()}) as store:
        monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "absent"))
        with pytest.raises(PermanentStoreError, match="TMPDIR"):
            keys_in("s3://bucket/t", settings=S3Settings(endpoint_url=store.endpoint))


PEAK = """
import resource, sys
from metaplat.settings import S3Settings
from metaplat.stores.tables.files import open_table_files
from metaplat.stores.tables.footers import read_footer
from metaplat.stores.tables.key_column import iter_keys
files = open_table_files(sys.argv[1], S3Settings())
(info,) = files.list_objects()
rows = sum(len(keys) for keys in iter_keys(files, info, read_footer(files, info), "k", 50_000))
print(rows, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def test_memory_of_blocks_does_not_follow_the_size_of_the_file(tmp_path: Path) -> None:
    """Three million keys are 150 MB when held at once."""
    peaks = {}
    for groups in (2, 60):
        (folder := tmp_path / str(groups)).mkdir()
        table = big_table(50_000)
        with pq.ParquetWriter(folder / "x.parquet", table.schema, use_dictionary=False) as writer:
            for _ in range(groups):
                writer.write_table(table)
        answer = subprocess.run(
            [sys.executable, "-c", PEAK, str(folder)], check=True, capture_output=True, text=True
        )
        rows, peaks[groups] = map(int, answer.stdout.split())
        assert rows == groups * 50_000
    assert peaks[60] < peaks[2] + 40_000
