"""One SQLite file with one connection that writes and as many that read as threads ask at once.

Here: ``SqlitePool``, the ``SqlStore`` of SQLite.
Not here: opening a file and what its failures mean (``stores.sqlite_file``), any table.
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from metaplat.model.errors import InvalidInputError
from metaplat.stores.sqlite_file import SqliteFile

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

MAX_IDLE = 4
"""More connections than these are closed after use."""
READER = ("secure_delete = OFF", "cache_size = -65536", "temp_store = MEMORY")
WRITER = (
    "secure_delete = OFF",
    "cache_size = -131072",
    "temp_store = MEMORY",
    "wal_autocheckpoint = 16384",  # 64 MiB: pages that many batches touch go into the file once
)


class SqliteSession:
    """See ``SqlSession``."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def rows(self, statement: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Run a statement and return all its rows."""
        return self._connection.execute(statement, parameters).fetchall()

    def stream(self, statement: str, parameters: Sequence[Any] = ()) -> Iterator[tuple[Any, ...]]:
        """Run a statement and yield its rows without keeping them."""
        return iter(self._connection.execute(statement, parameters))

    def run(self, statement: str, parameters: Sequence[Any] = ()) -> None:
        """Run a statement that returns nothing."""
        self._connection.execute(statement, parameters)

    def run_many(self, statement: str, rows: Iterable[Sequence[Any]]) -> None:
        """Run a statement once for each row of parameters."""
        self._connection.executemany(statement, rows)

    def insert(self, table: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
        """Insert new rows."""
        marks = ", ".join("?" * len(columns))
        self._connection.executemany(
            INSERT.format(table=table, columns=", ".join(columns), marks=marks), rows
        )


INSERT = "INSERT INTO {table} ({columns}) VALUES ({marks})"


class SqlitePool:
    """See ``SqlStore``. Usable from any thread; after a fork the child opens connections of its own.

    Parameters
    ----------
    path, schema, repair
        As of ``SqliteFile``.
    """

    def __init__(self, path: Path, schema: Sequence[str], repair: str) -> None:
        self._path, self._schema, self._repair = path, schema, repair
        self._inherited: list[object] = []
        self._begin()

    def _begin(self) -> None:
        self._process = os.getpid()
        self._writer = self._file(WRITER)
        self._idle: list[SqliteFile] = []

    def _file(self, pragmas: Sequence[str]) -> SqliteFile:
        return SqliteFile(self._path, self._schema, self._repair, pragmas)

    @contextmanager
    def reading(self, attempted: str) -> Iterator[SqliteSession]:
        """Lend a transaction that sees one state; raises as ``SqliteFile.reading``."""
        self._leave_parents()
        try:
            file = self._idle.pop()
        except IndexError:
            file = self._file(READER)
        try:
            with file.reading(attempted) as connection, _refusals(attempted):
                connection.execute("BEGIN")
                try:
                    yield SqliteSession(connection)
                finally:
                    connection.execute("ROLLBACK")
        finally:
            if len(self._idle) < MAX_IDLE:
                self._idle.append(file)
            else:
                file.close()

    @contextmanager
    def writing(self, attempted: str) -> Iterator[SqliteSession]:
        """Lend the transaction that writes; raises as ``SqliteFile.writing``."""
        self._leave_parents()
        with self._writer.writing(attempted) as connection, _refusals(attempted):
            yield SqliteSession(connection)

    def close(self) -> None:
        """Close the connections that nobody uses."""
        self._leave_parents()
        while self._idle:
            self._idle.pop().close()
        self._writer.close()

    def _leave_parents(self) -> None:
        """Forget connections of the process this one was forked from: closing them here would harm them."""
        if self._process != os.getpid():
            self._inherited += [self._writer, *self._idle]
            self._begin()


@contextmanager
def _refusals(attempted: str) -> Iterator[None]:
    """Say what a table refuses as the fault of the values, not of the file."""
    try:
        yield
    except (sqlite3.IntegrityError, sqlite3.InterfaceError, sqlite3.ProgrammingError) as error:
        raise InvalidInputError(f"{attempted}: a value does not fit: {error}") from error
    except (OverflowError, UnicodeEncodeError) as error:
        raise InvalidInputError(f"{attempted}: a value cannot be stored: {error}") from error
