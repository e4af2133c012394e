"""The facts about one table, from its files, Glue and what lies around it."""

from __future__ import annotations

import io
import uuid
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from metaplat.model.errors import PermanentStoreError, SettingsError
from metaplat.model.polars_schema import polars_schema
from metaplat.model.table import BucketFunction, MonitoredTable, RepairMode, SourceTable
from metaplat.model.table_metrics import METRICS
from metaplat.monitor.facts import gather_facts, limits_of
from metaplat.settings import MonitorSettings, S3Settings, Settings
from metaplat.stores.home import Stores, open_stores
from metaplat_tests.standins.glue_api import GlueApi, GlueServer, glue_server, new_catalog

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from metaplat.model.table_evidence import TableFacts

NOW = datetime(2025, 11, 10, 6, tzinfo=UTC)
KEY = "customer_user_id"
BUCKETS = 4


@pytest.fixture
def stores(tmp_path: Path) -> Stores:
    return open_stores(Settings(home=tmp_path / "home"))


@pytest.fixture(scope="module")
def server() -> Iterator[GlueServer]:
    with glue_server() as server:
        yield server


@pytest.fixture
def glue(server: GlueServer, monkeypatch: pytest.MonkeyPatch) -> GlueApi:
    return new_catalog(server, monkeypatch)


def parquet(bucket: int, rows: int = 3) -> bytes:
    content = io.BytesIO()
    pl.DataFrame({KEY: [f"{bucket}-{n}" for n in range(rows)]}).write_parquet(content)
    return content.getvalue()


def write_table(folder: Path, buckets: int = BUCKETS, width: int = 0) -> MonitoredTable:
    for bucket in range(buckets):
        path = folder / f"id_bucket={bucket:0{width}d}" / "a.parquet"
        path.parent.mkdir(parents=True)
        path.write_bytes(parquet(bucket))
    return table_at(str(folder))


def table_at(location: str, database: str | None = None) -> MonitoredTable:
    function = BucketFunction.NONE
    return MonitoredTable("part_a", location, KEY, BUCKETS, bucket_function=function, database=database)


def facts_of(table: MonitoredTable, stores: Stores, run_id: str = "run-1", **more: Any) -> TableFacts:
    settings = MonitorSettings(**{"auto_repair": RepairMode.OFF} | more.pop("monitor", {}))
    return gather_facts(table, stores=stores, settings=settings, now=NOW, run_id=run_id, **more)


def test_a_local_folder_is_examined_without_glue(tmp_path: Path, stores: Stores) -> None:
    table = write_table(tmp_path / "part_a")
    (tmp_path / "metadata").mkdir()
    (tmp_path / "metadata" / "snapshot_dt.txt").write_bytes(b"2025-11-03\n")
    facts = facts_of(table, stores)
    assert facts.profile.frame["rows"].to_list() == [3] * BUCKETS
    assert facts.profile.frame["in_glue"].null_count() == BUCKETS
    assert (facts.glue, facts.partitions, facts.source, facts.repair) == (None, None, None, None)
    assert facts.snapshot is not None
    assert facts.snapshot.day == date(2025, 11, 3)
    assert facts.raw_input is None
    assert facts.profile.notes == ()
    assert dict(facts.profile.frame.schema) == polars_schema(METRICS)


def test_earlier_runs_are_the_history_and_this_run_is_not(tmp_path: Path, stores: Stores) -> None:
    table = write_table(tmp_path / "part_a")
    assert facts_of(table, stores).history.is_empty()
    assert facts_of(table, stores, keep=False, run_id="looked").history["run_id"].unique().to_list() == [
        "run-1"
    ]
    again = facts_of(table, stores)
    assert again.history.is_empty()
    assert again.profile.files_read == 0
    second = facts_of(table, stores, run_id="run-2")
    assert second.history["run_id"].to_list() == ["run-1"] * BUCKETS


def test_facts_can_be_looked_at_without_measuring_or_keeping_anything(tmp_path: Path, stores: Stores) -> None:
    table = write_table(tmp_path / "part_a")
    never = facts_of(table, stores, buckets=(), keep=False)
    assert never.profile.frame["rows"].to_list() == [None] * BUCKETS
    facts_of(table, stores, buckets={2})
    (tmp_path / "part_a" / "id_bucket=2" / "b.parquet").write_bytes(parquet(2))
    standing = facts_of(table, stores, run_id="", buckets=(), keep=False)
    assert standing.profile.frame["rows"].to_list() == [None, None, 3, None]
    assert standing.profile.files_read == 0


