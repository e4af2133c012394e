"""The door to Glue, against moto and against a stand-in that pages, throttles and refuses."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

import pytest

from metaplat.model.errors import PermanentStoreError, TransientStoreError
from metaplat.stores import aws_client
from metaplat.stores.tables.glue import GlueCatalog
from metaplat_tests.standins.glue_api import GlueApi, GlueServer, glue_server, new_catalog

if TYPE_CHECKING:
    from collections.abc import Iterator

LOCATION = "s3://lake/part_a"


@pytest.fixture(scope="module")
def server() -> Iterator[GlueServer]:
    with glue_server() as server:
        yield server


@pytest.fixture
def api(server: GlueServer, monkeypatch: pytest.MonkeyPatch) -> GlueApi:
    return new_catalog(server, monkeypatch)


@pytest.fixture
def moto_glue(moto_endpoint: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return a boto3 client of moto's Glue, which the catalog speaks to as well."""
    import boto3

    monkeypatch.setenv("AWS_ENDPOINT_URL", moto_endpoint)
    return boto3.client("glue", region_name="us-east-1")


@pytest.fixture
def catalog() -> GlueCatalog:
    return GlueCatalog("us-east-1")


def test_tables_of_all_pages_come_by_name_and_by_prefix(api: GlueApi, catalog: GlueCatalog) -> None:
    api.page_size = 7
    for number in range(40):
        api.add_table("sales", f"part_{number:02}", LOCATION)
    api.add_table("sales", "ext_00", LOCATION)
    api.add_table("sales", "xpart_00", LOCATION)
    found = catalog.tables("sales", "part_")
    assert [table.name for table in found] == [f"part_{number:02}" for number in range(40)]
    assert len(api.requests) == 7  # an empty page, and 42 tables in pages of 7


def test_a_prefix_is_text_and_no_pattern(api: GlueApi, catalog: GlueCatalog) -> None:
    for name in ("part_a", "partxa", "part.a"):
        api.add_table("sales", name, LOCATION)
    assert [table.name for table in catalog.tables("sales", "part.")] == ["part.a"]


def test_a_table_tells_type_format_columns_and_location(api: GlueApi, catalog: GlueCatalog) -> None:
    api.add_table("sales", "part_a", f"{LOCATION}/", Parameters={"projection.enabled": "TRUE"})
    table = catalog.table("sales", "part_a")
    assert table is not None
    assert (table.location, table.table_type, table.projected) == (f"{LOCATION}/", "EXTERNAL_TABLE", True)
    assert table.columns == (("customer_user_id", "string"),)
    assert table.partition_keys == (("id_bucket", "int"),)
    assert str(table.serde).endswith("ParquetHiveSerDe")


def test_a_table_without_descriptor_has_no_location(api: GlueApi, catalog: GlueCatalog) -> None:
    """Views and links to other databases have none."""
    api.databases["sales"] = {"part_view": {"Name": "part_view"}}
    [table] = catalog.tables("sales")
    assert (table.location, table.columns, table.partition_keys) == (None, (), ())


def test_a_missing_table_is_none_and_a_missing_database_an_error(api: GlueApi, catalog: GlueCatalog) -> None:
    api.add_table("sales", "part_a", LOCATION)
    assert catalog.table("sales", "part_b") is None
    for ask in (lambda: catalog.table("absent", "part_a"), lambda: catalog.tables("absent")):
        with pytest.raises(PermanentStoreError, match=r"absent.*EntityNotFoundException.*Check that the"):
            ask()


def test_moto_tells_missing_tables_and_databases_the_same_way(moto_glue: Any, catalog: GlueCatalog) -> None:
    database = f"db_{uuid.uuid4().hex}"
    moto_glue.create_database(DatabaseInput={"Name": database})
    assert catalog.table(database, "part_a") is None
    with pytest.raises(PermanentStoreError, match="EntityNotFoundException"):
        catalog.table("absent", "part_a")


def test_partitions_of_all_pages_come_once_each(api: GlueApi, catalog: GlueCatalog) -> None:
    api.page_size = 50
    api.add_table("sales", "part_a", LOCATION)
    api.partitions["part_a"] = {(str(n),): {"Location": f"{LOCATION}/id_bucket={n}/"} for n in range(256)}
    table = catalog.table("sales", "part_a")
    assert table is not None
    found = catalog.partitions(table)
    assert [partition.values for partition in found] == [(str(n),) for n in range(256)]
    assert found[7].location == f"{LOCATION}/id_bucket=7/"
    assert found[7].columns == ()


