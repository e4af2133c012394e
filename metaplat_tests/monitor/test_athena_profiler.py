"""Counting keys in Athena: what is sent, what its answer means."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest

from metaplat.model.errors import PermanentStoreError, SettingsError
from metaplat.model.table import BucketFunction, MonitoredTable
from metaplat.monitor.profilers.athena import AthenaProfiler
from metaplat.stores.tables import athena as module
from metaplat.stores.tables.athena import Athena
from metaplat_tests.standins.athena_sql import AthenaSql, athena_sql
from metaplat_tests.standins.key_tables import request_of, true_figures, write_table

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

PROFILER = AthenaProfiler(Athena("us-east-1"))
ODD_NAME = """pa"rt_x; DROP TABLE "t" -- '{rows}'"""


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[AthenaSql]:
    """Athena, with SQL."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setattr(module, "FIRST_PAUSE", 0.001)
    with athena_sql() as athena:
        monkeypatch.setenv("AWS_ENDPOINT_URL_ATHENA", athena.address)
        yield athena


def registered(
    server: AthenaSql,
    folder: Path,
    keys: Mapping[int, Sequence[Sequence[Any]]],
    kind: pa.DataType,
    *,
    name: str = "part_t",
) -> MonitoredTable:
    """Write a table and register all its partitions."""
    write_table(folder, keys, kind)
    table = MonitoredTable(name, str(folder), "k", 4, database="sales")
    paths = {bucket: sorted(map(str, (folder / f"id_bucket={bucket}").glob("*"))) for bucket in keys}
    server.register("sales", name, paths)
    return table


KEYS: Mapping[int, Sequence[Sequence[Any]]] = {
    0: [["a", "b", None, "a"], ["c"]],
    1: [["a", None, "z"], []],
    3: [[]],
}


@pytest.mark.parametrize("function", [BucketFunction.CRC32, BucketFunction.MD5])
def test_one_query_gives_all_figures_whatever_the_table_is_called(
    server: AthenaSql, tmp_path: Path, function: BucketFunction
) -> None:
    table = registered(server, tmp_path, KEYS, pa.string(), name=ODD_NAME)
    counts = PROFILER.count_keys(request_of(table, function))
    assert counts.frame.to_dicts() == true_figures(KEYS, pa.string(), function, 4)
    assert counts.whole_table
    assert len(server.queries) == 3  # figures, duplicates, misplaced keys


def test_murmur3_is_beyond_athena_so_misplaced_keys_are_unknown(server: AthenaSql, tmp_path: Path) -> None:
    table = registered(server, tmp_path, KEYS, pa.string())
    counts = PROFILER.count_keys(request_of(table, BucketFunction.SPARK_MURMUR3))
    assert counts.frame.to_dicts() == true_figures(KEYS, pa.string(), None, 4)
    assert {sample.kind for sample in counts.samples} == {"duplicate"}


def test_a_clean_table_takes_one_query(server: AthenaSql, tmp_path: Path) -> None:
    table = registered(server, tmp_path, {0: [["a", None]], 2: [["b"]]}, pa.string())
    counts = PROFILER.count_keys(request_of(table, None))
    assert counts.frame["duplicate_rows"].to_list() == [0, 0]
    assert not counts.samples
    assert len(server.queries) == 1


def test_samples_are_the_most_frequent_keys_at_most_twenty_a_bucket(
    server: AthenaSql, tmp_path: Path
) -> None:
    many = [f"key-{number:02d}" for number in range(30)]
    table = registered(server, tmp_path, {0: [[*many, *many, "often", "often"]], 1: [["often"]]}, pa.string())
    samples = PROFILER.count_keys(request_of(table, None)).samples
    in_first = [sample for sample in samples if sample.bucket == 0]
    assert [(sample.key, sample.rows) for sample in in_first] == [
        ("often", 3),
        *((key, 2) for key in many[:19]),
    ]
    assert [(sample.key, sample.rows) for sample in samples if sample.bucket == 1] == [("often", 3)]


def test_samples_of_bytes_are_text_where_they_are_utf8(server: AthenaSql, tmp_path: Path) -> None:
    table = registered(server, tmp_path, {0: [[b"ab", b"ab", b"\xff\x00", b"\xff\x00"]]}, pa.binary())
    samples = PROFILER.count_keys(request_of(table, None)).samples
    assert {sample.key for sample in samples} == {"ab", "0xff00"}


def test_a_misplaced_key_says_where_it_belongs(server: AthenaSql, tmp_path: Path) -> None:
    table = registered(server, tmp_path, {0: [["a", "a"]]}, pa.string())  # crc32("a") % 4 is 3
    samples = PROFILER.count_keys(request_of(table, BucketFunction.CRC32)).samples
    assert [(sample.kind, sample.rows, sample.belongs_in) for sample in samples] == [
        ("duplicate", 2, None),
        ("misplaced", 2, 3),
    ]


def test_a_bucket_that_athena_does_not_see_as_its_files_are_is_unknown(
    server: AthenaSql, tmp_path: Path
) -> None:
    table = registered(server, tmp_path, {0: [["a"]], 1: [["b", "c"]]}, pa.string())
    server.register("sales", "part_t", {0: [str(tmp_path / "id_bucket=0" / "part-0.parquet")]})
    frame = PROFILER.count_keys(request_of(table, None)).frame
    assert frame["distinct_keys"].to_list() == [1, None]


def test_a_table_of_which_athena_sees_nothing_is_an_error(server: AthenaSql, tmp_path: Path) -> None:
    table = registered(server, tmp_path / "t", {0: [["a"]]}, pa.string())
    write_table(tmp_path / "none", {0: [[]]}, pa.string())
    server.register("sales", "part_t", {0: [str(tmp_path / "none" / "id_bucket=0" / "part-0.parquet")]})
    with pytest.raises(PermanentStoreError, match=r"no row of the 1 that its files have.*Register"):
        PROFILER.count_keys(request_of(table, None))


def test_only_the_requested_buckets_are_compared(server: AthenaSql, tmp_path: Path) -> None:
    table = registered(server, tmp_path, {0: [["a"]], 1: [["a"]], 2: [["a"]], 3: [["b"]]}, pa.string())
    request = request_of(table, None)
    request = replace(request, buckets={0: request.buckets[0], 3: request.buckets[3]})
    assert PROFILER.count_keys(request).frame["duplicate_rows"].to_list() == [0, 0]


def test_a_table_without_a_database_is_a_settings_error(server: AthenaSql, tmp_path: Path) -> None:
    table = registered(server, tmp_path, {0: [["a"]]}, pa.string())
    with pytest.raises(SettingsError, match=r"monitor\.database"):
        PROFILER.count_keys(request_of(replace(table, database=None), None))
    assert not server.queries


def test_the_sql_is_trino_s(server: AthenaSql, tmp_path: Path) -> None:
    """DuckDB accepts more than Trino does: here is all that is sent, to be read against Trino's grammar."""
    table = registered(server, tmp_path, {0: [["a", "a"]]}, pa.string())
    PROFILER.count_keys(request_of(table, BucketFunction.MD5))
    sent = " ".join(" ".join(query["sql"].split()) for query in server.queries.values())
    assert (
        '(SELECT TRY_CAST("id_bucket" AS integer) AS id_bucket, "k" AS k FROM "sales"."part_t") AS stored'
        in sent
    )
    assert "from_base(substr(to_hex(md5(to_utf8(CAST(k AS varchar)))), 25, 8), 16)) % 4 AS belongs" in sent
    assert "WHERE (id_bucket BETWEEN 0 AND 0)" in sent
