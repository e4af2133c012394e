"""One SQLite file in WAL mode, shared by the threads and processes of one machine.

Here: opening, transactions, and what SQLite's failures mean to a person.
Not here: any table (the store that owns it gives its ``CREATE ... IF NOT EXISTS`` statements).
Keep such files off network file systems: WAL needs shared memory (https://sqlite.org/wal.html).
"""

from __future__ import annotations

import sqlite3
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from metaplat.model.errors import PermanentStoreError, TransientStoreError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from metaplat.model.errors import StoreError

BUSY_SECONDS = 30.0
"""How long a writer waits for another one."""
PRIMARY_CODE = 0xFF
"""The lower byte of SQLite's extended result codes (https://sqlite.org/rescode.html)."""
BUSY = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PROTOCOL}
UNWRITABLE = {sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM, sqlite3.SQLITE_IOERR}
NO_TRACES = ("secure_delete = ON",)
"""Deleted rows leave no trace in free pages; each page that is freed is written once more."""


class SqliteFile:
    """A file opened on first use, one connection per instance, used by one thread at a time.

    Parameters
    ----------
    path : Path
        The file; its folder is created.
    schema : sequence of str
        Statements that create what is missing.
    repair : str
        What to do when the file is damaged, one sentence.
    pragmas : sequence of str
        Set in each connection.
    """

    def __init__(
        self, path: Path, schema: Sequence[str], repair: str, pragmas: Sequence[str] = NO_TRACES
    ) -> None:
        self._path, self._schema, self._repair, self._pragmas = path, schema, repair, pragmas
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None
        self._opened: tuple[int, int] | None = None

    @contextmanager
    def reading(self, attempted: str) -> Iterator[sqlite3.Connection]:
        """Lend the connection for single statements.

        Parameters
        ----------
        attempted : str
            For messages: what is being done, for example ``"get a row"``.

        Raises
        ------
        TransientStoreError
            Another process held the file for longer than ``BUSY_SECONDS``.
        PermanentStoreError
            The file cannot be opened or written, or is damaged.
        """
        with self._lock:
            try:
                yield self._current()
            except sqlite3.Error as error:
                raise self._translated(error, attempted) from error

    @contextmanager
    def writing(self, attempted: str) -> Iterator[sqlite3.Connection]:
        """Lend the connection inside a write transaction; an error rolls it back. Raises as ``reading``."""
        with self.reading(attempted) as connection:
            connection.execute("BEGIN IMMEDIATE")  # a later upgrade from reading could fail without waiting
            try:
                yield connection
                connection.execute("COMMIT")
            finally:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")

    def close(self) -> None:
        """Close the connection; the next use opens it again."""
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    def _current(self) -> sqlite3.Connection:
        """Return the connection; a new one where the file was removed or replaced meanwhile."""
        if self._connection is None or self._opened != self._identity():
            if self._connection is not None:
                self._connection.close()
                self._connection = None
            self._connection = self._open()
            self._opened = self._identity()
        return self._connection

    def _identity(self) -> tuple[int, int] | None:
        try:
            found = self._path.stat()
        except OSError:
            return None
        return found.st_dev, found.st_ino

    def _open(self) -> sqlite3.Connection:
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise self._unwritable("create its folder", str(error.strerror)) from error
        connection = sqlite3.connect(
            self._path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
        )
        try:
            _switch_to_wal(connection)
            connection.execute("PRAGMA synchronous = NORMAL")  # a power cut loses the latest rows, no more
            for pragma in self._pragmas:
                connection.execute(f"PRAGMA {pragma}")
            for statement in self._schema:
                connection.execute(statement)
        except BaseException:
            connection.close()
            raise
        return connection

    def _translated(self, error: sqlite3.Error, attempted: str) -> StoreError:
        code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & PRIMARY_CODE
        if code in BUSY:
            answer = f"another process has been writing for {BUSY_SECONDS:.0f} s"
            return TransientStoreError(str(self._path), attempted, answer, "Wait for it to finish.")
        if code == sqlite3.SQLITE_FULL:
            advice = "Free some space, then run again."
            return PermanentStoreError(str(self._path), attempted, "the disk is full", advice)
        if code in UNWRITABLE:
            return self._unwritable(attempted, str(error))
        return PermanentStoreError(str(self._path), attempted, str(error), self._repair)

    def _unwritable(self, attempted: str, answer: str) -> StoreError:
        advice = "Make the folder writable, or set home (METAPLAT_HOME) to one that is."
        return PermanentStoreError(str(self._path), attempted, answer, advice)


def _switch_to_wal(connection: sqlite3.Connection) -> None:
    """Set WAL mode, waiting for others that do the same: SQLite's own busy timeout does not cover this."""
    deadline = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & PRIMARY_CODE not in BUSY or time.monotonic() > deadline:
                raise
            time.sleep(0.02)
        else:
            return
