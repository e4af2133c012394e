"""CQL2 JSON: what each construct means, and which part of a document an error is about."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import orjson
import pytest

from metaplat.catalog.cql2 import parse_json
from metaplat.model.errors import UsageError
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

A = {"property": "a"}
MARCH, APRIL = datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC)


def op(name: str, *args: Any) -> dict[str, Any]:
    """Return a call as CQL2 writes it."""
    return {"op": name, "args": list(args)}


MEANINGS: list[tuple[Any, Filter]] = [
    (op("=", A, "x"), Compare("a", "=", "x")),
    (op(">", 5, A), Compare("a", "<", 5)),
    (op("=", A, True), Compare("a", "=", value=True)),
    (op("<", A, {"timestamp": "2026-03-01T00:00:00Z"}), Compare("a", "<", MARCH)),
    (op(">=", A, {"date": "2026-03-01"}), Compare("a", ">=", MARCH)),
    (op("and", op("isNull", A), op("=", A, 1)), And((IsNull("a"), Compare("a", "=", 1)))),
    (op("or", op("isNull", A)), Or((IsNull("a"),))),
    (op("NOT", op("isnull", A)), Not(IsNull("a"))),
    ({"op": "isNull", "args": A}, IsNull("a")),
    (op("in", A, [1, 2]), In("a", (1, 2))),
    (op("in", A, []), In("a", ())),
    (op("between", A, 1, 2), Between("a", 1, 2)),
    (op("like", A, "x%"), Prefix("a", "x")),
    (op("like", A, "%x%"), Contains("a", "x")),
    (
        op("t_intersects", {"property": "datetime"}, {"interval": ["2026-03-01", "2026-03-31"]}),
        Overlaps(MARCH, APRIL),
    ),
    (op("t_intersects", {"property": "datetime"}, {"interval": ["..", "2026-03-31"]}), Overlaps(None, APRIL)),
    (
        op(
            "t_intersects",
            {"interval": [{"property": "start_datetime"}, {"property": "end_datetime"}]},
            {"interval": [{"timestamp": "2026-03-01T00:00:00Z"}, {"date": "2026-03-31"}]},
        ),
        Overlaps(MARCH, APRIL),
    ),
    (op("t_before", A, {"timestamp": "2026-03-01T00:00:00Z"}), Compare("a", "<", MARCH)),
    (op("cone", 1, 2, 3.5), Cone(1.0, 2.0, 3.5)),
    (op("text", "crab nebula"), Text(("crab", "nebula"))),
    (True, And(())),
    (False, Or(())),
]


@pytest.mark.parametrize("place", range(len(MEANINGS)))
def test_each_construct_has_its_meaning_parsed_and_as_text(place: int) -> None:
    document, meaning = MEANINGS[place]
    assert parse_json(document) == meaning
    assert parse_json(orjson.dumps(document)) == meaning
    assert parse_json(orjson.dumps(document).decode()) == meaning


ERRORS: list[tuple[Any, str]] = [
    ("", "filter: this is no JSON"),
    ("{", "filter: this is no JSON"),
    (b"\xff", "filter: this is no JSON"),
    ("[NaN]", "filter: this is no JSON"),
    ('{"op": "\ud800"}', "filter: this is no JSON"),
    ('{"op": "' + "x" * 100, "at character"),
    ([], "expected a condition with op and args"),
    (None, "expected a condition with op and args"),
    (5, "expected a condition with op and args"),
    ({}, "expected a condition with op and args"),
    ({"op": 5}, "expected a condition with op and args"),
    ({"op": "and", "args": {}}, "args must be a list"),
    ({"op": "and", "args": "ab"}, "args must be a list"),
    (op("and", op("=", A, 1), 5), "filter, args[1]: expected a condition"),
    (op("and", True, op("not", op("=", A))), "filter, args[1].args[0]: = takes 2 arguments"),
    (op("not", True, True), "not takes one condition"),
    (op("=", A, None), "nothing equals null"),
    (op("=", A, [1]), "a value is a text, a number, or one of"),
    (op("=", A, {"property": 5}), "a value is a text, a number, or one of"),
    (op("=", A, op("casei", "x")), "functions and lists cannot stand here"),
    (op("=", A, A), "two columns cannot be compared"),
    (op("=", 1, 1), "a comparison needs a column"),
    (op("in", A, 5), "in takes other arguments"),
    (op("in", 5, [5]), "in takes other arguments"),
    (op("in", A, [[5]]), "a value is a text, a number, or one of"),
    (op("in", A, [A]), "'a' is a column where a value is needed"),
    (op("between", A, 1), "between takes other arguments"),
    (op("like", A, 5), "LIKE takes a text"),
    (op("isNull", 5), "isnull takes other arguments"),
    (op("s_intersects", A, A), "no function 's_intersects'; there are: CONE"),
    (op("<b>", A), "no function '<b>'"),
    (op("=", A, {"timestamp": "2026-03-01"}), "is a day and no timestamp"),
    (op("=", A, {"date": "2026-02-30"}), "is a time that does not exist"),
    (op("=", A, {"interval": ["..", ".."]}), "an interval cannot be compared"),
    (
        op("t_before", A, {"interval": [{"interval": ["..", ".."]}, ".."]}),
        "an interval cannot hold an interval",
    ),
    (op("t_before", A, {"interval": [".."]}), "a value is a text, a number, or one of"),
    (op("cone", 1, 2, "3"), "CONE takes right ascension"),
    (op("cone", 10**400, 2, 3), "a number of the cone is too large"),
]


@pytest.mark.parametrize("place", range(len(ERRORS)))
def test_each_error_says_where_and_why(place: int) -> None:
    document, problem = ERRORS[place]
    with pytest.raises(UsageError) as caught:
        parse_json(document)
    assert problem in str(caught.value)
    assert "\n" not in str(caught.value)
