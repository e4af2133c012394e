"""What only a folder can go through: killed writers, links, strange names, wrong places."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from metaplat.model.errors import InvalidInputError, PermanentStoreError
from metaplat.stores.local_objects import LocalObjects
from metaplat.stores.local_writing import LEFTOVER_SECONDS

if TYPE_CHECKING:
    from pathlib import Path

WRITER = """
import sys; from pathlib import Path; from metaplat.stores.local_objects import LocalObjects
store = LocalObjects(Path(sys.argv[1])); print("ready", flush=True)
while True:
    for letter in (b"a", b"b"):
        store.put("k/x", letter * 4_000_000)
"""


def test_a_writer_killed_at_any_moment_leaves_a_whole_object(tmp_path: Path) -> None:
    store = LocalObjects(tmp_path)
    store.put("k/x", b"a" * 4_000_000)
    for turn in range(8):
        command = [sys.executable, "-c", WRITER, str(tmp_path)]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as writer:
            assert writer.stdout is not None
            writer.stdout.readline()
            time.sleep(0.003 * turn)
            writer.send_signal(signal.SIGKILL)
        assert [item.key for item in store.list_objects()] == ["k/x"]
        content = store.get("k/x")
        assert content in (b"a" * 4_000_000, b"b" * 4_000_000)
        assert store.list_objects()[0].size == 4_000_000


def test_old_leftovers_are_swept_by_a_later_put_and_fresh_ones_stay(tmp_path: Path) -> None:
    old, fresh = (tmp_path / "k" / f".{letter * 32}.tmp" for letter in "ab")
    (tmp_path / "k").mkdir()
    for path in (old, fresh):
        path.write_bytes(b"half")
    long_ago = time.time() - LEFTOVER_SECONDS - 60
    os.utime(old, (long_ago, long_ago))
    store = LocalObjects(tmp_path)
    assert store.list_objects() == []
    store.put("k/x", b"1")
    assert (old.exists(), fresh.exists()) == (False, True)


def test_the_etag_changes_when_the_file_time_does_not(tmp_path: Path) -> None:
    store = LocalObjects(tmp_path)
    first = store.put("x", b"1")
    future = time.time_ns() + 10**12  # a clock that was set back since
    os.utime(tmp_path / "x", ns=(future, future))
    before = store.info("x")
    after = store.put("x", b"2")
    assert before is not None
    assert after.etag not in {first.etag, before.etag}
    assert after.modified >= before.modified


def test_link_loops_are_listed_once_and_end(tmp_path: Path) -> None:
    store = LocalObjects(tmp_path / "root")
    store.put("a/x", b"1")
    store.put("b/y", b"2")
    (tmp_path / "root/a/up").symlink_to(tmp_path / "root")
    (tmp_path / "root/a/self").symlink_to(tmp_path / "root/a")
    (tmp_path / "root/a/nowhere").symlink_to(tmp_path / "missing")
    (tmp_path / "root/a/me").symlink_to("me")
    assert [item.key for item in store.list_objects()] == ["a/x", "b/y"]
    with pytest.raises(KeyError):
        store.get("a/me")


def test_linked_folders_and_files_are_part_of_the_store(tmp_path: Path) -> None:
    elsewhere = LocalObjects(tmp_path / "disk2")
    elsewhere.put("2025/x", b"1")
    store = LocalObjects(tmp_path / "root")
    store.put("a/y", b"2")
    (tmp_path / "root/b").symlink_to(tmp_path / "disk2")
    (tmp_path / "root/z").symlink_to(tmp_path / "disk2/2025/x")
    assert [(item.key, item.size) for item in store.list_objects()] == [("a/y", 1), ("b/2025/x", 1), ("z", 1)]
    assert store.get("b/2025/x") == b"1"


def test_names_that_are_no_text_or_not_portable_can_be_read(tmp_path: Path) -> None:
    for name in (b"\xff\xfe.json", b"back\\slash", b"new\nline"):
        (tmp_path / os.fsdecode(name)).write_bytes(name)
    store = LocalObjects(tmp_path)
    got = dict(store.get_many([item.key for item in store.list_objects()]))
    assert {os.fsencode(key): content for key, content in got.items()} == {
        name: name for name in (b"\xff\xfe.json", b"back\\slash", b"new\nline")
    }


@pytest.mark.parametrize("key", ["../x", "/etc/passwd", "a/../../x", "a\\b", "a\0b", ""])
def test_reading_never_leaves_the_root(tmp_path: Path, key: str) -> None:
    (tmp_path / "x").write_bytes(b"outside")
    store = LocalObjects(tmp_path / "root")
    with pytest.raises(InvalidInputError):
        store.get(key)


def test_a_home_that_cannot_be_written_is_one_line_that_names_it(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    store = LocalObjects(tmp_path / "file" / "landing")
    with pytest.raises(PermanentStoreError) as caught:
        store.put("a/b", b"")
    assert str(tmp_path / "file" / "landing") in str(caught.value)
    assert "\n" not in str(caught.value)
    with pytest.raises(PermanentStoreError, match="/proc/none"):
        LocalObjects(type(tmp_path)("/proc/none")).put("a", b"")


def test_a_file_in_place_of_the_root_is_not_an_empty_store(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(PermanentStoreError, match="list"):
        LocalObjects(tmp_path / "file").list_objects()


def test_an_object_cannot_take_the_name_of_a_folder(tmp_path: Path) -> None:
    store = LocalObjects(tmp_path)
    store.put("a/b", b"1")
    with pytest.raises(PermanentStoreError, match="'a'"):
        store.put("a", b"2")
    with pytest.raises(PermanentStoreError, match="'a/b/c'"):
        store.put("a/b/c", b"2")
    assert [item.key for item in store.list_objects()] == ["a/b"]
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["a", "b"]


def test_a_name_too_long_is_the_fault_of_the_key(tmp_path: Path) -> None:
    store = LocalObjects(tmp_path)
    with pytest.raises(InvalidInputError, match="too long"):
        store.put("x" * 300, b"")
    assert store.info("x" * 300) is None


def test_a_folder_that_was_removed_meanwhile_is_made_again(tmp_path: Path) -> None:
    store = LocalObjects(tmp_path / "home")
    store.put("a/b", b"1")
    (tmp_path / "home/a/b").unlink()
    (tmp_path / "home/a").rmdir()
    store.put("a/c", b"2")
    assert store.get("a/c") == b"2"
