"""The hot store in a SQLite file: files that are missing, damaged, locked or not ours."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

import pytest

from metaplat.model.errors import PermanentStoreError, TransientStoreError
from metaplat.stores import sqlite_file
from metaplat.stores.hot import PutOutcome
from metaplat.stores.sqlite_hot import SqliteHot
from metaplat_tests.standins.hot_tables import (
    CLUSTER_FIELDS,
    CLUSTERS,
    JOB_FIELDS,
    JOBS,
    KEEP,
    NOW,
    job,
    sqlite_jobs,
)

if TYPE_CHECKING:
    from pathlib import Path


def test_making_a_store_touches_nothing(tmp_path: Path) -> None:
    sqlite_jobs(tmp_path / "deep" / "hot.sqlite")
    assert list(tmp_path.iterdir()) == []


def test_the_folder_is_made_on_first_use(tmp_path: Path) -> None:
    jobs = sqlite_jobs(tmp_path / "deep" / "er" / "hot.sqlite")
    assert jobs.get("load", 100, NOW) is None
    assert jobs.put(job(), NOW) is PutOutcome.CREATED


def test_several_tables_share_one_file(tmp_path: Path) -> None:
    path = tmp_path / "hot.sqlite"
    clusters = SqliteHot(path, CLUSTERS, KEEP, CLUSTER_FIELDS)
    clusters.put({"cluster_name": "load", "timestamp": 100}, NOW)
    jobs = sqlite_jobs(path)
    jobs.put(job(), NOW)
    assert jobs.delete_subject("load") == 1
    assert clusters.get("load", 100, NOW) is not None


@pytest.mark.parametrize("name", ['x"; DROP TABLE y; --', "select", "a b", "é", "sqlite_x"])
def test_a_table_may_have_any_name(tmp_path: Path, name: str) -> None:
    table = type(JOBS)(name, "job_name", "execution_timestamp", ("rows",), "status", "job_id")
    store = SqliteHot(tmp_path / "hot.sqlite", table, KEEP, JOB_FIELDS)
    store.put(job(), NOW)
    assert len(store.query_status("RUNNING", NOW).rows) == 1


@pytest.mark.parametrize(
    "content", [b"no database, but long enough" * 200, b"SQLite format 3\0" + b"\xff" * 5000]
)
def test_a_damaged_file_is_an_error_that_says_how_to_go_on(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "hot.sqlite"
    path.write_bytes(content)
    with pytest.raises(
        PermanentStoreError, match=r"hot\.sqlite: get a row .* delete .* rebuild it"
    ) as caught:
        sqlite_jobs(path).get("load", 100, NOW)
    assert "\n" not in str(caught.value)


def test_a_page_damaged_later_is_the_same_error(tmp_path: Path) -> None:
    path = tmp_path / "hot.sqlite"
    jobs = sqlite_jobs(path)
    jobs.put_many([job(at=at, tables=["x" * 500]) for at in range(100)], NOW)
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    damaged = bytearray(path.read_bytes())
    damaged[4096:] = b"\xaa" * (len(damaged) - 4096)
    path.write_bytes(damaged)
    with pytest.raises(PermanentStoreError, match="delete"):
        sqlite_jobs(path).query("load", NOW)


def test_a_table_of_another_form_is_the_same_error(tmp_path: Path) -> None:
    path = tmp_path / "hot.sqlite"
    with sqlite3.connect(path) as connection:
        connection.execute('CREATE TABLE "hot_job-executions" (pk, sk, status)')
    connection.close()
    with pytest.raises(PermanentStoreError, match="delete"):
        sqlite_jobs(path).put(job(), NOW)


def test_a_file_that_was_deleted_is_made_anew_by_a_store_that_had_it_open(tmp_path: Path) -> None:
    path = tmp_path / "hot.sqlite"
    first, second = sqlite_jobs(path), sqlite_jobs(path)
    first.put(job(), NOW)
    assert second.get("load", 100, NOW) is not None
    for file in tmp_path.iterdir():
        file.unlink()
    assert first.put(job(), NOW) is PutOutcome.CREATED
    assert second.put(job(), NOW) is PutOutcome.UNCHANGED


def test_a_home_that_cannot_be_written_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("a file, no folder")
    (tmp_path / "folder" / "hot.sqlite").mkdir(parents=True)
    for path in (tmp_path / "home" / "hot.sqlite", tmp_path / "folder" / "hot.sqlite"):
        with pytest.raises(PermanentStoreError, match="METAPLAT_HOME") as caught:
            sqlite_jobs(path).put(job(), NOW)
        assert str(path) in str(caught.value)
        assert "\n" not in str(caught.value)


def test_a_writer_that_waited_too_long_may_try_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite_file, "BUSY_SECONDS", 0.1)
    path = tmp_path / "hot.sqlite"
    jobs = sqlite_jobs(path)
    jobs.put(job(), NOW)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(TransientStoreError, match="another process has been writing"):
        jobs.put(job(at=200), NOW)
    assert jobs.get("load", 100, NOW) is not None, "readers do not wait"
    other.execute("ROLLBACK")
    other.close()
    assert jobs.put(job(at=200), NOW) is PutOutcome.CREATED


def test_the_declaration_must_fit(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"undeclared columns \['rows'\]"):
        SqliteHot(tmp_path / "x", JOBS, KEEP, [field for field in JOB_FIELDS if field.name != "rows"])
    swapped = type(JOBS)("x", "execution_timestamp", "job_name", ())
    with pytest.raises(ValueError, match="execution_timestamp must be declared str"):
        SqliteHot(tmp_path / "x", swapped, KEEP, JOB_FIELDS)
