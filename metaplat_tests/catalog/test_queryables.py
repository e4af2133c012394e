"""Queryables: which columns and values a filter may have, and what it becomes."""

from __future__ import annotations

import pickle
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given

from metaplat.catalog.queryables import ALIASES, UnknownQueryableError, checked, queryables
from metaplat.model.errors import UnknownNameError, UsageError
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
from metaplat.model.observation import OBSERVATION_FIELDS, ExtractionStatus
from metaplat_tests.stores.catalog.catalog_rows import filters

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
DAY = datetime(2026, 3, 1, tzinfo=UTC)
NEXT = DAY + timedelta(days=1)
NAMES = [field.name for field in OBSERVATION_FIELDS]


def test_every_column_can_be_asked_for() -> None:
    assert [each.name for each in queryables()] == NAMES
    assert {each.type for each in queryables()} == {"text", "integer", "number", "time"}
    by_name = {each.name: each for each in queryables()}
    assert by_name["processing_status"].choices == ("raw", "processed", "archived")
    assert by_name["file_size"].unit == "bytes"
    assert "platform" in by_name["satellite_name"].aliases
    assert not by_name["mission_specific"].sortable


def test_aliases_are_no_columns_and_lead_to_columns() -> None:
    assert not set(ALIASES) & set(NAMES)
    assert set(ALIASES.values()) <= set(NAMES)
    for alias, name in ALIASES.items():
        assert checked(IsNull(alias)) == IsNull(name)


ACCEPTED: list[tuple[Filter, Filter]] = [
    (Compare("mission", "=", "HST"), Compare("mission_id", "=", "HST")),
    (Compare("quality", ">=", 1), Compare("data_quality_score", ">=", 1.0)),
    (Compare("size", ">", 5.0), Compare("file_size", ">", 5)),
    (Compare("size", ">", 0.0), Compare("file_size", ">", 0)),
    (Compare("size", ">", 5.5), Compare("file_size", ">", 5.5)),
    (Compare("datetime", "<", "2026-03-01T12:00Z"), Compare("observation_timestamp", "<", NOON)),
    (Compare("datetime", "<", "2026-03-01T13:00:00+01:00"), Compare("observation_timestamp", "<", NOON)),
    (Compare("datetime", "<", "2026-03-01 12:00"), Compare("observation_timestamp", "<", NOON)),
    (Compare("datetime", "<=", "2026-03-01"), Compare("observation_timestamp", "<", NEXT)),
    (
        Compare("datetime", "=", "2026-03-01"),
        And((Compare("observation_timestamp", ">=", DAY), Compare("observation_timestamp", "<", NEXT))),
    ),
    (
        Between("datetime", "2026-03-01", "2026-03-01"),
        And((Compare("observation_timestamp", ">=", DAY), Compare("observation_timestamp", "<", NEXT))),
    ),
    (
        In("datetime", ("2026-03-01", NOON)),
        Or(
            (
                And(
                    (Compare("observation_timestamp", ">=", DAY), Compare("observation_timestamp", "<", NEXT))
                ),
                In("observation_timestamp", (NOON,)),
            )
        ),
    ),
    (
        Compare("datetime", "<", "9999-12-31"),
        Compare("observation_timestamp", "<", datetime(9999, 12, 31, tzinfo=UTC)),
    ),
    (Compare("extraction_status", "=", ExtractionStatus.OK), Compare("extraction_status", "=", "ok")),
    (Compare("format", ">", "g"), Compare("file_format", ">", "g")),
    (In("mission", ()), In("mission_id", ())),
    (Prefix("mission", ""), Compare("mission_id", ">=", "")),
    (Contains("mission", "x"), Contains("mission_id", "x")),
    (Cone(1, 2, 3), Cone(1.0, 2.0, 3.0)),
    (Text(("x", "")), Text(("x",))),
    (Overlaps(NOON.astimezone(timezone(timedelta(hours=5))), None), Overlaps(NOON, None)),
    (Not(IsNull("id")), Not(IsNull("dataset_id"))),
]


@pytest.mark.parametrize("place", range(len(ACCEPTED)))
def test_names_and_values_become_those_of_the_columns(place: int) -> None:
    given_filter, expected = ACCEPTED[place]
    found = checked(given_filter)
    assert repr(found) == repr(expected)  # == would take 1 for 1.0
    assert checked(found) == found


