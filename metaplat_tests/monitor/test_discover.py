"""Which tables are monitored: those that Glue has, those that were saved, those declared by hand."""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metaplat.model.errors import PermanentStoreError, SettingsError
from metaplat.model.table import BucketFunction, CompareSource, Engine, MonitoredTable, SourceTable
from metaplat.monitor.declared import declared_tables, tables_path
from metaplat.monitor.discover import discover, load_tables, save_tables
from metaplat.settings import MonitorSettings, Settings
from metaplat.stores.tables.glue import GlueCatalog
from metaplat_tests.standins.glue_api import GlueApi, GlueServer, glue_server, new_catalog

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CATALOG = GlueCatalog("us-east-1")


@pytest.fixture(scope="module")
def server() -> Iterator[GlueServer]:
    with glue_server() as server:
        yield server


@pytest.fixture
def api(server: GlueServer, monkeypatch: pytest.MonkeyPatch) -> GlueApi:
    return new_catalog(server, monkeypatch)


def discovered(**settings: Any) -> list[MonitoredTable]:
    return discover(CATALOG, MonitorSettings(database="sales", **settings))


def test_discovery_takes_tables_by_prefix_and_leaves_out_those_that_end_in_er(api: GlueApi) -> None:
    for name in ("part_b", "part_a", "ext_a", "part_a_er", "part_er_a"):
        api.add_table("sales", name, f"s3://lake/{name}/")
    found = discovered(bucket_count=16, pk_column="id", engine="global", bucket_fn="crc32")
    assert [table.name for table in found] == ["part_a", "part_b", "part_er_a"]
    assert found[0] == MonitoredTable(
        "part_a",
        "s3://lake/part_a",
        "id",
        bucket_count=16,
        bucket_function=BucketFunction.CRC32,
        engine=Engine.GLOBAL,
        database="sales",
        source=SourceTable("ext_a", "sales"),
    )


def test_max_tables_takes_the_first_by_name(api: GlueApi) -> None:
    for name in ("part_c", "part_b", "part_a_er", "part_a"):
        api.add_table("sales", name, "s3://lake/x")
    assert [table.name for table in discovered(max_tables=2)] == ["part_a", "part_b"]
    assert len(discovered(max_tables=0)) == 3


def test_the_width_of_bucket_numbers_is_that_of_the_projection(api: GlueApi) -> None:
    digits = {"projection.id_bucket.digits": "3"}
    api.add_table("sales", "part_a", "s3://lake/a", Parameters={"projection.enabled": "true"} | digits)
    api.add_table("sales", "part_b", "s3://lake/b", Parameters=digits)
    odd = {"projection.enabled": "true", "projection.id_bucket.digits": "three"}
    api.add_table("sales", "part_c", "s3://lake/c", Parameters=odd)
    assert [table.bucket_digits for table in discovered()] == [3, 0, 0]


def test_tables_without_a_usable_location_are_among_them(api: GlueApi) -> None:
    api.add_table("sales", "part_a", None)
    api.add_table("sales", "part_b", "hdfs://node/part_b/")
    assert [table.location for table in discovered()] == ["", "hdfs://node/part_b"]


@pytest.mark.parametrize(
    ("settings", "source"),
    [
        ({}, SourceTable("ext_cust_a", "sales")),
        ({"table_prefix": "part_cust_"}, SourceTable("ext_cust_a", "sales")),
        ({"table_prefix": "part_cu"}, SourceTable("ext_cust_a", "sales")),
        ({"compare_database": "raw"}, SourceTable("ext_cust_a", "raw")),
        (
            {"compare_database": "raw", "compare_source_type": "part"},
            SourceTable("part_cust_a", "raw", kind=CompareSource.PART),
        ),
        ({"count_check_enabled": False}, None),
        ({"count_check_enabled": False, "compare_source_type": "part"}, None),
    ],
)
def test_the_source_follows_the_naming_convention(
    api: GlueApi, settings: dict[str, Any], source: SourceTable | None
) -> None:
    api.add_table("sales", "part_cust_a", "s3://lake/a")
    assert [table.source for table in discovered(**settings)] == [source]


def test_another_prefix_is_replaced_by_that_of_the_source(api: GlueApi) -> None:
    api.add_table("sales", "omc_part_a", "s3://lake/a")
    [table] = discovered(table_prefix="omc_part_")
    assert table.source == SourceTable("ext_a", "sales")


@pytest.mark.parametrize("other", [None, "sales", "SALES"])
def test_comparing_a_table_with_itself_is_refused_before_glue_is_asked(
    api: GlueApi, other: str | None
) -> None:
    with pytest.raises(SettingsError, match="compares the table with itself"):
        discovered(compare_source_type="part", compare_database=other)
    assert api.requests == []


def test_discovery_without_a_database_says_what_to_set() -> None:
    with pytest.raises(SettingsError, match=r"monitor\.database.*--database"):
        discover(CATALOG, MonitorSettings())


def test_discovery_in_a_database_that_does_not_exist_fails(api: GlueApi) -> None:
    del api
    with pytest.raises(PermanentStoreError, match="Glue database sales"):
        discovered()


SAVED = [
    MonitoredTable("part_ä'; DROP", "s3://lake/a", "id", bucket_digits=3, database="sales"),
    MonitoredTable(
        "part_b",
        "",
        "id",
        engine=Engine.SPARK,
        source=SourceTable("part_b", "raw", "s3://raw/b", CompareSource.PART),
    ),
]