def test_limits_are_those_of_the_settings() -> None:
    limits = limits_of(MonitorSettings(count_tolerance_pct=0.5, strict_snapshot=False, volume_runs=3))
    assert (limits.count_tolerance_pct, limits.strict_snapshot, limits.volume_runs) == (0.5, False, 3)


@pytest.mark.parametrize("location", ["hdfs://node/part_a", "s3a://lake/part_a"])
def test_a_location_of_another_scheme_is_an_error(stores: Stores, location: str) -> None:
    with pytest.raises(SettingsError, match="neither a local folder nor an address"):
        facts_of(table_at(location), stores)


def test_a_location_that_is_missing_or_a_file_is_an_error(tmp_path: Path, stores: Stores) -> None:
    (tmp_path / "file").write_bytes(b"x")
    for name, problem in {"absent": "does not exist", "file": "is a file"}.items():
        with pytest.raises(PermanentStoreError, match=problem):
            facts_of(table_at(str(tmp_path / name)), stores)


def test_a_location_without_partitions_is_examined(tmp_path: Path, stores: Stores) -> None:
    (tmp_path / "part_a").mkdir()
    facts = facts_of(table_at(str(tmp_path / "part_a")), stores)
    assert facts.profile.frame["files"].to_list() == [0] * BUCKETS
    assert facts.profile.inventory.present == []


def test_the_source_is_counted_where_that_is_wanted(tmp_path: Path, stores: Stores) -> None:
    write_table(tmp_path / "ext_a")
    source = SourceTable("ext_a", location=str(tmp_path / "ext_a"))
    table = replace(write_table(tmp_path / "part_a"), source=source)
    counted = facts_of(table, stores).source
    assert counted is not None
    assert (counted.found, counted.rows) == (True, 3 * BUCKETS)
    assert facts_of(table, stores, monitor={"count_check_enabled": False}).source is None


def test_where_a_table_lies_and_how_it_is_padded_is_asked_of_glue(
    tmp_path: Path, stores: Stores, glue: GlueApi
) -> None:
    write_table(tmp_path / "part_a", width=3)
    parameters = {"projection.enabled": "true", "projection.id_bucket.digits": "3"}
    glue.add_table("sales", "part_a", f"{tmp_path}/part_a/", Parameters=parameters)
    glue.partitions["part_a"] = {("0",): {"Location": "left over"}}
    facts = facts_of(table_at("", database="sales"), stores, monitor={"auto_repair": "glue"})
    assert facts.table.location == f"{tmp_path}/part_a"
    assert facts.profile.frame["files"].to_list() == [1] * BUCKETS
    assert facts.profile.frame["in_glue"].null_count() == BUCKETS
    assert (facts.repair, facts.missing_before_repair) == (None, ())


def test_a_table_that_nobody_can_locate_is_an_error(stores: Stores, glue: GlueApi) -> None:
    glue.add_table("sales", "part_b", None)
    with pytest.raises(PermanentStoreError, match=r"sales\.part_b.*it has no location"):
        facts_of(replace(table_at("", database="sales"), name="part_b"), stores)
    with pytest.raises(PermanentStoreError, match=r"sales\.part_a.*there is no such table"):
        facts_of(table_at("", database="sales"), stores)


def test_a_table_that_glue_no_longer_has_is_examined_with_a_note(
    tmp_path: Path, stores: Stores, glue: GlueApi
) -> None:
    glue.add_table("sales", "part_b", None)
    table = replace(write_table(tmp_path / "part_a"), database="sales")
    facts = facts_of(table, stores)
    assert (facts.glue, facts.partitions) == (None, None)
    assert "Glue has no table sales.part_a." in facts.profile.notes


def test_a_table_that_glue_denies_is_an_error_and_others_go_on(
    tmp_path: Path, stores: Stores, glue: GlueApi
) -> None:
    table = replace(write_table(tmp_path / "part_a"), database="sales")
    glue.add_table("sales", "part_a", table.location)
    glue.add_table("sales", "part_b", table.location)
    glue.denied = {"part_a"}
    with pytest.raises(PermanentStoreError, match=r"sales\.part_a.*AccessDenied"):
        facts_of(table, stores)
    other = facts_of(replace(table, name="part_b"), stores)
    assert other.profile.frame["in_glue"].to_list() == [False] * BUCKETS


def test_raw_input_that_cannot_be_listed_is_unknown_with_a_note(tmp_path: Path, moto_endpoint: str) -> None:
    settings = Settings(home=tmp_path / "home", s3=S3Settings(endpoint_url=moto_endpoint))
    table = write_table(tmp_path / "part_a")
    (tmp_path / "metadata").mkdir()
    (tmp_path / "metadata" / "snapshot_dt.txt").write_bytes(b"2025-11-03\n")
    facts = facts_of(table, open_stores(settings), monitor={"data_bucket": "bucket-that-nobody-made"})
    assert facts.raw_input is not None
    assert facts.raw_input.objects is None
    assert facts.raw_input.address.endswith("/opus/a/raw_input/snapshot_dt=2025-11-03/")
    assert "NoSuchBucket" in facts.profile.notes[0]


