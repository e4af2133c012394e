"""Counts that SQLite keeps beside the rows, at the borders of days, and rows read while others write."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from metaplat.model import filters as f
from metaplat.model.errors import InvalidInputError
from metaplat.stores.catalog.index import FACET_COLUMNS, Change, Query
from metaplat.stores.catalog.sqlite_index import SqliteIndex
from metaplat_tests.stores.catalog.catalog_model import ModelCatalog
from metaplat_tests.stores.catalog.catalog_rows import (
    CALLERS,
    DAY,
    NOW,
    TIMES,
    edge,
    identity,
    observation,
    put,
)
from metaplat_tests.stores.catalog.catalog_truth import matching

if TYPE_CHECKING:
    from collections.abc import Iterator

    from metaplat.model.observation import Row

MIDNIGHT = NOW.replace(hour=0)
MOMENTS = [
    MIDNIGHT + days * DAY + offset
    for days in (-2, -1, 0, 1)
    for offset in (timedelta(microseconds=-1), timedelta(0), timedelta(microseconds=1), timedelta(hours=9))
]
TIME = "observation_timestamp"
begins = st.sampled_from([*MOMENTS, TIMES[0], TIMES[-1], None])
moments = st.sampled_from([*MOMENTS, TIMES[0], TIMES[-1]])
missions = st.sampled_from(["A", "B", "~", "=", "*", None])
rows_of_days = st.lists(
    st.fixed_dictionaries(
        {
            TIME: begins,
            "observation_end": begins,
            "mission_id": missions,
            "target_object": st.sampled_from(["M31", None]),
            "calibration_status": st.sampled_from(["COMPLETE", "~", None]),
            "file_state": st.sampled_from(["present", "present", "rejected"]),
        }
    ),
    max_size=15,
)
windows = st.lists(
    st.one_of(
        st.builds(f.Compare, st.just(TIME), st.sampled_from(["=", "<>", "<", "<=", ">", ">="]), moments),
        st.builds(f.Between, st.just(TIME), moments, moments),
        st.tuples(moments, moments)
        .filter(lambda ends: ends[0] < ends[1])
        .flatmap(lambda ends: st.sampled_from([(ends[0], None), (None, ends[1]), ends]))
        .map(lambda ends: f.Overlaps(*ends)),
        st.just(f.Not(f.IsNull(TIME))),
        st.builds(f.Compare, st.just("mission_id"), st.just("="), st.sampled_from("AB~=*")),
        st.builds(f.In, st.just("mission_id"), st.lists(st.sampled_from("AB~=*"), max_size=3)),
        st.just(f.IsNull("mission_id")),
    ),
    max_size=3,
).map(f.And)


@pytest.fixture
def index(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SqliteIndex]:
    """Lend an empty catalog."""
    index = SqliteIndex(tmp_path_factory.mktemp("counts") / "catalog.sqlite")
    yield index
    index.close()


@given(rows_of_days, windows)
@settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_counts_of_missions_and_times_equal_a_look_at_every_row(
    index: SqliteIndex, drawn: list[Row], where: f.Filter
) -> None:
    absent = [observation(number, file_state="vanished") for number in range(15)]
    rows = [observation(number, **columns) for number, columns in enumerate(drawn)]
    put(index, *[*rows, *absent[len(rows) :]])
    model = ModelCatalog()
    model.apply(Change(rows), NOW)
    assert index.totals(where) == model.totals(where)
    assert index.count(where) == model.totals(where)[0]
    assert index.facets(where, FACET_COLUMNS) == model.facets(where, FACET_COLUMNS, 20)
    assert index.summaries() == model.summaries()
    assert index.count(where, absent=True) == len(matching([*rows, *absent[len(rows) :]], where, absent=True))


@given(rows_of_days, windows, st.booleans())
@settings(
    max_examples=100,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_a_scan_yields_what_matches(
    index: SqliteIndex, drawn: list[Row], where: f.Filter, absent: bool
) -> None:
    rows = [observation(number, **columns) for number, columns in enumerate(drawn)]
    rows += [observation(number, file_state="vanished") for number in range(len(rows), 15)]
    put(index, *rows)
    found = [row for block in index.scan(where, CALLERS, absent=absent) for row in block]
    expected = [tuple(row[name] for name in CALLERS) for row in matching(rows, where, absent=absent)]
    assert sorted(found) == sorted(expected)


def test_a_score_that_swallows_all_others_leaves_no_trace(index: SqliteIndex) -> None:
    put(index, observation(0, data_quality_score=0.25), observation(1, data_quality_score=1e300))
    put(index, observation(1, data_quality_score=0.75))
    assert index.summaries("SOHO")[0].mean_quality == 0.5
    put(index, observation(1, data_quality_score=float("inf")))
    put(index, observation(1, data_quality_score=float("nan")))
    assert index.summaries("SOHO")[0].mean_quality == 0.25


def test_the_first_and_last_time_are_right_after_the_rows_that_had_them_are_gone(index: SqliteIndex) -> None:
    put(index, *(observation(day, observation_timestamp=NOW + day * DAY) for day in range(5)))
    put(index, observation(0, observation_timestamp=NOW, file_state="vanished"))
    put(index, observation(4, observation_timestamp=NOW + 2 * DAY))
    found = index.summaries("SOHO")[0]
    assert (found.first, found.last, found.datasets) == (NOW + DAY, NOW + 3 * DAY, 4)
    put(index, *(observation(day, file_state="rejected") for day in range(5)))
    assert index.summaries() == []


def test_observations_that_last_for_months_are_found_by_what_they_overlap(index: SqliteIndex) -> None:
    year = 365 * DAY
    put(
        index,
        observation(0, observation_timestamp=NOW - year, observation_end=NOW + year),
        observation(1, observation_timestamp=NOW - year, observation_end=NOW - year + DAY),
        observation(2, observation_timestamp=NOW - DAY, observation_end=NOW),
        observation(3, observation_timestamp=datetime.min.replace(tzinfo=NOW.tzinfo), observation_end=NOW),
    )
    for limit in (1, 10):
        found = index.search(Query(f.Overlaps(NOW, NOW + DAY), limit=limit))
        assert [row["dataset_id"] for row in found] == [identity(number) for number in (2, 0, 3)][:limit]
    assert index.count(f.Overlaps(NOW, None)) == 3
    assert index.count(f.Overlaps(TIMES[0], None)) == 4


def test_rows_written_while_a_scan_goes_on_are_never_doubled_and_the_others_all_there(
    index: SqliteIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("metaplat.stores.catalog.sql_scanning.BLOCK_ROWS", 7)
    put(index, *(observation(number, file_size=0) for number in range(100)))
    for where in (f.EVERYTHING, f.Compare("mission_id", "=", "SOHO")):
        found: list[Any] = []
        for turn, block in enumerate(index.scan(where, ["dataset_id", "file_size"])):
            found += block
            put(index, *(observation(number, file_size=turn + 1) for number in range(0, 100, 3)))
            put(index, observation(1000 + turn))
            put(index, observation(98, mission_id="OTHER", file_state="vanished"))
        ids = [dataset_id for dataset_id, _ in found]
        assert len(ids) == len(set(ids))
        assert {identity(number) for number in range(98)} <= set(ids)
        assert identity(98) not in ids
        put(index, observation(98))


def test_known_files_are_listed_by_path_in_blocks(
    index: SqliteIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("metaplat.stores.catalog.sql_scanning.BLOCK_ROWS", 3)
    paths = ["/d/é", "/d/\U0001f52d", "/d/\uffff", "/d/a", "/d/a", "/d/A", "/d", "/d/", "/e", "/d/b"]
    put(index, *(observation(number, file_path=path) for number, path in enumerate(paths)))
    found = [file.file_path for file in index.known_below("/d/")]
    assert found == sorted(path for path in paths if path.startswith("/d/"))
    assert len(list(index.known_below(""))) == len(paths)
    assert list(index.known_below("/x")) == []


def test_a_circle_through_thousands_of_edges_is_found_and_named_shortly(index: SqliteIndex) -> None:
    chain = [edge(parent, child) for parent, child in pairwise(range(3000))]
    assert index.apply(Change(relationships=chain), NOW).relationships == 2999
    with pytest.raises(InvalidInputError, match="circle") as raised:
        index.apply(Change(relationships=[edge(2999, 0), edge(1, 5000)]), NOW)
    assert len(str(raised.value)) < 1000
    assert index.edges([identity(1)], "children")[0].child_dataset_id == identity(2)
    assert len(index.edges([identity(1)], "children")) == 1
