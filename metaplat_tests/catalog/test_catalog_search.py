"""Searching the catalog: conditions, pages, tokens, counts and facets, over the default store."""

from __future__ import annotations

import contextlib
import itertools
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from metaplat.catalog.cql2 import parse_text
from metaplat.catalog.search import (
    SearchRequest,
    count,
    facets,
    filter_of,
    iterate,
    search,
)
from metaplat.model.errors import UsageError
from metaplat.model.filters import EVERYTHING, And, Compare, Cone, Filter, In, IsNull, Not, Or
from metaplat.stores.catalog.sqlite_index import SqliteIndex
from metaplat_tests.stores.catalog.catalog_rows import identity, observation, put

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from metaplat.stores.catalog.index import CatalogIndex

DAY = datetime(2026, 3, 1, tzinfo=UTC)
ROWS = [
    observation(0, mission_id="SOHO", observation_timestamp=DAY, data_quality_score=0.9, target_object="Sun"),
    observation(1, mission_id="SOHO", observation_timestamp=DAY + timedelta(days=1), data_quality_score=None),
    observation(2, mission_id="HST", observation_timestamp=DAY, data_quality_score=0.8, target_object="M31"),
    observation(
        3, mission_id="HST", observation_timestamp=None, ra_deg=10.7, dec_deg=41.3, target_object="m31"
    ),
    observation(
        4, mission_id=None, observation_timestamp=None, data_quality_score=0.79999, satellite_name="HST"
    ),
    observation(5, mission_id="SOHO", observation_timestamp=DAY, file_state="vanished", target_object="Sun"),
]
PRESENT = {0, 1, 2, 3, 4}
NUMBERS = {identity(number): number for number in range(1000)}


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CatalogIndex]:
    """Yield a catalog with ``ROWS``."""
    with contextlib.closing(SqliteIndex(tmp_path_factory.mktemp("catalog") / "catalog.sqlite")) as opened:
        put(opened, *ROWS)
        yield opened


def numbers(rows: Any) -> list[int]:
    """Return which files rows are about."""
    return [NUMBERS[row["dataset_id"]] for row in rows]


FOUND: list[tuple[dict[str, Any], set[int]]] = [
    ({}, PRESENT),
    ({"absent": True}, PRESENT | {5}),
    ({"mission": "SOHO"}, {0, 1}),
    ({"mission": "soho"}, set()),
    ({"target": "M31"}, {2}),
    ({"start": DAY}, {0, 1, 2}),
    ({"end": DAY}, set()),
    ({"start": DAY, "end": DAY + timedelta(days=1)}, {0, 2}),
    ({"start": DAY + timedelta(days=1), "end": DAY + timedelta(days=2)}, {1}),
    ({"start": "2026-03-01", "end": "2026-03-02"}, {0, 2}),
    ({"min_quality": 0.8}, {0, 2}),
    ({"min_quality": 0}, {0, 2, 4}),
    ({"cone": (10.68, 41.27, 0.1)}, {3}),
    ({"cone": "10.68,41.27,0.01"}, set()),
    ({"cone": Cone(10.68, 41.27, 180)}, {3}),
    ({"q": "m31"}, {2, 3}),
    ({"q": " hst  M31 "}, {2, 3}),
    ({"q": "hst"}, {2, 3, 4}),
    ({"q": "  "}, PRESENT),
    ({"mission": "HST", "q": "m31", "min_quality": 0.5, "start": DAY, "absent": True}, {2}),
    ({"where": parse_text("quality IS NULL"), "mission": "SOHO"}, {1}),
    ({"where": parse_text("datetime = '2026-03-01' AND NOT target = 'M31'")}, {0}),
    ({"where": EVERYTHING}, PRESENT),
]


@pytest.mark.parametrize("place", range(len(FOUND)))
def test_every_condition_combines_with_every_other(index: CatalogIndex, place: int) -> None:
    conditions, expected = FOUND[place]
    request = SearchRequest(**conditions)
    page = search(index, request, count=True)
    assert set(numbers(page.rows)) == expected
    assert page.matched == count(index, request) == len(expected)
    assert page.token is None
    assert sorted(numbers(iterate(index, request))) == sorted(expected)


def test_windows_side_by_side_count_no_observation_twice(index: CatalogIndex) -> None:
    edges = [
        DAY - timedelta(days=1),
        DAY,
        DAY + timedelta(hours=12),
        DAY + timedelta(days=1),
        DAY + timedelta(days=2),
    ]
    counts = [count(index, SearchRequest(start=start, end=end)) for start, end in itertools.pairwise(edges)]
    assert counts == [0, 2, 0, 1]


