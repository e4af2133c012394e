"""Ticks: what arrives is taken when it is complete, what changes is read anew, what is gone is marked."""

from __future__ import annotations

import os
import threading
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from metaplat.catalog.ingesting.bulk import ingest_entries, ingest_place
from metaplat.catalog.ingesting.cursor import REMEMBERED
from metaplat.catalog.ingesting.watch_loop import Watched, watch
from metaplat.catalog.ingesting.watching import READY_BATCHES, Tick, mark_vanished, tick
from metaplat.model.errors import MetaplatError, TransientSourceError, UsageError
from metaplat.model.filters import EVERYTHING
from metaplat.model.observation import dataset_id_of
from metaplat.settings import Settings
from metaplat.stores.catalog.sqlite_index import SqliteIndex
from metaplat_tests.standins.observation_files import fits_bytes, write_fits, write_many_fits

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SETTINGS = Settings.model_validate({"catalog": {"processes": 1, "batch_size": 5, "settle_seconds": 10}})


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


class Sensor:
    """What a sensor and its run do, tick by tick."""

    def __init__(self, folder: Path, index: SqliteIndex, settings: Settings = SETTINGS) -> None:
        self.folder, self.index, self.settings = folder, index, settings
        self.cursor: str | None = None

    def tick(self, now: datetime | None = None) -> list[str]:
        """Look once, act on it, and return the names that were ready."""
        found = self.look(now)
        moment = now or datetime.now(UTC)
        mark_vanished(self.index, found.vanished, moment)
        ingest_entries(found.ready, found.place, self.index, self.settings, moment)
        return [entry.path.rpartition("/")[2] for entry in found.ready]

    def look(self, now: datetime | None = None) -> Tick:
        """Look once."""
        found = tick(str(self.folder), self.index, self.settings, self.cursor, now or datetime.now(UTC))
        self.cursor = found.cursor
        return found

    def row(self, name: str) -> dict[str, object] | None:
        """Return what the catalog has of a file."""
        rows = self.index.get([dataset_id_of(str(self.folder / name))])
        return rows[0] if rows else None


def test_delivered_by_rename_written_slowly_rewritten_and_removed_are_each_right_after_two_ticks(
    folder: Path, index: SqliteIndex
) -> None:
    write_fits(folder / "rewritten.fits", 1)
    write_fits(folder / "removed.fits", 2)
    ingest_place(str(folder), index, SETTINGS, datetime.now(UTC))
    sensor = Sensor(folder, index)

    write_fits(folder / "renamed.fits.part", 3).rename(folder / "renamed.fits")
    with (folder / "slow.fits").open("wb") as slow:
        slow.write(fits_bytes(4)[:5000])
        slow.flush()
        write_fits(folder / "rewritten.fits", 5, size=32)
        (folder / "removed.fits").unlink()
        sensor.tick()
        slow.write(fits_bytes(4)[5000:])
        slow.flush()
        assert sensor.tick() == ["renamed.fits", "rewritten.fits"]

    renamed, rewritten, removed = map(sensor.row, ("renamed.fits", "rewritten.fits", "removed.fits"))
    assert renamed is not None
    assert rewritten is not None
    assert removed is not None
    assert (renamed["file_state"], renamed["extraction_status"]) == ("present", "ok")
    assert (rewritten["file_state"], rewritten["revision"]) == ("present", 2)
    assert rewritten["file_size"] == len(fits_bytes(5, size=32))
    assert removed["file_state"] == "vanished"
    assert removed["mission_id"] == "HELIOS-9"
    assert sensor.row("slow.fits") is None  # not before it stopped
    assert sensor.tick() == ["slow.fits"]
    written = sensor.row("slow.fits")
    assert written is not None
    assert written["extraction_status"] == "ok"
    assert sensor.tick() == []


