"""The three CSV files of old: written so that old notebooks go on, and read as history."""

from __future__ import annotations

import ast
import csv
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from metaplat.model.errors import InvalidInputError, StoreError, UsageError
from metaplat.model.extract import JOB_METRICS_FIELDS, JOB_SIZE_FIELDS, TABLE_METRICS_FIELDS
from metaplat.model.polars_schema import polars_schema
from metaplat.vip.history.csv_files import read_csv, write_csv
from metaplat.vip.history.histories import Histories
from metaplat_tests.standins.vip.history_tree import HistoryFaults, write_history
from metaplat_tests.standins.vip_hour_folders import CONFIG, FIRST, HourFolders

if TYPE_CHECKING:
    from pathlib import Path

JOBS, TABLES, SIZES = "historical_job_metrics.csv", "historical_table_metrics.csv", "historical_job_size.csv"
OLD = {
    JOBS: (
        "date,jobDelivered,JobExpected\n"
        "20220208-08,1,1\n20220208-09,0,1\n20220208-10,1,1\n20220208-11,1,1\n"
    ),
    TABLES: (
        "date,tablesDelivered,tablesExpected,missingTables,missingTablesList,completenessRatio\n"
        "20220208-08,3,3,0,[],1.0\n"
        "20220208-10,2,3,1,\"['Ports']\",0.6667\n"
    ),
    SIZES: "date,size,files\n20220208-08,12345,9\n20220208-09,0,0\n20220208-10,11000,8\n20220208-11,7,2\n",
}  # fmt: skip


@pytest.fixture
def folders(tmp_path: Path) -> HourFolders:
    """Hour 0 is whole, 1 is missing, 2 lacks two tables, 3 has no schema file, 4 is empty but for papers."""
    folders = HourFolders(tmp_path / "lake", out_of_scope=["Users"])
    for number in (0, 2):
        folders.schema(number, "Voyages", "Ports", "Cargo", "Users")
    folders.put(0, {f"{table}_0.csv.gz": 1_000 for table in ("Voyages", "Ports", "Cargo", "Surprise")})
    folders.put(2, {"Voyages_0.csv.gz": 1_999, "_manifest.json": "{}"})
    folders.put(3, {f"{table}_0.csv.gz": 10 for table in ("Voyages", "Ports", "Cargo", "Surprise")})
    folders.promise(4, {})
    return folders


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _written(folders: HourFolders, to: Path) -> dict[str, list[dict[str, str]]]:
    paths = write_csv(folders.build(folders.hours(5)), to, folders.settings)
    return {path.name: _rows(path) for path in paths}


def _first_columns(rows: list[dict[str, str]], count: int) -> list[list[str]]:
    return [list(row.values())[:count] for row in rows]


def test_jobs_have_the_old_columns_first(folders: HourFolders, tmp_path: Path) -> None:
    rows = _written(folders, tmp_path)[JOBS]
    assert list(rows[0])[:4] == ["date", "jobDelivered", "JobExpected", "config_name"]
    assert _first_columns(rows, 3) == [
        ["20220208-08", "1", "1"],
        ["20220208-09", "0", "1"],
        ["20220208-10", "1", "1"],
        ["20220208-11", "1", "1"],
        ["20220208-12", "1", "1"],
    ]
    assert [row["status"] for row in rows] == ["ok", "missing", "incomplete", "ok", "incomplete"]


def test_tables_have_the_old_columns_and_rules(folders: HourFolders, tmp_path: Path) -> None:
    rows = _written(folders, tmp_path)[TABLES]
    names = [
        "date",
        "tablesDelivered",
        "tablesExpected",
        "missingTables",
        "missingTablesList",
        "completenessRatio",
    ]
    assert list(rows[0])[:6] == names
    assert _first_columns(rows, 6) == [
        ["20220208-08", "3", "3", "0", "[]", "1.0"],
        ["20220208-09", "0", "3", "3", "['Cargo', 'Ports', 'Voyages']", "0.0"],
        ["20220208-10", "1", "3", "2", "['Cargo', 'Ports']", "0.3333"],
        ["20220208-11", "4", "4", "0", "[]", "1.0"],
        ["20220208-12", "0", "4", "4", "['Cargo', 'Ports', 'Surprise', 'Voyages']", "0.0"],
    ]
    assert ast.literal_eval(rows[0]["unexpected_tables"]) == ["Surprise"]