def test_saved_tables_come_back_and_the_file_can_be_read_by_people(tmp_path: Path) -> None:
    path = tmp_path / "new" / "monitored_tables.json"
    save_tables(path, SAVED)
    assert load_tables(path) == SAVED
    assert '"name": "part_b"' in path.read_text(encoding="utf-8")
    assert [item.name for item in path.parent.iterdir()] == [path.name]


def test_no_saved_file_means_no_tables(tmp_path: Path) -> None:
    assert load_tables(tmp_path / "absent.json") == []


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff\xfe",
        b"[]",
        b'{"form": 1}',
        b'{"form": 2, "tables": []}',
        b'{"form": 1, "tables": [{"name": "a"}]}',
        b'{"form": 1, "tables": [{"name": "a", "location": "b", "key_column": "c", "bucket_count": 0}]}',
        b'{"form": 1, "tables": [{"name": "a", "location": "b", "key_column": "c", "engine": "x"}]}',
    ],
)
def test_a_saved_file_of_another_form_says_what_to_do(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "monitored_tables.json"
    path.write_bytes(content)
    with pytest.raises(SettingsError, match=r"monitored_tables.json.*metaplat monitor discover"):
        load_tables(path)


@given(
    content=st.binary(max_size=60)
    | st.recursive(
        st.none() | st.text(max_size=5) | st.integers(),
        lambda inner: (
            st.dictionaries(st.sampled_from(["form", "tables", "name"]), inner) | st.lists(inner, max_size=3)
        ),
        max_leaves=6,
    ).map(lambda value: json.dumps(value).encode())
)
def test_any_saved_content_gives_tables_or_a_clear_error(
    content: bytes, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.getbasetemp() / "any_tables.json"
    path.write_bytes(content)
    with suppress(SettingsError):
        assert isinstance(load_tables(path), list)


def declared(home: Path, **monitor: Any) -> list[MonitoredTable]:
    return declared_tables(Settings(home=home, monitor=MonitorSettings(**monitor)))


def test_declared_tables_come_before_saved_ones_of_the_same_name(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    save_tables(tables_path(settings), SAVED)
    found = declared(
        tmp_path, tables=[{"name": "part_b", "location": "/data/b/"}, {"name": "a", "location": "/a"}]
    )
    assert [(table.name, table.location) for table in found] == [
        ("a", "/a"),
        ("part_b", "/data/b"),
        ("part_ä'; DROP", "s3://lake/a"),
    ]


def test_a_declaration_overrides_the_defaults_of_the_section(tmp_path: Path) -> None:
    [plain, own] = declared(
        tmp_path,
        pk_column="id",
        bucket_count=8,
        tables=[
            {"name": "a", "location": "/a"},
            {
                "name": "b",
                "location": "/b",
                "pk_column": "key",
                "bucket_count": 4,
                "engine": "footer",
                "bucket_fn": "none",
                "source_location": "s3://raw/ext_b/",
            },
        ],
    )
    assert plain == MonitoredTable("a", "/a", "id", bucket_count=8)
    assert own == MonitoredTable(
        "b",
        "/b",
        "key",
        bucket_count=4,
        engine=Engine.FOOTER,
        bucket_function=BucketFunction.NONE,
        source=SourceTable("ext_b", location="s3://raw/ext_b"),
    )


def test_a_declared_table_in_glue_has_the_source_by_convention(tmp_path: Path) -> None:
    [table] = declared(tmp_path, tables=[{"name": "part_a", "database": "sales"}])
    assert (table.location, table.source) == ("", SourceTable("ext_a", "sales"))


@pytest.mark.parametrize(
    ("tables", "problem"),
    [
        ([{"name": "a"}], "neither a location nor a database"),
        ([{"name": "", "location": "/a"}], "empty name"),
        ([{"name": "a", "location": "/a"}, {"name": "a", "location": "/b"}], "declared twice"),
    ],
)
def test_a_declaration_that_cannot_be_used_is_a_settings_error(
    tmp_path: Path, tables: list[dict[str, str]], problem: str
) -> None:
    with pytest.raises(SettingsError, match=problem):
        declared(tmp_path, tables=tables)


def test_the_settings_say_where_the_file_is(tmp_path: Path) -> None:
    assert tables_path(Settings(home=tmp_path)) == tmp_path / "monitored_tables.json"
    monitor = MonitorSettings(tables_file=tmp_path / "other.json")
    assert tables_path(Settings(home=tmp_path, monitor=monitor)) == tmp_path / "other.json"


def test_declared_tables_need_no_heavy_library(tmp_path: Path) -> None:
    """The code location asks for them on every start."""
    settings = Settings(home=tmp_path)
    save_tables(tables_path(settings), SAVED)
    program = (
        "import sys; from pathlib import Path; from metaplat.settings import Settings\n"
        "from metaplat.monitor.declared import declared_tables\n"
        f"assert len(declared_tables(Settings(home=Path({str(tmp_path)!r})))) == 2\n"
        "print(*sys.modules)"
    )
    answer = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    heavy = {"boto3", "botocore", "polars", "numpy", "obstore", "duckdb", "pandera", "dagster", "pyspark"}
    assert heavy.isdisjoint(answer.stdout.split())
