"""What only deliveries to a folder go through: killed writers, full disks, permissions, names of others."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import pytest

from metaplat.model.errors import PermanentStoreError
from metaplat.settings import Settings
from metaplat.stores.deliveries import Deliveries, open_deliveries
from metaplat.stores.local_writing import LEFTOVER_SECONDS
from metaplat_tests.standins.bound_process import bound, refuse

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

MIB = 2**20
HOUR = "IMOSDL/Hourly/20220208/08/"

WRITER = """
import asyncio, resource, sys
from metaplat.settings import Settings
from metaplat.stores.deliveries import open_deliveries
if sys.argv[2]:
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), int(sys.argv[2])))
async def chunks():
    for number in range(int(sys.argv[3])):
        yield bytes(2**20)
        print(number, flush=True)
store = open_deliveries(Settings(vip={"target": sys.argv[1]}))
try:
    print(asyncio.run(store.write("IMOSDL/Hourly/20220208/08/a", chunks(), None)))
except Exception as error:
    print(type(error).__name__, error)
print(sorted(store.folder("IMOSDL/Hourly/20220208/08/")))
"""


def at(folder: Path) -> Deliveries:
    return open_deliveries(Settings(home=folder))


async def zeros(mib: int) -> AsyncIterator[bytes]:
    for _ in range(mib):
        yield bytes(MIB)


def test_a_killed_writer_leaves_nothing_that_is_listed(tmp_path: Path) -> None:
    command = [sys.executable, "-c", WRITER, str(tmp_path), "", "1000000"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as writer:
        assert writer.stdout is not None
        while writer.stdout.readline() != b"5\n":
            pass
        writer.send_signal(signal.SIGKILL)
    left = list((tmp_path / HOUR).iterdir())
    assert len(left) == 1
    assert left[0].stat().st_size >= 3 * MIB
    store = at(tmp_path)
    assert store.folder(HOUR) == {}
    assert store.listing([HOUR]).is_empty()
    assert store.objects.list_objects() == []


def test_a_later_write_removes_old_leftovers_and_no_fresh_ones(tmp_path: Path) -> None:
    (tmp_path / HOUR).mkdir(parents=True)
    old, fresh = (tmp_path / HOUR / f".{letter * 32}.tmp" for letter in "ab")
    for path in (old, fresh):
        path.write_bytes(b"half")
    long_ago = time.time() - LEFTOVER_SECONDS - 60
    os.utime(old, (long_ago, long_ago))
    asyncio.run(at(tmp_path).write(f"{HOUR}a", zeros(1), MIB))
    assert sorted(path.name for path in (tmp_path / HOUR).iterdir()) == [fresh.name, "a"]


def on_a_small_disk(folder: Path, command: list[str]) -> list[str]:
    """Return a command that runs another one where ``folder`` is a disk of 4 MiB."""
    mount = f"mount -t tmpfs -o size=4m none {folder} && exec "
    return ["unshare", "-Urm", "sh", "-c", f'{mount} "$@"', "sh", *command]


def limits() -> list[str]:
    """Return what a test can run into: not everybody may mount a disk, file sizes are limited anywhere."""
    with TemporaryDirectory() as folder:
        tried = on_a_small_disk(Path(folder), ["true"])
        ended = shutil.which("unshare") and subprocess.run(tried, check=False, capture_output=True)
    can_mount = ended and ended.returncode == 0
    return ["disk", "file size"] if can_mount else ["file size"]


@pytest.mark.parametrize("limit", limits())
def test_a_full_disk_is_one_clear_line_and_leaves_nothing(tmp_path: Path, limit: str) -> None:
    command = [sys.executable, "-c", WRITER, str(tmp_path), str(4 * MIB), "12"]
    if limit == "disk":
        command = on_a_small_disk(tmp_path, [sys.executable, "-c", WRITER, str(tmp_path), "", "12"])
    told = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()
    words = {"disk": "No space left on device", "file size": "File too large"}[limit]
    assert told[-2].startswith(f"PermanentStoreError folder {tmp_path}: write '{HOUR}a': {words}. ")
    assert told[-1] == "[]"
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_a_folder_that_may_not_be_written_is_refused_for_good(tmp_path: Path) -> None:
    (tmp_path / "IMOSDL").mkdir()
    refuse(tmp_path / "IMOSDL")
    command = bound(sys.executable, "-c", WRITER, tmp_path, "", "1")
    answer = subprocess.run(command, check=False, capture_output=True, text=True)
    (tmp_path / "IMOSDL").chmod(0o755)
    assert f"PermanentStoreError folder {tmp_path}: write '{HOUR}a': Permission denied" in answer.stdout


def test_a_folder_that_may_not_be_read_is_an_error_and_not_empty(tmp_path: Path) -> None:
    (tmp_path / HOUR).mkdir(parents=True)
    refuse(tmp_path / HOUR)
    listing = (
        "import sys; from metaplat.settings import Settings; "
        "from metaplat.stores.deliveries import open_deliveries; "
        f"open_deliveries(Settings(vip={{'target': sys.argv[1]}})).listing(['{HOUR}'])"
    )
    command = bound(sys.executable, "-c", listing, tmp_path)
    answer = subprocess.run(command, check=False, capture_output=True, text=True)
    (tmp_path / HOUR).chmod(0o755)
    assert "PermanentStoreError" in answer.stderr
    assert "Permission denied" in answer.stderr


def test_a_file_in_place_of_a_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "IMOSDL").write_text("in the way")
    with pytest.raises(PermanentStoreError, match="move it away"):
        asyncio.run(at(tmp_path).write(f"{HOUR}a", zeros(1), MIB))
    (tmp_path / "home").write_text("a file")
    with pytest.raises(PermanentStoreError):
        at(tmp_path / "home").listing([HOUR])


def test_a_folder_in_place_of_the_file_is_named_and_nothing_left(tmp_path: Path) -> None:
    (tmp_path / HOUR / "a").mkdir(parents=True)
    with pytest.raises(PermanentStoreError, match="folder has the name"):
        asyncio.run(at(tmp_path).write(f"{HOUR}a", zeros(1), MIB))
    assert [path.name for path in (tmp_path / HOUR).iterdir()] == ["a"]


def test_links_nested_folders_and_names_that_are_not_utf8_are_listed(tmp_path: Path) -> None:
    folder = tmp_path / HOUR
    (folder / "sub").mkdir(parents=True)
    (folder / "sub/b").write_bytes(b"12")
    (tmp_path / "elsewhere").write_bytes(b"123")
    (folder / "link").symlink_to(tmp_path / "elsewhere")
    (folder / "loop").symlink_to(folder)
    (folder / os.fsdecode(b"\xff.csv")).write_bytes(b"1")
    plain = "IMOSDL/Hourly/20220208/09/"
    asyncio.run(at(tmp_path).write(f"{plain}c", zeros(1), None))
    found = at(tmp_path).listing([HOUR, plain, "IMOSDL/Hourly/20220208/10/"])
    assert {(row["folder"], row["name"], row["size"]) for row in found.to_dicts()} == {
        (HOUR, "\\xff.csv", 1),
        (HOUR, "link", 3),
        (HOUR, "sub/b", 2),
        (plain, "c", MIB),
    }


def test_a_cancelled_write_leaves_no_temporary_file(tmp_path: Path) -> None:
    async def stalls() -> AsyncIterator[bytes]:
        yield bytes(4 * MIB)
        await asyncio.sleep(3600)

    async def give_up() -> None:
        writing = asyncio.create_task(at(tmp_path).write(f"{HOUR}a", stalls(), None))
        while not list((tmp_path / HOUR).glob(".*")):
            await asyncio.sleep(0.01)
        writing.cancel()
        await writing

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(give_up())
    assert list((tmp_path / HOUR).iterdir()) == []
