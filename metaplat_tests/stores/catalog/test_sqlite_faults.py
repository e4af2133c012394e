"""The catalog in a SQLite file that is missing, damaged, unwritable, or whose writer dies in the middle."""

from __future__ import annotations

import os
import pickle
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING

import pytest

from metaplat.model.errors import InvalidInputError, PermanentStoreError, TransientStoreError
from metaplat.model.filters import EVERYTHING
from metaplat.stores import sqlite_file
from metaplat.stores.catalog.index import FACET_COLUMNS, Change, Query
from metaplat.stores.catalog.sqlite_index import SqliteIndex
from metaplat_tests.stores.catalog.catalog_rows import NOW, edge, event, identity, observation, put

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

WRITE_FOR_EVER = """
import sys
from pathlib import Path
from metaplat.stores.catalog.index import Change
from metaplat.stores.catalog.sqlite_index import SqliteIndex
from metaplat_tests.stores.catalog.catalog_rows import NOW, edge, event, observation

index = SqliteIndex(Path(sys.argv[1]))
for turn in range(10**6):
    rows = [observation(number, version=str(turn), file_size=turn) for number in range(300)]
    edges = [edge(turn, turn + 1)]
    index.apply(Change(rows, relationships=edges, events=[event(str(turn))]), NOW)
    if not turn:
        print("begun", flush=True)
"""
FILL_A_LITTLE_DISK = """
import resource, sys
from pathlib import Path
from metaplat.model.errors import PermanentStoreError
from metaplat.model.filters import EVERYTHING
from metaplat.stores.catalog.sqlite_index import SqliteIndex
from metaplat_tests.stores.catalog.catalog_rows import observation, put

index = SqliteIndex(Path(sys.argv[1]))
put(index, observation(0))
soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (2_000_000, hard))
try:
    put(index, *(observation(number, mission_specific="x" * 5000) for number in range(5000)))
except PermanentStoreError as error:
    print(error)
print(index.count(EVERYTHING), len(index.get([observation(0)["dataset_id"]])))
resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
put(index, *(observation(number) for number in range(5000)))
print(index.count(EVERYTHING), index.totals(EVERYTHING)[0])
"""


@pytest.fixture
def index(tmp_path: Path) -> Iterator[SqliteIndex]:
    """Lend an empty catalog."""
    index = SqliteIndex(tmp_path / "deep" / "catalog.sqlite")
    yield index
    index.close()


def test_making_a_catalog_touches_nothing(tmp_path: Path) -> None:
    index = SqliteIndex(tmp_path / "deep" / "catalog.sqlite")
    assert list(tmp_path.iterdir()) == []
    assert index.address.endswith("catalog.sqlite")
    assert index.last_seq() == 0
    index.close()


@pytest.mark.parametrize("rounds", range(3))
def test_a_writer_that_is_killed_leaves_whole_changes_only(tmp_path: Path, rounds: int) -> None:
    path = tmp_path / "catalog.sqlite"
    with subprocess.Popen(
        [sys.executable, "-c", WRITE_FOR_EVER, str(path)], stdout=subprocess.PIPE, text=True
    ) as writer:
        assert writer.stdout is not None
        assert writer.stdout.readline() == "begun\n"
        time.sleep(0.05 * rounds)
        writer.send_signal(signal.SIGKILL)
    index = SqliteIndex(path)
    rows = index.search(Query(limit=1000))
    turn = int(rows[0]["version"])
    assert {row["version"] for row in rows} == {str(turn)}
    assert {row["revision"] for row in rows} == {turn + 1}
    assert index.totals(EVERYTHING) == (300, 300 * turn)
    assert len(index.events("r")) == turn + 1
    assert index.last_seq() == 302 * (turn + 1)
    assert len(index.revisions(identity(0))) == turn + 1
    assert put(index, observation(0, version="after")) == ["updated"]
    index.close()


