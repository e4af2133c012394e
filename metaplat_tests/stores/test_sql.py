"""Questions to the lake, on a folder and on S3."""

from __future__ import annotations

import threading
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

import duckdb
import polars as pl
import pytest

from metaplat.model.errors import PermanentStoreError, StoreError, TransientStoreError, UsageError
from metaplat.model.field import Field
from metaplat.model.polars_schema import polars_schema
from metaplat.settings import S3Settings
from metaplat.stores.lake import Lake
from metaplat.stores.local_objects import LocalObjects
from metaplat.stores.s3_objects import S3Objects
from metaplat.stores.sql import connect, create_views, query
from metaplat_tests.stores.lake_domains import BUCKETS, DAILY, FIELDS, HOURLY, domain, frame_of

if TYPE_CHECKING:
    from pathlib import Path

DOMAINS = (DAILY, HOURLY, BUCKETS)


@pytest.fixture(params=["local", "s3"])
def lake(request: pytest.FixtureRequest, tmp_path: Path) -> Lake:
    if request.param == "local":
        return Lake(LocalObjects(tmp_path / "it's [a] home*?"))
    endpoint, bucket = request.getfixturevalue("moto_endpoint"), request.getfixturevalue("s3_bucket")
    return Lake(S3Objects(f"s3://{bucket}/base", S3Settings(endpoint_url=endpoint)))


@pytest.fixture
def filled(lake: Lake) -> Lake:
    for day in ("2025-11-28", "2025-11-29", "2025-12-01"):
        lake.write(DAILY, day, frame_of(day, "etl", "report"))
    lake.write(HOURLY, "2025-11-29-13:00", frame_of("2025-11-29", "etl"))
    for bucket in (0, 2, 10):
        lake.write(BUCKETS, str(bucket), frame_of("2025-11-29", "etl", bucket=bucket))
    return lake


def rows(lake: Lake, text: str) -> list[tuple[Any, ...]]:
    return query(connect(lake, DOMAINS), text).rows()


def test_views_are_named_like_domains_and_typed_also_without_any_file(lake: Lake) -> None:
    connection = connect(lake, DOMAINS)
    for table, hive in zip(DOMAINS, (pl.Date, pl.String, None), strict=True):
        frame = query(connection, f"select * from {table.name}")
        expected = polars_schema(table.columns) | ({table.partitions.column: hive} if hive else {})
        assert dict(frame.schema) == expected
        assert frame.height == 0


def test_rows_are_those_of_the_lake(filled: Lake) -> None:
    found = query(connect(filled, DOMAINS), "select * exclude (date) from runs order by source_object")
    assert found.equals(filled.read(DAILY))


def test_the_partition_is_a_column_of_its_kind(filled: Lake) -> None:
    assert rows(filled, "select date, count(*) from runs group by 1 order by 1") == [
        (date(2025, 11, 28), 2),
        (date(2025, 11, 29), 2),
        (date(2025, 12, 1), 2),
    ]
    assert rows(filled, "select count(*) from runs where date = '2025-11-29'") == [(2,)]
    assert rows(filled, "select count(*) from runs where date >= '2025-11-29'") == [(4,)]
    assert rows(filled, "select hour from hourly_runs") == [("2025-11-29-13",)]
    assert rows(filled, "select id_bucket from shards where id_bucket > 1 order by 1") == [(2,), (10,)]


def test_a_filter_on_the_partition_reads_its_file_alone(tmp_path: Path) -> None:
    lake = Lake(LocalObjects(tmp_path))
    for number in range(1, 31):
        lake.write(DAILY, f"2025-11-{number:02d}", frame_of("2025-11-01", "a"))
        lake.write(BUCKETS, str(number), frame_of("2025-11-01", "a", bucket=number))
    connection = connect(lake, DOMAINS)
    for condition in ("runs where date = '2025-11-29'", "shards where id_bucket = 7"):
        plan = connection.execute(f"explain analyze select rows from {condition}").fetchall()[0][1]
        assert "Scanning Files: 1/30" in plan


