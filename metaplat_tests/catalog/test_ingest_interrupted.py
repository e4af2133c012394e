"""Ingest under attack: crashing readers, killed processes, several at once, files that move meanwhile."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from metaplat.catalog.ingesting.bulk import ingest_place
from metaplat.collectors.headers.mappings import load_mappings
from metaplat.model.filters import EVERYTHING
from metaplat.settings import Settings
from metaplat.stores.catalog.index import Query
from metaplat.stores.catalog.sqlite_index import SqliteIndex
from metaplat_tests.standins.bound_process import bound, refuse
from metaplat_tests.standins.observation_files import (
    DeadlyPattern,
    HalfSaidPattern,
    write_csv,
    write_fits,
    write_many_fits,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from metaplat.catalog.ingesting.results import FileResult

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
SETTINGS = Settings.model_validate({"catalog": {"processes": 2, "batch_size": 300}})

PROGRAM = """
import sys
from datetime import UTC, datetime
from metaplat.catalog.ingesting.bulk import ingest_place
from metaplat.settings import Settings
from metaplat.stores.catalog.sqlite_index import SqliteIndex

if __name__ == "__main__":
    settings = Settings.model_validate({"catalog": {"processes": 2, "batch_size": 100}})
    index = SqliteIndex(__import__("pathlib").Path(sys.argv[2]))
    summary = ingest_place(
        sys.argv[1], index, settings, datetime(2026, 3, 2, tzinfo=UTC),
        on_result=lambda result: print(result.status, result.error, flush=True),
    )
    print("DONE", summary.cataloged, summary.updated, summary.unchanged, summary.rejected, flush=True)
