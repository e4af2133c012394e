"""Objects with arbitrary parts removed or replaced: a record or a warning, never a traceback."""

from __future__ import annotations

import copy
import json
import math
import tempfile
from datetime import datetime
from pathlib import Path
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from metaplat_tests.standins.kubernetes_collection import Collected, from_files, save
from metaplat_tests.standins.kubernetes_objects import (
    at,
    condition,
    container,
    ended,
    event,
    failed,
    job,
    pod,
)

VALUES: st.SearchStrategy[Any] = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.just(math.nan),
    st.text(max_size=5),
    st.sampled_from(
        [[], {}, [None], [[]], "", "True", "Failed", at("01:00"), "0001-01-01T00:00:00+14:00", "\ud800"]
    ),
)
Mutilation = tuple[int, bool, Any]


def failed_job() -> dict[str, Any]:
    """Return a Job with every member that is read."""
    owners = [{"apiVersion": "batch/v1", "kind": "CronJob", "name": "cron", "uid": "uid-cron"}]
    conditions = [condition("FailureTarget"), failed(clock=None)]
    return job("load", *conditions, owners=owners, labels={"pipeline": "x"}, status={"failed": 2})


def pods() -> list[dict[str, Any]]:
    """Return Pods in which much is wrong."""
    return [
        pod("a", container(ended("Error", 1)), init=[container(ended("OOMKilled", 137))]),
        pod("b", phase="Pending", status={"conditions": [condition("DisruptionTarget", reason="X")]}),
    ]


def places(owner: Any) -> list[tuple[Any, Any]]:
    """Return every (container, key) below ``owner``."""
    if isinstance(owner, dict):
        found: list[tuple[Any, Any]] = [(owner, key) for key in owner]
    elif isinstance(owner, list):
        found = [(owner, place) for place in range(len(owner))]
    else:
        return []
    return found + [deeper for parent, key in found for deeper in places(parent[key])]


def mutilate(thing: dict[str, Any], mutilations: list[Mutilation]) -> dict[str, Any]:
    """Return a copy in which some members are gone or something else."""
    changed = copy.deepcopy(thing)
    for number, is_removed, value in mutilations:
        found = places(changed)
        if not found:
            break
        parent, key = found[number % len(found)]
        if is_removed:
            del parent[key]
        else:
            parent[key] = copy.deepcopy(value)
    return changed


def mutilations() -> st.SearchStrategy[list[Mutilation]]:
    """Up to four removals or replacements."""
    return st.lists(st.tuples(st.integers(0, 200), st.booleans(), VALUES), min_size=1, max_size=4)


def collected(jobs: list[Any], its_pods: list[Any], events: list[Any]) -> Collected:
    """Collect through files, as a user would."""
    with tempfile.TemporaryDirectory() as folder:
        return from_files(
            save(Path(folder), jobs=jobs, pods=its_pods, events=events), job_name_labels=["pipeline"]
        )


def judge(record: Any) -> None:
    """Assert what holds of every record, however bad its source."""
    json.dumps(record, ensure_ascii=False, allow_nan=False).encode("utf-8")
    assert record["job_name"]
    assert record["status"] in {"SUCCESS", "FAILED", "RUNNING"}
    assert datetime.fromisoformat(record["execution_date"]).tzinfo is not None
    assert record["duration_minutes"] is None or record["duration_minutes"] >= 0
    if record["status"] != "FAILED":
        assert (record["failure_reason"], record["error_details"]) == (None, None)
    if record["status"] == "RUNNING":
        assert (record["duration_minutes"], record["end_date"]) == (None, None)


@settings(max_examples=300, deadline=None)
@given(mutilations())
@example([(0, False, [])])
def test_a_mutilated_job_gives_a_record_or_a_warning_and_the_good_one_stays(
    changes: list[Mutilation],
) -> None:
    found = collected([mutilate(failed_job(), changes), job("good")], pods(), [])
    assert found["good"]["status"] == "RUNNING"
    if len(found.records) == 1:
        assert [line for line in found.warnings if line.startswith("Job ")]
    for record in found.records:
        judge(record)


@settings(max_examples=300, deadline=None)
@given(st.lists(mutilations(), min_size=3, max_size=3))
def test_mutilated_pods_and_events_cost_at_most_themselves(changes: list[list[Mutilation]]) -> None:
    bad_pods = [mutilate(one, change) for one, change in zip(pods(), changes, strict=False)]
    bad_event = mutilate(
        event("FailedMount", "b", "timed out", series={"lastObservedTime": at("02:06")}), changes[2]
    )
    record = collected([failed_job()], bad_pods, [bad_event]).only
    judge(record)
    assert record["status"] == "FAILED"
    assert record["attempts"] in (None, 1, 2)
