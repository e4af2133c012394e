"""Which table a file belongs to, which tables an hour should hold, and how their schemas change."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metaplat.model.extract import ExtractStatus
from metaplat.settings import VipSettings
from metaplat.vip.history.drift import Drift, schema_drift
from metaplat.vip.history.schema_tables import schema_tables
from metaplat_tests.standins.vip_hour_folders import FIRST, HourFolders, extract

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def folders(tmp_path: Path) -> HourFolders:
    return HourFolders(tmp_path)


def test_a_file_belongs_to_the_longest_table_of_the_schema_that_its_name_begins_with(
    folders: HourFolders,
) -> None:
    folders.schema(0, "Cargo", "Cargo_Book", "Cargo_Book.Lines")
    folders.put(
        0,
        {
            "Cargo_0.gz": 1,
            "Cargo_Book_0.gz": 2,
            "Cargo_Book_1.gz": 4,
            "Cargo_Book.Lines_0.gz": 8,
            "Cargo_Book": 16,
        },
    )
    counted = {name: (row["n_partitions_delivered"], row["bytes"]) for name, row in folders.tables().items()}
    assert counted == {"Cargo": (1, 1), "Cargo_Book": (3, 22), "Cargo_Book.Lines": (1, 8)}


def test_a_name_that_only_begins_like_a_table_is_another_table(folders: HourFolders) -> None:
    folders.schema(0, "Cargo")
    folders.put(0, {"Cargo_0.gz": 1, "CargoBooks_0.gz": 2})
    assert folders.job()["unexpected_tables"] == ["CargoBooks"]
    assert folders.tables()["Cargo"]["bytes"] == 1


def test_without_a_schema_file_a_table_is_what_stands_before_the_first_mark(folders: HourFolders) -> None:
    folders.put(0, {"Voyages_0.csv.gz": 1, "Ports.csv": 2, "Berths": 4, "_Odd_0.csv": 8, ".hidden": 16})
    assert sorted(folders.tables()) == ["Berths", "Ports", "Voyages"]


def test_an_hour_without_a_schema_file_knows_the_names_of_the_newest_before(folders: HourFolders) -> None:
    folders.schema(0, "Cargo_Book")
    for number in range(2):
        folders.put(number, {"Cargo_Book_0.gz": 2})
    assert sorted(folders.tables(1)) == ["Cargo_Book"]


def test_papers_and_scripts_are_no_tables(folders: HourFolders) -> None:
    folders.schema(0, "Voyages")
    folders.promise(0, {"Voyages_0.csv.gz": 1, "CreateTables.SQL": 2})
    folders.put(
        0, {"Voyages_0.csv.gz": 1, "CreateTables.SQL": 2, "_OtherSchema.xml": 4, "_manifest.json": "{}"}
    )
    made = folders.build(folders.hours(1))
    row, size = made.jobs.row(0, named=True), made.sizes.row(0, named=True)
    assert (row["n_files_schema"], row["n_files_script"], row["unexpected_tables"]) == (2, 1, [])
    assert (size["n_files"], size["bytes_data"], size["bytes_script"]) == (5, 1, 2)
    assert size["bytes_schema"] == size["bytes_total"] - 3


def test_a_stray_file_is_an_unexpected_table_only_where_it_looks_like_one(folders: HourFolders) -> None:
    folders.schema(0, "Voyages")
    folders.put(0, {"Voyages_0.csv.gz": 1, "Surprise_0.csv.gz": 1, "minutes.docx": 1, "Thumbs.db": 1})
    assert folders.job()["unexpected_tables"] == ["Surprise"]
    folders.promise(0, {"Voyages_0.csv.gz": 1, "Extra_0.parquet": 1})
    folders.put(0, {"Extra_0.parquet": 1})
    assert folders.job()["unexpected_tables"] == ["Extra", "Surprise"]


def test_tables_out_of_scope_are_neither_expected_nor_a_surprise(tmp_path: Path) -> None:
    folders = HourFolders(tmp_path, out_of_scope=["Users"])
    folders.schema(0, "Voyages", "Users")
    folders.put(0, {"Voyages_0.csv.gz": 1, "Users_0.csv.gz": 4})
    row = folders.job()
    assert (row["n_tables_expected"], row["completeness"], row["unexpected_tables"]) == (1, 1.0, [])
    assert sorted(folders.tables()) == ["Voyages"]
    assert folders.build(folders.hours(1)).sizes["bytes_data"].to_list() == [5]


def test_where_everything_is_out_of_scope_nothing_is_expected(tmp_path: Path) -> None:
    folders = HourFolders(tmp_path, out_of_scope=["Voyages"])
    folders.schema(0, "Voyages")
    row = folders.job()
    assert (row["n_tables_expected"], row["completeness"]) == (0, None)


def test_the_reference_list_counts_before_the_schema_file(tmp_path: Path) -> None:
    folders = HourFolders(tmp_path, reference_tables=["Voyages", "Ports"])
    folders.schema(0, "Voyages", "Cargo")
    folders.put(0, {"Voyages_0.csv.gz": 1, "Cargo_0.csv.gz": 1})
    row = folders.job()
    assert (row["expected_source"], row["missing_tables"], row["unexpected_tables"]) == (
        "reference",
        ["Ports"],
        ["Cargo"],
    )


def test_a_missing_hour_misses_the_tables_of_the_last_delivered_one(folders: HourFolders) -> None:
    folders.schema(0, "Voyages", "Cargo")
    folders.put(0, {"Voyages_0.csv.gz": 1})
    row = folders.job(30)
    assert (row["status"], row["expected_source"], row["missing_tables"]) == (
        "missing",
        "schema",
        ["Cargo", "Voyages"],
    )
    assert [each["failure"] for each in folders.tables(30).values()] == [True, True]


def test_without_schema_files_a_table_is_expected_that_enough_good_jobs_held(tmp_path: Path) -> None:
    folders = HourFolders(tmp_path, expected_share=0.6)
    for number, tables in enumerate([("Voyages",), ("Voyages", "Ports"), ("Voyages", "Ports"), ("Voyages",)]):
        folders.put(number, {f"{name}_0.csv.gz": 1 for name in tables})
    rows = folders.build(folders.hours(5)).jobs
    assert rows["n_tables_expected"].to_list() == [None, 1, 1, 2, 2]  # 0 of 1, 1 of 2, 2 of 3 jobs held Ports
    assert rows["unexpected_tables"].to_list()[1:3] == [["Ports"], ["Ports"]]
    assert rows["missing_tables"].to_list()[3:] == [["Ports"], ["Ports", "Voyages"]]
    assert rows["status"].to_list() == ["ok", "ok", "ok", "incomplete", "missing"]
    assert set(rows["expected_source"].to_list()[1:]) == {"jobs"}


def test_a_vanished_table_is_expected_until_it_is_absent_for_days(tmp_path: Path) -> None:
    folders = HourFolders(tmp_path, absent_days=1)
    for number in range(30):
        folders.put(number, {"Voyages_0.csv.gz": 1} | ({"Cargo_0.csv.gz": 1} if number < 3 else {}))
    statuses = folders.build(folders.hours(30)).jobs["status"].to_list()
    assert statuses == ["ok"] * 3 + ["incomplete"] * 25 + ["ok"] * 2


def test_a_long_hole_makes_no_table_absent(tmp_path: Path) -> None:
    folders = HourFolders(tmp_path, absent_days=1)
    folders.put(0, {"Voyages_0.csv.gz": 1})
    folders.put(100, {"Cargo_0.csv.gz": 1})
    assert folders.job(99)["missing_tables"] == ["Voyages"]
    assert folders.job(100)["missing_tables"] == ["Voyages"]


def test_the_first_hours_of_a_history_are_no_surprise(folders: HourFolders) -> None:
    folders.put(0, {"Voyages_0.csv.gz": 1})
    (row,) = folders.tables().values()
    assert (row["expected"], row["delivered"], row["failure"], row["n_partitions_promised"]) == (
        True,
        True,
        False,
        None,
    )


def test_partitions_are_counted_as_promised_and_as_delivered(folders: HourFolders) -> None:
    folders.schema(0, "Voyages", "Cargo")
    folders.promise(0, {"Voyages_0.csv.gz": 1, "Voyages_1.csv.gz": 1})
    folders.put(0, {"Voyages_0.csv.gz": 1})
    rows = folders.tables()
    assert (rows["Voyages"]["n_partitions_promised"], rows["Voyages"]["n_partitions_delivered"]) == (2, 1)
    assert (rows["Cargo"]["n_partitions_promised"], rows["Cargo"]["failure"]) == (0, True)


def _table(name: str, *fields: tuple[str, str, bool]) -> dict[str, Any]:
    return {"DataObjectName": name, "Fields": [{"Name": a, "Type": b, "Nullable": c} for a, b, c in fields]}


def test_a_table_that_leaves_the_schema_file_is_seen_to_go_once(folders: HourFolders) -> None:
    for number in range(3):
        cargo = [_table("Cargo", ("a", "int", False), ("b", "int", True))]
        folders.schema(number, _table("Voyages", ("a", "int", False)), *(cargo if number == 0 else []))
        folders.put(number, {"Voyages_0.csv.gz": 1})
    gone = folders.tables(1)["Cargo"]
    assert (gone["expected"], gone["delivered"], gone["fields_removed"]) == (False, False, ["a", "b"])
    assert gone["schema_hash"] is None
    assert sorted(folders.tables(2)) == ["Voyages"]


def test_a_new_table_has_all_its_fields_added(folders: HourFolders) -> None:
    folders.schema(0, "Voyages")
    folders.put(0, {"Voyages_0.csv.gz": 1})
    folders.schema(2, "Voyages", _table("Cargo", ("a", "int", False)), "Ports")
    rows = folders.tables(2)
    assert (rows["Cargo"]["fields_added"], rows["Ports"]["fields_added"]) == (["a"], ["(whole table)"])
    assert rows["Voyages"]["fields_added"] == []


def test_the_first_schema_file_of_all_changes_nothing(folders: HourFolders) -> None:
    folders.put(0, {"Voyages_0.csv.gz": 1})
    folders.schema(1, _table("Voyages", ("a", "int", False)))
    assert folders.tables(1)["Voyages"]["fields_added"] == []


def test_types_and_nullability_change_and_order_is_another_thing() -> None:
    settings = VipSettings()
    before = _read(
        [_table("T", ("a", "int", False), ("b", "int", False), ("c", "text", True), ("d", "x", True))],
        settings,
    )
    after = _read(
        [_table("T", ("b", "float", False), ("a", "int", True), ("d", "x", True), ("e", "x", True))], settings
    )
    assert schema_drift(before, after) == {
        "T": Drift(("e",), ("c",), ("a: int not null -> int nullable", "b: int -> float"), reordered=True)
    }
    assert schema_drift(before, before) == {}


def _read(entries: list[dict[str, Any]], settings: VipSettings) -> dict[str, Any]:
    import json

    tables = schema_tables(json.dumps(entries).encode(), settings)
    assert tables is not None
    return tables


def test_one_object_per_field_reads_as_one_object_per_table() -> None:
    settings = VipSettings()
    flat = [
        {"DataObjectName": "T", "FieldName": "a", "DataType": "int", "IsNullable": "NO"},
        {"DataObjectName": "U", "FieldName": "x"},
        {"DataObjectName": "T", "FieldName": "b", "DataType": "text", "IsNullable": "YES"},
    ]
    nested = [_table("T", ("a", "int", False), ("b", "text", True)), {"DataObjectName": "U", "Fields": ["x"]}]
    one, other = _read(flat, settings), _read(nested, settings)
    assert {name: table.fields for name, table in one.items()} == {
        name: table.fields for name, table in other.items()
    }
    assert schema_drift(one, other) == {}


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda each: (
            st.lists(each)
            | st.dictionaries(
                st.sampled_from(["DataObjectName", "Fields", "Name", "Type", "Nullable", "x"]), each
            )
        ),
    )
)
def test_any_json_is_a_schema_file_or_none(document: object) -> None:
    import json

    tables = schema_tables(json.dumps(document).encode(), VipSettings())
    assert tables is None or (tables and all(name and not name.startswith("_") for name in tables))


def test_a_failed_hour_expects_what_a_missing_one_would(folders: HourFolders) -> None:
    folders.schema(0, "Voyages")
    folders.put(0, {"Voyages_0.csv.gz": 1})
    hour = folders.hour(1)
    row = folders.job(1, {hour: extract(hour, ExtractStatus.FAILED)})
    assert (row["status"], row["missing_tables"], hour > FIRST) == ("failed", ["Voyages"], True)
