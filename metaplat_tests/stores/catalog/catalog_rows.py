"""Observations, edges, events, filters and searches to test the catalog with.

Here: builders of rows, and hypothesis strategies that make nulls, ties and hostile text common.
Not here: what the right answers are (``catalog_truth``, ``catalog_model``).
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st

from metaplat.model import filters as f
from metaplat.model.observation import OBSERVATION_FIELDS, SET_BY_INDEX, Row, dataset_id_of
from metaplat.stores.catalog.index import Change, Query, Sort

if TYPE_CHECKING:
    from collections.abc import Sequence

    from metaplat.stores.catalog.index import CatalogIndex

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)
TIMES = [
    datetime(1, 1, 1, tzinfo=UTC),
    datetime(1969, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
    datetime(1970, 1, 1, tzinfo=UTC),
    NOW - DAY,
    NOW,
    NOW + timedelta(microseconds=1),
    datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
]
WORDS = [
    "M31",
    "m31",
    "M 31",
    "NGC 1",
    "100%",
    "a_b",
    "axb",
    "\\",
    "'",
    '"',
    "%s",
    "?",
    "'; DROP TABLE observations; --",
    "É",
    "é",
    "ß",
    "Ωmega",
    "\U0001f52d",
    "\uffff",
    "<b>x</b>",
    "a\nb",
    " ",
    "",
    "~",
    "z",
    "Z",
]
"""Text that a store may mistake for a pattern, a placeholder, SQL, another case or another order."""

FIELDS = {field.name: field for field in OBSERVATION_FIELDS}
CALLERS = [name for name in FIELDS if name not in SET_BY_INDEX]
"""Columns that whoever upserts fills."""


def identity(number: int) -> str:
    """Return the id of the dataset with a number."""
    return dataset_id_of(f"/data/{number}.fits")


def observation(number: int = 0, **changes: Any) -> Row:
    """Return a complete row, the file ``number``; what the index sets is not in it."""
    row: Row = dict.fromkeys(CALLERS)
    row |= {
        "dataset_id": identity(number),
        "mission_id": "SOHO",
        "observation_timestamp": NOW - DAY,
        "processing_status": "raw",
        "file_path": f"/data/{number}.fits",
        "file_format": "fits",
        "file_size": 1000 + number,
        "modified_time": NOW - DAY,
        "content_tag": f"{number}:1",
        "extraction_status": "ok",
        "extractor_version": "1",
        "attempts": 0,
        "file_state": "present",
    }
    return row | changes


def edge(parent: int, child: int, kind: str = "derived", **changes: Any) -> Row:
    """Return the relationship of two numbered datasets."""
    ends = {"parent_dataset_id": identity(parent), "child_dataset_id": identity(child)}
    return {**ends, "relationship_type": kind, "relationship_metadata": None, "run_id": None} | changes


def event(name: str, **changes: Any) -> Row:
    """Return an event of the run ``r``."""
    empty = dict.fromkeys(("pipeline", "status", "message", "datasets", "detail"))
    return {"event_id": name, "occurred_at": NOW, "action": "start", "run_id": "r", **empty} | changes


def put(index: CatalogIndex, *rows: Row, now: datetime = NOW) -> list[str]:
    """Upsert rows; returns what was done with each."""
    return [str(done) for done in index.apply(Change(observations=rows), now).observations]


def ids_of(rows: Sequence[Row]) -> list[str]:
    """Return the dataset_ids of rows."""
    return [row["dataset_id"] for row in rows]


def after_of(query: Query, row: Row) -> list[Any]:
    """Return where a page that ends with ``row`` ends: the sort columns, and dataset_id as the last."""
    return [row[sort.column] for sort in total_order(query.sort)]


def total_order(sorts: Sequence[Sort]) -> list[Sort]:
    """Return the sort with dataset_id as its end."""
    total: list[Sort] = []
    for sort in sorts:
        total.append(sort)
        if sort.column == "dataset_id":
            return total
    return [*total, Sort("dataset_id", descending=bool(sorts) and sorts[-1].descending)]


# --- strategies

texts = st.sampled_from(WORDS) | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
times = st.sampled_from(TIMES) | st.datetimes(
    datetime(1900, 1, 1),  # noqa: DTZ001  # hypothesis adds the zone
    datetime(2100, 1, 1),  # noqa: DTZ001
    timezones=st.just(UTC),
)
shares = st.sampled_from([0.0, 0.1, 0.5, 0.7000000000000001, 1.0])
right_ascensions = st.sampled_from([0.0, 0.0001, 90.0, 180.0, 359.9999, 360.0]) | st.builds(
    round, st.floats(0, 360), st.just(9)
)
declinations = st.sampled_from([-90.0, -89.9999, 0.0, 89.9999, 90.0]) | st.builds(
    round, st.floats(-90, 90), st.just(9)
)
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "mission_id": st.sampled_from(["SOHO", "soho", "SDO", "'"]) | texts,
    "satellite_name": st.sampled_from(["A", "B"]),
    "instrument_type": texts,
    "observation_timestamp": times,
    "observation_end": times,
    "target_object": texts,
    "ra_deg": right_ascensions,
    "dec_deg": declinations,
    "data_quality_score": shares,
    "header_completeness": shares,
    "calibration_status": st.sampled_from(["COMPLETE", "complete", "NONE"]),
    "processing_status": st.sampled_from(["raw", "processed", "archived"]),
    "version": texts,
    "file_path": texts,
    "file_format": st.sampled_from(["fits", "csv"]),
    "file_size": st.sampled_from([0, 1, 2, 2**40]) | st.integers(0, 2**50),
    "modified_time": times,
    "content_tag": texts,
    "mission_specific": st.sampled_from(['{"b": 1, "a": 1.0}', '{"a":"\\u0041"}', "{}"]),
    "extraction_status": st.sampled_from(["ok", "failed"]),
    "attempts": st.integers(0, 3),
    "next_attempt": times,
    "file_state": st.sampled_from(["present", "present", "present", "vanished", "rejected"]),
}


def _cell(name: str) -> st.SearchStrategy[Any]:
    return st.none() | VALUES[name] if FIELDS[name].nullable else VALUES[name]


@st.composite
def observations(draw: st.DrawFn, numbers: Sequence[int] = range(10)) -> Row:
    """Draw a row of one of few datasets."""
    return observation(draw(st.sampled_from(numbers))) | {name: draw(_cell(name)) for name in VALUES}


@st.composite
def tables(draw: st.DrawFn, largest: int = 12) -> list[Row]:
    """Draw rows of different datasets."""
    count = draw(st.integers(0, largest))
    return [draw(observations([number])) for number in range(count)]


@st.composite
def comparisons(draw: st.DrawFn) -> f.Filter:
    """Draw a condition on one column."""
    name = draw(st.sampled_from(sorted(VALUES)))
    value = VALUES[name]
    if draw(st.booleans()) and FIELDS[name].dtype is str:
        part = draw(value)
        start = draw(st.integers(0, max(0, len(part) - 1)))
        return f.Prefix(name, part[: start + 1]) if draw(st.booleans()) else f.Contains(name, part[start:])
    return draw(
        st.one_of(
            st.builds(f.Compare, st.just(name), st.sampled_from(["=", "<>", "<", "<=", ">", ">="]), value),
            st.builds(f.In, st.just(name), st.lists(value, max_size=3)),
            st.builds(f.Between, st.just(name), value, value),
            st.builds(f.IsNull, st.just(name)),
        )
    )


@st.composite
def windows(draw: st.DrawFn) -> f.Overlaps:
    """Draw a window of time that is not empty."""
    ends = sorted([draw(times), draw(times)])
    start, end = (ends[0], ends[1]) if ends[0] != ends[1] else (ends[0], None)
    return f.Overlaps(draw(st.sampled_from([start, None])), draw(st.sampled_from([end, None])))


cones = st.builds(
    f.Cone, right_ascensions, declinations, st.sampled_from([1e-4, 1.0, 90.0, 180.0]) | st.floats(1e-6, 180)
)
searched_words = st.builds(
    f.Text, st.lists(st.sampled_from([word for word in WORDS if word.strip()]), min_size=1, max_size=2)
)
leaves = comparisons() | windows() | cones | searched_words


def filters(largest: int = 8) -> st.SearchStrategy[f.Filter]:
    """Return the strategy of whole trees."""
    return st.recursive(
        leaves,
        lambda inner: st.one_of(
            st.builds(f.And, st.lists(inner, max_size=3)),
            st.builds(f.Or, st.lists(inner, max_size=3)),
            st.builds(f.Not, inner),
        ),
        max_leaves=largest,
    )


@st.composite
def sorts(draw: st.DrawFn) -> list[Sort]:
    """Draw up to three columns to sort by, with ties and nulls in most of them."""
    names = draw(st.lists(st.sampled_from(sorted({*VALUES, "dataset_id"})), max_size=3, unique=True))
    return [Sort(name, descending=draw(st.booleans())) for name in names]
