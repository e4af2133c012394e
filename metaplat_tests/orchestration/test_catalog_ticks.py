"""Files that arrive in a watched place, from the sensor over its run to the assets, tick by tick."""

from __future__ import annotations

import os
from contextlib import closing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import dagster as dg
import pytest

from metaplat.domains import domain_named
from metaplat.model.errors import SourceError
from metaplat.model.observation import dataset_id_of
from metaplat.orchestration.build import build_definitions
from metaplat.orchestration.catalog_files import (
    JOB,
    RECONCILE_JOB,
    catalog_files_sensor,
    reconcile_nightly,
)
from metaplat.orchestration.cataloged import build_changes_sensor
from metaplat.settings import Settings
from metaplat.stores.catalog.opening import open_index
from metaplat.stores.home import Stores, open_stores
from metaplat_tests.standins.observation_files import fits_bytes

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

OLD = 1_700_000_000


@dataclass
class Watching:
    """A watched folder, a Dagster instance, and the sensors on them."""

    folder: Path
    stores: Stores
    instance: dg.DagsterInstance
    cursors: dict[str, str | None] = field(default_factory=dict)
    delivered: int = 0

    def tick(self) -> list[dg.DagsterRun]:
        """Tick the sensor of files once, and do the runs it asks for."""
        return [self._run(JOB, request) for request in self.asked(catalog_files_sensor)]

    def asked(self, sensor: dg.SensorDefinition) -> list[dg.RunRequest]:
        """Tick a sensor once; return the runs it asks for."""
        context = dg.build_sensor_context(
            self.instance, self.cursors.get(sensor.name), resources={"stores": self.stores}
        )
        with context:
            told = sensor.evaluate_tick(context)
        self.cursors[sensor.name] = told.cursor
        return list(told.run_requests or ())

    def _run(self, job_name: str, request: dg.RunRequest | None = None) -> dg.DagsterRun:
        job = build_definitions(tables=[]).resolve_job_def(job_name)
        done = job.execute_in_process(
            instance=self.instance,
            run_config=request.run_config if request else None,
            resources={"stores": self.stores},
            tags=request.tags if request else None,
        )
        assert done.success
        return done.dagster_run

    def reconcile(self) -> None:
        """Do what the nightly schedule asks for."""
        self._run(RECONCILE_JOB)

    def deliver(self, name: str, content: bytes, *, age: bool = True) -> Path:
        """Write aside, then rename, with an old time of modification unless told otherwise."""
        path = self.folder / name
        aside = self.folder.parent / f"{name}.aside"
        aside.write_bytes(content)
        if age:
            self.delivered += 1
            os.utime(aside, (OLD, OLD + self.delivered))
        aside.rename(path)
        return path

    def row(self, path: Path) -> dict[str, Any] | None:
        """Return the observation of a file, where there is one."""
        with closing(open_index(self.stores.settings)) as index:
            found = index.get([dataset_id_of(str(path))])
        return found[0] if found else None


@pytest.fixture
def watching(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Watching]:
    folder = tmp_path / "incoming"
    folder.mkdir()
    monkeypatch.setenv("METAPLAT_CATALOG__WATCH", str(folder))
    monkeypatch.setenv("METAPLAT_CATALOG__PROCESSES", "1")
    monkeypatch.setenv("METAPLAT_CATALOG__SETTLE_SECONDS", "3600")
    stores = open_stores(Settings(home=tmp_path / "home"))
    with dg.DagsterInstance.ephemeral() as instance:
        yield Watching(folder, stores, instance)


def test_renamed_slow_rewritten_and_removed_files_are_right_after_two_ticks(watching: Watching) -> None:
    rewritten = watching.deliver("rewritten.fits", fits_bytes(1))
    removed = watching.deliver("removed.fits", fits_bytes(2))
    assert len(watching.tick()) == 1

    renamed = watching.deliver("renamed.fits", fits_bytes(3))
    slow = watching.folder / "slow.fits"
    slow.write_bytes(fits_bytes(4)[:4000])
    rewritten.write_bytes(fits_bytes(5))
    os.utime(rewritten, (OLD + 500, OLD + 500))
    removed.unlink()
    watching.tick()
    slow.write_bytes(fits_bytes(4))  # it is still being written when the first tick looks
    watching.tick()
    assert watching.row(slow) is None  # it changed between the two: nobody has seen it rest
    watching.tick()

    found = {path.name: watching.row(path) for path in (renamed, slow, rewritten, removed)}
    states = {name: row and (row["file_state"], row["extraction_status"]) for name, row in found.items()}
    assert states == {
        "renamed.fits": ("present", "ok"),
        "slow.fits": ("present", "ok"),
        "rewritten.fits": ("present", "ok"),
        "removed.fits": ("vanished", "ok"),
    }
    row = found["rewritten.fits"]
    assert row is not None
    assert (row["revision"], row["observation_timestamp"].second) == (2, 5)