"""


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


@pytest.fixture
def program(tmp_path: Path) -> Path:
    """Return a program that ingests ``argv[1]`` into ``argv[2]``: a process of its own may be killed."""
    path = tmp_path / "ingest_program.py"
    path.write_text(PROGRAM, encoding="utf-8")
    return path


def children(pid: int) -> list[int]:
    return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def test_a_file_that_crashes_its_reader_is_rejected_and_all_others_are_cataloged(
    folder: Path, index: SqliteIndex
) -> None:
    write_many_fits(folder, 600)
    for name in ("0000/deadly-1.csv", "0000/obs-0000100-deadly.csv", "9-deadly.csv"):
        write_csv(folder / name).write_text("# instrument: COUNTER\na,b\n1,2\n")
    mappings = replace(load_mappings(), paths=((DeadlyPattern(), "X"),))  # type: ignore[arg-type]
    results: list[FileResult] = []
    summary = ingest_place(str(folder), index, SETTINGS, NOW, mappings=mappings, on_result=results.append)
    assert (summary.cataloged, summary.rejected) == (600, 3)
    rejected = [result for result in results if result.status == "rejected"]
    assert all("deadly" in result.path and "crashed" in str(result.error) for result in rejected)
    assert [result.path for result in results] == sorted(result.path for result in results)
    assert index.count(EVERYTHING) == 600


def test_a_reading_process_that_is_killed_from_outside_costs_no_file(
    folder: Path, index: SqliteIndex
) -> None:
    write_many_fits(folder, 2700)
    killed: list[int] = []

    def kill_one(result: FileResult) -> None:
        del result
        if not killed:
            ours = [pid for pid in children(os.getpid()) if b"spawn_main" in _command(pid)]
            killed.append(ours[0])
            os.kill(ours[0], signal.SIGKILL)

    summary = ingest_place(str(folder), index, SETTINGS, NOW, on_result=kill_one)
    assert killed
    assert summary.counts == {"cataloged": 2700, "updated": 0, "unchanged": 0, "rejected": 0}


def test_a_reading_process_that_is_killed_while_it_answers_stops_nothing(
    folder: Path, index: SqliteIndex
) -> None:
    """Its sibling holds the other end of the pipe open, so that the pool waits for the rest for ever."""
    write_many_fits(folder, 400)
    mappings = replace(load_mappings(), paths=((HalfSaidPattern(), "X"),))  # type: ignore[arg-type]
    (folder / "0-deadly.csv").write_text("# instrument: COUNTER\na,b\n1,2\n")
    summary = ingest_place(str(folder), index, SETTINGS, NOW, mappings=mappings)
    assert (summary.cataloged, summary.rejected) == (400, 1)


def _command(pid: int) -> bytes:
    return Path(f"/proc/{pid}/cmdline").read_bytes()


def test_an_ingest_that_is_killed_is_finished_by_the_next_one(
    folder: Path, tmp_path: Path, program: Path, index: SqliteIndex
) -> None:
    write_many_fits(folder, 1500)
    command = [sys.executable, str(program), str(folder), str(tmp_path / "catalog.sqlite")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for _ in range(350):
            process.stdout.readline()
        readers = children(process.pid)
        process.kill()
    written = index.count(EVERYTHING)
    assert 350 <= written <= 1500
    for reader in readers:  # they end by themselves with the process that started them
        _wait_for_end(reader)
    summary = ingest_place(str(folder), index, SETTINGS, NOW)
    assert (summary.cataloged, summary.unchanged) == (1500 - written, written)
    rows = index.search(Query(limit=2000, columns=("dataset_id", "revision")))
    assert len({row["dataset_id"] for row in rows}) == 1500
    assert {row["revision"] for row in rows} == {1}


def _wait_for_end(pid: int) -> None:
    gone = threading.Event()
    while not gone.wait(0.05):
        try:
            if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
                return
        except FileNotFoundError:
            return


def test_two_ingests_of_one_folder_at_once_catalog_each_file_once(
    folder: Path, tmp_path: Path, program: Path, index: SqliteIndex
) -> None:
    write_many_fits(folder, 1200)
    command = [sys.executable, str(program), str(folder), str(tmp_path / "catalog.sqlite")]
    both = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    counts = [
        [int(count) for count in process.communicate()[0].splitlines()[-1].split()[1:]] for process in both
    ]
    assert [process.returncode for process in both] == [0, 0]
    assert sum(cataloged for cataloged, *_ in counts) == 1200
    assert all(sum(each) == 1200 and each[1] == each[3] == 0 for each in counts)
    assert index.count(EVERYTHING) == 1200
    assert {row["revision"] for row in index.search(Query(limit=2000))} == {1}


def test_files_that_are_replaced_all_the_while_are_whole_or_rejected_and_right_in_the_end(
    folder: Path, index: SqliteIndex, tmp_path: Path
) -> None:
    for number in range(40):
        write_fits(folder / f"{number:02d}.fits", number)
    stop = threading.Event()

    def replace_all() -> None:
        round_ = 0
        while not stop.is_set():
            round_ += 1
            for number in range(40):
                other = write_fits(tmp_path / "next.fits", 1000 * round_ + number, size=16 + round_ % 3)
                other.replace(folder / f"{number:02d}.fits")

    here = Settings.model_validate({"catalog": {"processes": 1}})
    writer = threading.Thread(target=replace_all)
    writer.start()
    try:
        results: list[FileResult] = []
        for _ in range(10):
            ingest_place(str(folder), index, here, NOW, on_result=results.append)
    finally:
        stop.set()
        writer.join()
    assert {result.error.partition(":")[0] for result in results if result.error} <= {"changed", "gone"}
    ingest_place(str(folder), index, here, NOW)
    for row in index.search(Query(absent=True)):
        stored = Path(row["file_path"]).stat()
        assert row["content_tag"] == f"{stored.st_mtime_ns}:{stored.st_size}"
        assert row["file_state"] == "present"


def test_a_file_and_a_folder_without_permission_are_rejected_and_the_rest_is_cataloged(
    folder: Path, tmp_path: Path, program: Path
) -> None:
    write_fits(folder / "a.fits")
    write_fits(folder / "b.fits")
    (folder / "closed").mkdir()
    write_fits(folder / "closed/c.fits")
    refuse(folder / "b.fits")
    refuse(folder / "closed")
    command = bound(sys.executable, program, folder, tmp_path / "catalog.sqlite")
    answer = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()
    (folder / "closed").chmod(0o755)
    assert answer[-1] == "DONE 1 0 0 2"
    assert answer[0] == "cataloged None"
    assert all(line.startswith("rejected not_allowed: ") for line in answer[1:3])


def test_a_full_disk_fails_with_one_line_and_loses_nothing(
    folder: Path, tmp_path: Path, program: Path
) -> None:
    write_many_fits(folder, 900)
    limited = "import os, resource, signal, sys; signal.signal(signal.SIGXFSZ, signal.SIG_IGN); "
    limited += (
        "resource.setrlimit(resource.RLIMIT_FSIZE, (300_000,) * 2); os.execv(sys.argv[1], sys.argv[1:])"
    )
    command = [sys.executable, str(program), str(folder), str(tmp_path / "catalog.sqlite")]
    answer: Any = subprocess.run(
        [sys.executable, "-c", limited, *command], check=False, capture_output=True, text=True
    )
    assert answer.returncode == 1
    assert "StoreError" in answer.stderr.splitlines()[-1]
    whole = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()
    done = [int(count) for count in whole[-1].split()[1:]]
    assert sum(done) == done[0] + done[2] == 900
