"""Pages of a search: the statements that find the rows behind a place in an order.

Here: the order of a search, the place in it, and one page (``page_of``).
Not here: the conditions (``sql_filter``), the index to use (``sql_planning``).

Nulls come last. So that an index can give the order, rows with a value in the first column are asked before
those without one, instead of sorting by whether there is one. There is no OFFSET: a page begins behind the
values of the last row, wherever that now is.
"""

from __future__ import annotations

from operator import itemgetter
from typing import TYPE_CHECKING, Any, NamedTuple

from metaplat.model.errors import InvalidInputError
from metaplat.stores.catalog.index import Sort
from metaplat.stores.catalog.sql_planning import plan_for, states_of
from metaplat.stores.catalog.sql_rewriting import TIME, is_required
from metaplat.stores.catalog.sql_values import COLUMNS, FIELDS, decoded_rows, stored_value

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from metaplat.model.observation import Row
    from metaplat.stores.catalog.index import Query
    from metaplat.stores.catalog.sql_dialect import Dialect, SqlSession, Stored
    from metaplat.stores.catalog.sql_planning import Plan

PAGE = "SELECT {columns} FROM observations WHERE {conditions} ORDER BY {order} LIMIT ?"


class Step(NamedTuple):
    """Rows of one part of an order, behind a place."""

    conditions: list[str]
    parameters: list[Stored]
    order: list[str]


def total_order(sorts: Sequence[Sort]) -> list[Sort]:
    """Return the sort with ``dataset_id``, in the direction of the last column, where it has none."""
    for place, sort in enumerate(sorts):
        if sort.column not in FIELDS:
            raise InvalidInputError(f"an observation has no column {sort.column!r} to sort by")
        if sort.column == "dataset_id":
            return list(sorts[: place + 1])
    return [*sorts, Sort("dataset_id", descending=bool(sorts) and sorts[-1].descending)]


def page_of(session: SqlSession, dialect: Dialect, query: Query) -> list[Row]:
    """Return one page of a search, in order.

    Raises
    ------
    InvalidInputError
        A column does not exist, or ``after`` has not one value for each column of the order.
    """
    order = total_order(query.sort)
    columns = known_columns(query.columns)
    wanted = [*columns, *(sort.column for sort in order)]
    states = states_of(query.where, absent=query.absent)
    found = [row for state in states for row in _rows(session, dialect, query, state, wanted)]
    if len(states) > 1:  # two pages of different indexes become one
        found = _merged(found, order, len(columns))[: query.limit]
    return decoded_rows(columns, [row[: len(columns)] for row in found])


def known_columns(columns: Sequence[str]) -> tuple[str, ...]:
    """Return the columns asked for, all where none is; raises InvalidInputError for an unknown one."""
    for name in columns:
        if name not in FIELDS:
            raise InvalidInputError(f"an observation has no column {name!r}")
    return tuple(dict.fromkeys(columns)) or COLUMNS


