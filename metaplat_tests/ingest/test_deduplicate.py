"""Which of several rows with one key stays, and what is said of the others."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metaplat.ingest.deduplicate import Deduplicated, deduplicate
from metaplat_tests.ingest.small_domain import RUNS, domain

COUNTS = ("repeated", "superseded", "stale", "conflicts")


def row(status: str, job_id: str | None = "j1", source: str = "o", **changes: Any) -> dict[str, Any]:
    blank = dict.fromkeys(column.name for column in RUNS.columns)
    known = {"job_name": "a", "execution_timestamp": 1, "status": status, "job_id": job_id}
    return blank | known | {"source_object": source} | changes


def counts(result: Deduplicated) -> dict[str, int]:
    return {name: number for name in COUNTS if (number := getattr(result, name))}


def kept(*rows: dict[str, Any]) -> tuple[list[dict[str, Any]], dict[str, int]]:
    result = deduplicate(RUNS, rows)
    return result.rows, counts(result)


RUNNING, DONE, FAILED = row("RUNNING"), row("SUCCESS"), row("FAILED")


@pytest.mark.parametrize(
    ("stored", "landed", "stays", "counted"),
    [
        (DONE, DONE, "stored", "repeated"),
        (RUNNING, RUNNING, "stored", "repeated"),
        (RUNNING, row("RUNNING", row_count=5), "landed", "superseded"),
        (RUNNING, DONE, "landed", "superseded"),
        (DONE, RUNNING, "stored", "stale"),
        (DONE, FAILED, "landed", "conflicts"),
        (DONE, row("SUCCESS", row_count=5), "landed", "conflicts"),
        (DONE, row("SUCCESS", "j2"), "landed", "conflicts"),
        (RUNNING, row("RUNNING", "j2"), "landed", "conflicts"),
        (RUNNING, row("SUCCESS", "j2"), "landed", "conflicts"),
        (DONE, row("RUNNING", "j2"), "stored", "conflicts"),
        (row("RUNNING", None), DONE, "landed", "superseded"),
        (row("SUCCESS", None), RUNNING, "stored", "stale"),
        (row("SUCCESS", None), DONE, "landed", "conflicts"),
        (RUNNING, row("SUCCESS", None), "landed", "conflicts"),
        (DONE, row("RUNNING", None), "stored", "conflicts"),
    ],
)
def test_two_rows_of_one_key_are_judged_as_the_hot_store_judges_them(
    stored: dict[str, Any], landed: dict[str, Any], stays: str, counted: str
) -> None:
    assert kept(stored, dict(landed)) == ([{"stored": stored, "landed": landed}[stays]], {counted: 1})


def test_rows_of_other_keys_do_not_meet() -> None:
    rows = [row("SUCCESS"), row("FAILED", job_name="b"), row("FAILED", execution_timestamp=2)]
    assert kept(*rows) == (rows, {})


def test_a_conflict_names_the_key_and_both_objects() -> None:
    result = deduplicate(RUNS, [row("SUCCESS", source="x"), row("FAILED", source="y")])
    [sample] = result.conflict_samples
    assert sample == {"job_name": "a", "execution_timestamp": 1, "kept_object": "y", "dropped_object": "x"}


def test_conflicts_are_counted_exactly_and_shown_up_to_twenty() -> None:
    result = deduplicate(RUNS, [row("SUCCESS", row_count=number) for number in range(31)])
    assert (result.conflicts, len(result.conflict_samples), len(result.rows)) == (30, 20, 1)


def test_without_states_every_other_content_is_a_conflict_and_the_last_stays() -> None:
    plain = domain(progress=None)
    result = deduplicate(plain, [row("RUNNING"), row("SUCCESS"), row("RUNNING")])
    assert (counts(result), result.rows) == ({"conflicts": 2}, [row("RUNNING")])


def test_of_identical_redeliveries_the_same_object_is_named_in_any_order() -> None:
    rows = [row("SUCCESS", source=name) for name in "cab"]
    for order in permutations(rows):
        assert kept(*order) == ([row("SUCCESS", source="a")], {"repeated": 2})


steps = st.lists(st.integers(0, 9), max_size=3).map(
    lambda sizes: [row("RUNNING", row_count=n) for n in sizes]
)


@given(
    st.dictionaries(st.sampled_from("abcd"), st.tuples(st.integers(0, 2), st.integers(1, 3)), min_size=1),
    st.data(),
)
def test_any_order_of_running_and_terminal_landings_gives_the_same_rows(
    runs: dict[str, tuple[int, int]], data: st.DataObject
) -> None:
    landings = []
    for name, (running, terminal) in runs.items():
        same = {"job_name": name, "job_id": name}
        landings += [row("RUNNING", source=f"r{n}", **same) for n in range(running)]
        landings += [row("SUCCESS", source=f"t{n}", **same) for n in range(terminal)]
    rows, counted = kept(*data.draw(st.permutations(landings)))
    assert sorted(rows, key=lambda each: each["job_name"]) == [
        row("SUCCESS", name, "t0", job_name=name) for name in sorted(runs)
    ]
    assert len(rows) + sum(counted.values()) == len(landings)


def provisional(status: str = "RUNNING", job_id: str | None = "j1") -> dict[str, Any]:
    return row(status, job_id, execution_timestamp=0, execution_date_source="creationTimestamp")


def started(status: str = "RUNNING", job_id: str | None = "j1") -> dict[str, Any]:
    return row(status, job_id, execution_timestamp=9, execution_date_source="startTime")


@pytest.mark.parametrize("swapped", [False, True])
def test_a_row_under_its_creation_time_gives_way_to_the_start_of_the_same_run(swapped: bool) -> None:
    pair = [started(), provisional()] if swapped else [provisional(), started()]
    assert kept(*pair) == ([started()], {"superseded": 1})


@pytest.mark.parametrize(("of_first", "of_second"), [("j1", "j2"), (None, None), (None, "j1"), ("j1", None)])
def test_a_row_under_its_creation_time_stays_where_no_start_of_that_run_is_known(
    of_first: str | None, of_second: str | None
) -> None:
    rows = [provisional(job_id=of_first), started(job_id=of_second)]
    assert kept(*rows) == (rows, {})


any_rows = st.builds(
    row,
    st.sampled_from(["RUNNING", "SUCCESS", "FAILED"]),
    st.sampled_from([None, "1", "2"]),
    st.sampled_from("xy"),
    job_name=st.sampled_from("ab"),
    row_count=st.integers(0, 1),
    execution_date_source=st.sampled_from([None, "startTime", "creationTimestamp"]),
    execution_timestamp=st.integers(0, 1),
)


def keys(rows: list[dict[str, Any]], *, running: bool) -> list[tuple[str, int]]:
    chosen = (each for each in rows if (each["status"] == "RUNNING") is running)
    return [(each["job_name"], each["execution_timestamp"]) for each in chosen]


@given(st.lists(any_rows))
def test_every_row_is_kept_or_counted_once_and_keys_are_unique(rows: list[dict[str, Any]]) -> None:
    result = deduplicate(RUNS, rows)
    assert len(result.rows) + sum(getattr(result, name) for name in COUNTS) == len(rows)
    found = keys(result.rows, running=True) + keys(result.rows, running=False)
    assert len(set(found)) == len(found)
    wrong = set(keys(result.rows, running=True)) & set(keys(rows, running=False))
    assert not wrong, "RUNNING replaced a terminal row"