def test_times_are_utc_whatever_the_machine_says(filled: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    connection = connect(filled, DOMAINS)
    text = "select execution_date, execution_date::varchar, hour(execution_date) from runs limit 1"
    for one in (connection, connection.cursor()):
        ((moment, written, hour),) = query(one, text).rows()
        assert moment == datetime(2025, 11, 28, 1, 2, 3, 4, tzinfo=UTC)
        assert (written, hour) == ("2025-11-28 01:02:03.000004+00", 1)


def test_partitions_written_later_are_seen_by_an_open_connection(lake: Lake) -> None:
    connection = connect(lake, DOMAINS)
    for names in (["a"], ["b", "c"], ["d", "e"]):
        lake.write(DAILY, "2025-11-29", frame_of("2025-11-29", *names))
        assert query(connection, "select job_name from runs order by 1")["job_name"].to_list() == names
    lake.delete(DAILY, "2025-11-29")
    assert query(connection, "from runs").height == 0


def test_files_of_an_older_declaration_give_nulls(lake: Lake) -> None:
    old = domain(fields=(*FIELDS[:3], Field("share", int, "Share.", nullable=True)))
    kept = frame_of("2025-11-01", "a").with_columns(pl.lit(3, pl.Int64).alias("share"))
    lake.write(old, "2025-11-01", kept.select(list(polars_schema(old.columns))))
    lake.write(DAILY, "2025-11-02", frame_of("2025-11-02", "b"))
    assert rows(lake, "select job_name, share, resources.peak_gb, tables from runs order by 1") == [
        ("a", 3.0, None, None),
        ("b", 0.5, 1.5, ["a", "b"]),
    ]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("selct 1", "syntax error"),
        ("", "SELECT"),
        ("-- nothing", "SELECT"),
        ("select * from run", "runs"),
        ("select jobname from runs", "job_name"),
        ("select 1; select 2", "single SELECT"),
        ("select cast('x' as int)", "Could not convert"),
        ("select * from read_text('/etc/passwd')", "Permission"),
        ("select * from '/etc/passwd'", ""),
        ("select * from glob('/etc/*')", "Permission"),
        ("select * from read_parquet('s3://other/x.parquet')", ""),
    ],
)
def test_a_wrong_question_is_the_fault_of_who_asks(filled: Lake, text: str, told: str) -> None:
    with pytest.raises(UsageError) as caught:
        query(connect(filled, DOMAINS), text)
    assert told in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        "copy (select 1) to '{lake}/lake/runs/date=2025-11-29/data.parquet'",
        "with hidden as (copy (select 1) to '{lake}/lake/runs/date=2025-11-29/data.parquet') from hidden",
        "explain analyze copy (select 1) to '{lake}/lake/x'",
        "select 1) ; copy (select 1) to '{lake}/lake/x'; from query('select 1'",
        "create table x as select 1",
        "drop view runs",
        "insert into runs select * from runs",
        "with gone as (delete from runs returning *) from gone",
        "attach '{lake}/lake/x.duckdb'",
        "install httpfs",
        "load httpfs",
        "set threads = 1",
        "pragma enable_profiling",
        "call duckdb_settings()",
        "export database '{lake}/lake/x'",
    ],
)
def test_nothing_but_questions_is_run(filled: Lake, text: str) -> None:
    connection = connect(filled, DOMAINS)
    before = filled.objects.list_objects()
    with pytest.raises(UsageError):
        query(connection, text.format(lake=filled.objects.address.replace("'", "''")))
    assert filled.objects.list_objects() == before
    assert query(connection, "select count(*) from runs").item() == 6


def test_variables_of_the_program_are_no_tables(filled: Lake) -> None:
    secret_frame = pl.DataFrame({"secret": [1]})
    with pytest.raises(UsageError, match="secret_frame"):
        rows(filled, "select * from secret_frame")
    assert secret_frame.height == 1


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("sum(rows)", 3),
        ("max(execution_date) - min(execution_date)", "3 days"),
        ("sum(rows) * 100000000000000000000", 3 * 10**20),
        ("1::bit::varchar || interval 1 day", "000000000000000000000000000000011 day"),
        ("list(distinct tables)[1]", ["a", "b"]),
        ("null", None),
        ("avg(share)", 0.5),
        ("'it''s; -- fine'", "it's; -- fine"),
    ],
)
def test_results_of_every_kind_come_out(filled: Lake, expression: str, value: object) -> None:
    ((found,),) = rows(filled, f"select {expression} from runs limit 1; -- a comment")
    assert found == value


@pytest.mark.parametrize(
    "text", ["describe runs", "summarize runs", "show tables", "values (1)", "from runs", "table runs"]
)
def test_questions_of_other_forms_are_answered(filled: Lake, text: str) -> None:
    assert rows(filled, text)


def test_the_order_asked_for_is_kept(filled: Lake) -> None:
    assert rows(filled, "select range from range(1000) order by 1 desc limit 3") == [(999,), (998,), (997,)]


@pytest.mark.parametrize("content", [b"not parquet", b""])
def test_a_broken_partition_is_the_fault_of_the_store(filled: Lake, content: bytes) -> None:
    filled.objects.put("lake/runs/date=2025-11-29/data.parquet", content)
    with pytest.raises(PermanentStoreError, match="date=2025-11-29") as caught:
        rows(filled, "select rows from runs")
    assert "\n" not in str(caught.value)
    assert rows(filled, "select count(*) from runs where date = '2025-12-01'") == [(2,)]


def test_a_broken_partition_found_after_the_first_rows_is_the_fault_of_the_store_too(filled: Lake) -> None:
    """DuckDB then fails inside Polars, which passes on the text of the error and not its type."""
    filled.objects.put("lake/runs/date=2025-11-29/data.parquet", b"not parquet")
    late = "select rows from runs where date = '2025-11-29'"
    with pytest.raises(PermanentStoreError, match="date=2025-11-29") as caught:
        rows(filled, f"select range from range(3000000) union all {late}")
    assert "\n" not in str(caught.value)


def test_a_fault_of_the_question_found_after_the_first_rows_stays_one(filled: Lake) -> None:
    with pytest.raises(UsageError, match="enough"):
        rows(filled, "select if(range > 2000000, error('enough'), range) from range(3000000)")


def test_an_outage_of_s3_may_be_run_again(moto_endpoint: str) -> None:
    del moto_endpoint  # for the credentials
    lake = Lake(S3Objects("s3://bucket/x", S3Settings(endpoint_url="http://127.0.0.1:1", retries=0)))
    with pytest.raises(StoreError, match="s3://bucket/x") as caught:
        rows(lake, "select * from runs")
    assert isinstance(caught.value, TransientStoreError)
    assert "\n" not in str(caught.value)


def test_a_connection_of_others_gets_the_same_views_twice_over(filled: Lake) -> None:
    connection = duckdb.connect()
    create_views(connection, filled, DOMAINS)
    create_views(connection, filled, DOMAINS)
    assert connection.execute("select count(*) from runs").fetchall() == [(6,)]
    assert query(connection, "select count(*) n from shards")["n"].to_list() == [3]


def test_cursors_answer_side_by_side(filled: Lake) -> None:
    connection = connect(filled, DOMAINS)
    answers: list[int] = []

    def ask() -> None:
        cursor = connection.cursor()
        answers.extend(query(cursor, "select count(*) from runs").item() for _ in range(5))

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [6] * 20
