"""In which order every catalog index shows what it finds, page by page and in whole."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from metaplat.model import filters as f
from metaplat.stores.catalog.index import Query, Sort
from metaplat_tests.stores.catalog.catalog_rows import (
    DAY,
    FIELDS,
    NOW,
    after_of,
    filters,
    identity,
    ids_of,
    observation,
    put,
    sorts,
    tables,
)
from metaplat_tests.stores.catalog.catalog_truth import in_order, is_on_border, matching

if TYPE_CHECKING:
    from collections.abc import Iterator

    from metaplat.model.observation import Row
    from metaplat.stores.catalog.index import CatalogIndex
    from metaplat_tests.stores.catalog.index_factories import IndexFactory


def fill(index: CatalogIndex, column: str, *values: Any) -> None:
    """Store one observation a value."""
    put(index, *(observation(number, **{column: value}) for number, value in enumerate(values)))


def pages(index: CatalogIndex, query: Query) -> Iterator[list[Row]]:
    """Yield one page after the other, as long as there are rows."""
    after = None
    while page := index.search(Query(query.where, query.sort, (), query.limit, after, query.absent)):
        yield page
        after = after_of(query, page[-1])


@pytest.mark.parametrize("descending", [False, True], ids=["up", "down"])
@pytest.mark.parametrize("column", list(FIELDS))
def test_every_column_sorts_with_nulls_last(index: CatalogIndex, column: str, descending: bool) -> None:
    values: dict[type, list[Any]] = {str: ["b", "a", "é", "Z"], int: [3, 1, 2], float: [0.5, 0.0, 1.0]}
    if column not in {"dataset_id", "first_seen", "updated_at", "revision", "change_seq", "file_state"}:
        some = values.get(FIELDS[column].dtype, [NOW, NOW - DAY])  # type: ignore[arg-type]
        fill(index, column, *some, *([None, None] if FIELDS[column].nullable else []), *some)
    else:
        put(index, *map(observation, range(6)))
        put(index, observation(2, version="2"))
    query = Query(sort=[Sort(column, descending=descending)])
    rows = index.search(query)
    assert rows == in_order(index.get(ids_of(rows)), query.sort)
    assert [row for page in pages(index, Query(sort=query.sort, limit=1)) for row in page] == rows


@settings(max_examples=25)
@given(rows=tables(), sort=sorts(), limit=st.integers(1, 5), where=filters(3), absent=st.booleans())
def test_pages_show_each_row_exactly_once_in_order(
    factory: IndexFactory, rows: list[Row], sort: list[Sort], limit: int, where: f.Filter, absent: bool
) -> None:
    assume(not is_on_border(where, rows))
    with factory.empty() as index:
        put(index, *rows)
        query = Query(where, sort, (), limit, absent=absent)
        shown = list(pages(index, query))
    assert ids_of([row for page in shown for row in page]) == ids_of(
        in_order(matching(rows, where, absent=absent), sort)
    )
    assert all(len(page) == limit for page in shown[:-1])


def test_a_page_goes_on_where_its_last_row_was_removed_or_never_existed(index: CatalogIndex) -> None:
    fill(index, "file_size", 10, 20, 30, 40)
    query = Query(sort=[Sort("file_size")], limit=2, after=[25, "no such id"])
    assert [row["file_size"] for row in index.search(query)] == [30, 40]
    down = Query(sort=[Sort("file_size", descending=True)], after=[25, "no such id"])
    assert [row["file_size"] for row in index.search(down)] == [20, 10]


def test_rows_hold_the_wanted_columns_only(index: CatalogIndex) -> None:
    put(index, observation())
    (row,) = index.search(Query(columns=["file_size", "mission_id"]))
    assert row == {"file_size": 1000, "mission_id": "SOHO"}
    (whole,) = index.search(Query())
    assert list(whole) == list(FIELDS)
    assert [whole] == index.get([identity(0)])


def test_newest_come_first_where_nothing_is_said(index: CatalogIndex) -> None:
    fill(index, "observation_timestamp", NOW, None, NOW + DAY)
    assert ids_of(index.search(Query())) == [identity(2), identity(0), identity(1)]


def test_files_that_are_not_there_are_shown_on_request_only(index: CatalogIndex) -> None:
    fill(index, "file_state", "present", "vanished", "rejected")
    assert ids_of(index.search(Query())) == [identity(0)]
    assert len(index.search(Query(absent=True))) == index.count(f.EVERYTHING, absent=True) == 3
    assert sum(map(len, index.scan(f.EVERYTHING, absent=True))) == 3
    vanished = f.Compare("file_state", "=", "vanished")
    assert (index.count(vanished), index.count(vanished, absent=True)) == (0, 1)


def test_a_scan_yields_every_row_once_in_blocks_of_tuples(index: CatalogIndex) -> None:
    put(index, *map(observation, range(25_000)))
    sizes = [row for block in index.scan(f.EVERYTHING, ["file_size", "modified_time"]) for row in block]
    assert sorted(sizes) == [(1000 + number, NOW - DAY) for number in range(25_000)]
    (block,) = index.scan(f.Compare("file_size", "=", 1007))
    assert dict(zip(FIELDS, block[0], strict=True)) == index.get([identity(7)])[0]


def test_a_scan_that_is_left_early_does_no_harm(index: CatalogIndex) -> None:
    put(index, *map(observation, range(25_000)))
    blocks = iter(index.scan(f.EVERYTHING, ["dataset_id"]))
    next(blocks)
    put(index, observation(30_000))
    del blocks
    assert index.count(f.EVERYTHING) == 25_001
