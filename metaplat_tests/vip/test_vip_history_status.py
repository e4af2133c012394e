"""How an hour stands: from its files, its papers, and what a pull remembers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from metaplat.model.extract import ExtractFile, ExtractStatus, FileOutcome, PromisedFile
from metaplat.vip.pulling.folder_files import manifest_json
from metaplat_tests.standins.vip_hour_folders import FIRST, HourFolders, extract

if TYPE_CHECKING:
    from pathlib import Path

VOYAGES = {"Voyages_0.csv.gz": 5}


@pytest.fixture
def folders(tmp_path: Path) -> HourFolders:
    return HourFolders(tmp_path)


def _job(folders: HourFolders, status: ExtractStatus, **fields: Any) -> dict[str, Any]:
    return folders.job(0, {FIRST: extract(FIRST, status, **fields)})


def test_files_alone_are_enough_where_nothing_was_promised_or_expected(folders: HourFolders) -> None:
    folders.put(0, VOYAGES)
    row = folders.job()
    assert row["status"] == "ok"
    assert (row["n_tables_expected"], row["n_tables_delivered"], row["expected_source"]) == (None, 1, None)
    assert (row["completeness"], row["file_completeness"]) == (None, None)
    assert (row["n_files_promised"], row["n_files_delivered"]) == (None, 1)


def test_a_promised_file_that_is_not_there_makes_an_hour_incomplete(folders: HourFolders) -> None:
    folders.put(0, VOYAGES)
    folders.promise(0, {**VOYAGES, "Voyages_1.csv.gz": 7})
    row = folders.job()
    assert (row["status"], row["file_completeness"]) == ("incomplete", 0.5)
    assert (row["n_files_promised"], row["n_files_delivered"], row["n_files_size_mismatch"]) == (2, 1, 0)


def test_a_file_of_another_size_is_not_delivered(folders: HourFolders) -> None:
    folders.put(0, VOYAGES)
    folders.promise(0, {"Voyages_0.csv.gz": 6})
    row = folders.job()
    assert (row["status"], row["n_files_delivered"], row["n_files_size_mismatch"]) == ("incomplete", 0, 1)


def test_a_file_without_a_promised_size_is_as_promised_where_it_is_there(folders: HourFolders) -> None:
    folders.put(0, VOYAGES)
    folders.promise(0, {"Voyages_0.csv.gz": None})
    assert folders.job()["status"] == "ok"


def test_a_file_of_size_zero_that_was_promised_so_is_delivered(folders: HourFolders) -> None:
    folders.put(0, {"Voyages_0.csv.gz": 0})
    folders.promise(0, {"Voyages_0.csv.gz": 0})
    folders.schema(0, "Voyages")
    assert folders.job()["status"] == "ok"


def test_a_file_that_the_manifest_knows_to_be_spoiled_is_not_delivered(folders: HourFolders) -> None:
    folders.put(0, VOYAGES)
    file = {"key": "a/Voyages_0.csv.gz", "name": "Voyages_0.csv.gz", "size": 5, "outcome": "mismatched"}
    folders.manifest(0, files=[file])
    row = folders.job()
    assert (row["status"], row["n_files_delivered"], row["n_files_size_mismatch"]) == ("incomplete", 0, 0)


def test_the_manifest_counts_before_the_saved_promise(folders: HourFolders) -> None:
    folders.put(0, VOYAGES)
    folders.promise(0, {**VOYAGES, "Gone_0.csv.gz": 1})
    folders.manifest(0, files=[{"key": "Voyages_0.csv.gz", "size": 5, "outcome": "delivered"}])
    assert folders.job()["n_files_promised"] == 1


def test_an_entry_that_is_promised_twice_counts_once(folders: HourFolders) -> None:
    folders.put(0, VOYAGES)
    entry = {"key": "Voyages_0.csv.gz", "size": 5}
    folders.manifest(0, files=[entry, entry])
    row = folders.job()
    assert (row["n_files_promised"], row["status"]) == (1, "ok")


def test_one_name_under_two_keys_with_two_sizes_is_not_delivered_twice(folders: HourFolders) -> None:
    folders.put(0, VOYAGES)
    folders.manifest(
        0, files=[{"key": "a/Voyages_0.csv.gz", "size": 5}, {"key": "b/Voyages_0.csv.gz", "size": 6}]
    )
    row = folders.job()
    assert (row["n_files_promised"], row["n_files_delivered"], row["status"]) == (2, 1, "incomplete")


def test_an_hour_without_job_and_file_is_missing(folders: HourFolders) -> None:
    row = folders.job()
    assert (row["status"], row["completeness"], row["file_completeness"]) == ("missing", 0.0, 0.0)
    assert folders.job(0, {FIRST: extract(FIRST, ExtractStatus.SKIPPED)})["status"] == "missing"
    assert folders.job(0, {FIRST: extract(FIRST, ExtractStatus.MISSING)})["status"] == "missing"


def test_an_hour_with_nothing_but_a_foreign_file_is_missing(folders: HourFolders) -> None:
    folders.put(0, {"backup/Voyages_0.csv.gz": 4, ".DS_Store": 1, "_SUCCESS": 0})
    made = folders.build(folders.hours(1))
    assert made.jobs["status"].to_list() == ["missing"]
    assert made.sizes.select("n_files", "bytes_total", "bytes_data").row(0) == (3, 5, 0)


def test_a_failed_job_without_files_is_failed_and_with_some_incomplete(folders: HourFolders) -> None:
    row = _job(folders, ExtractStatus.FAILED, job_guid="one", accepted_at=FIRST)
    assert (row["status"], row["job_guid"], row["completeness"]) == ("failed", "one", 0.0)
    assert (row["started_at"], row["completed_at"], row["lag_min"]) == (FIRST, None, None)
    folders.put(0, VOYAGES)
    folders.promise(0, {**VOYAGES, "Cargo_0.csv.gz": 3})
    assert _job(folders, ExtractStatus.FAILED)["status"] == "incomplete"


@pytest.mark.parametrize("status", [ExtractStatus.RUNNING, ExtractStatus.OK, ExtractStatus.INCOMPLETE])
def test_a_job_of_which_nothing_is_there_is_incomplete_and_not_missing(
    status: ExtractStatus, folders: HourFolders
) -> None:
    assert _job(folders, status, job_guid="one")["status"] == "incomplete"


def test_a_promise_alone_is_an_incomplete_job(folders: HourFolders) -> None:
    folders.promise(0, VOYAGES)
    row = folders.job()
    assert (row["status"], row["completeness"], row["file_completeness"]) == ("incomplete", None, 0.0)


def test_the_promise_that_a_pull_remembers_counts_where_the_folder_has_none(folders: HourFolders) -> None:
    folders.put(0, VOYAGES)
    files = (
        ExtractFile(PromisedFile("Voyages_0.csv.gz", 5), FileOutcome.DELIVERED, 5),
        ExtractFile(PromisedFile("Cargo_0.csv.gz", 6), FileOutcome.FAILED),
    )
    row = _job(folders, ExtractStatus.INCOMPLETE, files=files)
    assert (row["n_files_promised"], row["n_files_delivered"], row["status"]) == (2, 1, "incomplete")


def test_an_hour_is_late_by_the_minutes_from_its_start(folders: HourFolders) -> None:
    folders.put(0, VOYAGES)
    in_time = _job(folders, ExtractStatus.OK, accepted_at=FIRST, finished_at=FIRST + timedelta(minutes=60))
    assert (in_time["status"], in_time["lag_min"], in_time["duration_s"]) == ("ok", 60.0, 3600.0)
    late = _job(folders, ExtractStatus.OK, finished_at=FIRST + timedelta(minutes=61))
    assert (late["status"], late["lag_min"], late["duration_s"]) == ("late", 61.0, None)


def test_clocks_that_are_set_wrong_give_no_negative_times(folders: HourFolders) -> None:
    folders.put(0, VOYAGES)
    row = _job(
        folders, ExtractStatus.OK,
        accepted_at=FIRST - timedelta(minutes=1), finished_at=FIRST - timedelta(minutes=5),
    )  # fmt: skip
    assert (row["status"], row["lag_min"], row["duration_s"]) == ("ok", None, None)


def test_times_come_from_the_manifest_where_nobody_remembers(folders: HourFolders) -> None:
    folders.put(0, VOYAGES)
    folders.manifest(
        0, job_guid="two", accepted_at="2022-02-08T08:01:00Z", finished_at="2022-02-08T10:25:00+01:00"
    )
    row = folders.job()
    assert (row["job_guid"], row["status"], row["lag_min"]) == ("two", "late", 85.0)
    assert row["started_at"] == datetime(2022, 2, 8, 8, 1, tzinfo=UTC)


def test_the_manifest_that_a_pull_writes_is_understood(folders: HourFolders) -> None:
    files = (
        ExtractFile(PromisedFile("a/Voyages_0.csv.gz", 5), FileOutcome.DELIVERED, 5),
        ExtractFile(
            PromisedFile("a/Odd\ud800_0.csv.gz", 5), FileOutcome.REFUSED, problem="its name is not safe"
        ),
    )
    ended = FIRST + timedelta(minutes=20)
    pulled = extract(
        FIRST, ExtractStatus.INCOMPLETE, job_guid="one", accepted_at=FIRST, finished_at=ended, files=files
    )
    folders.put(0, {**VOYAGES, "_manifest.json": manifest_json(pulled)})
    row = folders.job()
    assert (row["job_guid"], row["started_at"], row["completed_at"]) == ("one", FIRST, ended)
    assert (row["status"], row["n_files_promised"], row["n_files_delivered"]) == ("incomplete", 2, 1)


def test_an_hour_of_another_configuration_is_missing_in_this_one(folders: HourFolders) -> None:
    folders.put(0, VOYAGES)
    folders.manifest(0, config_name="onDemandExtract1DayTest", job_guid="theirs")
    made = folders.build(folders.hours(1))
    row = made.jobs.row(0, named=True)
    assert (row["status"], row["job_guid"], row["n_files_delivered"]) == ("missing", None, 0)
    assert made.sizes.select("n_files", "bytes_total").row(0) == (0, 0)
    assert made.tables.is_empty()


def test_what_a_pull_of_another_configuration_remembers_says_nothing(folders: HourFolders) -> None:
    from dataclasses import replace

    theirs = replace(extract(FIRST, ExtractStatus.FAILED, job_guid="theirs"), config_name="other")
    assert folders.job(0, {FIRST: theirs})["status"] == "missing"


def test_excused_hours_are_marked_with_their_reason_and_teach_no_volume(tmp_path: Path) -> None:
    excused = [{"first": "2022-02-08T10:00Z", "last": "2022-02-08T14:00Z", "reason": "other bucket"}]
    windows = {"level_hours": 4, "level_minimum": 2, "spread_hours": 4}
    folders = HourFolders(tmp_path, excused=excused, **windows)
    for number in range(10):
        folders.put(number, {"Voyages_0.csv.gz": 50_000 if 2 <= number <= 6 else 1_000})
    made = folders.build(folders.hours(10))
    marked = made.jobs.filter("excused")
    assert marked["hour_utc"].to_list() == folders.hours(5, 2)
    assert marked["excuse"].unique().to_list() == ["other bucket"]
    assert made.sizes.filter("excused")["hour_utc"].to_list() == folders.hours(5, 2)
    plain = HourFolders(tmp_path, **windows).build(folders.hours(10)).sizes
    assert made.sizes["band_lo"].to_list()[9] != plain["band_lo"].to_list()[9]


def test_the_volume_of_a_missing_hour_is_not_judged_though_a_note_lies_there(tmp_path: Path) -> None:
    folders = HourFolders(tmp_path, level_hours=6, level_minimum=2, spread_hours=6)
    for number in range(12):
        folders.put(number, {"note.docx": 10} if number in {4, 8} else VOYAGES)
        folders.schema(number, "Voyages") if number not in {4, 8} else None
    made = folders.build(folders.hours(12))
    lost = made.jobs.filter(made.jobs["status"] == "missing")["hour_utc"].to_list()
    assert lost == [folders.hour(4), folders.hour(8)]
    assert made.sizes["anomaly"].to_list()[5:] == ["none", "none", "none", None, "none", "none", "none"]
    again = folders.build(folders.hours(4, 8), earlier=made.before(folders.hour(8)))
    assert again.sizes.equals(made.at(folders.hours(4, 8)).sizes)