def test_a_batch_is_one_run_and_its_files_are_asked_for_once(watching: Watching) -> None:
    for number in range(20):
        watching.deliver(f"frame_{number}.fits", fits_bytes(number))
    assert len(watching.tick()) == 1
    assert watching.tick() == []
    with closing(open_index(watching.stores.settings)) as index:
        assert len(list(index.known_below(f"{watching.folder}/"))) == 20
    assert watching.stores.state.list_objects("catalog/inbox/") == []


def test_a_batch_whose_run_never_came_is_asked_for_again_later(watching: Watching) -> None:
    watching.deliver("frame.fits", fits_bytes(1))
    assert len(watching.asked(catalog_files_sensor)) == 1
    assert watching.asked(catalog_files_sensor) == []  # not at once
    watching.cursors[catalog_files_sensor.name] = None  # nor is anything lost with the cursor
    assert len(watching.tick()) == 1
    assert watching.row(watching.folder / "frame.fits") is not None


def test_a_name_that_is_not_utf8_passes_through_the_batch(watching: Watching) -> None:
    name = os.fsdecode(b"frame_\xff\n.fits")
    path = watching.deliver(name, fits_bytes(1))
    watching.tick()
    row = watching.row(path)
    assert row is not None
    assert row["file_path"].endswith("frame_\\xff\n.fits")


def test_a_watched_folder_that_is_gone_fails_the_tick_and_marks_nothing(watching: Watching) -> None:
    path = watching.deliver("frame.fits", fits_bytes(1))
    watching.tick()
    path.unlink()
    watching.folder.rmdir()
    for _ in range(3):
        with pytest.raises(Exception, match="incoming"):
            watching.asked(catalog_files_sensor)
    watching.folder.mkdir()
    with pytest.raises(SourceError, match="incoming"):
        watching.asked(catalog_files_sensor)  # an empty mount point looks the same
    row = watching.row(path)
    assert row is not None
    assert row["file_state"] == "present"


def test_nothing_is_asked_for_where_nothing_is_watched(
    watching: Watching, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("METAPLAT_CATALOG__WATCH")
    watching.stores = open_stores(Settings(home=tmp_path / "home"))
    assert watching.asked(catalog_files_sensor) == []
    context = dg.build_schedule_context(resources={"stores": watching.stores})
    with context:
        assert reconcile_nightly.evaluate_tick(context).skip_message == "catalog.watch is empty"


def test_the_nightly_job_finds_what_no_tick_saw(watching: Watching) -> None:
    path = watching.deliver("frame.fits", fits_bytes(1))
    other = watching.deliver("other.fits", fits_bytes(2))
    watching.reconcile()
    other.unlink()
    watching.reconcile()
    states = {each.name: (watching.row(each) or {})["file_state"] for each in (path, other)}
    assert states == {"frame.fits": "present", "other.fits": "vanished"}


def test_changed_days_are_asked_for_once_and_again_after_the_next_change(watching: Watching) -> None:
    sensor = build_changes_sensor(domain_named("observations"))
    assert watching.asked(sensor) == []
    watching.deliver("frame.fits", fits_bytes(1))
    watching.deliver("table.csv", b"# mission: HELIOS-9\na,b\n1,2\n")
    watching.tick()
    asked = watching.asked(sensor)
    assert [request.tags["dagster/partition"] for request in asked] == ["1957-10-03", "2026-03-01"]
    assert watching.asked(sensor) == []
    watching.deliver("frame.fits", fits_bytes(9 * 86400))
    watching.tick()
    days = [request.tags["dagster/partition"] for request in watching.asked(sensor)]
    assert days == ["2026-03-01", "2026-03-10"]  # where it was, and where it is


def test_a_catalog_begun_anew_is_asked_for_from_its_beginning(watching: Watching) -> None:
    sensor = build_changes_sensor(domain_named("observations"))
    watching.cursors[sensor.name] = "999999"
    watching.deliver("frame.fits", fits_bytes(1))
    watching.tick()
    assert len(watching.asked(sensor)) == 1
