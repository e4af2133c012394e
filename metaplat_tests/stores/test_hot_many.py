"""Many rows at once, on every hot store: put, rebuilt, deleted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from metaplat.model.errors import InvalidInputError
from metaplat.stores.hot import PutOutcome
from metaplat_tests.standins.hot_tables import (
    CONFLICTS,
    FAILED,
    JOB_FIELDS,
    JOBS,
    KEEP,
    LAWFUL,
    NOW,
    RUNNING,
    SUCCESS,
    job,
    open_hot,
    times,
)

if TYPE_CHECKING:
    from pathlib import Path

    from metaplat.stores.hot import HotRow, HotStore


@pytest.fixture(params=["sqlite", "dynamodb"])
def jobs(request: pytest.FixtureRequest, tmp_path: Path) -> HotStore:
    return open_hot(request, tmp_path, JOBS, JOB_FIELDS)


def test_put_many_counts_what_it_did(jobs: HotStore) -> None:
    jobs.put_many([job(at=1), job(at=2), job(at=3, status=SUCCESS), job(at=4, status=SUCCESS)], NOW)
    counts = jobs.put_many(
        [
            job(at=0),  # created
            job(at=1),  # unchanged
            job(at=2, status=FAILED),  # updated
            job(at=3),  # stale
            job(at=4, status=FAILED),  # a conflict, which the lake has decided
            job(at=NOW - KEEP),  # past its ttl
        ],
        NOW,
    )
    assert counts == {"created": 1, "unchanged": 1, "updated": 2, "stale": 1}
    found = {row["execution_timestamp"]: row["status"] for row in jobs.query("load", NOW).rows}
    assert found == {0: RUNNING, 1: RUNNING, 2: FAILED, 3: SUCCESS, 4: FAILED}


@pytest.mark.parametrize("case", [*CONFLICTS, *[case[:3] for case in LAWFUL]], ids=lambda case: case[0])
def test_put_many_keeps_the_incoming_row_unless_it_is_stale(
    jobs: HotStore, case: tuple[str, HotRow, HotRow]
) -> None:
    name, stored, incoming = case
    jobs.put(stored, NOW)
    counts = jobs.put_many([incoming], NOW)
    found = jobs.get("load", 100, NOW)
    assert found is not None
    assert sum(counts.values()) == 1
    if "late start" in name and "without id" not in name.removesuffix("of a run without id"):
        assert (counts[PutOutcome.STALE], found["status"]) == (1, stored["status"])
    else:
        for column in ("status", "job_id", "rows", "memory_gb"):
            assert found.get(column) == incoming.get(column)


def test_put_many_takes_the_rows_of_one_key_in_order(jobs: HotStore) -> None:
    rows = [job(), job(status=SUCCESS), job(), job(status=FAILED), job(status=FAILED)]
    assert jobs.put_many(iter(rows), NOW) == {"created": 1, "updated": 2, "stale": 1, "unchanged": 1}
    assert [row["status"] for row in jobs.query("load", NOW).rows] == [FAILED]


def test_put_many_of_nothing_is_nothing(jobs: HotStore) -> None:
    assert sum(jobs.put_many([], NOW).values()) == 0
    assert jobs.rebuild([], NOW) == 0


@pytest.mark.parametrize("write", ["put_many", "rebuild"])
def test_a_row_that_cannot_be_stored_does_not_hinder_the_others(jobs: HotStore, write: str) -> None:
    rows = [job(at=1), *[job(at=2, memory_gb=float("nan"))] * 5, job(at=3)]
    with pytest.raises(
        InvalidInputError, match="5 rows were left out of the hot store, the others are written"
    ):
        getattr(jobs, write)(rows, NOW)
    assert times(jobs.query("load", NOW)) == [1, 3]


def test_a_lost_store_is_rebuilt_with_the_same_rows(jobs: HotStore) -> None:
    """The disaster-recovery test: the rows come from the lake again, repeated and in another order."""
    rows = [job(f"job-{at % 7}", at, status=(RUNNING, SUCCESS, FAILED)[at % 3], rows=at) for at in range(130)]
    jobs.put_many(rows, NOW)
    before = snapshot(jobs)
    for number in range(7):
        assert jobs.delete_subject(f"job-{number}") in (18, 19)
    assert snapshot(jobs) == []
    expired = job("job-0", at=NOW - KEEP)
    assert jobs.rebuild([*reversed(rows), *rows, expired], NOW) == 130
    assert snapshot(jobs) == before
    assert jobs.rebuild(rows, NOW) == 130
    assert snapshot(jobs) == before


def snapshot(jobs: HotStore) -> list[HotRow]:
    found: list[HotRow] = []
    for number in range(7):
        found += jobs.query(f"job-{number}", NOW, limit=1000).rows
    listed = [
        row
        for status in (RUNNING, SUCCESS, FAILED)
        for row in jobs.query_status(status, NOW, limit=1000).rows
    ]
    assert sorted(map(str, found)) == sorted(map(str, listed))
    return found


def test_rebuilding_overwrites_and_the_last_row_of_a_key_wins(jobs: HotStore) -> None:
    jobs.put(job(status=SUCCESS), NOW)
    assert jobs.rebuild([job(status=FAILED), job(rows=7)], NOW) == 1
    found = jobs.get("load", 100, NOW)
    assert found is not None
    assert (found["status"], found["rows"]) == (RUNNING, 7)


def test_deleting_a_subject_removes_expired_rows_too_and_nobody_elses(jobs: HotStore) -> None:
    jobs.put_many([job(at=at) for at in range(60)] + [job("other")], NOW)
    now = 30 + KEEP
    assert len(jobs.query("load", now).rows) == 29
    assert jobs.delete_subject("load") == 60
    assert jobs.delete_subject("load") == 0
    assert jobs.get("load", 0, 0) is None
    assert [row["job_name"] for row in jobs.query_status(RUNNING, NOW).rows] == ["other"]