def test_a_disk_that_fills_up_loses_the_change_that_did_not_fit_and_nothing_else(tmp_path: Path) -> None:
    answer = subprocess.run(
        [sys.executable, "-c", FILL_A_LITTLE_DISK, str(tmp_path / "catalog.sqlite")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert answer.stderr == ""
    refused, before, after = answer.stdout.splitlines()
    assert "write to the catalog" in refused
    assert (before, after) == ("1 1", "5000 5000")


@pytest.mark.parametrize(
    "content", [b"no database, but long enough" * 200, b"SQLite format 3\0" + b"\xff" * 5000]
)
def test_a_damaged_file_is_an_error_that_says_how_to_go_on(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "catalog.sqlite"
    path.write_bytes(content)
    index = SqliteIndex(path)
    for ask in (lambda: index.count(EVERYTHING), lambda: put(index, observation())):
        with pytest.raises(PermanentStoreError, match=r"catalog\.sqlite.*Restore it from a backup"):
            ask()
    assert path.read_bytes() == content


def test_a_file_that_cannot_be_written_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    index = SqliteIndex(tmp_path / "file" / "catalog.sqlite")
    with pytest.raises(PermanentStoreError, match="Make the folder writable") as raised:
        put(index, observation())
    assert "\n" not in str(raised.value)


def test_a_folder_in_place_of_the_file_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "catalog.sqlite").mkdir()
    with pytest.raises(PermanentStoreError, match="unable to open"):
        SqliteIndex(tmp_path / "catalog.sqlite").last_seq()


def test_a_file_that_was_deleted_is_made_anew(index: SqliteIndex) -> None:
    put(index, observation())
    for path in (index._path, index._path.with_name("catalog.sqlite-wal")):
        path.unlink(missing_ok=True)
    assert index.count(EVERYTHING) == 0
    assert put(index, observation()) == ["inserted"]


def test_a_closed_catalog_opens_again(index: SqliteIndex) -> None:
    put(index, observation())
    index.close()
    assert index.count(EVERYTHING) == 1
    index.close()
    assert put(index, observation(1)) == ["inserted"]


def test_a_catalog_may_be_sent_to_another_process(index: SqliteIndex) -> None:
    put(index, observation())
    copy = pickle.loads(pickle.dumps(index))
    assert copy.count(EVERYTHING) == 1
    copy.close()


def test_a_forked_child_opens_connections_of_its_own(index: SqliteIndex) -> None:
    put(index, observation(0))
    index.count(EVERYTHING)
    child = os.fork()
    if not child:
        try:
            done = put(index, observation(1)) == ["inserted"] and index.count(EVERYTHING) == 2
        finally:
            os._exit(0 if done else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert index.count(EVERYTHING) == 2
    assert put(index, observation(2)) == ["inserted"]


def test_a_writer_that_waited_too_long_may_try_again(
    index: SqliteIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_file, "BUSY_SECONDS", 0.05)
    put(index, observation(0))
    other = sqlite3.connect(index._path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(TransientStoreError, match="another process has been writing"):
        put(index, observation(1))
    assert index.count(EVERYTHING) == 1, "readers do not wait for writers"
    other.close()
    assert put(index, observation(1)) == ["inserted"]


def test_more_threads_than_connections_that_are_kept_may_read_at_once(index: SqliteIndex) -> None:
    put(index, *(observation(number) for number in range(20)))
    together, found = threading.Barrier(12), []

    def read() -> None:
        blocks = index.scan(EVERYTHING)
        together.wait()
        found.append((sum(map(len, blocks)), len(index.facets(EVERYTHING, FACET_COLUMNS)["mission_id"])))

    threads = [threading.Thread(target=read) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [(20, 1)] * 12


BAD = [
    {"file_size": "many"},
    {"file_size": 2**63},
    {"file_path": None},
    {"target_object": "\ud800"},
    {"mission_specific": {"a": 1}},
    {"observation_timestamp": NOW.replace(tzinfo=None)},
]


@pytest.mark.parametrize("wrong", BAD, ids=["text", "too big", "null", "surrogate", "object", "no zone"])
def test_a_value_that_does_not_fit_is_refused_and_nothing_is_written(
    index: SqliteIndex, wrong: dict[str, object]
) -> None:
    put(index, observation(0))
    change = Change(
        [observation(1), observation(2, **wrong)], relationships=[edge(0, 1)], events=[event("e")]
    )
    with pytest.raises(InvalidInputError):
        index.apply(change, NOW)
    assert (index.count(EVERYTHING, absent=True), index.last_seq()) == (1, 1)
    assert index.edges([identity(0)], "children") == []


def test_a_row_without_a_column_is_refused(index: SqliteIndex) -> None:
    row = observation()
    del row["file_format"]
    with pytest.raises(InvalidInputError, match="file_format"):
        put(index, row)
