"""CQL2 text: what each construct means, and where an error stands."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from metaplat.catalog.cql2 import parse_cql2, parse_text
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


def at(day: int, hour: int = 0, microsecond: int = 0) -> datetime:
    """Return a moment of March 2026."""
    return datetime(2026, 3, day, hour, 0, 0, microsecond, UTC)


A, B, C = (Compare(name, "=", 1) for name in "abc")
MEANINGS: dict[str, Filter] = {
    "mission_id = 'HST'": Compare("mission_id", "=", "HST"),
    "mission_id <> 'HST'": Compare("mission_id", "<>", "HST"),
    "file_size<5": Compare("file_size", "<", 5),
    "file_size <= 5.5": Compare("file_size", "<=", 5.5),
    "ra_deg > -1.5e-3": Compare("ra_deg", ">", -0.0015),
    "ra_deg >= +.5": Compare("ra_deg", ">=", 0.5),
    "5 < file_size": Compare("file_size", ">", 5),
    "'HST' = mission_id": Compare("mission_id", "=", "HST"),
    "flag = TRUE": Compare("flag", "=", value=True),
    "a = 'it''s'": Compare("a", "=", "it's"),
    "a = ''": Compare("a", "=", ""),
    "a = 'C:\\'": Compare("a", "=", "C:\\"),
    '"a" = 1': A,
    '"AND" = 1': Compare("AND", "=", 1),
    '"say ""x""" = 1': Compare('say "x"', "=", 1),
    "\n a\t=\r\n1 ": A,
    "a=1 and b=1 AND c=1": And((A, B, C)),
    "a=1 OR b=1 And c=1": Or((A, And((B, C)))),
    "(a=1 OR b=1) AND c=1": And((Or((A, B)), C)),
    "((((a=1))))": A,
    "NOT a=1 AND b=1": And((Not(A), B)),
    "not not a=1": Not(Not(A)),
    "a IN (1, 'x', 2.5)": In("a", (1, "x", 2.5)),
    "a in ()": In("a", ()),
    "a NOT IN (1)": Not(In("a", (1,))),
    "a BETWEEN 1 AND 2 AND b=1": And((Between("a", 1, 2), B)),
    "a NOT BETWEEN 1 AND 2": Not(Between("a", 1, 2)),
    "a IS NULL": IsNull("a"),
    "a is not null": Not(IsNull("a")),
    "a LIKE 'abc%'": Prefix("a", "abc"),
    "a LIKE '%abc%'": Contains("a", "abc"),
    "a LIKE 'abc'": Compare("a", "=", "abc"),
    "a LIKE '%'": Compare("a", ">=", ""),
    "a NOT LIKE 'abc%'": Not(Prefix("a", "abc")),
    r"a LIKE '100\%%'": Prefix("a", "100%"),
    r"a LIKE 'a\_b'": Compare("a", "=", "a_b"),
    r"a LIKE '%\\%'": Contains("a", "\\"),
    "TRUE": And(()),
    "FALSE OR a=1": Or((Or(()), A)),
    "t > TIMESTAMP('2026-03-01T12:00:00Z')": Compare("t", ">", at(1, 12)),
    "t > TIMESTAMP('2026-03-01T14:00+02:00')": Compare("t", ">", at(1, 12)),
    "t = DATE('2026-03-01')": And((Compare("t", ">=", at(1)), Compare("t", "<", at(2)))),
    "t <> DATE('2026-03-01')": Or((Compare("t", "<", at(1)), Compare("t", ">=", at(2)))),
    "t <= DATE('2026-03-01')": Compare("t", "<", at(2)),
    "t > DATE('2026-03-01')": Compare("t", ">=", at(2)),
    "t < DATE('2026-03-01')": Compare("t", "<", at(1)),
    "t BETWEEN DATE('2026-03-01') AND DATE('2026-03-02')": And(
        (Compare("t", ">=", at(1)), Compare("t", "<", at(3)))
    ),
    "t IN (DATE('2026-03-01'))": And((Compare("t", ">=", at(1)), Compare("t", "<", at(2)))),
    "T_INTERSECTS(datetime, INTERVAL('2026-03-01', '..'))": Overlaps(at(1), None),
    "T_INTERSECTS(datetime, INTERVAL('..', '2026-03-02'))": Overlaps(None, at(3)),
    "T_INTERSECTS(datetime, INTERVAL('2026-03-01T00:00:00Z', '2026-03-02T00:00:00Z'))": Overlaps(
        at(1), at(2, microsecond=1)
    ),
    "T_INTERSECTS(datetime, DATE('2026-03-01'))": Overlaps(at(1), at(2)),
    "T_INTERSECTS(DATE('2026-03-01'), datetime)": Overlaps(at(1), at(2)),
    "t_disjoint(datetime, DATE('2026-03-01'))": Not(Overlaps(at(1), at(2))),
    "T_INTERSECTS(INTERVAL(observation_timestamp, observation_end), DATE('2026-03-01'))": Overlaps(
        at(1), at(2)
    ),
    "T_INTERSECTS(modified_time, DATE('2026-03-01'))": And(
        (Compare("modified_time", ">=", at(1)), Compare("modified_time", "<", at(2)))
    ),
    "T_BEFORE(modified_time, TIMESTAMP('2026-03-01T00:00:00Z'))": Compare("modified_time", "<", at(1)),
    "T_AFTER(modified_time, TIMESTAMP('2026-03-01T00:00:00Z'))": Compare(
        "modified_time", ">=", at(1, microsecond=1)
    ),
    "T_AFTER(DATE('2026-03-01'), modified_time)": Compare("modified_time", "<", at(1)),
    "T_DURING(modified_time, INTERVAL('2026-03-01', '2026-03-02'))": And(
        (Compare("modified_time", ">", at(1)), Compare("modified_time", "<", at(3)))
    ),
    "T_BEFORE(datetime, DATE('2026-03-01'))": Not(Overlaps(at(1), None)),
    "T_AFTER(datetime, DATE('2026-03-01'))": Not(Overlaps(None, at(2))),
    "T_DURING(datetime, INTERVAL('2026-03-01', '2026-03-02'))": And(
        (Compare("observation_timestamp", ">", at(1)), Not(Overlaps(at(3), None)))
    ),
    "CONE(10.68, -41, 0.5)": Cone(10.68, -41.0, 0.5),
    "cone (1,2,3)": Cone(1.0, 2.0, 3.0),
    "TEXT('crab nebula')": Text(("crab", "nebula")),
}


