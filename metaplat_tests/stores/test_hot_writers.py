"""Several writers at once, on every hot store: the end of a run always wins over its start."""

from __future__ import annotations

import multiprocessing
import random
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from metaplat_tests.standins.hot_tables import (
    JOB_FIELDS,
    JOBS,
    KEEP,
    NOW,
    RUNNING,
    SUCCESS,
    job,
    keeping,
    open_hot,
    sqlite_jobs,
)

if TYPE_CHECKING:
    from metaplat.stores.hot import HotStore

WRITERS, PROCESSES, RUNS = 8, 4, 5


def write_shuffled(store: HotStore, seed: int) -> list[str]:
    """Put starts, refreshed starts and ends of the same runs in an order of one's own, singly or together."""
    rows = [job(at=at, rows=rows) for at in range(RUNS) for rows in (None, 1, 2)]
    rows += [job(at=at, status=SUCCESS) for at in range(RUNS)]
    random.Random(seed).shuffle(rows)
    if seed % 2:
        store.put_many(rows, NOW)
        return []
    return [store.put(row, NOW).value for row in rows]


def write_to_file(path: str, seed: int) -> None:
    """Do the same in a process of its own."""
    write_shuffled(sqlite_jobs(Path(path)), seed)


@pytest.fixture(params=["sqlite", "dynamodb"])
def jobs(request: pytest.FixtureRequest, tmp_path: Path) -> HotStore:
    return open_hot(request, tmp_path, JOBS, JOB_FIELDS)


def check_all_ended(jobs: HotStore) -> None:
    assert [row["status"] for row in jobs.query("load", NOW).rows] == [SUCCESS] * RUNS
    assert list(jobs.query_status(RUNNING, NOW).rows) == []


@pytest.mark.parametrize("shared", [True, False], ids=["one store", "a store each"])
def test_threads_that_write_the_same_runs_leave_all_of_them_ended(jobs: HotStore, shared: bool) -> None:
    stores = [jobs if shared else keeping(jobs, KEEP) for _ in range(WRITERS)]
    with ThreadPoolExecutor(WRITERS) as pool:
        created = [said.count("created") for said in pool.map(write_shuffled, stores, range(WRITERS))]
    check_all_ended(jobs)
    assert sum(created) <= RUNS, "a row is created once"


def test_processes_that_write_the_same_runs_leave_all_of_them_ended(tmp_path: Path) -> None:
    path = tmp_path / "new" / "hot.sqlite"
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=write_to_file, args=(str(path), seed)) for seed in range(PROCESSES)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(600)
    assert [writer.exitcode for writer in writers] == [0] * PROCESSES
    check_all_ended(sqlite_jobs(path))
