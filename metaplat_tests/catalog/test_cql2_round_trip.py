"""Filters written as CQL2 and read back: text and JSON say the same."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from metaplat.catalog.cql2 import parse_cql2, parse_json, parse_text, to_json, to_text
from metaplat.catalog.queryables import checked
from metaplat.model.filters import (
    And,
    Between,
    Compare,
    Cone,
    Contains,
    Filter,
    In,
    IsNull,
    Not,
    Or,
    Overlaps,
    Prefix,
    Text,
)

names = st.sampled_from(["mission_id", "a", "AND", "Date", "x y", 'say "x"', "naïve", "1st", ""])
texts = st.text(st.characters(exclude_categories=["Cs", "Cc"]) | st.sampled_from("'\"\\%_\n\t"), max_size=8)
filled = texts.filter(bool)
moments = st.datetimes(min_value=datetime(1, 1, 2), max_value=datetime(9999, 12, 30), timezones=st.just(UTC))  # noqa: DTZ001  # hypothesis adds the zone
numbers = st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False, allow_infinity=False)
values = texts | numbers | moments | st.booleans()
operators = st.sampled_from(["=", "<>", "<", "<=", ">", ">="])
degrees = st.floats(0, 90)


@st.composite
def windows(draw: st.DrawFn) -> Overlaps:
    """Draw a window that is not empty."""
    ends = sorted([draw(moments), draw(moments)])
    if ends[0] == ends[1]:
        return Overlaps(None, ends[1])
    return Overlaps(draw(st.sampled_from([None, ends[0]])), draw(st.sampled_from([None, ends[1]])))


leaves = st.one_of(
    st.builds(Compare, names, operators, values),
    st.builds(In, names, st.lists(values, max_size=3).map(tuple)),
    st.builds(Between, names, values, values),
    st.builds(IsNull, names),
    st.builds(Prefix, names, filled),
    st.builds(Contains, names, filled),
    st.builds(Cone, degrees, degrees, degrees),
    st.builds(Text, st.lists(st.sampled_from(["crab", "it's", "%", "\\", '"']), max_size=3).map(tuple)),
    windows(),
    st.sampled_from([And(()), Or(())]),
)
trees = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.builds(And, st.lists(inner, min_size=2, max_size=3).map(tuple)),
        st.builds(Or, st.lists(inner, min_size=2, max_size=3).map(tuple)),
        st.builds(Not, inner),
    ),
    max_leaves=8,
)


@given(where=trees)
def test_what_was_written_as_text_is_read_as_the_same(where: Filter) -> None:
    assert parse_text(to_text(where)) == where
    assert parse_cql2(to_text(where)) == where


@given(where=trees)
def test_what_was_written_as_json_is_read_as_the_same(where: Filter) -> None:
    assert parse_json(to_json(where)) == where
    assert parse_json(orjson.dumps(to_json(where))) == where


EQUAL: list[tuple[str, Any]] = [
    (
        "datetime = DATE('2026-03-01')",
        {"op": "=", "args": [{"property": "datetime"}, {"date": "2026-03-01"}]},
    ),
    (
        "quality NOT BETWEEN 0.5 AND 1",
        {"op": "not", "args": [{"op": "between", "args": [{"property": "quality"}, 0.5, 1]}]},
    ),
    (
        "T_DURING(datetime, INTERVAL('2026-03-01', '2026-03-02T12:00:00Z'))",
        {
            "op": "t_during",
            "args": [{"property": "datetime"}, {"interval": ["2026-03-01", "2026-03-02T12:00:00Z"]}],
        },
    ),
    (
        "target LIKE 'M%' OR NOT mission IN ('HST', 'SOHO')",
        {
            "op": "or",
            "args": [
                {"op": "like", "args": [{"property": "target"}, "M%"]},
                {"op": "not", "args": [{"op": "in", "args": [{"property": "mission"}, ["HST", "SOHO"]]}]},
            ],
        },
    ),
]


@pytest.mark.parametrize("place", range(len(EQUAL)))
def test_both_encodings_of_one_condition_are_one_filter(place: int) -> None:
    text, document = EQUAL[place]
    assert checked(parse_text(text)) == checked(parse_json(document))
