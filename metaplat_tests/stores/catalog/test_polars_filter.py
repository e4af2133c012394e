"""Filters as Polars expressions, against the meaning of a filter row by row."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING

import pytest
from hypothesis import assume, given

from metaplat.model import filters as f
from metaplat.model.errors import InvalidInputError
from metaplat.model.observation import OBSERVATION_FIELDS
from metaplat.model.polars_schema import polars_schema
from metaplat.stores.catalog.polars_filter import polars_expression
from metaplat_tests.stores.catalog.catalog_rows import filters, identity, ids_of, observation, tables
from metaplat_tests.stores.catalog.catalog_truth import is_on_border, truth

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl

    from metaplat.model.observation import Row

HUGE = 2**2000
"""No float is as large."""
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def framed(rows: Sequence[Row]) -> pl.DataFrame:
    import polars as pl

    return pl.DataFrame(rows, schema=polars_schema(OBSERVATION_FIELDS))


def found(where: f.Filter, *rows: Row) -> list[str]:
    return ids_of(framed(rows).filter(polars_expression(where)).to_dicts())


def answer(where: f.Filter, **values: object) -> bool | None:
    told = framed([observation(0, **values)]).select(told=polars_expression(where))["told"][0]
    assert told is None or isinstance(told, bool)
    return told


@given(tables(), filters())
def test_every_row_is_found_that_is_true_by_the_meaning_and_unknown_is_null(
    rows: list[Row], where: f.Filter
) -> None:
    assume(not is_on_border(where, rows))
    told = framed(rows).with_columns(told=polars_expression(where))["told"].to_list()
    assert told == [truth(where, row) for row in rows]


@pytest.mark.parametrize("operator", ["=", "<>", "<", "<=", ">", ">="])
@pytest.mark.parametrize("number", [0.5, -0.5, 2.0**53, 2**53 + 1, math.inf, -math.inf, 2**70, -(2**70)])
@pytest.mark.parametrize("stored", [0, 1, 2**53, 2**53 + 1, 2**53 + 2, None])
def test_integers_are_compared_with_any_number_without_rounding(
    stored: int | None, number: float, operator: f.Operator
) -> None:
    where = f.Compare("file_size", operator, number)
    row = {"file_size": stored}
    assert answer(where, **row) == truth(where, row)
    assert answer(f.Not(where), **row) == truth(f.Not(where), row)


@pytest.mark.parametrize("operator", ["=", "<>", "<", "<=", ">", ">="])
@pytest.mark.parametrize("number", [0, 1, 2**53 + 1, 2**53 + 3, HUGE, -HUGE], ids=range(6))
@pytest.mark.parametrize("stored", [0.0, 0.5, 2.0**53, 2.0**53 + 2, 2.0**53 + 4, None])
def test_fractions_are_compared_with_any_integer_without_rounding(
    stored: float | None, number: int, operator: f.Operator
) -> None:
    where = f.Compare("ra_deg", operator, number)
    assert answer(where, ra_deg=stored) == truth(where, {"ra_deg": stored})


def test_values_that_no_row_can_have_match_nothing_in_a_list() -> None:
    wanted = f.In("file_size", [1.5, 2**70, 7.0])
    assert answer(wanted, file_size=7) is True
    assert answer(wanted, file_size=1) is False
    assert answer(f.In("data_quality_score", [1, math.nan]), data_quality_score=1.0) is True
    assert answer(f.In("data_quality_score", [1, math.nan]), data_quality_score=0.5) is None


def test_a_comparison_with_what_is_no_number_is_unknown() -> None:
    where = f.Compare("data_quality_score", "=", math.nan)
    assert answer(where, data_quality_score=0.5) is None
    assert answer(f.Not(where), data_quality_score=0.5) is None


def test_times_are_the_same_moment_in_any_zone() -> None:
    tokyo = timezone(timedelta(hours=9))
    same = NOON.astimezone(tokyo)
    assert answer(f.Compare("observation_timestamp", "=", same), observation_timestamp=NOON) is True
    assert answer(f.In("observation_timestamp", [same]), observation_timestamp=NOON) is True
    assert answer(f.Overlaps(same, None), observation_timestamp=NOON) is True


def test_the_empty_text_begins_and_is_in_every_text_but_not_in_null() -> None:
    assert answer(f.Prefix("target_object", ""), target_object="M31") is True
    assert answer(f.Contains("target_object", ""), target_object="") is True
    assert answer(f.Contains("target_object", ""), target_object=None) is None


def test_words_are_found_in_any_ascii_case_and_no_other() -> None:
    assert answer(f.Text(["ngc"]), target_object="The NGC 1") is True
    assert answer(f.Text(["É"]), target_object="é") is False
    assert answer(f.Text([]), target_object=None) is True


def test_an_empty_window_is_touched_by_nothing() -> None:
    lasting = {"observation_timestamp": NOON, "observation_end": NOON + timedelta(hours=2)}
    hour = NOON + timedelta(hours=1)
    assert answer(f.Overlaps(hour, hour), **lasting) is False
    assert answer(f.Overlaps(hour, NOON), **lasting) is False
    assert answer(f.Overlaps(hour, NOON), observation_timestamp=None) is None


@pytest.mark.parametrize("radius", [1e-12, 1e-10, 1e-8, 1e-5])
@pytest.mark.parametrize("dec", [0.0, 60.0, -89.0])
def test_tiny_cones_tell_directions_apart_that_a_cosine_would_not(dec: float, radius: float) -> None:
    center = {"ra_deg": 10.0, "dec_deg": dec}
    inside = {"ra_deg": 10.0, "dec_deg": dec + radius * 0.5}
    outside = {"ra_deg": 10.0, "dec_deg": dec + radius * 2}
    where = f.Cone(10.0, dec, radius)
    assert answer(where, **center) is True
    assert answer(where, **inside) is True
    assert answer(where, **outside) is False


def test_a_cone_of_no_width_holds_its_own_direction_and_one_turn_further() -> None:
    assert answer(f.Cone(0.0, 45.0, 0.0), ra_deg=360.0, dec_deg=45.0) is True
    assert answer(f.Cone(0.0, 45.0, 0.0), ra_deg=1e-9, dec_deg=45.0) is False


def test_half_a_circle_around_holds_every_direction_and_no_unknown_one() -> None:
    assert answer(f.Cone(1.0, 1.0, 180.0), ra_deg=181.0, dec_deg=-1.0) is True
    assert answer(f.Cone(1.0, 1.0, 180.0), ra_deg=None, dec_deg=-1.0) is None
    assert answer(f.Cone(1.0, 1.0, -1.0), ra_deg=1.0, dec_deg=1.0) is False


def test_text_that_looks_like_a_pattern_is_only_text() -> None:
    rows = [observation(number, target_object=text) for number, text in enumerate(["a.c", "abc", "a%c"])]
    assert found(f.Contains("target_object", "."), *rows) == [identity(0)]
    assert found(f.Prefix("target_object", "a%"), *rows) == [identity(2)]


def test_a_tree_deeper_than_anyone_writes_is_refused_and_double_negation_is_not_deep() -> None:
    deep: f.Filter = f.IsNull("version")
    negated: f.Filter = deep
    for _ in range(400):
        deep = f.And([f.Or([deep])])
        negated = f.Not(f.Not(negated))
    with pytest.raises(InvalidInputError, match="nested more than"):
        polars_expression(deep)
    assert answer(negated, version=None) is True