def test_results_are_newest_first_without_times_last_and_hold_every_column(index: CatalogIndex) -> None:
    page = search(index, SearchRequest())
    times = [row["observation_timestamp"] for row in page.rows]
    assert times == [DAY + timedelta(days=1), DAY, DAY, None, None]
    assert set(page.rows[0]) >= set(ROWS[0])
    assert page.matched is None
    assert page.limit == 1000


@pytest.mark.parametrize(
    "sort",
    [
        (),
        ("quality",),
        ("-quality", "mission"),
        ("mission", "-size"),
        ("id",),
        ("-id", "mission"),
        ("+datetime",),
    ],
    ids=str,
)
@pytest.mark.parametrize("limit", [1, 2, 5, 6, 1000])
def test_pages_by_token_hold_every_row_once_and_in_order(
    index: CatalogIndex, sort: tuple[str, ...], limit: int
) -> None:
    request = SearchRequest(sort=sort, limit=limit, absent=True)
    whole = numbers(search(index, replace(request, limit=1000)).rows)
    paged: list[int] = []
    token: str | None = None
    while True:
        page = search(index, replace(request, token=token))
        assert len(page.rows) <= limit
        paged += numbers(page.rows)
        token = page.token
        if token is None:
            break
    assert paged == whole == numbers(iterate(index, request))
    assert sorted(whole) == [0, 1, 2, 3, 4, 5]


def test_the_order_is_that_of_the_sort_with_nulls_last(index: CatalogIndex) -> None:
    rising = search(index, SearchRequest(sort=["quality"])).rows
    falling = search(index, SearchRequest(sort=["-quality"])).rows
    assert [row["data_quality_score"] for row in rising] == [0.79999, 0.8, 0.9, None, None]
    assert [row["data_quality_score"] for row in falling] == [0.9, 0.8, 0.79999, None, None]


def test_only_the_wanted_columns_come_back_also_where_the_sort_needs_others(index: CatalogIndex) -> None:
    request = SearchRequest(fields=["target", "size", "target_object"], sort=["-quality"], limit=2)
    page = search(index, request)
    assert page.rows == [
        {"target_object": "Sun", "file_size": 1000},
        {"target_object": "M31", "file_size": 1002},
    ]
    rest = search(index, replace(request, token=page.token, limit=1000))
    assert len(rest.rows) == 3
    assert all(set(row) == {"target_object", "file_size"} for row in rest.rows)


def test_a_token_goes_on_with_other_fields_and_page_sizes_but_no_other_query(index: CatalogIndex) -> None:
    request = SearchRequest(mission="SOHO", limit=1)
    token = search(index, request).token
    assert numbers(search(index, replace(request, token=token, fields=["id"], limit=7)).rows) == [0]
    assert numbers(iterate(index, replace(request, token=token))) == [0]
    for other in ({"mission": "HST"}, {"sort": ["size"]}, {"absent": True}, {"q": "x"}, {"min_quality": 0.1}):
        with pytest.raises(UsageError, match="belongs to another query"):
            search(index, replace(request, token=token, **other))
        with pytest.raises(UsageError, match="belongs to another query"):
            iterate(index, replace(request, token=token, **other))


def test_the_same_conditions_said_otherwise_have_the_same_token(index: CatalogIndex) -> None:
    token = search(index, SearchRequest(mission="SOHO", limit=1)).token
    again = SearchRequest(where=parse_text("mission = 'SOHO'"), sort=["-datetime"], token=token)
    assert numbers(search(index, again).rows) == [0]


def test_rows_that_arrive_while_paging_shift_nothing(tmp_path: Path) -> None:
    with contextlib.closing(SqliteIndex(tmp_path / "catalog.sqlite")) as fresh:
        put(fresh, *[observation(number, file_size=number * 10) for number in range(1, 7)])
        request = SearchRequest(sort=["size"], limit=3)
        first = search(fresh, request)
        put(fresh, observation(8, file_size=5), observation(9, file_size=35))
        second = search(fresh, replace(request, token=first.token, limit=1000))
        assert numbers(first.rows) == [1, 2, 3]
        assert numbers(second.rows) == [9, 4, 5, 6]


def test_facets_count_the_values_of_what_is_found(index: CatalogIndex) -> None:
    found = facets(index, SearchRequest(), ["mission", "target"], limit=1)
    assert list(found) == ["mission_id", "target_object"]
    assert [tuple(each) for each in found["mission_id"]] == [("HST", 2)]
    sharp = facets(index, SearchRequest(q="m31", mission="HST"))
    assert [tuple(each) for each in sharp["target_object"]] == [("M31", 1), ("m31", 1)]
    with pytest.raises(
        UsageError, match="file_size has no facets; columns with facets: mission_id, satellite_name"
    ):
        facets(index, SearchRequest(), ["size"])
    with pytest.raises(UsageError, match="no column named 'missoin'"):
        facets(index, SearchRequest(), ["missoin"])
    with pytest.raises(UsageError, match="the limit is an integer from 1 to 10000, not '0'"):
        facets(index, SearchRequest(), limit=0)