class Lake:
    """A table in moto, on S3 and in Glue, of which some partitions are registered."""

    def __init__(self, endpoint: str, bucket: str, client: Any) -> None:
        import boto3

        self.bucket, self.s3, self.database = bucket, client, f"db_{uuid.uuid4().hex}"
        self.location = f"s3://{bucket}/lake/part_a"
        self.glue: Any = boto3.client("glue", endpoint_url=endpoint, region_name="us-east-1")
        self.glue.create_database(DatabaseInput={"Name": self.database})
        descriptor = {"Columns": [{"Name": KEY, "Type": "string"}], "Location": f"{self.location}/"}
        keys = [{"Name": "id_bucket", "Type": "int"}]
        entry: Any = {"Name": "part_a", "StorageDescriptor": descriptor, "PartitionKeys": keys}
        self.glue.create_table(DatabaseName=self.database, TableInput=entry)
        for number in range(BUCKETS):
            self.put(f"lake/part_a/id_bucket={number}/a.parquet", parquet(number))
        self.register(0, f"{self.location}/id_bucket=0/")
        self.register(9, f"{self.location}/id_bucket=9/")

    def put(self, key: str, content: bytes) -> None:
        """Write an object."""
        self.s3.put_object(Bucket=self.bucket, Key=key, Body=content)

    def register(self, number: int, location: str) -> None:
        """Register a partition."""
        entry: Any = {"Values": [str(number)], "StorageDescriptor": {"Location": location}}
        self.glue.create_partition(DatabaseName=self.database, TableName="part_a", PartitionInput=entry)


@pytest.fixture
def lake(moto_endpoint: str, s3_bucket: str, s3_client: Any, monkeypatch: pytest.MonkeyPatch) -> Lake:
    monkeypatch.setenv("AWS_ENDPOINT_URL", moto_endpoint)
    return Lake(moto_endpoint, s3_bucket, s3_client)


def test_missing_partitions_are_registered_and_the_facts_tell_before_and_after(
    lake: Lake, stores: Stores
) -> None:
    table = table_at(lake.location, database=lake.database)
    off = facts_of(table, stores)
    assert off.profile.frame["in_glue"].to_list() == [True, False, False, False]
    assert off.profile.frame["glue_location"].to_list() == [f"{lake.location}/id_bucket=0/", None, None, None]
    assert (off.repair, off.missing_before_repair) == (None, (1, 2, 3))

    facts = facts_of(table, stores, run_id="run-2", monitor={"auto_repair": "glue"})
    assert facts.profile.frame["in_glue"].to_list() == [True] * BUCKETS
    assert facts.profile.frame["glue_location"][3] == f"{lake.location}/id_bucket=3/"
    assert facts.missing_before_repair == (1, 2, 3)
    assert facts.repair is not None
    assert (facts.repair.before, facts.repair.after, facts.repair.failed) == (1, 4, False)
    assert facts.repair.plan.drop_list == ("id_bucket=9",)
    assert facts.partitions is not None
    assert len(facts.partitions) == 5
    assert facts.partitions[-1].columns == ((KEY, "string"),)

    again = facts_of(table, stores, run_id="run-3", monitor={"auto_repair": "glue"})
    assert (again.repair, again.missing_before_repair) == (None, ())
    assert again.history["in_glue"].to_list() == [True, False, False, False] + [True] * BUCKETS


def test_a_repair_that_achieves_nothing_leaves_the_partitions_missing(lake: Lake, stores: Stores) -> None:
    facts = facts_of(
        table_at(lake.location, database=lake.database), stores, monitor={"auto_repair": "athena"}
    )
    assert facts.repair is not None
    assert facts.repair.failed
    assert facts.repair.still_missing == (1, 2, 3)
    assert facts.profile.frame["in_glue"].to_list() == [True, False, False, False]


def test_a_prefix_without_objects_does_not_exist(lake: Lake, stores: Stores) -> None:
    with pytest.raises(PermanentStoreError, match="there is no object below it"):
        facts_of(table_at(f"s3://{lake.bucket}/absent"), stores)
    lake.put("empty/part_a/_SUCCESS", b"")
    facts = facts_of(table_at(f"s3://{lake.bucket}/empty/part_a"), stores)
    assert facts.profile.inventory.present == []
