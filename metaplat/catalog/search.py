"""Finding observations: a request as people state it, its pages, counts and facets.

Here: what a request means as a filter, paging by token, exact counts.
Not here: reading CQL2 (``cql2``), compiling filters (``stores.catalog``), printing (``cli``).

A window ``start`` to ``end`` holds the observations that begin in ``[start, end)``, so that windows side by
side count none twice; ``Overlaps`` (T_INTERSECTS in CQL2) finds those that last into a window.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from metaplat.catalog.cql2 import to_json
from metaplat.catalog.query_columns import UNSORTABLE
from metaplat.catalog.queryables import checked, listing, resolved
from metaplat.catalog.tokens import query_digest, read_token, write_token
from metaplat.catalog.words import parse_cone, parse_time, shown, words_of
from metaplat.model.errors import UsageError
from metaplat.model.filters import EVERYTHING, And, Compare, Cone, Filter, Text
from metaplat.stores.catalog.index import FACET_COLUMNS, Query, Sort

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from metaplat.model.observation import Row
    from metaplat.stores.catalog.index import CatalogIndex, FacetCount

__all__ = [
    "SearchPage",
    "SearchRequest",
    "count",
    "facets",
    "filter_of",
    "iterate",
    "parse_cone",
    "parse_time",
    "search",
]

MAX_LIMIT = 100_000
"""Rows of one page."""
MAX_FACETS = 10_000
Place = tuple[Any, ...] | list[Any]
"""Values of the sort columns of one row."""
NEWEST_FIRST = (Sort("observation_timestamp", descending=True),)


@dataclass(frozen=True)
class SearchRequest:
    """What is looked for; every condition combines with every other.

    Parameters
    ----------
    where : Filter or None
        Further conditions, from any front.
    mission, target : str or None
        Exactly so.
    start, end : datetime, str or None
        The observation begins in ``[start, end)``. Aware, or text as ``parse_time`` reads it.
    min_quality : float or None
        At least so good, 0 to 1; one whose quality is unknown never passes.
    cone : tuple of float, Cone, str or None
        Right ascension, declination and radius, degrees, or text as ``parse_cone`` reads it.
    q : str or None
        Free text: each word occurs in target, mission, satellite or instrument, in any case.
    sort : sequence of str
        Columns, ``-`` before those that descend; empty means newest first. Nulls come last.
    fields : sequence of str
        Wanted columns; empty means all.
    limit : int
        Rows a page.
    token : str or None
        Of the page before.
    absent : bool
        Also observations whose file vanished or was rejected.
    """

    where: Filter | None = None
    mission: str | None = None
    target: str | None = None
    start: datetime | str | None = None
    end: datetime | str | None = None
    min_quality: float | None = None
    cone: Cone | Sequence[float] | str | None = None
    q: str | None = None
    sort: Sequence[str] = ()
    fields: Sequence[str] = ()
    limit: int = 1000
    token: str | None = None
    absent: bool = False


@dataclass(frozen=True)
class SearchPage:
    """One page of results.

    Parameters
    ----------
    rows : sequence of Row
        In order, with the wanted columns.
    token : str or None
        Leads to the next page; None where this is the last one.
    matched : int or None
        How many there are on all pages, where that was asked for.
    limit : int
        Rows a page.
    """

    rows: Sequence[Row]
    token: str | None
    matched: int | None
    limit: int


@dataclass(frozen=True)
class _Plan:
    """A request, checked and in the words of the index."""

    where: Filter
    sort: tuple[Sort, ...]
    order: tuple[str, ...]
    """Names of the sort columns, ``dataset_id`` included."""
    wanted: tuple[str, ...]
    limit: int
    absent: bool
    digest: str

    def query(self, after: Place | None) -> Query:
        """Return the query of one page; it asks for one row more, to know whether there is another page."""
        columns = tuple(dict.fromkeys((*self.wanted, *self.order))) if self.wanted else ()
        return Query(self.where, self.sort, columns, self.limit + 1, after, self.absent)


def search(index: CatalogIndex, request: SearchRequest, *, count: bool = False) -> SearchPage:
    """Return one page of what is looked for.

    Parameters
    ----------
    index : CatalogIndex
        Where to look.
    request : SearchRequest
        What for.
    count : bool
        Whether to count all matches too, exactly.

    Raises
    ------
    UsageError
        A name does not exist, a value is not of its type, or the token is not of this query.
    """
    plan = _plan(request)
    after = None if request.token is None else read_token(request.token, plan.digest, plan.order)
    rows, place = _page(index, plan, after)
    token = None if place is None else write_token(plan.digest, plan.order, place)
    matched = index.count(plan.where, absent=plan.absent) if count else None
    return SearchPage(rows, token, matched, plan.limit)


def iterate(index: CatalogIndex, request: SearchRequest) -> Iterator[Row]:
    """Yield everything that is looked for, page by page, from ``request.token`` on; raises as ``search``."""
    plan = _plan(request)
    after = None if request.token is None else read_token(request.token, plan.digest, plan.order)
    return _rows(index, plan, after)


def count(index: CatalogIndex, request: SearchRequest) -> int:
    """Return how many there are, exactly; raises as ``search``."""
    return index.count(filter_of(request), absent=request.absent)


def facets(
    index: CatalogIndex, request: SearchRequest, columns: Sequence[str] = FACET_COLUMNS, limit: int = 20
) -> dict[str, list[FacetCount]]:
    """Return the values of columns among present files, each with its count, the most frequent ones.

    Parameters
    ----------
    index : CatalogIndex
        Where to look.
    request : SearchRequest
        Among which; only its conditions count.
    columns : sequence of str
        Of ``FACET_COLUMNS``, or their aliases.
    limit : int
        Values of each column.

    Raises
    ------
    UsageError
        A column has no facets, or as ``search``.
    """
    names = [resolved(column) for column in columns]
    for name in names:
        if name not in FACET_COLUMNS:
            raise UsageError(f"{name} has no facets; columns with facets: {', '.join(FACET_COLUMNS)}")
    return index.facets(filter_of(request), tuple(dict.fromkeys(names)), _limit(limit, MAX_FACETS))


def filter_of(request: SearchRequest) -> Filter:
    """Return the conditions of a request as one checked filter; raises UsageError."""
    parts = [*_named_conditions(request)]
    if request.cone is not None:
        parts.append(_cone(request.cone))
    if request.q is not None and (words := words_of(request.q)):
        parts.append(Text(words))
    if request.where is not None:
        parts += request.where.args if isinstance(request.where, And) else [request.where]
    if not parts:
        return EVERYTHING
    return checked(parts[0] if len(parts) == 1 else And(tuple(parts)))


def _named_conditions(request: SearchRequest) -> Iterator[Filter]:
    if request.mission is not None:
        yield Compare("mission_id", "=", request.mission)
    if request.target is not None:
        yield Compare("target_object", "=", request.target)
    start, end = _moment(request.start), _moment(request.end)
    if start is not None and end is not None and _is_empty(start, end):
        raise UsageError(
            f"the window from {start.isoformat()} to {end.isoformat()} is empty: its end must be later"
        )
    if start is not None:
        yield Compare("observation_timestamp", ">=", start)
    if end is not None:
        yield Compare("observation_timestamp", "<", end)
    if request.min_quality is not None:
        yield _quality(request.min_quality)


def _moment(given: datetime | str | None) -> datetime | None:
    return parse_time(given) if isinstance(given, str) else given


def _is_empty(start: datetime, end: datetime) -> bool:
    for moment in (start, end):
        if moment.tzinfo is None:
            raise UsageError(f"{moment.isoformat()} has no time zone; add one, for example Z for UTC")
    return start >= end


def _quality(minimum: float) -> Filter:
    if isinstance(minimum, bool) or not isinstance(minimum, int | float) or not 0 <= minimum <= 1:
        raise UsageError(f"the minimum quality is a number from 0 to 1, not {shown(str(minimum))}")
    return Compare("data_quality_score", ">=", minimum)


def _cone(given: Cone | Sequence[float] | str) -> Cone:
    if isinstance(given, Cone):
        return given
    if isinstance(given, str):
        return parse_cone(given)
    if len(given) != 3:
        raise UsageError("a cone is right ascension, declination and radius in degrees: (10.68, 41.27, 0.5)")
    return Cone(*given)


def _plan(request: SearchRequest) -> _Plan:
    where, sort = filter_of(request), _sort(request.sort)
    names = tuple(each.column for each in sort)
    order = names if "dataset_id" in names else (*names, "dataset_id")
    described = [to_json(where), [[each.column, each.descending] for each in sort], request.absent]
    wanted = tuple(dict.fromkeys(resolved(name) for name in request.fields))
    limit = _limit(request.limit, MAX_LIMIT)
    return _Plan(where, sort, order, wanted, limit, request.absent, query_digest(described))


def _sort(names: Sequence[str]) -> tuple[Sort, ...]:
    """Return the order that is asked for; behind ``dataset_id`` nothing is left to sort."""
    sort: list[Sort] = []
    for name in names:
        column = resolved(name.removeprefix("-").removeprefix("+"))
        if column in UNSORTABLE:
            raise UsageError(f"results cannot be sorted by {column}; {listing()}")
        if column in {each.column for each in sort}:
            raise UsageError(f"the sort names {column} twice")
        sort.append(Sort(column, descending=name.startswith("-")))
        if column == "dataset_id":
            break
    return tuple(sort) or NEWEST_FIRST


def _limit(limit: int, maximum: int) -> int:
    if isinstance(limit, bool) or not isinstance(limit, int) or not 1 <= limit <= maximum:
        raise UsageError(f"the limit is an integer from 1 to {maximum}, not {shown(str(limit))}")
    return limit


def _page(index: CatalogIndex, plan: _Plan, after: Place | None) -> tuple[list[Row], Place | None]:
    """Return the rows of a page, and the place it ends at where more follow."""
    rows = index.search(plan.query(after))
    place = [rows[plan.limit - 1][column] for column in plan.order] if len(rows) > plan.limit else None
    rows = rows[: plan.limit]
    if plan.wanted:
        rows = [{column: row[column] for column in plan.wanted} for row in rows]
    return rows, place


def _rows(index: CatalogIndex, plan: _Plan, after: Place | None) -> Iterator[Row]:
    place = after
    while True:
        rows, place = _page(index, plan, place)
        yield from rows
        if place is None:
            return