class Steps:
    """The parts of an order, each a statement of its own.

    Parameters
    ----------
    dialect : Dialect
        The database.
    plan : Plan
        How the rows are found; the order may not choose another index.
    """

    def __init__(self, dialect: Dialect, plan: Plan) -> None:
        self._dialect, self._where, self._drivers = dialect, plan.where, plan.drivers
        self._is_free = plan.drivers == {TIME}  # nothing but the order asks for an index

    def behind(self, order: Sequence[Sort], after: Sequence[Stored] | None) -> Iterator[Step]:
        """Yield the parts behind a place: rows with a value in the first column, then those without."""
        first, named = order[0].column, self._named(order[0].column)
        if not FIELDS[first].nullable:
            yield self._step([], order, after)
            return
        if after is None or after[0] is not None:
            yield self._step([f"{named} IS NOT NULL"], order, after)
            after = None
        if not is_required(self._where, first):
            for step in self.behind(order[1:], after and after[1:]):
                yield step._replace(conditions=[f"{named} IS NULL", *step.conditions])

    def _step(self, conditions: list[str], order: Sequence[Sort], after: Sequence[Stored] | None) -> Step:
        parameters: list[Stored] = []
        if after is not None:
            conditions = [*conditions, self._beyond(order, after, parameters)]
        texts = [text for place, sort in enumerate(order) for text in _ordered(sort, place)]
        return Step(conditions, parameters, texts)

    def _beyond(self, order: Sequence[Sort], after: Sequence[Stored], parameters: list[Stored]) -> str:
        """Return the condition of being behind a place; the first value of it is not null."""
        first, named, mark = order[0], self._named(order[0].column), self._dialect.mark
        sign = "<" if first.descending else ">"
        if len(order) == 1:
            parameters.append(after[0])
            return f"{named} {sign} {mark}"
        if len(order) == 2 and order[1].descending == first.descending:  # an index goes straight to the place
            parameters += after
            return f"({named}, dataset_id) {sign} ({mark}, {mark})"
        parameters.append(after[0])  # this range is implied by what follows; an index understands it
        return f"{named} {sign}= {mark} AND {_behind(order, after, parameters, mark)}"

    def _named(self, column: str) -> str:
        if self._is_free or column in self._drivers:
            return column
        return self._dialect.no_index.format(column=column)


def _rows(
    session: SqlSession, dialect: Dialect, query: Query, state: str, columns: Sequence[str]
) -> Iterator[tuple[Any, ...]]:
    order = total_order(query.sort)
    plan = plan_for(session, dialect, query.where, state, order[0].column)
    missing = query.limit
    for step in Steps(dialect, plan).behind(order, _place(query, order)):
        if missing <= 0:
            return
        statement = dialect.filled(PAGE).format(
            columns=", ".join(columns),
            conditions=" AND ".join([plan.condition, *step.conditions]),
            order=", ".join(step.order),
        )
        found = session.rows(statement, [*plan.parameters, *step.parameters, missing])
        missing -= len(found)
        yield from found


def _place(query: Query, order: Sequence[Sort]) -> list[Stored] | None:
    if query.after is None:
        return None
    if len(query.after) != len(order):
        raise InvalidInputError(f"a place in the order of {len(order)} columns has {len(query.after)} values")
    return [stored_value(value) for value in query.after]


def _ordered(sort: Sort, place: int) -> list[str]:
    direction = f"{sort.column} {'DESC' if sort.descending else 'ASC'}"
    nulls_last = place > 0 and FIELDS[sort.column].nullable
    return [f"({sort.column} IS NULL)", direction] if nulls_last else [direction]


def _behind(order: Sequence[Sort], after: Sequence[Stored], parameters: list[Stored], mark: str) -> str:
    """Return ``a > x OR (a = x AND (b > y OR ...))``, nulls last."""
    (column, descending), value = (order[0].column, order[0].descending), after[0]
    sign = "<" if descending else ">"
    if value is None:
        beyond, equal = "1 = 0", f"{column} IS NULL"
    else:
        parameters.append(value)
        nulls = f" OR {column} IS NULL" if FIELDS[column].nullable else ""
        beyond, equal = f"{column} {sign} {mark}{nulls}", f"{column} = {mark}"
    if len(order) == 1:
        return f"({beyond})"
    if value is not None:
        parameters.append(value)
    return f"({beyond} OR ({equal} AND {_behind(order[1:], after[1:], parameters, mark)}))"


def _merged(rows: list[tuple[Any, ...]], order: Sequence[Sort], offset: int) -> list[tuple[Any, ...]]:
    """Sort rows that carry the columns of the order from ``offset`` on; nulls last."""
    for place, sort in reversed(list(enumerate(order, offset))):
        known = [row for row in rows if row[place] is not None]
        known.sort(key=itemgetter(place), reverse=sort.descending)
        rows = known + [row for row in rows if row[place] is None]
    return rows
