"""Where SQLite and PostgreSQL say the same thing in other words.

Here: the words, as data, and the few calls that a transaction of either offers (``SqlSession``,
``SqlStore``).
Not here: any statement (``sql_filter``, ``sql_search``, ``sql_schema``, ...); connections (``sqlite_pool``,
``postgres_*``).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import orjson

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from contextlib import AbstractContextManager

Stored = str | int | float | None
"""A value as a column holds it: times are microseconds since 1970, UTC."""


class SqlSession(Protocol):
    """A transaction; statements have the placeholders of its dialect."""

    def rows(self, statement: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Run a statement and return all its rows."""

    def stream(self, statement: str, parameters: Sequence[Any] = ()) -> Iterator[tuple[Any, ...]]:
        """Run a statement and yield its rows without keeping them."""

    def run(self, statement: str, parameters: Sequence[Any] = ()) -> None:
        """Run a statement that returns nothing."""

    def run_many(self, statement: str, rows: Iterable[Sequence[Any]]) -> None:
        """Run a statement once for each row of parameters."""

    def insert(self, table: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
        """Insert new rows as fast as the store can; raises InvalidInputError where a value has no place."""


class SqlStore(Protocol):
    """Lends transactions, and says its store's failures as StoreError."""

    def reading(self, attempted: str) -> AbstractContextManager[SqlSession]:
        """Lend a transaction that sees one state of the catalog; many at once."""

    def writing(self, attempted: str) -> AbstractContextManager[SqlSession]:
        """Lend the one transaction that writes; the others wait. It is kept, or on an error undone, whole."""

    def close(self) -> None:
        """Close what is open; it opens again when it is asked again."""


@dataclass(frozen=True)
class Dialect:
    """How one database says what another says otherwise.

    Parameters
    ----------
    mark : str
        Placeholder of a parameter.
    text, integer, real : str
        Column types; text is compared by code points.
    row_id : str
        Type of a column that numbers the rows as they come.
    table_end, clustered : str
        What follows the columns of a table; ``clustered`` where rows lie in the order of the primary key.
    contains : str
        Condition with ``{text}`` and ``{part}``, in the same case.
    among : str
        Condition with ``{column}`` and ``{values}``, one parameter made by ``pack``.
    unpacked : str
        Query of one column ``value``, of one parameter ``{values}`` made by ``pack``.
    pack : callable
        Makes one parameter of many values, none of them null.
    no_index : str
        A ``{column}`` so that no index is chosen for its sake.
    """

    mark: str
    text: str
    integer: str
    real: str
    row_id: str
    table_end: str
    clustered: str
    contains: str
    among: str
    unpacked: str
    pack: Callable[[Sequence[Stored]], Any]
    no_index: str = "{column}"

    def marks(self, count: int) -> str:
        """Return placeholders with commas between."""
        return ", ".join([self.mark] * count)

    def filled(self, statement: str) -> str:
        """Return a statement written with ``?``, which may not occur elsewhere in it, for this database."""
        return statement.replace("?", self.mark)


def _json(values: Sequence[Stored]) -> str:
    return orjson.dumps(list(values)).decode()


SQLITE = Dialect(
    mark="?",
    text="TEXT",
    integer="INTEGER",
    real="REAL",
    row_id="INTEGER PRIMARY KEY",
    table_end=" STRICT",
    clustered=" STRICT, WITHOUT ROWID",
    contains="instr({text}, {part}) > 0",
    among="{column} IN (SELECT value FROM json_each({values}))",
    unpacked="SELECT value FROM json_each({values})",
    pack=_json,
    no_index="+{column}",
)

POSTGRES = Dialect(
    mark="%s",
    text='TEXT COLLATE "C"',
    integer="BIGINT",
    real="DOUBLE PRECISION",
    row_id="BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY",
    table_end="",
    clustered="",
    contains="strpos({text}, {part}) > 0",
    among="{column} = ANY({values})",
    unpacked='SELECT unnest({values}) COLLATE "C" AS value',
    pack=list,
)
