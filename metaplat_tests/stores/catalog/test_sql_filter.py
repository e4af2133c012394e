"""Filters as SQL: nothing hostile becomes part of a statement, and no size of a tree breaks the database."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from metaplat.model import filters as f
from metaplat.model.errors import InvalidInputError
from metaplat.stores.catalog.index import Query
from metaplat.stores.catalog.sql_dialect import POSTGRES, SQLITE, Dialect
from metaplat.stores.catalog.sql_filter import MAX_CONDITIONS, compile_filter
from metaplat.stores.catalog.sql_values import after_prefix
from metaplat.stores.catalog.sqlite_index import SqliteIndex
from metaplat_tests.stores.catalog.catalog_rows import NOW, filters, observation, put

if TYPE_CHECKING:
    from collections.abc import Iterator

ONE = f.Compare("file_size", "=", 1000)
NONE = f.Compare("file_size", "<", 0)
NOT_NULL = f.Not(f.IsNull("file_size"))
HOSTILE = ["'; DROP TABLE observations; --", '" OR 1=1', "%s", "?", "\\", "100%", "a_b", "{column}", "\0"]


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SqliteIndex]:
    """Lend a catalog of ten files."""
    index = SqliteIndex(tmp_path_factory.mktemp("filters") / "catalog.sqlite")
    put(index, *(observation(number) for number in range(10)))
    yield index
    index.close()


@given(filters())
@settings(max_examples=200, deadline=None)
def test_each_placeholder_has_one_value_and_each_value_a_placeholder(where: f.Filter) -> None:
    for dialect in (SQLITE, POSTGRES):
        condition = compile_filter(where, dialect)
        assert condition.sql.count(dialect.mark) == len(condition.parameters)


@pytest.mark.parametrize("dialect", [SQLITE, POSTGRES], ids=["sqlite", "postgres"])
@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_no_value_becomes_part_of_a_statement(text: str, dialect: Dialect) -> None:
    leaves: list[f.Filter] = [
        f.Compare("target_object", "=", text),
        f.In("target_object", [text]),
        f.In("target_object", [text] * 1000),
        f.Between("target_object", text, text),
        f.Prefix("target_object", text),
        f.Contains("target_object", text),
        f.Text([text]),
    ]
    harmless = [compile_filter(leaf, dialect).sql for leaf in map(_harmless, leaves)]
    assert [compile_filter(leaf, dialect).sql for leaf in leaves] == harmless


def _harmless(leaf: f.Filter) -> f.Filter:
    match leaf:
        case f.Compare(column, operator):
            return f.Compare(column, operator, "x")
        case f.In(column, values):
            return f.In(column, ["x"] * len(values))
        case f.Between(column):
            return f.Between(column, "x", "x")
        case f.Prefix(column):
            return f.Prefix(column, "x")
        case f.Contains(column):
            return f.Contains(column, "x")
    return f.Text(["x"])


@pytest.mark.parametrize("column", ["1 = 1 OR dataset_id", "unit_x", "row_id", "", "MISSION_ID"])
def test_only_declared_columns_can_be_asked(index: SqliteIndex, column: str) -> None:
    for where in (f.Compare(column, "=", "x"), f.IsNull(column), f.In(column, ["x"]), f.Prefix(column, "x")):
        with pytest.raises((InvalidInputError, KeyError)):
            index.count(where)


@pytest.mark.parametrize("where", [f.Compare("version", "=", "\ud800"), f.Contains("version", "\ud800")])
def test_text_that_is_not_unicode_is_refused(index: SqliteIndex, where: f.Filter) -> None:
    with pytest.raises(InvalidInputError, match="Unicode"):
        index.count(where)


def test_long_lists_of_conditions_are_no_deep_trees(index: SqliteIndex) -> None:
    assert index.count(f.Or([NONE] * 5000 + [ONE])) == 1
    assert index.count(f.And([ONE] * 5000)) == 1


def test_too_many_conditions_are_refused(index: SqliteIndex) -> None:
    with pytest.raises(InvalidInputError, match=str(MAX_CONDITIONS)):
        index.count(f.Or([ONE] * (MAX_CONDITIONS + 1)))


@pytest.mark.parametrize("joined", [f.And, f.Or])
def test_equal_ones_inside_each_other_may_be_of_any_depth(
    index: SqliteIndex, joined: type[f.And | f.Or]
) -> None:
    where: f.Filter = ONE
    for _ in range(5000):
        where = joined([where])
    assert index.count(where) == 1
    for _ in range(5001):
        where = f.Not(where)
    assert index.count(where) == 9


@pytest.mark.parametrize("levels", [1, 10, 50])
def test_trees_deeper_than_anybody_writes_are_answered(index: SqliteIndex, levels: int) -> None:
    assert index.count(_alternating(levels)) == 1
    assert index.search(Query(f.Not(_alternating(levels)), limit=9))


@pytest.mark.parametrize("levels", [*range(40, 100), 1000, 100_000])
def test_deeper_trees_are_answered_or_refused(index: SqliteIndex, levels: int) -> None:
    for where in (_alternating(levels), f.Not(_alternating(levels)), _negated(levels)):
        try:
            found = str(index.count(f.And([where, f.Contains("file_path", "data")])))
        except InvalidInputError as error:
            found = str(error)
        assert found in ("1", "9") or (levels > 30 and "nested too deeply" in found)


def _negated(levels: int) -> f.Filter:
    where: f.Filter = ONE
    for _ in range(levels):
        where = f.Not(f.And([NOT_NULL, f.Or([where, NONE])]))
    return where


def _alternating(levels: int) -> f.Filter:
    where: f.Filter = ONE
    for level in range(levels):
        where = f.And([where, ONE]) if level % 2 else f.Or([where, NONE])
    return where


@pytest.mark.parametrize(
    ("column", "values"),
    [
        ("dataset_id", [observation(number)["dataset_id"] for number in range(100_000)]),
        ("file_size", list(range(100_000))),
        ("file_path", [f"/data/{number}.fits" for number in range(100_000)]),
        ("modified_time", [*[NOW] * 100_000, observation()["modified_time"]]),
        ("version", ["'", '"', "\0", "\\", "é"] * 20_000),
    ],
    ids=["id", "number", "path", "time", "hostile"],
)
def test_lists_of_a_hundred_thousand_values_are_answered(
    index: SqliteIndex, column: str, values: list[str | int]
) -> None:
    assert index.count(f.In(column, values)) == (0 if column == "version" else 10)


@given(
    st.text(st.sampled_from("a\ud7ff\ue000\U0010ffff\x7fé"), max_size=4),
    st.text(st.characters(exclude_categories=["Cs"])),
)
def test_a_prefix_is_the_range_up_to_the_text_after_it(prefix: str, text: str) -> None:
    after = after_prefix(prefix)
    for candidate in (text, prefix + text):
        inside = candidate >= prefix and (after is None or candidate < after)
        assert inside == candidate.startswith(prefix)
    assert after is None or after.encode()