def test_a_file_that_nobody_wrote_to_for_long_is_taken_at_once_wherever_it_comes_from(
    folder: Path, index: SqliteIndex
) -> None:
    old = write_fits(folder / "x.tmp", 1)
    os.utime(old, (1, 1))
    sensor = Sensor(folder, index)
    assert sensor.tick() == []
    assert sensor.look().unsettled == 0
    old.rename(folder / "old.fits")
    assert sensor.tick() == ["old.fits"]


def test_a_whole_folder_that_is_moved_in_is_found(folder: Path, index: SqliteIndex, tmp_path: Path) -> None:
    write_many_fits(tmp_path / "elsewhere", 3)
    sensor = Sensor(folder, index)
    write_fits(folder / "first.fits")
    sensor.tick()
    sensor.tick()
    for path in (tmp_path / "elsewhere/0000").iterdir():
        os.utime(path, (1, 1))
    (tmp_path / "elsewhere/0000").rename(folder / "moved")
    assert len(sensor.tick()) == 3


def test_a_time_in_the_future_settles_in_two_ticks(folder: Path, index: SqliteIndex) -> None:
    os.utime(write_fits(folder / "a.fits"), (4e9, 4e9))
    sensor = Sensor(folder, index)
    assert [sensor.tick(), sensor.tick()] == [[], ["a.fits"]]


def test_a_failed_file_is_tried_again_when_its_time_has_come(folder: Path, index: SqliteIndex) -> None:
    (folder / "a.fits").touch()
    os.utime(folder / "a.fits", (1, 1))
    sensor, now = Sensor(folder, index), datetime.now(UTC)
    assert [sensor.tick(now), sensor.tick(now)] == [["a.fits"], []]
    assert sensor.tick(now + timedelta(minutes=2)) == ["a.fits"]
    row = sensor.row("a.fits")
    assert row is not None
    assert row["attempts"] == 2


def test_marks_say_which_files_are_complete_and_are_no_files_themselves(
    folder: Path, index: SqliteIndex
) -> None:
    marked = SETTINGS.model_copy(
        update={"catalog": SETTINGS.catalog.model_copy(update={"done_suffix": ".done"})}
    )
    sensor = Sensor(folder, index, marked)
    write_fits(folder / "a.fits", 1)
    write_fits(folder / "a.fits-2", 2)
    assert [sensor.tick(), sensor.tick(), sensor.tick()] == [[], [], []]
    (folder / "a.fits.done").touch()
    assert sensor.tick() == ["a.fits"]
    os.utime(folder / "a.fits.done", (1, 1))
    write_fits(folder / "a.fits", 3)  # written after its mark
    assert [sensor.tick(), sensor.tick(), sensor.tick()] == [[], ["a.fits"], []]
    summary = ingest_place(str(folder), index, marked, datetime.now(UTC))
    assert summary.counts == {"cataloged": 1, "updated": 0, "unchanged": 1, "rejected": 0}


def test_many_files_come_in_portions_and_each_once(folder: Path, index: SqliteIndex) -> None:
    count = READY_BATCHES * SETTINGS.catalog.batch_size + 7
    write_many_fits(folder, count)
    sensor = Sensor(folder, index)
    later = datetime.now(UTC) + timedelta(minutes=1)
    assert sensor.look(later).more
    portions = [sensor.tick(later) for _ in range(3)]
    assert [len(portion) for portion in portions] == [count - 7, 7, 0]
    assert index.count(EVERYTHING) == count


def test_the_cursor_stays_short_and_an_overflow_loses_nothing(folder: Path, index: SqliteIndex) -> None:
    count = REMEMBERED + 50
    for number in range(count):
        (folder / f"{number}.fits").touch()
    big = Settings.model_validate({"catalog": {"processes": 1, "settle_seconds": 1000, "batch_size": 5000}})
    sensor = Sensor(folder, index, big)
    assert sensor.tick() == []
    assert len(str(sensor.cursor)) < 100_000
    taken = [len(sensor.tick()) for _ in range(3)]
    assert taken == [REMEMBERED, 0, 50]


