"""Queries and pages, on every hot store."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from metaplat.model.errors import UsageError
from metaplat_tests.standins.hot_tables import (
    CLUSTER_FIELDS,
    CLUSTERS,
    JOB_FIELDS,
    JOBS,
    KEEP,
    NOW,
    RUNNING,
    job,
    keeping,
    open_hot,
    times,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from metaplat.stores.hot import HotPage, HotStore


@pytest.fixture(params=["sqlite", "dynamodb"])
def jobs(request: pytest.FixtureRequest, tmp_path: Path) -> HotStore:
    return open_hot(request, tmp_path, JOBS, JOB_FIELDS)


@pytest.fixture(params=["sqlite", "dynamodb"])
def clusters(request: pytest.FixtureRequest, tmp_path: Path) -> HotStore:
    return open_hot(request, tmp_path, CLUSTERS, CLUSTER_FIELDS)


def pages(jobs: HotStore, now: int, limit: int, **bounds: Any) -> list[list[int]]:
    """Follow the tokens of both queries to the end; they must agree, since all rows are of one job."""
    by_job = followed(partial(jobs.query, "load", now, limit=limit, **bounds))
    by_status = followed(partial(jobs.query_status, RUNNING, now, limit=limit, **bounds))
    assert [page.rows for page in by_job] == [page.rows for page in by_status]
    return [times(page) for page in by_job]


def followed(ask: Callable[..., HotPage]) -> list[HotPage]:
    found = [ask()]
    while found[-1].after is not None:
        found.append(ask(after=found[-1].after))
    return found


def test_pages_are_full_although_expired_rows_come_first(jobs: HotStore) -> None:
    jobs.put_many([job(at=at) for at in range(10)], 0)
    now = 4 + KEEP  # rows 0 to 4 are expired
    assert pages(jobs, now, 3) == [[5, 6, 7], [8, 9]]
    assert pages(jobs, now, 5) == [[5, 6, 7, 8, 9]]
    assert pages(jobs, now, 1, descending=True) == [[9], [8], [7], [6], [5]]
    assert pages(jobs, 9 + KEEP, 3) == [[]]


def test_pages_are_full_although_expired_rows_lie_in_between(jobs: HotStore) -> None:
    jobs.rebuild([job(at=at) for at in (0, 3, 6, 9)], 0)
    keeping(jobs, KEEP // 2).rebuild([job(at=at) for at in (1, 2, 4, 5, 7, 8)], 0)
    assert pages(jobs, KEEP - 10, 2) == [[0, 3], [6, 9]]
    assert pages(jobs, KEEP - 10, 2, descending=True) == [[9, 6], [3, 0]]
    assert pages(jobs, KEEP - 10, 3, low=1, high=8) == [[3, 6]]


def test_bounds_are_inclusive_and_may_be_anything(jobs: HotStore) -> None:
    jobs.put_many([job(at=at) for at in (-5, 0, 5)], 0)
    assert pages(jobs, 10, 9, low=-5, high=0) == [[-5, 0]]
    assert pages(jobs, 10, 9, low=0) == [[0, 5]]
    assert pages(jobs, 10, 9, high=-1) == [[-5]]
    assert pages(jobs, 10, 9, low=6, high=1) == [[]]
    assert pages(jobs, 10, 9, low=-(10**30), high=10**30) == [[-5, 0, 5]]
    assert pages(jobs, 10, 9, low=10**30) == [[]]
    assert pages(jobs, 10, 10**30) == [[-5, 0, 5]]


@pytest.mark.parametrize("descending", [False, True])
def test_rows_with_one_time_are_each_given_once(jobs: HotStore, descending: bool) -> None:
    names = {f"job-{number}" for number in range(9)}
    jobs.put_many([job(name, at) for name in names for at in (100, 200)], NOW)
    pages_found = followed(partial(jobs.query_status, RUNNING, NOW, limit=4, descending=descending))
    assert [len(page.rows) for page in pages_found] == [4, 4, 4, 4, 2]
    found = [(row["job_name"], row["execution_timestamp"]) for page in pages_found for row in page.rows]
    assert len(found) == len(set(found)) == 18
    halves = [{name for name, at in found[:9]}, {name for name, at in found[9:]}]
    assert halves == [names, names]
    assert [at for _, at in found] == sorted((at for _, at in found), reverse=descending)


def test_what_does_not_exist_is_empty(jobs: HotStore) -> None:
    jobs.put(job(), NOW)
    for name in ("other", "", "x" * 3000, "\ud800"):
        assert jobs.get(name, 100, NOW) is None
        assert list(jobs.query(name, NOW).rows) == []
        assert list(jobs.query_status(name, NOW).rows) == []
        assert jobs.delete_subject(name) == 0
    assert jobs.get("load", 10**30, NOW) is None


def test_a_token_works_in_its_own_query_only(jobs: HotStore) -> None:
    jobs.put_many([job(name, at) for name in ("a", "b") for at in (1, 2, 3)], 0)
    token = jobs.query("a", 0, limit=1).after
    assert token is not None
    assert times(jobs.query("a", 0, limit=1, after=token)) == [2]
    assert times(jobs.query("a", 0, after=token, descending=True)) == []
    changed = [token[:at] + ("A" if token[at] != "A" else "B") + token[at + 1 :] for at in range(len(token))]
    for wrong in (*changed, "", "x", "é", "null", token[:-4], token + "AAAA", token + "=", " " + token):
        with pytest.raises(UsageError, match="token"):
            jobs.query("a", 0, after=wrong)
    with pytest.raises(UsageError, match="token"):
        jobs.query("b", 0, after=token)
    with pytest.raises(UsageError, match="token"):
        jobs.query("a", 0, low=2, after=token)
    with pytest.raises(UsageError, match="token"):
        jobs.query_status(RUNNING, 0, after=token)


@pytest.mark.parametrize("limit", [0, -1])
def test_a_page_has_at_least_one_row(jobs: HotStore, limit: int) -> None:
    with pytest.raises(UsageError, match="limit"):
        jobs.query("load", NOW, limit=limit)


def test_a_table_without_status_cannot_be_asked_for_one(clusters: HotStore) -> None:
    with pytest.raises(UsageError, match="cluster-state has no status"):
        clusters.query_status(RUNNING, NOW)
