"""Pages of a search in VAST DB, which sends rows in no order at all.

Here: ``page``: the first rows of an order, taken from the whole stream or from one window of time after the
other, and the filter that goes on after a page.
Not here: reading blocks (``vast_reading``).
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from metaplat.model.errors import InvalidInputError
from metaplat.model.filters import EVERYTHING, And, Compare, Filter, IsNull, Or
from metaplat.model.observation import FileState
from metaplat.stores.catalog.index import Sort
from metaplat.stores.catalog.vast_reading import by_keys, frames, rows_of
from metaplat.stores.catalog.vast_tables import OBSERVATIONS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import polars as pl

    from metaplat.model.observation import Row
    from metaplat.stores.catalog.index import Query
    from metaplat.stores.catalog.vast_session import VastTables

TIME = "observation_timestamp"
FIRST_WINDOW = timedelta(days=7)
WIDER = 60
"""Each window is so much wider than the one before: 7 days, 14 months, 69 years, and whatever is left."""
WIDEST = timedelta(days=365 * 100)


def present(where: Filter, *, absent: bool) -> Filter:
    """Return the filter, with the condition that the file is there unless ``absent`` ones count too."""
    return where if absent else And((Compare("file_state", "=", FileState.PRESENT.value), where))


def page(tables: VastTables, query: Query) -> list[Row]:
    """Return one page of a search, in order; rows hold the wanted columns only."""
    order = total_order(query.sort)
    where = And((present(query.where, absent=query.absent), after_filter(order, query.after)))
    columns = query.columns or OBSERVATIONS.columns
    first = order[0]
    keys: list[str] = []
    begin = query.after[0] if query.after else None
    for window in _windows(first, begin, goes_on=bool(query.after)):
        if len(keys) < query.limit:
            keys += _first_keys(tables, And((window, where)), order, query.limit - len(keys))
    rows = {row["dataset_id"]: row for row in _whole(tables, columns, keys)}
    return [{name: rows[key][name] for name in columns} for key in keys]


def total_order(sorts: Sequence[Sort]) -> list[Sort]:
    """Return the sort with ``dataset_id`` as its end, in the direction of the last; no column twice."""
    named: dict[str, Sort] = {}
    for sort in sorts:
        named.setdefault(sort.column, sort)
    last = list(named.values())[-1] if named else Sort("dataset_id")
    named.setdefault("dataset_id", Sort("dataset_id", descending=last.descending))
    return list(named.values())[: list(named).index("dataset_id") + 1]


def after_filter(order: Sequence[Sort], after: Sequence[Any] | None) -> Filter:
    """Return the filter of the rows that come after one with these sort values; nulls come last."""
    if after is None:
        return EVERYTHING
    if len(after) != len(order):
        raise InvalidInputError(
            f"a page goes on after {len(order)} values ({', '.join(s.column for s in order)})"
        )
    ways: list[Filter] = []
    same: list[Filter] = []
    for sort, value in zip(order, after, strict=True):
        if value is not None:
            ways.append(And((*same, _beyond(sort, value))))
        same.append(IsNull(sort.column) if value is None else Compare(sort.column, "=", value))
    at_least = same[0] if after[0] is None else Or((same[0], _beyond(order[0], after[0])))
    return And((at_least, Or(ways)))  # the first says less, on one column, and VAST takes it


def _beyond(sort: Sort, value: Any) -> Filter:
    further = Compare(sort.column, "<" if sort.descending else ">", value)
    return Or((further, IsNull(sort.column)))


def _windows(first: Sort, begin: datetime | None, *, goes_on: bool) -> Iterator[Filter]:
    """Yield conditions that share the rows among them, the earlier in the order first.

    Where the sort is by time, newest first (or goes on from a time), windows of growing width; they only
    save work, any clock gives the same page.
    """
    if first.column != TIME or (begin is None and (goes_on or not first.descending)):
        yield EVERYTHING
        return
    sign = -1 if first.descending else 1
    edge: datetime | None = None
    width = FIRST_WINDOW
    start = begin or datetime.now(UTC)
    while width < WIDEST and (further := _moved(start, sign * width)) is not None:
        yield _between(edge, further, descending=first.descending)
        edge, width = further, width * WIDER
    yield EVERYTHING if edge is None else Or((_past(edge, descending=first.descending), IsNull(TIME)))


def _moved(moment: datetime, by: timedelta) -> datetime | None:
    try:
        return moment + by
    except OverflowError:
        return None


def _between(edge: datetime | None, further: datetime, *, descending: bool) -> Filter:
    """Return the window from one edge, itself not in it, to the further one, which is; None is open."""
    inner = Compare(TIME, ">=" if descending else "<=", further)
    return inner if edge is None else And((_past(edge, descending=descending), inner))


def _past(edge: datetime, *, descending: bool) -> Compare:
    return Compare(TIME, "<" if descending else ">", edge)


def _first_keys(tables: VastTables, where: Filter, order: Sequence[Sort], count: int) -> list[str]:
    """Return the ids of the first rows of an order, holding no more than a few pages of them at once."""
    import polars as pl

    columns = [sort.column for sort in order]
    held: list[pl.DataFrame] = []
    for frame in frames(tables, OBSERVATIONS, columns, where):
        held.append(frame)
        if sum(one.height for one in held) > 4 * count + 10_000:
            held = [_ordered(pl.concat(held), order).head(count)]
    if not held:
        return []
    return _ordered(pl.concat(held), order).head(count)["dataset_id"].to_list()


def _ordered(frame: pl.DataFrame, order: Sequence[Sort]) -> pl.DataFrame:
    directions = [sort.descending for sort in order]
    return frame.sort([sort.column for sort in order], descending=directions, nulls_last=True)


def _whole(tables: VastTables, columns: Sequence[str], keys: Sequence[str]) -> Iterator[Row]:
    """Yield the wanted columns of rows; only the page's own rows are read whole."""
    wanted = list(dict.fromkeys([*columns, "dataset_id"]))
    return rows_of(by_keys(tables, OBSERVATIONS, wanted, "dataset_id", keys))
