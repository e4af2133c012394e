"""What a put does, on every hot store."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from metaplat.model.errors import HotConflictError
from metaplat.stores.hot import PutOutcome
from metaplat.stores.sqlite_hot import SqliteHot
from metaplat_tests.standins.hot_tables import (
    CLUSTER_FIELDS,
    CLUSTERS,
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
    keeping,
    open_hot,
    times,
)

if TYPE_CHECKING:
    from pathlib import Path

    from metaplat.stores.hot import HotRow, HotStore


@pytest.fixture(params=["sqlite", "dynamodb"])
def jobs(request: pytest.FixtureRequest, tmp_path: Path) -> HotStore:
    return open_hot(request, tmp_path, JOBS, JOB_FIELDS)


@pytest.fixture(params=["sqlite", "dynamodb"])
def clusters(request: pytest.FixtureRequest, tmp_path: Path) -> HotStore:
    return open_hot(request, tmp_path, CLUSTERS, CLUSTER_FIELDS)


@pytest.mark.parametrize(("stored", "incoming", "outcome"), [case[1:] for case in LAWFUL],
                         ids=[case[0] for case in LAWFUL])  # fmt: skip
def test_a_put_over_a_row(jobs: HotStore, stored: HotRow, incoming: HotRow, outcome: str) -> None:
    assert jobs.put(stored, NOW) is PutOutcome.CREATED
    assert jobs.put(incoming, NOW) == outcome
    kept = incoming if outcome == "updated" else stored
    found = jobs.get("load", 100, NOW)
    assert found is not None
    assert (found["status"], found.get("rows")) == (kept["status"], kept.get("rows"))


@pytest.mark.parametrize(("stored", "incoming"), [case[1:] for case in CONFLICTS],
                         ids=[case[0] for case in CONFLICTS])  # fmt: skip
def test_a_conflict_carries_both_contents_and_writes_nothing(
    jobs: HotStore, stored: HotRow, incoming: HotRow
) -> None:
    jobs.put(stored, NOW)
    before = jobs.get("load", 100, NOW)
    with pytest.raises(HotConflictError) as caught:
        jobs.put(incoming, NOW)
    assert caught.value.stored == before == jobs.get("load", 100, NOW)
    assert caught.value.incoming == {k: v for k, v in incoming.items() if v is not None} | {"ttl": 100 + KEEP}


@pytest.mark.parametrize("case", CONFLICTS, ids=[case[0] for case in CONFLICTS])
def test_an_expired_row_is_overwritten_by_anything(jobs: HotStore, case: tuple[str, HotRow, HotRow]) -> None:
    _, stored, incoming = case
    jobs.put(stored, NOW)
    later = keeping(jobs, 10 * KEEP)  # the same store, keeping longer: an expired row may live again
    assert later.put(incoming, 100 + KEEP) is PutOutcome.CREATED
    found = later.get("load", 100, 100 + KEEP)
    assert found is not None
    assert found["status"] == incoming["status"]


def test_without_a_status_any_other_content_is_a_conflict(clusters: HotStore) -> None:
    first = {"cluster_name": "prod", "timestamp": 100, "available_cpu": 12}
    assert clusters.put(first, NOW) is PutOutcome.CREATED
    assert clusters.put(first | {"available_cpu": 12.0}, NOW) is PutOutcome.UNCHANGED
    with pytest.raises(HotConflictError):
        clusters.put(first | {"available_cpu": 13}, NOW)
    assert clusters.put_many([first | {"available_cpu": 13}, first], NOW)[PutOutcome.UPDATED] == 2
    assert clusters.get("prod", 100, NOW) == first | {"available_cpu": 12.0, "ttl": 100 + KEEP}
    assert [row["timestamp"] for row in clusters.query("prod", NOW).rows] == [100]


def test_replace_writes_whatever_is_stored(jobs: HotStore) -> None:
    jobs.put(job(status=SUCCESS), NOW)
    jobs.replace(job(status=FAILED, job_id="b"))
    found = jobs.get("load", 100, NOW)
    assert found is not None
    assert (found["status"], found["job_id"]) == (FAILED, "b")
    assert times(jobs.query_status(SUCCESS, NOW)) == []


def test_a_row_is_gone_from_every_read_when_its_ttl_is_now(jobs: HotStore) -> None:
    jobs.put(job(), NOW)
    for now, seen in ((99 + KEEP, 1), (100 + KEEP, 0), (101 + KEEP, 0)):
        assert (jobs.get("load", 100, now) is not None) == bool(seen)
        assert len(jobs.query("load", now).rows) == seen
        assert len(jobs.query_status(RUNNING, now).rows) == seen


def test_a_row_past_its_ttl_is_not_written(jobs: HotStore) -> None:
    assert jobs.put(job(), 100 + KEEP) is PutOutcome.STALE
    assert sum(jobs.put_many([job()], 100 + KEEP).values()) == 0
    assert jobs.rebuild([job()], 100 + KEEP) == 0
    assert jobs.get("load", 100, 0) is None


def test_sweeping_removes_nothing_that_is_seen(jobs: HotStore) -> None:
    jobs.put_many([job(at=100), job(at=200)], NOW)
    assert jobs.sweep(100 + KEEP) == (1 if isinstance(jobs, SqliteHot) else 0)
    assert jobs.sweep(100 + KEEP) == 0
    assert times(jobs.query("load", 100 + KEEP)) == [200]
