"""Counting keys in Spark: odd names, odd types, odd files, and sessions."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

import pyarrow as pa
import pytest

from metaplat.model.errors import (
    MissingExtraError,
    PermanentSourceError,
    SettingsError,
    TransientSourceError,
)
from metaplat.model.table import BucketFunction, MonitoredTable
from metaplat.monitor.profilers.spark import SparkProfiler
from metaplat_tests.standins.key_tables import request_of, true_figures, write_file, write_table
from metaplat_tests.standins.local_spark import local_spark

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path
    from typing import Any

    from pyspark.sql import SparkSession

pytestmark = pytest.mark.filterwarnings(
    "ignore::ResourceWarning"
)  # Spark leaves sockets to the end of the process

PROFILER = SparkProfiler(None, "local[1]")
ODD_NAMES = (
    "a b.parquet",
    "a%20b.parquet",
    "a+b&c=d,e.parquet",
    "x[1]{2}*?.parquet",
    "ü#1.parquet",
    "q'\"`$;\\.parquet",
)


@pytest.fixture(scope="module")
def spark() -> Iterator[SparkSession]:
    """Spark, as if somebody had started it before."""
    with local_spark() as session:
        yield session


def table_at(folder: Path, count: int = 4) -> MonitoredTable:
    return MonitoredTable("part_t", str(folder), "k", count)


@pytest.mark.usefixtures("spark")
def test_files_of_any_name_count_for_the_bucket_they_lie_in(tmp_path: Path) -> None:
    keys: Mapping[int, Sequence[Sequence[Any]]] = {
        0: [[f"key {number}", "twice"] for number in range(len(ODD_NAMES))],
        1: [["twice", None]],
    }
    for name, values in zip(ODD_NAMES, keys[0], strict=True):
        write_file(tmp_path / "id_bucket=0" / "100% deeper" / name, values, pa.string())
    write_file(tmp_path / "id_bucket=1" / "a b.parquet", keys[1][0], pa.string())
    counts = PROFILER.count_keys(request_of(table_at(tmp_path), None))
    assert counts.frame.to_dicts() == true_figures(keys, pa.string(), None, 4)
    assert not counts.problems
    assert [(s.bucket, s.key, s.rows) for s in counts.samples] == [(0, "twice", 7), (1, "twice", 7)]


KEYS_BY_TYPE: dict[pa.DataType, Sequence[Any]] = {
    pa.int32(): [7, -1, 7, None],
    pa.int64(): [7, 2**40, -(2**63), None],
    pa.int8(): [1, -128, None],
    pa.binary(): [b"\xff\x00", b"", b"ab", None],
    pa.decimal128(12, 9): [Decimal("0.000000001"), Decimal("-3.5"), Decimal("-3.5")],
    pa.decimal128(30, 2): [Decimal("12345678901234567890.12"), Decimal("-3.50"), None],
    pa.dictionary(pa.int32(), pa.string()): ["a", "b", "a", None],
    pa.bool_(): [True, False, None],
    pa.date32(): [date(2024, 2, 29), date(1900, 1, 1), None],
}
"""What lies in bucket 0, 1, and so on."""


@pytest.mark.usefixtures("spark")
@pytest.mark.parametrize("function", [BucketFunction.SPARK_MURMUR3, BucketFunction.CRC32])
def test_keys_of_every_type_are_hashed_as_ours_are(tmp_path: Path, function: BucketFunction) -> None:
    count = len(KEYS_BY_TYPE)
    expected = []
    for bucket, (kind, values) in enumerate(KEYS_BY_TYPE.items()):
        write_table(tmp_path, {bucket: [values]}, kind)
        expected += true_figures({bucket: [values]}, kind, function, count)
    frame = PROFILER.count_keys(request_of(table_at(tmp_path, count), function)).frame
    assert frame["misplaced_keys"].to_list() == [row["misplaced_keys"] for row in expected]
    assert frame["key_nulls"].to_list() == [row["key_nulls"] for row in expected]


@pytest.mark.usefixtures("spark")
def test_keys_of_different_types_are_compared_as_text(tmp_path: Path) -> None:
    write_file(tmp_path / "id_bucket=0" / "numbers.parquet", [1, 2, 3], pa.int64())
    write_file(tmp_path / "id_bucket=0" / "texts.parquet", ["3", "4"], pa.string())
    write_file(tmp_path / "id_bucket=1" / "numbers.parquet", [1], pa.int32())
    frame = PROFILER.count_keys(request_of(table_at(tmp_path), None)).frame
    assert frame["duplicate_rows"].to_list() == [3, 1]
    assert frame["distinct_keys"].to_list() == [4, 0]


@pytest.mark.usefixtures("spark")
def test_a_folder_may_be_named_from_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_table(tmp_path / "tables" / "part_t", {0: [["a", "a"]], 1: [["b"]]}, pa.string())
    monkeypatch.chdir(tmp_path)
    table = MonitoredTable("part_t", "tables/part_t", "k", 2)
    assert PROFILER.count_keys(request_of(table, None)).frame["duplicate_rows"].to_list() == [2, 0]


@pytest.mark.usefixtures("spark")
def test_a_file_that_cannot_be_read_is_named_and_its_bucket_left_out(tmp_path: Path) -> None:
    write_table(tmp_path, {0: [["a"]], 1: [["a"], ["b"]], 2: [["a", "c"]]}, pa.string())
    request = request_of(table_at(tmp_path), None)
    damaged = tmp_path / "id_bucket=1" / "part-1.parquet"
    damaged.write_bytes(b"x" * damaged.stat().st_size)
    counts = PROFILER.count_keys(request)
    assert counts.frame["id_bucket"].to_list() == [0, 2]
    assert counts.frame["distinct_keys"].to_list() == [1, 1]
    assert list(counts.problems) == ["id_bucket=1/part-1.parquet"]
    assert "not a Parquet file" in counts.problems["id_bucket=1/part-1.parquet"]
    damaged.unlink()
    assert list(PROFILER.count_keys(request).problems) == ["id_bucket=1/part-1.parquet"]


@pytest.mark.usefixtures("spark")
def test_a_file_written_anew_since_it_was_listed_makes_its_bucket_unknown(tmp_path: Path) -> None:
    write_table(tmp_path, {0: [["a"]], 1: [["b"]]}, pa.string())
    request = request_of(table_at(tmp_path), None)
    write_table(tmp_path, {1: [["b", "c"]]}, pa.string())
    assert PROFILER.count_keys(request).frame["distinct_keys"].to_list() == [1, None]


def test_a_session_that_was_there_goes_on(spark: SparkSession, tmp_path: Path) -> None:
    write_table(tmp_path, {0: [["a"]]}, pa.string())
    PROFILER.count_keys(request_of(table_at(tmp_path), None))
    assert spark.range(3).count() == 3
    assert not spark.catalog.listTables()


def test_a_table_without_files_needs_no_spark(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "pyspark.sql", None)
    write_table(tmp_path, {0: [["a"]]}, pa.string())
    request = request_of(table_at(tmp_path), None)
    request.buckets.clear()  # type: ignore[attr-defined]
    assert PROFILER.count_keys(request).frame.height == 0


def test_without_pyspark_the_extra_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    write_table(tmp_path, {0: [["a"]]}, pa.string())
    monkeypatch.setitem(sys.modules, "pyspark.sql", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'metaplat\[spark\]'"):
        PROFILER.count_keys(request_of(table_at(tmp_path), None))


def test_a_server_that_is_not_there_is_told_at_once_and_without_its_token(tmp_path: Path) -> None:
    write_table(tmp_path, {0: [["a"]]}, pa.string())
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    profiler = SparkProfiler(f"sc://127.0.0.1:{port}/;token=very-secret")
    with pytest.raises(TransientSourceError, match=f"connect to 127.0.0.1:{port}") as caught:
        profiler.count_keys(request_of(table_at(tmp_path), None))
    assert "very-secret" not in str(caught.value)


def test_what_spark_connect_needs_beside_pyspark_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    write_table(tmp_path, {0: [["a"]]}, pa.string())
    for name in [name for name in sys.modules if name.startswith("pyspark.sql.connect")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "grpc_status", None)
    # without it, as in a worker of xdist, pyspark believes that it runs its own doctests, and exits
    monkeypatch.setattr(sys.modules["__main__"], "__file__", __file__, raising=False)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        profiler = SparkProfiler(f"sc://127.0.0.1:{listener.getsockname()[1]}")
        with pytest.raises(SettingsError, match=r"pip install 'pyspark\[connect\]'"):
            profiler.count_keys(request_of(table_at(tmp_path), None))


@pytest.mark.parametrize("remote", ["http://host:15002", "sc://", "sc://user:very-secret@host", "host:15002"])
def test_an_address_that_is_none_is_a_settings_error(tmp_path: Path, remote: str) -> None:
    write_table(tmp_path, {0: [["a"]]}, pa.string())
    with pytest.raises(SettingsError, match=r"monitor\.spark_remote") as caught:
        SparkProfiler(remote).count_keys(request_of(table_at(tmp_path), None))
    assert "very-secret" not in str(caught.value)


@pytest.mark.usefixtures("spark")
def test_a_table_on_s3_asks_for_the_package_that_spark_lacks(
    moto_endpoint: str, s3_bucket: str, s3_client: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", moto_endpoint)
    write_file(tmp_path / "f.parquet", ["a"], pa.string())
    s3_client.upload_file(str(tmp_path / "f.parquet"), s3_bucket, "t/id_bucket=0/f.parquet")
    table = MonitoredTable("part_t", f"s3://{s3_bucket}/t", "k", 4)
    with pytest.raises(PermanentSourceError, match="hadoop-aws"):
        PROFILER.count_keys(request_of(table, None))


def run_job(folder: Path, *options: str, **environment: str) -> subprocess.CompletedProcess[str]:
    program = [sys.executable, "-m", "metaplat.monitor.profilers.spark_job"]
    program += ["--location", str(folder), "--key-column", "k", "--master", "local[1]", *options]
    kept = {name: value for name, value in os.environ.items() if name != "JAVA_HOME"}
    return subprocess.run(
        program, capture_output=True, text=True, env=kept | environment, timeout=240, check=False
    )


def test_the_job_starts_its_own_spark_and_writes_the_figures(tmp_path: Path) -> None:
    write_table(tmp_path / "t", {0: [["a", "a"]], 1: [["b"]]}, pa.string())
    (tmp_path / "t" / "id_bucket=1" / "cut.parquet").write_bytes(b"PAR1 and no more")
    done = run_job(tmp_path / "t", "--output", str(tmp_path / "out.json"), "--bucket-count", "4")
    assert done.returncode == 0, done.stderr
    document = json.loads((tmp_path / "out.json").read_bytes())
    assert [bucket["duplicate_rows"] for bucket in document["buckets"]] == [2, 0]
    assert list(document["problems"]) == ["id_bucket=1/cut.parquet"]
    assert "Exception" not in done.stderr


def test_without_java_the_job_says_so_in_one_line(tmp_path: Path) -> None:
    write_table(tmp_path / "t", {0: [["a"]]}, pa.string())
    done = run_job(tmp_path / "t", "--output", str(tmp_path / "out.json"), PATH=str(tmp_path))
    assert done.returncode == 3
    assert "install" in done.stderr
    assert done.stderr.splitlines()[-1].startswith("Spark: start with master local[1]: ")
