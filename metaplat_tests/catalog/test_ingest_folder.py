"""Bulk ingest of a folder: one result a file, nothing read twice, nothing lost, every refusal explained."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from metaplat.catalog.ingesting.bulk import ingest_place
from metaplat.model.filters import EVERYTHING
from metaplat.model.observation import SET_BY_INDEX, IngestStatus, dataset_id_of
from metaplat.settings import Settings
from metaplat.stores.catalog.index import Change, Query
from metaplat.stores.catalog.sqlite_index import SqliteIndex
from metaplat_tests.standins.observation_files import (
    fits_bytes,
    write_each_format,
    write_fits,
    write_many_fits,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from metaplat.catalog.ingesting.results import FileResult, IngestSummary

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
HERE = Settings.model_validate({"catalog": {"processes": 1, "batch_size": 7, "max_attempts": 3}})
OTHERS = Settings.model_validate({"catalog": {"processes": 2, "batch_size": 700}})


@pytest.fixture
def index(tmp_path: Path) -> Iterator[SqliteIndex]:
    opened = SqliteIndex(tmp_path / "catalog.sqlite")
    yield opened
    opened.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "archive"
    made.mkdir()
    return made


def ingest(
    folder: Path, index: SqliteIndex, *, now: datetime = NOW, settings: Settings = HERE, force: bool = False
) -> tuple[IngestSummary, list[FileResult]]:
    """Return the summary, and the result of each file."""
    results: list[FileResult] = []
    summary = ingest_place(str(folder), index, settings, now, on_result=results.append, force=force)
    assert summary.files == len(results)
    return summary, results


def statuses(results: list[FileResult]) -> dict[str, str]:
    return {result.path.rpartition("/")[2]: result.status.value for result in results}


def test_one_file_of_each_format_is_cataloged_by_its_content(folder: Path, index: SqliteIndex) -> None:
    paths = write_each_format(folder)
    summary, results = ingest(folder, index)
    assert summary.counts == {"cataloged": 6, "updated": 0, "unchanged": 0, "rejected": 0}
    assert [result.path for result in results] == [str(path) for path in paths]
    rows = index.get([dataset_id_of(str(path)) for path in paths])
    assert [row["file_format"] for row in rows] == ["csv", "fits", "fits", "hdf5", "netcdf4", "netcdf3"]
    assert [row["instrument_type"] for row in rows][:2] == ["COUNTER", "IMAGER"]
    told = [result.observation for result in results]
    assert told == [{name: row[name] for name in row if name not in SET_BY_INDEX} for row in rows]


def test_other_processes_give_the_same_as_this_one(folder: Path, tmp_path: Path) -> None:
    write_many_fits(folder, 1100)
    (folder / "empty.fits").touch()
    found = []
    for number, settings in enumerate((HERE, OTHERS)):
        index = SqliteIndex(tmp_path / f"{number}.sqlite")
        summary, results = ingest(folder, index, settings=settings)
        rows = index.search(Query(limit=2000, absent=True))
        found.append((summary.counts, results, [row | {"change_seq": 0} for row in rows]))
        index.close()
    assert found[0] == found[1]
    assert found[0][0] == {"cataloged": 1100, "updated": 0, "unchanged": 0, "rejected": 1}


def test_an_ingest_that_is_run_again_changes_nothing(folder: Path, index: SqliteIndex) -> None:
    write_each_format(folder)
    _, first = ingest(folder, index)
    before = index.search(Query())
    summary, again = ingest(folder, index, now=NOW + timedelta(hours=1))
    assert summary.counts == {"cataloged": 0, "updated": 0, "unchanged": 6, "rejected": 0}
    assert [result.observation for result in again] == [result.observation for result in first]
    assert index.search(Query()) == before


def test_a_rewritten_file_is_updated_and_its_old_values_stay_in_revisions(
    folder: Path, index: SqliteIndex
) -> None:
    path = write_fits(folder / "a.fits", 1)
    ingest(folder, index)
    path.write_bytes(fits_bytes(2, mission="OTHER"))
    _, results = ingest(folder, index)
    assert statuses(results) == {"a.fits": "updated"}
    missions = [row["mission_id"] for row in index.revisions(dataset_id_of(str(path)))]
    assert missions == ["HELIOS-9", "OTHER"]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty"),
        (bytes(5000), "zero_filled"),
        (b"<!DOCTYPE html><html><body>502 Bad Gateway</body></html>", "html"),
        (b"PK\x03\x04" + bytes(100), "archive"),
        (fits_bytes()[:4000], "cut_header"),
        (fits_bytes()[:2880].replace(b"END     ", b"ENDE    "), "no_end|cut_header"),
        (b"\x89HDF\r\n\x1a\n" + bytes(range(200)), "broken|truncated"),
        (b"CDF\x01" + b"\xff" * 60, "broken|cut_header"),
        (bytes(range(256)) * 4, "unknown_format"),
    ],
    ids=["empty", "zeros", "html", "zip", "cut", "no end", "hdf5", "netcdf3", "binary"],
)
def test_a_file_that_cannot_be_read_is_rejected_with_a_reason_beside_good_ones(
    folder: Path, index: SqliteIndex, content: bytes, reason: str
) -> None:
    write_fits(folder / "a.fits")
    (folder / "b.fits").write_bytes(content)
    write_fits(folder / "c.fits")
    _, results = ingest(folder, index)
    assert statuses(results) == {"a.fits": "cataloged", "b.fits": "rejected", "c.fits": "cataloged"}
    assert results[1].error is not None
    assert results[1].error.partition(":")[0] in reason.split("|")
    (row,) = index.get([dataset_id_of(str(folder / "b.fits"))])
    assert (row["file_state"], row["extraction_status"], row["attempts"]) == ("rejected", "failed", 1)
    assert row["extraction_reason"] == results[1].error
    assert index.count(EVERYTHING) == 2


def test_a_file_shorter_than_its_header_says_is_cataloged_as_incomplete(
    folder: Path, index: SqliteIndex
) -> None:
    (folder / "a.fits").write_bytes(fits_bytes(size=100)[:-6000])
    _, results = ingest(folder, index)
    assert statuses(results) == {"a.fits": "cataloged"}
    assert results[0].observation is not None
    assert results[0].observation["extraction_status"] == "incomplete"


def test_a_failed_file_waits_longer_each_time_and_then_goes_to_quarantine(
    folder: Path, index: SqliteIndex
) -> None:
    path = folder / "a.fits"
    path.touch()
    moment, waits = NOW, []
    for _ in range(3):
        ingest(folder, index, now=moment)
        (row,) = index.get([dataset_id_of(str(path))])
        waits.append((row["attempts"], row["extraction_status"], row["next_attempt"]))
        _, early = ingest(folder, index, now=moment + timedelta(seconds=59))
        assert statuses(early) == {"a.fits": "rejected"}
        assert early[0].error == row["extraction_reason"]
        moment = row["next_attempt"] or moment
    assert waits == [
        (1, "failed", NOW + timedelta(seconds=60)),
        (2, "failed", NOW + timedelta(seconds=180)),
        (3, "quarantined", None),
    ]
    ingest(folder, index, now=moment + timedelta(days=9))
    assert index.get([dataset_id_of(str(path))])[0]["attempts"] == 3
    write_fits(path)
    _, healed = ingest(folder, index)
    assert statuses(healed) == {"a.fits": "updated"}


def test_force_reads_what_is_unchanged_or_in_quarantine(folder: Path, index: SqliteIndex) -> None:
    write_fits(folder / "a.fits")
    (folder / "b.fits").touch()
    ingest(folder, index)
    _, results = ingest(folder, index, force=True)
    assert statuses(results) == {"a.fits": "unchanged", "b.fits": "rejected"}
    assert index.get([dataset_id_of(str(folder / "b.fits"))])[0]["attempts"] == 2


def test_what_pipelines_stated_of_a_content_survives_reading_it_again(
    folder: Path, index: SqliteIndex
) -> None:
    dataset_id = dataset_id_of(str(write_fits(folder / "a.fits")))
    ingest(folder, index)
    stated = {"processing_status": "processed", "data_quality_score": 0.9}
    index.apply(Change(patches={dataset_id: stated}), NOW)
    ingest(folder, index, force=True)
    assert {name: index.get([dataset_id])[0][name] for name in stated} == stated
    write_fits(folder / "a.fits", 5, size=32)
    ingest(folder, index)
    row = index.get([dataset_id])[0]
    assert (row["processing_status"], row["data_quality_score"]) == ("raw", None)


def test_odd_names_links_and_pipes_each_get_a_result(folder: Path, index: SqliteIndex) -> None:
    odd = os.fsdecode(b"dark\xff\n1.fits")
    write_fits(folder / odd)
    (folder / "link.fits").symlink_to(odd)
    (folder / "nowhere.fits").symlink_to("missing")
    (folder / "self.fits").symlink_to("self.fits")
    os.mkfifo(folder / "pipe.fits")
    _, results = ingest(folder, index)
    assert statuses(results) == {
        "dark\\xff\n1.fits": "cataloged",
        "link.fits": "cataloged",
        "nowhere.fits": "rejected",
        "pipe.fits": "rejected",
        "self.fits": "rejected",
    }
    assert {row["file_path"].rpartition("/")[2] for row in index.search(Query())} == {
        "dark\\xff\n1.fits",
        "link.fits",
    }
    _, again = ingest(folder, index)
    assert statuses(again) | {"link.fits": "unchanged"} == statuses(again)


def test_each_ingest_is_one_event_of_the_audit_trail(folder: Path, index: SqliteIndex) -> None:
    write_each_format(folder)
    (folder / "z.fits").touch()
    summary, _ = ingest(folder, index)
    (event,) = index.events(summary.run_id)
    assert (event["action"], event["status"], event["datasets"]) == ("ingest", "ok", 7)
    assert '"cataloged":6' in event["detail"]
    assert "empty" in event["detail"]


def test_a_vanished_file_that_is_back_is_read_again(folder: Path, index: SqliteIndex) -> None:
    dataset_id = dataset_id_of(str(write_fits(folder / "a.fits")))
    ingest(folder, index)
    index.apply(Change(patches={dataset_id: {"file_state": "vanished"}}), NOW)
    _, results = ingest(folder, index)
    assert results[0].status is IngestStatus.UPDATED
    assert index.get([dataset_id])[0]["file_state"] == "present"


def test_progress_ends_at_the_number_of_files(folder: Path, index: SqliteIndex) -> None:
    write_many_fits(folder, 40)
    seen: list[tuple[int, int]] = []
    ingest_place(str(folder), index, HERE, NOW, progress=lambda done, listed: seen.append((done, listed)))
    assert seen[-1] == (40, 40)
    assert seen == sorted(seen)
