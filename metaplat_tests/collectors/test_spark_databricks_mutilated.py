"""Runs and clusters of Databricks in which members are of any type."""

from __future__ import annotations

import copy
from contextlib import suppress
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from metaplat.collectors.spark.attempt import RUNNING
from metaplat.collectors.spark.databricks.clusters import read_cluster
from metaplat.collectors.spark.databricks.records import run_record
from metaplat.collectors.spark.databricks.runs import read_run
from metaplat.model.errors import InvalidInputError
from metaplat_tests.standins.databricks_runs import cluster, run, task

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=5,
)


def places(item: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the path of every member."""
    members = item.items() if isinstance(item, dict) else enumerate(item) if isinstance(item, list) else ()
    return [found for key, value in members for found in [(*path, key), *places(value, (*path, key))]]


def mutilated(item: dict[str, Any], path: tuple[Any, ...], value: Any) -> dict[str, Any]:
    changed = copy.deepcopy(item)
    owner: Any = changed
    for key in path[:-1]:
        owner = owner[key]
    owner[path[-1]] = value
    return changed


RUN = run(
    1, task("a", "c-1", "111", new_cluster={"node_type_id": "x"}), task("b", "c-2", "222"), cluster_spec={}
)
CLUSTER = cluster("111", cluster_log_conf={"s3": {"destination": "s3://logs"}})


@given(st.sampled_from(places(RUN)), ANYTHING)
def test_a_run_is_read_or_rejected_whatever_a_member_is(path: tuple[Any, ...], value: Any) -> None:
    with suppress(InvalidInputError):
        found = read_run(mutilated(RUN, path, value))
        for parts in found.contexts.values():
            record = run_record(found, parts, None, None).record()
            assert record["run_id"] == found.run_id
            assert record["status"] != RUNNING or record["end_time"] is None
            assert record["duration_ms"] is None or record["duration_ms"] >= 0


@given(st.sampled_from(places(CLUSTER)), ANYTHING)
def test_a_cluster_is_read_or_refused_whatever_a_member_is(path: tuple[Any, ...], value: Any) -> None:
    with suppress(InvalidInputError):
        found = read_cluster(mutilated(CLUSTER, path, value))
        assert all(isinstance(each, str) for each in found.facts.values())


@given(ANYTHING)
def test_what_is_no_run_is_rejected(item: Any) -> None:
    with suppress(InvalidInputError):
        assert read_run(item).run_id
