"""Partitions as Parquet objects, on a folder and on S3."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from metaplat.model.errors import InvalidInputError, PermanentStoreError, UnknownNameError
from metaplat.model.field import Field, Struct
from metaplat.model.polars_schema import polars_schema
from metaplat.settings import S3Settings
from metaplat.stores.lake import Lake
from metaplat.stores.local_objects import LocalObjects
from metaplat.stores.s3_objects import S3Objects
from metaplat_tests.stores.lake_domains import BUCKETS, DAILY, FIELDS, HOURLY, domain, frame_of

if TYPE_CHECKING:
    from pathlib import Path

SCHEMA = polars_schema(DAILY.columns)


@pytest.fixture(params=["local", "s3"])
def lake(request: pytest.FixtureRequest, tmp_path: Path) -> Lake:
    if request.param == "local":
        return Lake(LocalObjects(tmp_path / "home"))
    endpoint, bucket = request.getfixturevalue("moto_endpoint"), request.getfixturevalue("s3_bucket")
    return Lake(S3Objects(f"s3://{bucket}/base", S3Settings(endpoint_url=endpoint)))


@pytest.fixture
def local(tmp_path: Path) -> Lake:
    return Lake(LocalObjects(tmp_path / "home"))


def test_what_was_written_is_read_one_many_or_all(lake: Lake) -> None:
    days = ("2025-11-28", "2025-11-29", "2025-12-01")
    frames = {day: frame_of(day, "etl", "report") for day in reversed(days)}
    for day, frame in frames.items():
        lake.write(DAILY, day, frame)
    assert lake.partitions(DAILY) == list(days)
    assert lake.read(DAILY, ["2025-11-29"]).equals(frames["2025-11-29"])
    assert lake.read(DAILY).equals(pl.concat(frames[day] for day in days))
    some_days = ["2025-12-01", "2025-11-30", "2025-11-28"]
    assert lake.read(DAILY, some_days).equals(pl.concat([frames["2025-12-01"], frames["2025-11-28"]]))


def test_an_empty_lake_has_no_partition_and_the_full_schema(lake: Lake) -> None:
    assert lake.partitions(DAILY) == []
    for partitions in (None, [], ["2025-11-29"]):
        assert dict(lake.read(DAILY, partitions).schema) == SCHEMA


def test_an_empty_partition_is_a_partition(lake: Lake) -> None:
    lake.write(DAILY, "2025-11-29", frame_of("2025-11-29"))
    assert lake.partitions(DAILY) == ["2025-11-29"]
    assert dict(lake.read(DAILY).schema) == SCHEMA


def test_a_partition_is_replaced_whole_and_deleted(lake: Lake) -> None:
    lake.write(DAILY, "2025-11-29", frame_of("2025-11-29", "a", "b", "c"))
    lake.write(DAILY, "2025-11-29", frame_of("2025-11-29", "d"))
    assert lake.read(DAILY)["job_name"].to_list() == ["d"]
    lake.delete(DAILY, "2025-11-29")
    lake.delete(DAILY, "2025-11-29")
    assert lake.partitions(DAILY) == []


def test_equal_rows_are_not_written_again(lake: Lake) -> None:
    frame = frame_of("2025-11-29", "a", "b", "c")
    first = lake.write(DAILY, "2025-11-29", frame)
    shuffled = pl.concat([frame[:1], frame[1:]], rechunk=False).select(reversed(frame.columns))
    assert lake.write(DAILY, "2025-11-29", shuffled) == first
    assert lake.write(DAILY, "2025-11-29", frame_of("2025-11-29", "a", "b", "d")).etag != first.etag


@pytest.mark.parametrize(
    ("table", "keys"),
    [
        (DAILY, ["2025-01-01", "2025-02-28", "2025-11-29"]),
        (HOURLY, ["2025-01-01-13:00", "2025-01-01-14:00", "2025-01-02-00:00"]),
        (BUCKETS, ["0", "2", "9", "10", "17", "255"]),
    ],
    ids=["days", "hours", "buckets"],
)
def test_partitions_come_in_their_own_order(local: Lake, table: object, keys: list[str]) -> None:
    assert isinstance(table, type(DAILY))
    for key in sorted(keys, reverse=True):
        local.write(table, key, frame_of("2025-01-01", key, of=table))
    assert local.partitions(table) == keys
    assert local.read(table)["job_name"].to_list() == keys
    assert [table.partitions.key_of_segment(table.partitions.segment(key)) for key in keys] == keys


def test_foreign_objects_in_a_table_are_no_partitions(local: Lake) -> None:
    local.write(DAILY, "2025-11-29", frame_of("2025-11-29", "a"))
    for name in (
        "date=2025-13-01/data.parquet",
        "date=2025-1-1/data.parquet",
        "date=x/data.parquet",
        "README",
    ):
        local.objects.put(f"lake/runs/{name}", b"")
    local.objects.put("lake/runs/date=2025-11-30/other.parquet", b"")
    local.objects.put("lake/runs_too/date=2025-11-30/data.parquet", b"")
    assert local.partitions(DAILY) == ["2025-11-29"]


def test_columns_come_as_asked(local: Lake) -> None:
    local.write(DAILY, "2025-11-29", frame_of("2025-11-29", "a"))
    assert local.read(DAILY, columns=["rows", "job_name"]).columns == ["rows", "job_name"]
    assert local.read(DAILY, [], columns=["rows"]).schema == {"rows": pl.Int64}
    with pytest.raises(UnknownNameError, match="job_name"):
        local.read(DAILY, columns=["jobname"])


def test_older_files_are_read_under_the_newer_declaration(lake: Lake) -> None:
    narrow = Field("resources", Struct((Field("peak_gb", float, ""),)), "", nullable=True)
    old = domain(fields=(*FIELDS[:3], narrow, Field("gone", str, "", nullable=True), Field("share", int, "")))
    rows = {
        "job_name": ["a"],
        "execution_date": [datetime(2025, 11, 1, tzinfo=UTC)],
        "id_bucket": [1],
        "resources": [{"peak_gb": 2.0}],
        "gone": ["x"],
        "share": [3],
        "extra": [None],
        "source_object": ["k"],
    }
    lake.write(old, "2025-11-01", pl.DataFrame(rows, schema=polars_schema(old.columns)))
    lake.write(DAILY, "2025-11-02", frame_of("2025-11-02", "b"))
    found = lake.read(DAILY)
    assert dict(found.schema) == SCHEMA
    missing = dict.fromkeys(SCHEMA)
    assert found.row(0, named=True) == missing | {
        "job_name": "a",
        "execution_date": datetime(2025, 11, 1, tzinfo=UTC),
        "id_bucket": 1,
        "share": 3.0,
        "resources": {"peak_gb": 2.0, "node": None},
        "source_object": "k",
    }
    assert found["job_name"].to_list() == ["a", "b"]


@pytest.mark.parametrize(
    "change",
    [
        pl.col("rows").cast(pl.Int32),
        pl.col("rows").cast(pl.String),
        pl.col("execution_date").dt.replace_time_zone(None),
        pl.col("execution_date").dt.cast_time_unit("ns"),
        pl.lit(1).alias("undeclared"),
    ],
)
def test_only_the_declared_types_are_written(local: Lake, change: pl.Expr) -> None:
    with pytest.raises(InvalidInputError, match="runs"):
        local.write(DAILY, "2025-11-29", frame_of("2025-11-29", "a").with_columns(change))
    with pytest.raises(InvalidInputError, match="rows"):
        local.write(DAILY, "2025-11-29", frame_of("2025-11-29", "a").drop("rows"))
    assert local.partitions(DAILY) == []


@pytest.mark.parametrize("damage", ["text", "empty", "half", "without its end", "other type"])
def test_a_broken_object_is_named(lake: Lake, damage: str) -> None:
    for day in ("2025-11-28", "2025-11-29", "2025-11-30"):
        lake.write(DAILY, day, frame_of(day, *"abc"))
    key = "lake/runs/date=2025-11-29/data.parquet"
    whole, other = lake.objects.get(key), io.BytesIO()
    pl.DataFrame({"rows": ["text"]}).write_parquet(other)
    content = {"text": b"not parquet at all", "empty": b"", "half": whole[: len(whole) // 2]} | {
        "without its end": whole[:-1],
        "other type": other.getvalue(),
    }
    lake.objects.put(key, content[damage])
    with pytest.raises(PermanentStoreError) as caught:
        lake.read(DAILY)
    assert f"{lake.objects.address}/{key}" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert lake.read(DAILY, ["2025-11-28", "2025-11-30"]).height == 6


def test_others_can_read_the_hive_paths(local: Lake) -> None:
    local.write(DAILY, "2025-11-29", frame_of("2025-11-29", "a"))
    scan = pl.scan_parquet(f"{local.address(DAILY)}/**/*.parquet", hive_partitioning=True)
    assert scan.collect()["date"].to_list() == [datetime(2025, 11, 29).date()]  # noqa: DTZ001
    assert local.address(DAILY, "2025-11-29") == f"{local.address(DAILY)}/date=2025-11-29/data.parquet"


NESTED = some.none() | some.fixed_dictionaries(
    {"peak_gb": some.none() | some.floats(), "node": some.none() | some.text(max_size=5)}
)
ROWS = some.fixed_dictionaries(
    {
        "job_name": some.text(max_size=10),
        "execution_date": some.datetimes(timezones=some.just(UTC)),
        "id_bucket": some.integers(-(2**63), 2**63 - 1),
        "rows": some.none() | some.integers(0, 9),
        "share": some.none() | some.floats(),
        "is_complete": some.none() | some.booleans(),
        "resources": NESTED,
        "tables": some.none() | some.lists(some.none() | some.text(max_size=3), max_size=3),
        "steps": some.none() | some.lists(NESTED, max_size=3),
        "extra": some.none() | some.text(max_size=9),
        "source_object": some.text(max_size=9),
    }
)


@given(rows=some.lists(ROWS, max_size=12), cut=some.integers(0, 12))
@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_any_rows_come_back_as_they_were_and_give_the_same_bytes(
    local: Lake, rows: list[dict[str, object]], cut: int
) -> None:
    frame = pl.DataFrame(rows, schema=SCHEMA)
    info = local.write(DAILY, "2025-11-29", frame)
    assert local.read(DAILY, ["2025-11-29"]).equals(frame)
    pieces = [pl.DataFrame(part, schema=SCHEMA) for part in (rows[:cut], rows[cut:])]
    in_pieces = pl.concat(pieces, rechunk=False)
    assert local.write(DAILY, "2025-11-29", in_pieces) == info