BAD: list[tuple[dict[str, Any], str]] = [
    ({"min_quality": 1.5}, "the minimum quality is a number from 0 to 1, not '1.5'"),
    ({"min_quality": True}, "the minimum quality is a number from 0 to 1"),
    ({"min_quality": float("nan")}, "the minimum quality is a number from 0 to 1"),
    ({"mission": 5}, "mission_id takes text, not the number 5"),
    ({"mission": "a\x00"}, "no stored text holds the character"),
    ({"start": DAY, "end": DAY}, "is empty: its end must be later"),
    ({"start": "2026-03-02", "end": "2026-03-01"}, "is empty: its end must be later"),
    ({"start": datetime(2026, 3, 1)}, "has no time zone"),  # noqa: DTZ001
    ({"start": datetime(2026, 3, 1), "end": DAY}, "has no time zone"),  # noqa: DTZ001
    ({"start": "yesterday"}, "'yesterday' is no time such as"),
    ({"cone": "1,2"}, "'1,2' is no cone; example: 10.68,41.27,0.5"),
    ({"cone": (1, 2)}, "a cone is right ascension, declination and radius"),
    ({"cone": (1, 95, 2)}, "the declination of a cone is -90 to 90 degrees"),
    ({"q": "x " * 51}, "the text has more than 50 words"),
    ({"sort": ["misson"]}, "no column named 'misson'"),
    ({"sort": ["size", "-file_size"]}, "the sort names file_size twice"),
    ({"sort": ["mission_specific"]}, "results cannot be sorted by mission_specific; queryables:"),
    ({"fields": ["misson"]}, "no column named 'misson'"),
    ({"limit": 0}, "the limit is an integer from 1 to 100000, not '0'"),
    ({"limit": 100_001}, "the limit is an integer from 1 to 100000"),
    ({"limit": 1.5}, "the limit is an integer from 1 to 100000"),
    ({"token": "x"}, "the page token is damaged; search again without a token"),
    (
        {"where": Compare("quality", ">", "x")},
        "data_quality_score takes numbers, not the text 'x'; queryables:",
    ),
]


@pytest.mark.parametrize("place", range(len(BAD)))
def test_a_wrong_request_is_an_error_that_says_what_would_do(index: CatalogIndex, place: int) -> None:
    conditions, problem = BAD[place]
    for ask in (search, iterate):
        with pytest.raises(UsageError) as caught:
            ask(index, SearchRequest(**conditions))
        assert problem in str(caught.value)


def test_conditions_become_one_flat_filter_in_a_fixed_order() -> None:
    request = SearchRequest(
        where=parse_text("size > 5 AND version IS NULL"), mission="HST", start=DAY, end="2026-03-02"
    )
    assert filter_of(request) == And(
        (
            Compare("mission_id", "=", "HST"),
            Compare("observation_timestamp", ">=", DAY),
            Compare("observation_timestamp", "<", DAY + timedelta(days=1)),
            Compare("file_size", ">", 5),
            IsNull("version"),
        )
    )
    assert filter_of(SearchRequest()) == EVERYTHING
    assert filter_of(SearchRequest(mission="HST")) == Compare("mission_id", "=", "HST")


def test_a_huge_list_and_many_conditions_are_answered(index: CatalogIndex) -> None:
    ids = [identity(0), *(f"{number:032x}" for number in range(150_000))]
    assert numbers(search(index, SearchRequest(where=In("id", ids))).rows) == [0]
    many = Or(tuple(Compare("size", "=", number) for number in range(1001, 9001)))
    assert count(index, SearchRequest(where=many)) == 4


def nested(levels: int, *, first: bool) -> Filter:
    """Return And, Or and Not inside each other, which comes to what it holds inside."""
    where: Filter = Compare("mission_id", "=", "SOHO")
    never, always = Compare("file_size", "<", 0), Compare("file_size", ">=", 0)
    for level in range(levels):
        kind, other = ((Or, never), (And, always))[level % 2]
        where = kind((where, *[other] * 8) if first else (*[other] * 8, where))
    return where


@pytest.mark.parametrize("first", [True, False], ids=["first", "last"])
def test_filters_as_deep_as_allowed_are_answered(index: CatalogIndex, *, first: bool) -> None:
    page = search(index, SearchRequest(where=nested(49, first=first), limit=1))
    assert numbers(page.rows) == [1]
    assert numbers(search(index, SearchRequest(where=nested(49, first=first), token=page.token)).rows) == [0]
    where: Filter = Compare("mission_id", "=", "SOHO")
    for _ in range(24):
        where = Not(And((where, Compare("file_size", ">=", 0))))
    assert count(index, SearchRequest(where=where)) == 2