def test_sizes_have_the_old_columns_and_rules(folders: HourFolders, tmp_path: Path) -> None:
    rows = _written(folders, tmp_path)[SIZES]
    assert list(rows[0])[:3] == ["date", "size", "files"]
    schema = (
        (tmp_path / "lake" / folders.settings.vip.folder(FIRST) / "_MasterTableSchema.json").stat().st_size
    )
    assert _first_columns(rows, 3) == [
        ["20220208-08", str((4_000 + schema) // 1000), "5"],
        ["20220208-09", "0", "0"],
        ["20220208-10", str((1_999 + schema) // 1000), "2"],
        ["20220208-11", "0", "4"],
        ["20220208-12", "0", "1"],
    ]


def test_the_classic_form_leaves_out_hours_without_a_schema_file(
    folders: HourFolders, tmp_path: Path
) -> None:
    classic = HourFolders(folders.root, out_of_scope=["Users"], classic_table_rows=True)
    rows = _written(classic, tmp_path)
    assert [row["date"] for row in rows[TABLES]] == ["20220208-08", "20220208-10"]
    assert len(rows[JOBS]) == len(rows[SIZES]) == 5


def test_the_ratio_is_empty_where_nothing_is_expected(tmp_path: Path) -> None:
    folders = HourFolders(tmp_path / "lake", out_of_scope=["Voyages"])
    folders.schema(0, "Voyages")
    folders.put(0, {"Voyages_0.csv.gz": 1})
    (row, *_) = _written(folders, tmp_path)[TABLES]
    assert (row["tablesExpected"], row["completenessRatio"]) == ("0", "")


def test_what_was_written_reads_back(tmp_path: Path) -> None:
    facts = write_history(tmp_path / "lake", FIRST, 200, tables=3, faults=HistoryFaults.spread_over(200))
    folders = HourFolders(tmp_path / "lake", level_minimum=24)
    made = folders.build(facts.all_hours())
    write_csv(made, tmp_path / "csv", folders.settings)
    read = read_csv(tmp_path / "csv", CONFIG)
    assert read.jobs.equals(made.jobs)
    assert read.sizes.equals(made.sizes)
    failures = made.tables.filter("failure").select("hour_utc", "table")
    assert read.tables.filter("failure").select("hour_utc", "table").equals(failures)


def _write(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def test_old_files_become_history(tmp_path: Path) -> None:
    read = read_csv(_write(tmp_path, OLD), CONFIG)
    assert dict(read.jobs.schema) == polars_schema(JOB_METRICS_FIELDS)
    assert dict(read.tables.schema) == polars_schema(TABLE_METRICS_FIELDS)
    assert dict(read.sizes.schema) == polars_schema(JOB_SIZE_FIELDS)
    assert read.jobs.select("status", "n_tables_expected", "completeness").rows() == [
        ("ok", 3, 1.0),
        ("missing", None, 0.0),
        ("incomplete", 3, 2 / 3),
        ("ok", None, None),
    ]
    assert read.tables.select("table", "failure").rows() == [("Ports", True)]
    assert read.sizes.select("n_files", "bytes_total").rows() == [
        (9, 12_345_000),
        (0, 0),
        (8, 11_000_000),
        (2, 7_000),
    ]
    assert read.jobs["hour_utc"].max() == HourFolders(tmp_path).hour(3)


@pytest.mark.parametrize("name", [JOBS, TABLES, SIZES])
def test_one_old_file_alone_is_enough(name: str, tmp_path: Path) -> None:
    read = read_csv(_write(tmp_path, {name: OLD[name]}), CONFIG)
    assert read.jobs["status"].to_list()[0] == "ok"
    assert read.jobs["hour_utc"].to_list() == read.sizes["hour_utc"].to_list()


def test_a_date_that_is_there_twice_counts_as_it_stands_last(tmp_path: Path) -> None:
    text = "Unnamed: 0,date,jobDelivered,JobExpected\n0,20220208-08,0,1\n1,20220208-08,1.0,1\n"
    read = read_csv(_write(tmp_path, {JOBS: text}), CONFIG)
    assert read.jobs["status"].to_list() == ["ok"]


def test_imported_hours_fill_what_does_not_lie_in_the_bucket(folders: HourFolders, tmp_path: Path) -> None:
    old = "date,jobDelivered,JobExpected\n" + "".join(f"20220208-{hour:02},1,1\n" for hour in range(6, 13))
    imported = read_csv(_write(tmp_path, {JOBS: old, SIZES: "date,size,files\n20220208-09,5,3\n"}), CONFIG)
    made = folders.build(folders.hours(5), imported)
    assert made.jobs["status"].to_list() == ["ok", "ok", "incomplete", "ok", "incomplete"]
    assert made.sizes.select("n_files", "bytes_total").row(1) == (3, 5_000)
    whole = imported.merged(made)
    assert whole.jobs.height == 7
    assert folders.build(folders.hours(5)).filled_from(imported).jobs.equals(whole.jobs)


def test_imported_jobs_say_nothing_of_which_tables_to_expect(tmp_path: Path) -> None:
    imported = read_csv(_write(tmp_path, {JOBS: OLD[JOBS]}), CONFIG)
    folders = HourFolders(tmp_path / "lake")
    for number in (4, 5):
        folders.put(number, {"Voyages_0.csv.gz": 1})
    made = folders.build(folders.hours(2, 4), imported)
    assert made.jobs["n_tables_expected"].to_list() == [None, 1]


BAD: dict[str, tuple[dict[str, Any], str]] = {
    "no date": ({JOBS: "day,jobDelivered\n1,1\n"}, "there is no column 'date'"),
    "a date that is none": (
        {JOBS: "date,jobDelivered\n20220208-08,1\n20220231-08,1\n"},
        "row 3: date is '20220231-08'",
    ),
    "a number that is none": ({SIZES: "date,size,files\n20220208-08,much,1\n"}, "row 2: size is 'much'"),
    "a negative count": ({SIZES: "date,size,files\n20220208-08,1,-1\n"}, "row 2: files is '-1'"),
    "endless": ({SIZES: "date,size,files\n20220208-08,inf,1\n"}, "row 2: size is 'inf'"),
    "a list that is none": (
        {TABLES: 'date,tablesDelivered,tablesExpected,missingTablesList\n20220208-08,1,1,"__import__(1)"\n'},
        "row 2: missingTablesList is '__import__(1)'",
    ),
    "an unknown status": (
        {JOBS: "date,status\n20220208-08,fine\n"},
        "row 2: status is 'fine', not one of ok",
    ),
    "another configuration": (
        {JOBS: "date,config_name\n20220208-08,other\n"},
        "row 2: config_name is 'other'",
    ),
    "more values than columns": ({JOBS: "date,jobDelivered\n20220208-08,1,2,3\n"}, "this is no CSV"),
}


@pytest.mark.parametrize(("files", "problem"), BAD.values(), ids=BAD)
def test_a_bad_file_is_told_by_file_row_and_column(
    files: dict[str, str], problem: str, tmp_path: Path
) -> None:
    with pytest.raises(InvalidInputError) as caught:
        read_csv(_write(tmp_path, files), CONFIG)
    assert problem in str(caught.value)
    assert str(tmp_path / next(iter(files))) in str(caught.value)


def test_an_empty_file_has_no_hours_and_no_file_is_a_mistake(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="none of historical_job_metrics"):
        read_csv(tmp_path, CONFIG)
    assert read_csv(_write(tmp_path, {JOBS: "", SIZES: "date,size,files\n"}), CONFIG).jobs.is_empty()


def test_two_configurations_are_never_written_into_one_file(folders: HourFolders, tmp_path: Path) -> None:
    one = folders.build(folders.hours(1))
    both = one.merged(
        Histories(*(each.with_columns(config_name=pl.lit("b")) for each in (one.jobs, one.tables, one.sizes)))
    )
    with pytest.raises(UsageError, match="there are 2 configurations"):
        write_csv(both, tmp_path, folders.settings)
    assert len(write_csv(both.only("b"), tmp_path / "b", folders.settings)) == 3


def test_a_folder_that_cannot_be_written_is_one_clear_error(folders: HourFolders, tmp_path: Path) -> None:
    (tmp_path / "csv").write_text("a file")
    with pytest.raises(StoreError, match="historical_job_metrics"):
        write_csv(folders.build(folders.hours(1)), tmp_path / "csv", folders.settings)
