"""Any sequence of puts ends as a model of a few lines says, on every hot store."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from metaplat.model.errors import HotConflictError
from metaplat_tests.standins.hot_tables import (
    FAILED,
    JOB_FIELDS,
    JOBS,
    KEEP,
    RUNNING,
    SUCCESS,
    job,
    open_hot,
)

if TYPE_CHECKING:
    from metaplat.stores.hot import HotRow, HotStore

ROWS = st.builds(
    job,
    at=st.sampled_from([100, 200]),
    status=st.sampled_from([RUNNING, SUCCESS, FAILED]),
    job_id=st.sampled_from([None, "a", "b"]),
    rows=st.sampled_from([None, 1, 2]),
)
NOWS = st.sampled_from([0, 99 + KEEP, 100 + KEEP, 101 + KEEP, 200 + KEEP])
STEPS = st.lists(st.tuples(ROWS, NOWS), max_size=12)
FEW = settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
MANY = settings(FEW, max_examples=200)


class Model:
    """The table of the semantics of a put, in plain words."""

    def __init__(self) -> None:
        self.rows: dict[int, HotRow] = {}

    def put(self, row: HotRow, now: int) -> str:
        """Say what a put does, and do it."""
        said = self.outcome(row, now)
        if said in {"created", "updated"}:
            self.write(row)
        return said

    def put_settled(self, row: HotRow, now: int) -> str | None:
        """Say what a row of ``put_many`` does, and do it."""
        if row["execution_timestamp"] + KEEP <= now:
            return None
        said = self.outcome(row, now)
        if said in {"created", "updated", "conflict"}:
            self.write(row)
        return "updated" if said == "conflict" else said

    def write(self, row: HotRow) -> None:
        """Store a row without its nulls."""
        at = row["execution_timestamp"]
        self.rows[at] = {name: value for name, value in row.items() if value is not None} | {"ttl": at + KEEP}

    def outcome(self, row: HotRow, now: int) -> str:
        """Read the table of the semantics from top to bottom."""
        at = row["execution_timestamp"]
        if at + KEEP <= now:
            return "stale"  # not worth writing
        if at not in self.rows:
            return "created"  # an expired row would have the time, so the ttl, of this one
        stored = self.rows[at]
        if stored == {name: value for name, value in row.items() if value is not None} | {"ttl": at + KEEP}:
            return "unchanged"
        if "job_id" in stored and stored["job_id"] != row["job_id"]:
            return "conflict"
        if stored["status"] == RUNNING:
            return "updated"
        return "stale" if row["status"] == RUNNING else "conflict"

    def live(self, now: int) -> list[HotRow]:
        """Return what a query shows."""
        return [row for _, row in sorted(self.rows.items()) if row["ttl"] > now]


def check_puts(store: HotStore, steps: list[tuple[HotRow, int]]) -> None:
    model, name = Model(), uuid.uuid4().hex  # a job of its own: one table serves all examples
    for step, now in steps:
        row = step | {"job_name": name}
        expected = model.put(row, now)
        if expected == "conflict":
            with pytest.raises(HotConflictError) as caught:
                store.put(row, now)
            assert caught.value.stored == model.rows[row["execution_timestamp"]]
        else:
            assert store.put(row, now) == expected
        check_reads(store, model, name, now)


def check_many(store: HotStore, batches: list[tuple[list[HotRow], int]]) -> None:
    model, name = Model(), uuid.uuid4().hex
    for batch, now in batches:
        rows = [row | {"job_name": name} for row in batch]
        expected = [model.put_settled(row, now) for row in rows]
        counts = store.put_many(rows, now)
        assert {outcome: expected.count(outcome.value) for outcome in counts} == counts
        check_reads(store, model, name, now)


def check_reads(store: HotStore, model: Model, name: str, now: int) -> None:
    live = model.live(now)
    assert list(store.query(name, now).rows) == live
    assert [row for at in (100, 200) if (row := store.get(name, at, now))] == live


@pytest.fixture
def store(request: pytest.FixtureRequest, tmp_path: Any) -> HotStore:
    return open_hot(request, tmp_path, JOBS, JOB_FIELDS)


@pytest.mark.parametrize("store", ["sqlite"], indirect=True)
@MANY
@given(steps=STEPS)
def test_any_sequence_of_puts_ends_as_the_model_says(
    store: HotStore, steps: list[tuple[HotRow, int]]
) -> None:
    check_puts(store, steps)


@pytest.mark.parametrize("store", ["dynamodb"], indirect=True)
@FEW
@given(steps=STEPS)
def test_any_sequence_of_puts_ends_as_the_model_says_on_dynamodb(
    store: HotStore, steps: list[tuple[HotRow, int]]
) -> None:
    check_puts(store, steps)


BATCHES = st.lists(st.tuples(st.lists(ROWS, max_size=8), NOWS), max_size=4)


@pytest.mark.parametrize("store", ["sqlite"], indirect=True)
@MANY
@given(batches=BATCHES)
def test_any_sequence_of_batches_ends_as_the_model_says(
    store: HotStore, batches: list[tuple[list[HotRow], int]]
) -> None:
    check_many(store, batches)


@pytest.mark.parametrize("store", ["dynamodb"], indirect=True)
@FEW
@given(batches=BATCHES)
def test_any_sequence_of_batches_ends_as_the_model_says_on_dynamodb(
    store: HotStore, batches: list[tuple[list[HotRow], int]]
) -> None:
    check_many(store, batches)
