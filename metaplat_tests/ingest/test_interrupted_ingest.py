"""Ingests that are killed, and several at once: the outcome is that of an undisturbed one."""

from __future__ import annotations

import random
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from metaplat.ingest.partition import PartitionIngest
from metaplat.ingest.quarantine import read_quarantine
from metaplat_tests.ingest.small_domain import DAY, NOW, RUNS, home, land, ndjson, record

if TYPE_CHECKING:
    from metaplat.model.landed import IngestReceipt
    from metaplat.stores.home import Stores

KILLED_AT_A_WRITE = """
import os, signal, sys
from dataclasses import replace
from pathlib import Path
from metaplat.ingest.partition import PartitionIngest
from metaplat.stores.lake import Lake
from metaplat.stores.local_objects import LocalObjects
from metaplat_tests.ingest.small_domain import DAY, NOW, RUNS, home

deadly, before, writes = int(sys.argv[2]), sys.argv[3] == "before", 0

class Deadly(LocalObjects):
    def put(self, key, content):
        global writes
        writes += 1
        if writes == deadly and before:
            os.kill(os.getpid(), signal.SIGKILL)
        found = super().put(key, content)
        if writes == deadly:
            os.kill(os.getpid(), signal.SIGKILL)
        return found

stores = home(Path(sys.argv[1]))
names = ("landing", "quarantine", "state")
deadly_stores = {name: Deadly(stores.settings.home / name) for name in names}
stores = replace(stores, **deadly_stores, lake=Lake(Deadly(stores.settings.home)))
PartitionIngest(RUNS, stores, NOW).run(DAY)
"""
INGEST = """
import sys
from pathlib import Path
from metaplat.ingest.partition import PartitionIngest
from metaplat_tests.ingest.small_domain import DAY, NOW, RUNS, home
import polars
print("ready", flush=True)
last = False
while True:
    PartitionIngest(RUNS, home(Path(sys.argv[1])), NOW).run(DAY)
    if last or sys.argv[2] == "once":
        break
    last = (Path(sys.argv[1]) / "landed").exists()
"""
ROOT = Path(__file__).parents[2]
WRITES = 5  # the stray, quarantine, lake, inventory, receipt


def ingest(stores: Stores) -> IngestReceipt:
    return PartitionIngest(RUNS, stores, NOW).run(DAY)


def landed_home(folder: Path, objects: int) -> Stores:
    stores = home(folder)
    for number in range(objects):
        name, at = f"job-{number % 7}", f"{DAY}T02:{number % 60:02}:00Z"
        status = "RUNNING" if number % 5 == 0 else "SUCCESS"
        land(stores, f"{number:05}.json", record(name, at, status=status, job_id=name))
    land(
        stores,
        "mixed.ndjson",
        ndjson(record("stray", "2025-11-28T01:00:00Z"), {"job_name": "bad"}, record("a")),
    )
    return stores


def outcome(stores: Stores) -> tuple[object, ...]:
    """Return what the platform then knows of the partition, without the times of writing."""
    receipt = replace(ingest(stores), digest="", stored="", identities=frozenset())
    keys = [item.key for item in stores.landing.list_objects()]
    contents = [content for _, content in stores.landing.get_many(keys)]
    lake = stores.lake.objects.get(stores.lake.key(RUNS, DAY))
    hot = stores.hot(RUNS)
    assert hot is not None
    page = [hot.query(name, int(NOW.timestamp()), limit=1000).rows for name in ("a", "job-1", "job-5")]
    return receipt, keys, contents, lake, read_quarantine(stores.quarantine, RUNS, DAY), page


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("write", range(1, WRITES + 1))
def test_an_ingest_killed_around_any_write_is_repaired_by_running_again(
    tmp_path: Path, write: int, when: str
) -> None:
    calm, killed = landed_home(tmp_path / "calm", 20), landed_home(tmp_path / "killed", 20)
    for stores in (calm, killed) if when == "after" else ():  # also over what is known already
        ingest(stores)
        land(
            stores,
            "more.ndjson",
            ndjson(record("more"), record("old", "2025-11-27T01:00:00Z"), {"job_name": "x"}),
        )
    command = [sys.executable, "-c", KILLED_AT_A_WRITE, str(tmp_path / "killed"), str(write), when]
    assert subprocess.run(command, check=False, cwd=ROOT).returncode == -signal.SIGKILL
    assert outcome(killed) == outcome(calm)


@pytest.mark.parametrize("seed", range(3))
def test_an_ingest_killed_at_any_moment_is_repaired_by_running_again(tmp_path: Path, seed: int) -> None:
    calm, killed = landed_home(tmp_path / "calm", 300), landed_home(tmp_path / "killed", 300)
    ingest(calm)
    command = [sys.executable, "-c", INGEST, str(tmp_path / "killed"), "once"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT) as child:
        assert child.stdout
        child.stdout.readline()
        time.sleep(random.Random(seed).random() * 0.1)
        child.kill()
    assert outcome(killed) == outcome(calm)


def test_two_ingests_at_once_while_objects_land_end_as_one_fresh_ingest(tmp_path: Path) -> None:
    stores = landed_home(tmp_path / "shared", 50)
    command = [sys.executable, "-c", INGEST, str(tmp_path / "shared"), "on"]
    children = [subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT) for _ in range(2)]
    for child in children:
        assert child.stdout
        child.stdout.readline()
    for number in range(60):
        land(stores, f"late-{number}.json", record(f"late-{number % 9}", f"{DAY}T05:{number:02}:00Z"))
        if number % 3 == 0:
            land(stores, f"late-{number - 3}.json", {"job_name": "mended"} if number % 2 else b"oops")
        time.sleep(0.02)
    (tmp_path / "shared" / "landed").touch()
    for child in children:
        child.communicate()
    assert [child.returncode for child in children] == [0, 0]
    shutil.copytree(tmp_path / "shared" / "landing", tmp_path / "fresh" / "landing")
    fresh = home(tmp_path / "fresh")
    expected = replace(ingest(fresh), stored="")
    [path] = (tmp_path / "shared" / "lake").rglob("*.parquet")
    assert path.read_bytes() == fresh.lake.objects.get(fresh.lake.key(RUNS, DAY))
    quarantines = [read_quarantine(each.quarantine, RUNS, DAY) for each in (stores, fresh)]
    assert quarantines[0] == quarantines[1]
    assert replace(ingest(stores), stored="") == expected