@pytest.mark.parametrize("text", MEANINGS, ids=[f"{place}" for place in range(len(MEANINGS))])
def test_each_construct_has_its_meaning(text: str) -> None:
    assert parse_text(text) == MEANINGS[text]


ERRORS = {
    "": "at its end: there is nothing",
    "mission_id": "at its end: expected a comparison",
    "mission_id =": "at its end: expected a column or a value",
    "mission_id = HST": "at character 1, 'mission_id = HST': two columns cannot be compared",
    "1 = 1": "at character 1, '1 = 1': a comparison needs a column",
    "a = NULL": "at character 5, 'NULL': nothing equals NULL; write: column IS NULL",
    "a == 1": "at character 4, '= 1': expected a column or a value",
    "a != 1": "at character 3, '!= 1': not equal is <>",
    "a = 1 b = 2": "at character 7, 'b = 2': expected AND, OR or the end",
    "a = 1; DROP TABLE x": "at character 6, '; DROP TABLE x': one condition is enough",
    "a = 1 -- x": "at character 7, '-- x': arithmetic is not supported",
    "a / 2 = 1": "at character 3, '/ 2 = 1': arithmetic is not supported",
    "(a = 1": "at its end: expected AND, OR or )",
    "a = 1)": "at character 6, ')': expected AND, OR or the end",
    "a = 'x": 'at character 5, "\'x": this text does not end',
    'a" = 1': "at character 2, '\" = 1': this name does not end",
    "a = 'x\x07'": 'at character 7, "\\x07\'": this character cannot stand in a text',
    "a = '\ud800'": 'at character 6, "\\ud800\'": this character cannot stand in a text',
    "\x00": "at character 1, '\\x00': this character has no meaning here",
    "a IN 1": "at character 6, '1': expected (",
    "a IN (1": "at its end: expected , or )",
    "a IN (b)": "at character 1, 'a IN (b)': 'b' is a column where a value is needed",
    "a BETWEEN 1": "at its end: expected AND and the upper bound",
    "a IS 5": "at character 6, '5': expected NULL or NOT NULL",
    "5 IS NULL": "at character 3, 'IS NULL': expected a comparison",
    "a LIKE 5": "at character 1, 'a LIKE 5': LIKE takes a text",
    "a LIKE '%abc'": "patterns are 'abc%' (begins with) and '%abc%' (contains)",
    "a LIKE 'a_c'": "a percent sign or underscore itself is \\% or \\_",
    "a LIKE 'a%c'": "LIKE 'a%c' is not supported",
    r"a LIKE 'a\bc'": "a backslash stands before 'b'",
    "a LIKE 'a\\'": "ends in a single backslash",
    "a = 1e999": "at character 5, '1e999': the number is too large",
    f"a = {'9' * 65}": "a number has at most 64 characters",
    "DATE('2026-03-01')": "at its end: expected a comparison",
    "a = DATE('2026-13-01')": "at character 5, \"DATE('2026-13-01')\": '2026-13-01' is a time",
    "a = DATE('yesterday')": "is no time such as 2026-03-01",
    "a = DATE('2026-03-01T00:00:00Z')": "is no day such as 2026-03-01",
    "a = TIMESTAMP('2026-03-01')": "is a day and no timestamp",
    "a = TIMESTAMP('2016-12-31T23:59:60Z')": "is a time that does not exist",
    "a = TIMESTAMP('0001-01-01T00:00:00+01:00')": "is a time that does not exist",
    "a = TIMESTAMP(5)": "TIMESTAMP takes one text",
    "a = DATE()": "DATE takes one text",
    "a = INTERVAL('..', '..')": "an interval cannot be compared",
    "a = upper('x')": "the function 'UPPER' cannot stand where a value is needed",
    "S_INTERSECTS(geometry, POINT(1 2))": "at character 32, '2))': expected , or )",
    "S_INTERSECTS(geometry, 'x')": "no function 'S_INTERSECTS'; there are: CONE, TEXT, T_INTERSECTS",
    "CASEI(a) = 'x'": "no function 'CASEI'",
    "CONE(1, 2)": "CONE takes right ascension, declination and radius",
    "CONE(1, 2, TRUE)": "CONE takes right ascension, declination and radius",
    "TEXT(5)": "TEXT takes one text",
    f"TEXT('{'x ' * 51}')": "the text has more than 50 words",
    "T_INTERSECTS(datetime)": "T_INTERSECTS takes two arguments",
    "T_INTERSECTS(datetime, modified_time)": "T_INTERSECTS takes one column and one time",
    "T_INTERSECTS(datetime, 5)": "a time is TIMESTAMP('...'), DATE('...') or INTERVAL('...', '...')",
    "T_INTERSECTS(datetime, INTERVAL('..'))": "INTERVAL takes two times",
    "T_INTERSECTS(datetime, INTERVAL(1, 2))": "an interval is bounded by times",
    "T_INTERSECTS(datetime, INTERVAL('2026-03-02', '2026-03-01'))": "the interval ends before it begins",
    "T_INTERSECTS(INTERVAL(a, b), DATE('2026-03-01'))": "an interval of columns is",
    "T_INTERSECTS(modified_time, INTERVAL('..', '..'))": "open on both sides says nothing",
    "T_DURING(datetime, DATE('2026-03-01'))": "T_DURING takes a column, then an interval",
    "T_BEFORE(datetime, INTERVAL('..', '2026-03-01'))": "the interval has no begin, so nothing is before it",
    "T_AFTER(datetime, INTERVAL('2026-03-01', '..'))": "the interval has no end, so nothing is after it",
}


@pytest.mark.parametrize("text", ERRORS, ids=[f"{place}" for place in range(len(ERRORS))])
def test_each_error_says_where_and_why(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_text(text)
    assert ERRORS[text] in str(caught.value)
    assert "\n" not in str(caught.value)


def test_either_encoding_is_told_by_its_first_character() -> None:
    written = ' {"op": "=", "args": [{"property": "mission_id"}, "HST"]}'
    assert parse_cql2(written) == parse_cql2("mission_id = 'HST'")
