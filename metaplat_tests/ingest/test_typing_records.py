"""From a nested record of JSON values to a typed row: what fits, what does not, and what is said of it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from metaplat.ingest.flatten import build_flattener
from metaplat.ingest.validate import build_validator
from metaplat.model.errors import InvalidInputError
from metaplat.model.field import DType, Field, ListOf, MapOf, Struct
from metaplat.model.polars_schema import polars_schema

STEP = Struct((Field("reason", str, ""), Field("count", int, "", nullable=True)))
FIELDS = (
    Field("name", str, "", key=True),
    Field("state", str, "", nullable=True, choices=("UP", "DOWN")),
    Field("memory", float, "", nullable=True, minimum=0, path="used.memory"),
    Field("cores", float, "", nullable=True, path="used.cpu.cores"),
    Field("rows", int, "", nullable=True, minimum=0, maximum=10**9),
    Field("number", int, "", nullable=True),
    Field("flag", bool, "", nullable=True),
    Field("at", datetime, "", nullable=True),
    Field("tables", ListOf(str), "", nullable=True),
    Field("counts", ListOf(int), "", nullable=True),
    Field("steps", ListOf(STEP), "", nullable=True),
    Field("step", STEP, "", nullable=True),
)
flatten, validate = build_flattener(FIELDS), build_validator(FIELDS)


def row(**record: Any) -> dict[str, Any]:
    return validate(flatten({"name": "a"} | record)[0])


def extra(**record: Any) -> dict[str, Any]:
    return flatten({"name": "a"} | record)[1]


def problem(**record: Any) -> str:
    with pytest.raises(InvalidInputError) as caught:
        row(**record)
    return str(caught.value)


@pytest.mark.parametrize(
    ("record", "said"),
    [
        ({"name": 7}, "name: expected text, got a number"),
        ({"name": None}, "name: is required"),
        ({"name": ""}, "name: must not be empty"),
        ({"name": "\ud800"}, "name: expected text of valid Unicode"),
        ({"state": "SIDEWAYS"}, "state: expected 'UP' or 'DOWN', got 'SIDEWAYS'"),
        ({"state": ["UP"]}, "state: expected 'UP' or 'DOWN', got an array"),
        ({"used": {"memory": "2"}}, "memory: expected a number, got text"),
        ({"used": {"memory": True}}, "memory: expected a number, got a boolean"),
        ({"used": {"memory": -0.5}}, "memory: expected greater than or equal to 0"),
        ({"used": {"memory": float("nan")}}, "memory: expected a finite number"),
        ({"used": {"memory": float("inf")}}, "memory: expected a finite number"),
        ({"used": {"memory": 10**400}}, "memory: expected a number, got a number"),
        ({"used": 5}, "used: expected an object or null, got a number"),
        ({"used": {"cpu": [1]}}, "used.cpu: expected an object or null, got an array"),
        ({"rows": True}, "rows: expected a whole number, got a boolean"),
        ({"rows": "12"}, "rows: expected a whole number, got text"),
        ({"rows": 12.5}, "rows: expected a whole number, got a number"),
        ({"rows": -1}, "rows: expected greater than or equal to 0"),
        ({"rows": 10**10}, "rows: expected less than or equal to 1000000000"),
        ({"number": 2**63}, "number: expected less than or equal to 9223372036854775807"),
        ({"number": 1e300}, "number: expected less than or equal to 9223372036854775807"),
        ({"number": float("inf")}, "number: expected a whole number, got a number"),
        ({"flag": 1}, "flag: expected true or false, got a number"),
        ({"flag": "true"}, "flag: expected true or false, got text"),
        ({"tables": "a"}, "tables: expected an array, got text"),
        ({"tables": ["a", None, 3]}, "tables.1: is required; tables.2: expected text, got a number"),
        ({"steps": {"reason": "x"}}, "steps: expected an array, got an object"),
        ({"steps": ["x"]}, "steps.0: expected an object, got text"),
        ({"steps": [{"count": 1}]}, "steps.0.reason: is required"),
        ({"step": {"reason": "x", "count": "1"}}, "step.count: expected a whole number, got text"),
        (
            {"name": 1, "flag": 2},
            "name: expected text, got a number; flag: expected true or false, got a number",
        ),
    ],
)
def test_every_wrong_value_is_named_with_what_was_expected(record: dict[str, Any], said: str) -> None:
    assert problem(**record) == said


NO_TIME = "at: expected a time such as 2025-11-29T02:00:00Z"
NO_ZONE = "at: the time has no zone; write it in UTC, such as 2025-11-29T02:00:00Z"


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("2025-11-29T02:00:00", NO_ZONE),
        ("2025-11-29", NO_ZONE),
        ("2025-11-29T23:59:60Z", NO_TIME),
        ("2025-02-30T00:00:00Z", NO_TIME),
        ("yesterday", NO_TIME),
        ("", NO_TIME),
        ("2025-11-29T02:00:00Z\ud800", NO_TIME),
        ("0001-01-01T00:00:00+05:00", "at: the time lies outside of the calendar"),
        ("9999-12-31T23:59:59-05:00", "at: the time lies outside of the calendar"),
        (1764381600, f"{NO_TIME}, got a number"),
        (True, f"{NO_TIME}, got a boolean"),
    ],
)
def test_a_time_that_cannot_be_trusted_is_refused(written: object, said: str) -> None:
    assert problem(at=written) == said


@pytest.mark.parametrize(
    "written",
    [
        "2025-11-29T02:00:00.123456Z",
        "2025-11-29T02:00:00.123456789Z",
        "2025-11-29T04:00:00.123456+02:00",
        "2025-11-28 18:30:00.123456-07:30",
        "20251129T020000.123456Z",
    ],
)
def test_every_writing_of_one_moment_is_the_same_utc_time(written: str) -> None:
    assert row(at=written)["at"] == datetime(2025, 11, 29, 2, 0, 0, 123456, tzinfo=UTC)
    assert row(at=written)["at"].tzinfo is UTC


def test_the_first_and_the_last_moment_of_the_calendar_are_times() -> None:
    assert row(at="0001-01-01T00:00:00Z")["at"].year == 1
    assert row(at="9999-12-31T23:59:59.999999Z")["at"].year == 9999


def test_whole_floats_are_whole_numbers_wherever_those_are_declared() -> None:
    found = row(rows=12.0, counts=[1.0, 2], step={"reason": "x", "count": 3.0})
    assert (found["rows"], found["counts"], found["step"]["count"]) == (12, [1, 2], 3)
    assert type(found["counts"][0]) is type(found["step"]["count"]) is int


def test_mending_whole_floats_does_not_change_the_landed_record() -> None:
    landed = {"name": "a", "counts": [1.0], "step": {"reason": "x", "count": 3.0}}
    validate(flatten(landed)[0])
    assert type(landed["counts"][0]) is type(landed["step"]["count"]) is float  # type: ignore[index]


def test_the_largest_whole_number_is_kept_exactly() -> None:
    assert row(number=2**63 - 1)["number"] == 2**63 - 1
    assert row(number=-(2**63 - 1))["number"] == -(2**63 - 1)


def test_control_characters_and_any_unicode_are_text() -> None:
    name = "a\x00b\x1b[31m\u202e\U0001f600"
    assert row(name=name)["name"] == name


def test_undeclared_fields_are_kept_by_dotted_name_at_every_level() -> None:
    found = extra(
        tier=1,
        used={"disk": 5, "cpu": {"model": "x", "cores": 2}},
        steps=[{"reason": "x", "host": "n1"}],
        step={"reason": "y", "deep": {"er": [1]}},
    )
    assert found == {
        "tier": 1,
        "used.disk": 5,
        "used.cpu.model": "x",
        "steps.0.host": "n1",
        "step.deep": {"er": [1]},
    }


def test_an_absent_member_of_a_struct_is_unknown_and_not_wrong() -> None:
    assert row(steps=[{"reason": "x", "host": "n1"}])["steps"] == [{"reason": "x", "count": None}]


def test_absent_objects_and_null_objects_are_nulls() -> None:
    assert row(used=None) == row() == row(used={"cpu": None})


def test_a_record_with_a_thousand_faults_is_told_in_one_readable_line() -> None:
    said = problem(tables=[1] * 1000)
    assert said.endswith("; and 980 more")
    assert len(said) < 2000


@pytest.mark.parametrize("name", ["name", "rows", "at", "flag", "tables"])
def test_a_value_of_the_wrong_type_is_never_repeated(name: str) -> None:
    assert "canary" not in problem(**{name: {"canary": ["canary"]}})


def test_a_text_where_a_time_is_expected_is_never_repeated() -> None:
    assert "canary" not in problem(at="canary")


dtypes: st.SearchStrategy[DType] = st.recursive(
    st.sampled_from([str, int, float, bool, datetime]),
    lambda inner: (
        st.builds(
            lambda types: Struct(tuple(Field(f"m{n}", t, "", nullable=n > 0) for n, t in enumerate(types))),
            st.lists(inner, min_size=1, max_size=3),
        )
        | st.builds(ListOf, inner.filter(lambda each: not isinstance(each, ListOf)))
    ),
    max_leaves=4,
)
anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters(exclude_categories=()))
    | st.datetimes(timezones=st.just(UTC)).map(datetime.isoformat)
    | st.datetimes().map(datetime.isoformat),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["m0", "m1", "m2", "other"]), inner, max_size=3)
    ),
    max_leaves=6,
)


def fitting(dtype: DType) -> st.SearchStrategy[Any]:
    """Values that are mostly of the type."""
    if isinstance(dtype, ListOf):
        return st.lists(fitting(dtype.item), max_size=3)
    if isinstance(dtype, Struct):
        return st.fixed_dictionaries({each.name: fitting(each.dtype) for each in dtype.fields})
    strategies: dict[DType, st.SearchStrategy[Any]] = {
        str: st.text(),
        int: st.integers(-(2**63) + 1, 2**63 - 1) | st.integers(-9, 9).map(float),
        float: st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(2**70), 2**70),
        bool: st.booleans(),
        datetime: st.datetimes(timezones=st.just(UTC)).map(datetime.isoformat),
        MapOf(): st.dictionaries(st.text(), st.text()),
    }
    return strategies[dtype]


def is_typed(value: object, dtype: DType) -> bool:
    if isinstance(dtype, ListOf):
        return isinstance(value, list) and all(is_typed(item, dtype.item) for item in value)
    if isinstance(dtype, Struct):
        return (
            isinstance(value, dict)
            and list(value) == [each.name for each in dtype.fields]
            and all(
                is_typed(value[each.name], each.dtype) or (each.nullable and value[each.name] is None)
                for each in dtype.fields
            )
        )
    return type(value) is dtype


@given(st.data())
def test_any_value_of_any_type_fits_its_column_or_is_refused(data: st.DataObject) -> None:
    field = Field("column", data.draw(dtypes), "", nullable=data.draw(st.booleans()))
    value = data.draw(fitting(field.dtype) | anything)
    try:
        found = build_validator([field])(build_flattener([field])({"column": value})[0])["column"]
    except InvalidInputError as error:
        assert "\n" not in str(error)  # noqa: PT017
        return
    assert (found is None and field.nullable) or is_typed(found, field.dtype)
    dtype = polars_schema([field])["column"]
    assert pl.Series("column", [found], dtype=dtype).to_list() == [found]