@pytest.mark.parametrize("cursor", [None, "", "nonsense", "[1]", '{"v": 9}', '{"v": 1, "unsettled": 5}'])
def test_any_cursor_is_a_beginning(folder: Path, index: SqliteIndex, cursor: str | None) -> None:
    os.utime(write_fits(folder / "a.fits"), (1, 1))
    found = tick(str(folder), index, SETTINGS, cursor, datetime.now(UTC))
    assert [entry.path for entry in found.ready] == [str(folder / "a.fits")]


def test_an_empty_or_missing_folder_with_known_files_is_an_error_and_marks_nothing(
    folder: Path, index: SqliteIndex
) -> None:
    path = write_fits(folder / "a.fits")
    ingest_place(str(folder), index, SETTINGS, datetime.now(UTC))
    path.unlink()
    sensor = Sensor(folder, index)
    for _ in range(3):
        with pytest.raises(TransientSourceError, match="it is empty, and the catalog knows files there"):
            sensor.tick()
    folder.rmdir()
    with pytest.raises(UsageError, match="no such folder"):
        sensor.tick()
    assert index.count(EVERYTHING) == 1


def test_a_file_that_is_back_in_time_is_not_marked(folder: Path, index: SqliteIndex) -> None:
    write_fits(folder / "b.fits")
    path = write_fits(folder / "a.fits")
    ingest_place(str(folder), index, SETTINGS, datetime.now(UTC))
    sensor = Sensor(folder, index)
    path.rename(folder / "a.fits.tmp")
    sensor.tick()
    (folder / "a.fits.tmp").rename(path)
    sensor.tick()
    path.rename(folder / "a.fits.tmp")
    sensor.tick()
    row = sensor.row("a.fits")
    assert row is not None
    assert row["file_state"] == "present"


def test_a_watch_takes_what_arrives_until_it_is_stopped(folder: Path, index: SqliteIndex) -> None:
    stop, looks, problems = threading.Event(), list[Watched](), list[MetaplatError]()
    names: list[str] = []

    def on_look(look: Watched) -> None:
        looks.append(look)
        if len(looks) == 1:
            write_fits(folder / "later.fits", 2)
        if len(names) == 2:
            stop.set()

    write_fits(folder / "first.fits", 1)
    watch(
        str(folder),
        index,
        SETTINGS,
        stop,
        0.2,
        on_look=on_look,
        on_result=lambda result: names.append(result.path),
        on_problem=problems.append,
    )
    assert {name.rpartition("/")[2] for name in names} == {"first.fits", "later.fits"}
    assert problems == []
    assert sum(look.ingest.cataloged for look in looks if look.ingest) == 2


def test_a_watch_is_woken_by_what_happens(folder: Path, index: SqliteIndex) -> None:
    """With an interval of an hour, only an event can bring the second look."""
    stop, looks = threading.Event(), list[Watched]()
    write_fits(folder / "first.fits", 1)

    def on_look(look: Watched) -> None:
        looks.append(look)
        write_fits(folder / f"{len(looks)}.fits", 2)
        if len(looks) == 3:
            stop.set()

    watch(str(folder), index, SETTINGS, stop, 3600, on_look=on_look)
    assert len(looks) == 3


def test_a_watch_outlives_an_outage_and_ends_at_an_error_that_stays(folder: Path, index: SqliteIndex) -> None:
    path, problems = write_fits(folder / "a.fits"), list[MetaplatError]()
    ingest_place(str(folder), index, SETTINGS, datetime.now(UTC))
    path.unlink()

    def on_problem(problem: MetaplatError) -> None:
        problems.append(problem)
        if len(problems) == 2:
            folder.rmdir()

    with pytest.raises(UsageError):
        watch(str(folder), index, SETTINGS, threading.Event(), 0.1, on_problem=on_problem)
    assert len(problems) == 2
