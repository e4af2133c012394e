"""What every catalog index finds: filters, and text that tries to be more than text."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from metaplat.model import filters as f
from metaplat.model.errors import InvalidInputError, UsageError
from metaplat.model.observation import OBSERVATION_FIELDS
from metaplat.model.polars_schema import polars_schema
from metaplat.stores.catalog.index import Query
from metaplat.stores.catalog.polars_filter import polars_expression
from metaplat_tests.stores.catalog.catalog_rows import (
    DAY,
    NOW,
    WORDS,
    filters,
    identity,
    ids_of,
    observation,
    put,
    tables,
)
from metaplat_tests.stores.catalog.catalog_truth import is_on_border, matching

if TYPE_CHECKING:
    from metaplat.model.observation import Row
    from metaplat.stores.catalog.index import CatalogIndex
    from metaplat_tests.stores.catalog.index_factories import IndexFactory


def found(index: CatalogIndex, where: f.Filter) -> set[int]:
    """Return the numbers of the observations that match; every way to ask says the same."""
    rows = index.search(Query(where, columns=["dataset_id"]))
    numbers = {identity(number): number for number in range(60)}
    scanned = [row[0] for block in index.scan(where, ["dataset_id"]) for row in block]
    assert sorted(scanned) == sorted(ids_of(rows))
    assert index.count(where) == index.totals(where)[0] == len(rows)
    return {numbers[key] for key in ids_of(rows)}


def fill(index: CatalogIndex, column: str, *values: Any) -> None:
    """Store one observation a value."""
    put(index, *(observation(number, **{column: value}) for number, value in enumerate(values)))


@settings(max_examples=25)
@given(data=st.data())
def test_random_filters_find_what_plain_python_and_polars_find(
    factory: IndexFactory, data: st.DataObject
) -> None:
    rows = data.draw(tables())
    with factory.empty() as index:
        put(index, *rows)
        stored = index.get(ids_of(rows))
        frame = pl.DataFrame(stored, polars_schema(OBSERVATION_FIELDS))
        for where in data.draw(st.lists(filters(), min_size=3, max_size=6)):
            if is_on_border(where, rows):
                continue
            right = sorted(ids_of(matching(rows, where, absent=True)))
            assert sorted(ids_of(index.search(Query(where, absent=True)))) == right
            assert index.count(where, absent=True) == len(right)
            assert sorted(frame.filter(polars_expression(where))["dataset_id"]) == right
            present = matching(rows, where)
            assert index.totals(where) == (len(present), sum(row["file_size"] for row in present))


@pytest.mark.parametrize("operator", ["=", "<>", "<", "<=", ">", ">="])
def test_text_is_compared_by_code_points(index: CatalogIndex, operator: f.Operator) -> None:
    fill(index, "target_object", *WORDS, None)
    rows = index.get([identity(number) for number in range(len(WORDS) + 1)])
    for word in WORDS:
        where = f.Compare("target_object", operator, word)
        assert sorted(ids_of(index.search(Query(where)))) == sorted(ids_of(matching(rows, where))), word


@pytest.mark.parametrize("kind", [f.Prefix, f.Contains])
def test_no_letter_of_a_pattern_means_anything_else(
    index: CatalogIndex, kind: type[f.Prefix | f.Contains]
) -> None:
    fill(index, "target_object", *(f"{word}{end}" for word in WORDS for end in ("", "x")), None)
    rows = index.get([identity(number) for number in range(2 * len(WORDS) + 1)])
    for word in [*WORDS, "\U0010ffff", "a\U0010ffff", "\ud7ff"]:
        where = kind("target_object", word)
        assert found(index, where) == {
            number for number, row in enumerate(rows) if row in matching(rows, where)
        }


def test_null_is_neither_equal_nor_unequal(index: CatalogIndex) -> None:
    fill(index, "target_object", None, "M31", "M32")
    is_m31 = f.Compare("target_object", "=", "M31")
    assert (found(index, is_m31), found(index, f.Not(is_m31))) == ({1}, {2})
    assert found(index, f.Compare("target_object", "<>", "M31")) == {2}
    assert found(index, f.Or([is_m31, f.Not(is_m31)])) == {1, 2}
    assert found(index, f.Not(f.In("target_object", ["M31"]))) == {2}
    assert found(index, f.Not(f.Prefix("target_object", "M31"))) == {2}
    assert found(index, f.Not(f.Contains("target_object", "31"))) == {2}
    assert found(index, f.Not(f.Between("target_object", "M31", "M31"))) == {2}
    assert (found(index, f.IsNull("target_object")), found(index, f.Not(f.IsNull("target_object")))) == (
        {0},
        {1, 2},
    )


def test_empty_lists_are_false_or_true(index: CatalogIndex) -> None:
    fill(index, "target_object", None, "M31")
    for nothing in (f.Or([]), f.In("target_object", []), f.Not(f.And([])), f.And([f.EVERYTHING, f.Or([])])):
        assert found(index, nothing) == set()
    for everything in (f.And([]), f.Not(f.Or([])), f.Not(f.In("target_object", [])), f.Text([])):
        assert found(index, everything) == {0, 1}


def test_numbers_of_both_kinds_compare_with_a_column(index: CatalogIndex) -> None:
    fill(index, "file_size", 0, 1, 2)
    assert found(index, f.Compare("file_size", "<", 1.5)) == {0, 1}
    assert found(index, f.In("file_size", [1.0, 2, 0.5])) == {1, 2}
    assert found(index, f.Between("file_size", 0.5, 1)) == {1}
    fill(index, "data_quality_score", 0.0, 1.0, None)
    assert found(index, f.Compare("data_quality_score", ">=", 1)) == {1}
    assert found(index, f.In("data_quality_score", [0])) == {0}


@pytest.mark.parametrize("huge", [10**30, 2**63, 1e300])
def test_a_number_larger_than_any_column_is_just_larger(index: CatalogIndex, huge: float) -> None:
    fill(index, "file_size", 0, 2**53)
    assert found(index, f.Compare("file_size", "<", huge)) == {0, 1}
    assert found(index, f.Compare("file_size", ">", -huge)) == {0, 1}
    assert found(index, f.In("file_size", [huge])) == set()
    assert found(index, f.Between("file_size", 1, huge)) == {1}


def test_a_window_is_half_open_and_an_observation_lasts(index: CatalogIndex) -> None:
    tick = timedelta(microseconds=1)
    lasting = [
        (NOW, None),
        (NOW, NOW + DAY),
        (NOW, NOW - DAY),
        (NOW - DAY, NOW),
        (NOW - DAY, NOW - tick),
        (NOW + DAY, None),
        (None, NOW),
        (None, None),
    ]
    put(
        index,
        *(
            observation(number, observation_timestamp=begin, observation_end=end)
            for number, (begin, end) in enumerate(lasting)
        ),
    )
    assert found(index, f.Overlaps(NOW, NOW + tick)) == {0, 1, 2, 3}
    assert found(index, f.Overlaps(NOW - tick, NOW)) == {3, 4}
    assert found(index, f.Overlaps(NOW + tick, NOW + DAY)) == {1}
    assert found(index, f.Overlaps(NOW + DAY, None)) == {1, 5}
    assert found(index, f.Overlaps(None, NOW)) == {3, 4}
    assert found(index, f.Overlaps(None, None)) == {0, 1, 2, 3, 4, 5}
    assert found(index, f.Not(f.Overlaps(NOW, None))) == {4}


@pytest.mark.parametrize(
    ("ra", "dec", "radius", "inside"),
    [
        (0.0, 0.0, 1.0, {0, 1, 2}),
        (360.0, 0.0, 1.0, {0, 1, 2}),
        (359.6, 0.0, 0.5, {0, 1}),
        (77.0, 90.0, 0.2, {3, 4}),
        (180.0, 89.95, 0.2, {3, 4}),
        (10.0, -90.0, 1e-3, {5}),
        (45.0, 45.0, 1e-6, {6}),
        (45.00001, 45.0, 1e-6, set()),
        (180.0, 0.0, 1.0, {7}),
        (12.0, 34.0, 180.0, {0, 1, 2, 3, 4, 5, 6, 7}),
        (0.0, 0.0, 179.0, {0, 1, 2, 3, 4, 5, 6}),
        (180.0, -90.0, 180.0, {0, 1, 2, 3, 4, 5, 6, 7}),
    ],
)
def test_a_cone_holds_what_lies_within_its_angle(
    index: CatalogIndex, ra: float, dec: float, radius: float, inside: set[int]
) -> None:
    places = [(0.0, 0.0), (359.5, 0.0), (0.5, 0.0), (0.0, 89.9), (123.0, 90.0), (0.0, -90.0), (45.0, 45.0)]
    places += [(180.0, 0.0)]
    rows = [observation(number, ra_deg=place[0], dec_deg=place[1]) for number, place in enumerate(places)]
    put(index, *rows, observation(20, ra_deg=0.0), observation(21, dec_deg=0.0), observation(22))
    cone = f.Cone(ra, dec, radius)
    assert found(index, cone) == inside
    assert found(index, f.Not(cone)) == set(range(len(places))) - inside


def test_a_place_next_to_nothing_from_an_axis_is_a_place(index: CatalogIndex) -> None:
    """PostgreSQL refuses to multiply two numbers whose product is too small for a float."""
    put(index, observation(0, ra_deg=1e-200, dec_deg=5e-324), observation(1, ra_deg=0.0, dec_deg=-1e-170))
    for cone in (f.Cone(0.0, 0.0, 1.0), f.Cone(1e-180, 1e-180, 1e-6), f.Cone(360.0, -0.0, 1e-9)):
        assert found(index, cone) == {0, 1}


def test_every_word_is_looked_for_in_any_ascii_case_and_any_column(index: CatalogIndex) -> None:
    rows: list[Row] = [
        {"target_object": "Andromeda Galaxy", "mission_id": "HST"},
        {"target_object": None, "mission_id": None},
        {"target_object": "ÉTOILE_1", "satellite_name": "100%", "mission_id": None},
        {"instrument_type": "galaxyzoo", "target_object": "étoile"},
    ]
    put(index, *(observation(number, **row) for number, row in enumerate(rows)))
    for words, numbers in {
        ("galaxy",): {0, 3},
        ("GALAXY", "hst"): {0},
        ("a g",): {0},
        ("étoile",): {3},
        ("étoile".upper(),): {2},
        ("%",): {2},
        ("_",): {2},
        ("toile", "100%"): {2},
        ("galaxy", "nowhere"): set(),
    }.items():
        assert found(index, f.Text(words)) == numbers, words
        assert found(index, f.Not(f.Text(words))) == {0, 1, 2, 3} - numbers, "never unknown"


def test_a_hundred_thousand_values_may_be_listed(index: CatalogIndex) -> None:
    fill(index, "target_object", "T5", "T99999", "none", None)
    many = f.In("target_object", [f"T{number}" for number in range(100_000)])
    assert (found(index, many), found(index, f.Not(many))) == ({0, 1}, {2})
    assert found(index, f.In("file_size", list(range(100_000)))) == {0, 1, 2, 3}
    times = [NOW - DAY + timedelta(seconds=second) for second in range(100_000)]
    assert found(index, f.In("observation_timestamp", times)) == {0, 1, 2, 3}


@pytest.mark.parametrize("levels", [90, 2000])
def test_a_deep_tree_is_answered_or_refused_in_words(index: CatalogIndex, levels: int) -> None:
    fill(index, "file_size", 0, 1)
    where: f.Filter = f.Compare("file_size", "=", 1)
    for _ in range(levels // 2):
        where = f.Not(f.And([f.Not(where), f.IsNull("target_object")]))
    try:
        answer = found(index, f.And([where, f.Compare("file_size", "=", 1)]))
    except (InvalidInputError, UsageError):
        assert levels > 100
    else:
        assert answer == {1}


def test_a_wide_tree_is_answered(index: CatalogIndex) -> None:
    fill(index, "file_size", 0, 5, 3000)
    sizes = [f.Compare("file_size", "=", number) for number in range(1500)]
    assert found(index, f.Or(sizes)) == {0, 1}
    assert found(index, f.And([f.Not(size) for size in sizes])) == {2}