def test_own_columns_of_partitions_are_told_where_asked_for(api: GlueApi, catalog: GlueCatalog) -> None:
    api.add_table("sales", "part_a", LOCATION)
    columns = [{"Name": "old_name", "Type": "bigint"}]
    api.partitions["part_a"] = {("0",): {"Location": LOCATION, "Columns": columns}}
    table = catalog.table("sales", "part_a")
    assert table is not None
    assert catalog.partitions(table)[0].columns == ()
    assert catalog.partitions(table, columns=True)[0].columns == (("old_name", "bigint"),)


def test_partitions_are_added_in_batches_that_glue_accepts(api: GlueApi, catalog: GlueCatalog) -> None:
    api.add_table("sales", "part_a", LOCATION)
    table = catalog.table("sales", "part_a")
    assert table is not None
    added = [((str(n),), f"{LOCATION}/id_bucket={n}/") for n in range(256)]
    assert catalog.add_partitions(table, added) == {}
    sizes = [len(body["PartitionInputList"]) for name, body in api.requests if name == "BatchCreatePartition"]
    assert sizes == [100, 100, 56]
    assert len(catalog.partitions(table)) == 256


def test_a_new_partition_copies_the_descriptor_and_has_its_own_location(
    moto_glue: Any, catalog: GlueCatalog
) -> None:
    database = f"db_{uuid.uuid4().hex}"
    moto_glue.create_database(DatabaseInput={"Name": database})
    descriptor = {
        "Columns": [{"Name": "k", "Type": "string", "Comment": "the key"}],
        "Location": f"{LOCATION}/",
        "InputFormat": "in",
        "OutputFormat": "out",
        "SerdeInfo": {"SerializationLibrary": "serde", "Parameters": {"serialization.format": "1"}},
    }
    entry = {"Name": "part_a", "StorageDescriptor": descriptor, "PartitionKeys": [{"Name": "id_bucket"}]}
    moto_glue.create_table(DatabaseName=database, TableInput=entry)
    table = catalog.table(database, "part_a")
    assert table is not None
    assert catalog.add_partitions(table, [(("7",), f"{LOCATION}/id_bucket=7/")]) == {}
    stored = moto_glue.get_partition(DatabaseName=database, TableName="part_a", PartitionValues=["7"])
    assert stored["Partition"]["StorageDescriptor"] == descriptor | {"Location": f"{LOCATION}/id_bucket=7/"}
    assert catalog.add_partitions(table, [(("7",), "elsewhere")]) == {}  # exists, which is done
    assert catalog.partitions(table)[0].location == f"{LOCATION}/id_bucket=7/"


def test_a_refused_partition_is_told_and_the_others_are_added(api: GlueApi, catalog: GlueCatalog) -> None:
    api.add_table("sales", "part_a", LOCATION)
    api.refused_values = {"3": "InvalidInputException"}
    table = catalog.table("sales", "part_a")
    assert table is not None
    refused = catalog.add_partitions(table, [((str(n),), LOCATION) for n in range(5)])
    assert refused == {("3",): "InvalidInputException: no"}
    assert len(catalog.partitions(table)) == 4


def test_throttling_is_waited_for(api: GlueApi, catalog: GlueCatalog) -> None:
    api.add_table("sales", "part_a", LOCATION)
    api.throttled["GetTables"] = 1
    assert len(catalog.tables("sales")) == 1


def test_throttling_without_end_may_pass_later_and_names_the_table(
    api: GlueApi, catalog: GlueCatalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(aws_client, "ATTEMPTS", 2)
    api.add_table("sales", "part_a", LOCATION)
    api.throttled["GetTable"] = 1000
    with pytest.raises(TransientStoreError, match=r"sales\.part_a: read the table: ThrottlingException"):
        catalog.table("sales", "part_a")


def test_one_denied_table_is_an_error_that_names_it_and_the_permission(
    api: GlueApi, catalog: GlueCatalog
) -> None:
    for name in ("part_a", "part_b"):
        api.add_table("sales", name, LOCATION)
    denied, open_to_all = catalog.tables("sales")
    api.denied = {"part_a"}
    with pytest.raises(PermanentStoreError, match=r"sales\.part_a.*AccessDenied.*GetPartitions"):
        catalog.partitions(denied)
    assert catalog.partitions(open_to_all) == []


def test_a_glue_that_cannot_be_reached_may_answer_later(
    api: GlueApi, catalog: GlueCatalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    del api
    monkeypatch.setattr(aws_client, "ATTEMPTS", 1)
    monkeypatch.setenv("AWS_ENDPOINT_URL_GLUE", "http://127.0.0.1:9")
    with pytest.raises(TransientStoreError, match=r"Glue database sales: list tables"):
        catalog.tables("sales")