BAD_VALUES: list[tuple[Filter, str]] = [
    (
        Compare("quality", "=", "x"),
        "data_quality_score takes numbers, not the text 'x'; queryables: dataset_id (text)",
    ),
    (Compare("quality", "=", value=True), "data_quality_score takes numbers, not true; queryables:"),
    (Compare("size", "=", value=False), "file_size takes integers, not false; queryables:"),
    (Compare("size", "=", "5"), "file_size takes integers, not the text '5'; queryables:"),
    (Compare("mission", "=", 5), "mission_id takes text, not the number 5; queryables:"),
    (Compare("mission", "=", value=True), "mission_id takes text, not true; queryables:"),
    (
        Compare("mission", "=", NOON),
        "mission_id takes text, not the time 2026-03-01T12:00:00+00:00; queryables:",
    ),
    (Compare("mission", "=", None), "mission_id takes text, not null (use IS NULL); queryables:"),  # type: ignore[arg-type]
    (Compare("mission", "=", ["x"]), "mission_id takes text, not a list; queryables:"),  # type: ignore[arg-type]
    (
        Compare("datetime", "=", 5),
        "observation_timestamp takes times such as 2026-03-01T12:00:00Z, not the number 5;",
    ),
    (Compare("datetime", "=", "5"), "observation_timestamp takes times: '5' is no time such as 2026-03-01"),
    (Compare("datetime", "=", "2026-02-30"), "'2026-02-30' is a time that does not exist; queryables:"),
    (Compare("datetime", "=", datetime(2026, 3, 1)), "2026-03-01T00:00:00 has no time zone"),  # noqa: DTZ001
    (Compare("quality", "=", float("nan")), "data_quality_score takes finite numbers, not nan"),
    (Compare("quality", "<", float("inf")), "data_quality_score takes finite numbers, not inf"),
    (Compare("quality", "<", 10**400), "data_quality_score: the number is too large"),
    (Compare("size", "<", 2**63), "file_size takes integers of 64 bits"),
    (Compare("size", "<", 10**5000), "file_size takes integers of 64 bits"),
    (Compare("size", "<", 1e30), "file_size takes integers of 64 bits; the number 1e+30 is too large"),
    (Compare("mission", "=", "a\x00"), "mission_id: no stored text holds the character '\\x00'"),
    (Compare("mission", "=", "a\ud800"), "mission_id: no stored text holds the character '\\ud800'"),
    (Compare("status", "=", "Raw"), "processing_status is one of raw, processed, archived, never 'Raw'"),
    (
        In("format", ("fits", "fitz")),
        "file_format is one of fits, hdf5, hdf-eos5, netcdf3, netcdf4, csv, never 'fitz'",
    ),
    (Prefix("quality", "x"), "data_quality_score holds no text to search in; queryables:"),
    (Contains("datetime", "x"), "observation_timestamp holds no text to search in; queryables:"),
    (Text(("a\x00",)), "free text: no stored text holds the character '\\x00'"),
    (Cone(361, 0, 1), "the right ascension of a cone is 0 to 360 degrees, not the number 361"),
    (Cone(0, -91, 1), "the declination of a cone is -90 to 90 degrees, not the number -91"),
    (Cone(0, 0, float("nan")), "the radius of a cone is 0 to 180 degrees, not the number nan"),
    (Cone(0, 0, "1"), "the radius of a cone is a number of degrees"),  # type: ignore[arg-type]
    (Overlaps(NOON, NOON), "the time window [2026-03-01T12:00:00+00:00, 2026-03-01T12:00:00+00:00) is empty"),
    (Overlaps(date(2026, 3, 1), None), "a time window is bounded by moments"),  # type: ignore[arg-type]
    (Overlaps(5, None), "the time window takes times such as"),  # type: ignore[arg-type]
    (And(("x",)), "a filter cannot hold a str"),  # type: ignore[arg-type]
]


@pytest.mark.parametrize("place", range(len(BAD_VALUES)))
def test_a_value_that_does_not_fit_is_an_error_that_says_what_would(place: int) -> None:
    where, problem = BAD_VALUES[place]
    with pytest.raises(UsageError) as caught:
        checked(where)
    assert problem in str(caught.value)


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("misson", "mission"),
        ("quality_score", "data_quality_score"),
        ("Mission_ID", "mission_id"),
        ("zzz", None),
    ],
)
def test_an_unknown_column_is_an_error_that_lists_all_and_names_the_nearest(
    name: str, near: str | None
) -> None:
    with pytest.raises(UnknownNameError) as caught:
        checked(And((IsNull("mission_id"), Compare(name, "=", 1))))
    text = str(caught.value)
    assert f"no column named {name!r}" in text
    assert all(f"{column} (" in text for column in NAMES)
    assert near is None or "did you mean" in text
    assert near is None or near in text
    copied = pickle.loads(pickle.dumps(caught.value))
    assert isinstance(copied, UnknownQueryableError)
    assert str(copied) == text


def test_a_very_long_name_makes_a_short_error() -> None:
    with pytest.raises(UnknownNameError) as caught:
        checked(IsNull("mission_id" * 100_000))
    assert len(str(caught.value)) < 2_000


def deep(levels: int) -> Filter:
    """Return a filter of so many levels."""
    where: Filter = IsNull("id")
    for _ in range(levels - 1):
        where = Not(where)
    return where


def test_depth_and_size_have_limits_that_are_errors() -> None:
    assert checked(deep(50)) != checked(deep(49))
    for levels in (51, 100_000):
        with pytest.raises(UsageError, match="nested more than 50 levels deep"):
            checked(deep(levels))
    with pytest.raises(UsageError, match="more than 10000 conditions"):
        checked(Or((IsNull("id"),) * 10_000))
    with pytest.raises(UsageError, match="more than 200000 values"):
        checked(And((In("id", ("x",) * 150_000), In("id", ("x",) * 50_001))))
    with pytest.raises(UsageError, match="more than 10000 conditions"):
        checked(In("datetime", ("2026-03-01",) * 5_000))
    assert checked(In("id", ("x",) * 200_000)) == In("dataset_id", ("x",) * 200_000)


@given(where=filters())
def test_a_filter_that_fits_is_not_changed_but_in_its_form(where: Filter) -> None:
    once = checked(where)
    assert checked(once) == once


def test_values_of_other_python_types_are_taken_for_what_they_are() -> None:
    found: Any = checked(Compare("datetime", ">=", date(2026, 3, 1)))  # type: ignore[arg-type]
    assert found == Compare("observation_timestamp", ">=", DAY)
