"""What every catalog index counts: after any changes, the same as by looking at every row."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from metaplat.model import filters as f
from metaplat.stores.catalog.index import FACET_COLUMNS, Change, FacetCount, Query, Summary
from metaplat_tests.stores.catalog.catalog_model import ModelCatalog
from metaplat_tests.stores.catalog.catalog_rows import (
    CALLERS,
    DAY,
    NOW,
    VALUES,
    filters,
    identity,
    observation,
    observations,
    put,
    times,
)
from metaplat_tests.stores.catalog.catalog_truth import is_on_border

if TYPE_CHECKING:
    from collections.abc import Sequence

    from metaplat.stores.catalog.index import CatalogIndex
    from metaplat_tests.stores.catalog.index_factories import IndexFactory

PATCHED = ["file_state", "observation_timestamp", "mission_id", "data_quality_score", "target_object"]
patches = st.fixed_dictionaries({}, optional={name: VALUES[name] for name in (*PATCHED, "attempts")})
changes = st.tuples(
    st.lists(observations(), max_size=6), st.dictionaries(st.integers(0, 9), patches, max_size=3)
)
missions_and_times = st.builds(
    lambda missions, start, end: f.And([*missions, *start, *end]),
    st.lists(st.builds(f.Compare, st.just("mission_id"), st.just("="), VALUES["mission_id"]), max_size=1),
    st.lists(st.builds(f.Compare, st.just("observation_timestamp"), st.just(">="), times), max_size=1),
    st.lists(st.builds(f.Compare, st.just("observation_timestamp"), st.just("<"), times), max_size=1),
)
"""Filters that an index may answer from its running counts."""


def about(summaries: Sequence[Summary]) -> list[Summary]:
    """Return summaries whose means compare as floats do."""
    means: list[Any] = [pytest.approx(summary.mean_quality) for summary in summaries]
    return [replace(summary, mean_quality=mean) for summary, mean in zip(summaries, means, strict=True)]


@settings(max_examples=20)
@given(data=st.data())
def test_counts_agree_with_every_row_after_any_changes(factory: IndexFactory, data: st.DataObject) -> None:
    model = ModelCatalog()
    with factory.empty() as index:
        for step in range(data.draw(st.integers(1, 4))):
            rows, patched = data.draw(changes)
            apply_to_both(index, model, rows, patched, NOW + step * DAY)
        rows_now = {
            key: drop_seq(row) for key, row in zip(model.rows, index.get(list(model.rows)), strict=True)
        }
        assert rows_now == model.rows
        assert index.summaries() == about(model.summaries())
        for mission in {row["mission_id"] for row in model.rows.values()} - {None}:
            assert index.summaries(mission) == about(
                [s for s in model.summaries() if s.mission_id == mission]
            )
        for where in [f.EVERYTHING, data.draw(missions_and_times), data.draw(filters(4))]:
            if not is_on_border(where, model.rows.values()):
                check_counts(index, model, where)
        for key, versions in model.versions.items():
            assert [drop_seq(row) for row in index.revisions(key)] == [*versions, model.rows[key]]


def apply_to_both(
    index: CatalogIndex, model: ModelCatalog, rows: Sequence[Any], patched: dict[int, Any], now: Any
) -> None:
    """Make the same change in both, and compare what they say of it."""
    free = model.rows.keys() - {row["dataset_id"] for row in rows}
    change = Change(rows, {identity(key): value for key, value in patched.items() if identity(key) in free})
    before, seqs = index.last_seq(), model.days
    model.days = set()
    versions = {key: row["revision"] for key, row in model.rows.items()}
    done, changed = model.apply(change, now)
    applied = index.apply(change, now)
    told = {row["dataset_id"]: str(said) for row, said in zip(rows, applied.observations, strict=True)}
    assert told == done
    assert applied.patched == changed
    assert set(index.changed_days("observations", before)) == model.days
    assert set(index.changed_days("observations", 0)) == model.days | seqs
    model.days |= seqs
    touched = [key for key, row in model.rows.items() if versions.get(key) != row["revision"]]
    assert all(row["change_seq"] > before for row in index.get(touched))
    assert max((row["change_seq"] for row in index.get(touched)), default=before) == index.last_seq()


def check_counts(index: CatalogIndex, model: ModelCatalog, where: f.Filter) -> None:
    """Compare every count of one filter."""
    assert index.totals(where) == model.totals(where)
    assert index.count(where) == len(model.present(where))
    assert index.facets(where, FACET_COLUMNS, 3) == model.facets(where, FACET_COLUMNS, 3)


def drop_seq(row: dict[str, Any]) -> dict[str, Any]:
    """Return what the model knows of a row."""
    return {name: row[name] for name in [*CALLERS, "updated_at", "first_seen", "revision"]}


def test_a_summary_tells_what_is_unknown_from_what_is_zero(index: CatalogIndex) -> None:
    put(
        index,
        observation(0, mission_id="A", file_size=5, data_quality_score=0.0, calibration_status="COMPLETE"),
        observation(1, mission_id="A", file_size=7, data_quality_score=None, observation_timestamp=NOW),
        observation(2, mission_id=None, observation_timestamp=None, file_size=0),
        observation(3, mission_id="gone", file_state="vanished"),
    )
    assert index.summaries() == [
        Summary("A", 2, 12, 0.0, 1, NOW - DAY, NOW),
        Summary(None, 1, 0, None, 0, None, None),
    ]
    assert index.summaries("A") == index.summaries()[:1]
    assert index.summaries("gone") == index.summaries("never") == []


def test_first_and_last_follow_a_row_that_leaves(index: CatalogIndex) -> None:
    put(index, *(observation(day, observation_timestamp=NOW + day * DAY) for day in range(4)))
    index.apply(Change(patches={identity(3): {"file_state": "vanished"}}), NOW)
    index.apply(Change(patches={identity(0): {"observation_timestamp": NOW + 1.5 * DAY}}), NOW)
    index.apply(Change(patches={identity(2): {"mission_id": "other"}}), NOW)
    spans = {summary.mission_id: (summary.first, summary.last) for summary in index.summaries()}
    assert spans == {"SOHO": (NOW + DAY, NOW + 1.5 * DAY), "other": (NOW + 2 * DAY, NOW + 2 * DAY)}


def test_facets_come_most_frequent_first_then_by_code_point_with_null_last(index: CatalogIndex) -> None:
    targets = ["b", "b", "a", "Z", "é", None, "c", "c", "c"]
    put(index, *(observation(number, target_object=target) for number, target in enumerate(targets)))
    counted = [("c", 3), ("b", 2), ("Z", 1), ("a", 1), ("é", 1), (None, 1)]
    assert index.facets(f.EVERYTHING, ["target_object"])["target_object"] == [FacetCount(*c) for c in counted]
    assert index.facets(f.EVERYTHING, ["target_object"], 2)["target_object"] == [
        FacetCount("c", 3),
        FacetCount("b", 2),
    ]
    known = f.Not(f.IsNull("target_object"))
    assert FacetCount(None, 1) not in index.facets(known, ["target_object"])["target_object"]
    assert index.facets(known, ["mission_id"]) == {"mission_id": [FacetCount("SOHO", 8)]}


@pytest.mark.parametrize("column", ["mission_id", "target_object", "file_format"])
def test_a_value_that_nothing_has_any_more_is_no_facet(index: CatalogIndex, column: str) -> None:
    put(index, observation(0, **{column: "fits"}), observation(1, **{column: "csv"}))
    index.apply(Change(patches={identity(0): {column: "csv"}}), NOW)
    put(index, observation(2, **{column: "hdf5"}))
    put(index, observation(2, **{column: "hdf5"}, file_state="rejected"))
    assert index.facets(f.EVERYTHING, [column]) == {column: [FacetCount("csv", 2)]}


@pytest.mark.parametrize("part", [timedelta(0), timedelta(hours=1), timedelta(microseconds=1)], ids=str)
def test_facets_of_a_window_hold_no_row_beyond_it(index: CatalogIndex, part: timedelta) -> None:
    tick = timedelta(microseconds=1)
    midnight = NOW.replace(hour=0)
    start, end = midnight + part, midnight + DAY + part
    moments = [start - tick, start, midnight + DAY - tick, midnight + DAY, end - tick, end, None]
    put(
        index,
        *(
            observation(number, observation_timestamp=time, target_object=str(number), file_size=2**number)
            for number, time in enumerate(moments)
        ),
    )
    inside = {number for number, time in enumerate(moments) if time is not None and start <= time < end}
    where = f.And(
        [f.Compare("observation_timestamp", ">=", start), f.Compare("observation_timestamp", "<", end)]
    )
    assert index.totals(where) == (len(inside), sum(2**number for number in inside))
    counted = index.facets(where, ["target_object", "mission_id"])
    assert {facet.value for facet in counted["target_object"]} == {str(number) for number in inside}
    assert counted["mission_id"] == [FacetCount("SOHO", len(inside))]


def test_days_that_rows_moved_away_from_are_changed_too(index: CatalogIndex) -> None:
    put(index, observation(0, observation_timestamp=NOW), observation(1, observation_timestamp=None))
    first = index.last_seq()
    put(index, observation(0, observation_timestamp=NOW + DAY))
    assert index.changed_days("observations", first) == {
        NOW.date(): index.last_seq(),
        (NOW + DAY).date(): index.last_seq(),
    }
    assert set(index.changed_days("observations", 0)) == {NOW.date(), (NOW + DAY).date(), None}
    assert index.changed_days("observations", index.last_seq()) == {}


def test_a_large_change_counts_as_exactly_as_a_small_one(index: CatalogIndex) -> None:
    rows = [observation(number, mission_id=f"M{number % 7}", file_size=1) for number in range(6000)]
    put(index, *rows)
    put(index, *rows[:3000])
    assert index.totals(f.EVERYTHING) == (6000, 6000)
    assert sum(summary.datasets for summary in index.summaries()) == 6000
    index.apply(Change(patches={row["dataset_id"]: {"file_state": "vanished"} for row in rows[::2]}), NOW)
    left = [sum(number % 7 == mission for number in range(1, 6000, 2)) for mission in range(7)]
    assert [summary.datasets for summary in index.summaries()] == left
    assert index.count(f.EVERYTHING, absent=True) == 6000
    assert len(index.search(Query(limit=10_000))) == 3000
