"""Many rows in blocks, without holding a transaction for all of them.

Here: observations by filter (``scan_blocks``), known files by path, and relationships and events by time.
Not here: pages in an order (``sql_search``).
"""

from __future__ import annotations

from array import array
from itertools import islice
from typing import TYPE_CHECKING, Any

from metaplat.stores.catalog.index import KnownFile
from metaplat.stores.catalog.sql_filter import compile_filter
from metaplat.stores.catalog.sql_planning import plan_for, states_of
from metaplat.stores.catalog.sql_schema import PRESENT
from metaplat.stores.catalog.sql_search import known_columns
from metaplat.stores.catalog.sql_values import (
    TABLE_FIELDS,
    after_prefix,
    decoded_rows,
    decoder,
    microseconds,
    moment_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from metaplat.model.filters import Filter
    from metaplat.model.observation import Row
    from metaplat.stores.catalog.index import Table
    from metaplat.stores.catalog.sql_dialect import Dialect, SqlStore

BLOCK_ROWS = 10_000
KNOWN = ", ".join(KnownFile._fields)
WALK = """
SELECT row_id, {columns} FROM observations
WHERE {state} AND {condition} AND row_id > ? ORDER BY row_id LIMIT ?
"""
FIND = "SELECT row_id FROM observations WHERE {condition}"
LOOK_UP = "SELECT {columns} FROM observations WHERE {rows} AND {state} AND {condition}"
BELOW = """
SELECT file_path, row_id, {columns} FROM observations
WHERE {conditions} AND (file_path, row_id) > (?, ?) ORDER BY file_path, row_id LIMIT ?
"""
TIMED = """
SELECT {columns} FROM {table} WHERE {time} < ? AND ({time}, change_seq) > (?, ?)
ORDER BY {time}, change_seq LIMIT ?
"""


def scan_blocks(
    store: SqlStore, dialect: Dialect, where: Filter, columns: Sequence[str], *, absent: bool
) -> Iterator[list[tuple[Any, ...]]]:
    """Yield blocks of matching observations as tuples of ``columns``, in any order.

    A row that matches from the begin of the scan to its end is yielded exactly once, as it is when its block
    is read. One that begins or ceases to match meanwhile may be left out; what is yielded matched when it was
    read.
    Nothing is locked between blocks.
    """
    chosen = known_columns(columns)
    with store.reading("scan observations") as session:
        reads_everything = plan_for(session, dialect, where, PRESENT).reads_everything
    if reads_everything:
        yield from _walk(store, dialect, where, chosen, absent=absent)
    else:
        yield from _looked_up(store, dialect, where, chosen, absent=absent)


def files_below(store: SqlStore, dialect: Dialect, prefix: str, now: datetime | None) -> Iterator[KnownFile]:
    """Yield known files by path; with ``now`` those that are due."""
    conditions, parameters = ["file_path >= ?"], [prefix]
    after = after_prefix(prefix)
    if after is not None:
        conditions.append("file_path < ?")
        parameters.append(after)
    if now is not None:
        conditions.append("next_attempt IS NOT NULL AND next_attempt <= ?")
    fixed: list[Any] = [*parameters, *([microseconds(now)] if now else [])]
    statement = dialect.filled(BELOW.format(columns=KNOWN, conditions=" AND ".join(conditions)))
    place: tuple[str, int] = (prefix, -1)
    while True:
        with store.reading("list the known files") as session:
            found = session.rows(statement, [*fixed, *place, BLOCK_ROWS])
        yield from map(known_file, (row[2:] for row in found))
        if len(found) < BLOCK_ROWS:
            return
        place = found[-1][:2]


def known_file(values: Sequence[Any]) -> KnownFile:
    """Return a known file of stored values."""
    *others, next_attempt = values
    return KnownFile._make([*others, None if next_attempt is None else moment_of(next_attempt)])


def timed_rows(
    store: SqlStore, dialect: Dialect, table: Table, first: datetime, last: datetime
) -> Iterator[Row]:
    """Yield the rows of a table whose time lies in ``[first, last)``, oldest first."""
    names = [field.name for field in TABLE_FIELDS[table]]
    time = "occurred_at" if table == "processing_events" else "recorded_at"
    statement = dialect.filled(TIMED.format(columns=", ".join(names), table=table, time=time))
    place = (microseconds(first), -1)
    while True:
        with store.reading(f"read {table}") as session:
            found = session.rows(statement, [microseconds(last), *place, BLOCK_ROWS])
        yield from decoded_rows(names, found)
        if len(found) < BLOCK_ROWS:
            return
        place = (found[-1][names.index(time)], found[-1][names.index("change_seq")])


def _walk(
    store: SqlStore, dialect: Dialect, where: Filter, columns: Sequence[str], *, absent: bool
) -> Iterator[list[tuple[Any, ...]]]:
    """Read the whole table in the order it was written."""
    decode = decoder(columns)
    condition, parameters = compile_filter(where, dialect, frozenset())
    statement = dialect.filled(WALK).format(
        columns=", ".join(columns), state="1 = 1" if absent else PRESENT, condition=condition
    )
    last = 0
    while True:
        with store.reading("scan observations") as session:
            found = session.rows(statement, [*parameters, last, BLOCK_ROWS])
        if found:
            yield decode([row[1:] for row in found])
        if len(found) < BLOCK_ROWS:
            return
        last = found[-1][0]


def _looked_up(
    store: SqlStore, dialect: Dialect, where: Filter, columns: Sequence[str], *, absent: bool
) -> Iterator[list[tuple[Any, ...]]]:
    """Note which rows match, then read them in the order they were written."""
    decode = decoder(columns)
    numbers = iter(_matching(store, dialect, where, absent=absent))
    condition, parameters = compile_filter(where, dialect, frozenset())
    rows = dialect.among.format(column="row_id", values=dialect.mark)
    state = "1 = 1" if absent else PRESENT
    statement = LOOK_UP.format(columns=", ".join(columns), rows=rows, state=state, condition=condition)
    while block := list(islice(numbers, BLOCK_ROWS)):
        with store.reading("scan observations") as session:
            found = session.rows(statement, [dialect.pack(block), *parameters])
        if found:
            yield decode(found)


def _matching(store: SqlStore, dialect: Dialect, where: Filter, *, absent: bool) -> array[int]:
    numbers = array("q")
    with store.reading("find observations") as session:
        for state in states_of(where, absent=absent):
            plan = plan_for(session, dialect, where, state)
            statement = FIND.format(condition=plan.condition)
            numbers.extend(number for (number,) in session.stream(statement, plan.parameters))
    return array("q", sorted(numbers))
