"""Transactions of the catalog in a PostgreSQL schema: what ``SqlStore`` asks for.

Here: readers, the one writer, making the tables, and the fast ways to send many rows.
Not here: connections and failures (``postgres_connection``), any statement of the catalog (``sql_*``).

Writers wait for each other at an advisory lock from begin to commit. So the numbers they give become visible
in their order, which a sequence does not promise (https://www.postgresql.org/docs/current/functions-sequence.html),
and no two of them deadlock.
"""

from __future__ import annotations

import hashlib
import io
import itertools
import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from metaplat.model.errors import InvalidInputError, PermanentStoreError, StoreError, UsageError
from metaplat.stores.catalog.postgres_connection import PostgresConnections
from metaplat.stores.catalog.sql_dialect import POSTGRES
from metaplat.stores.catalog.sql_schema import schema

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from psycopg2.extensions import connection as Connection  # noqa: N812  # its name there
    from psycopg2.extensions import cursor as Cursor  # noqa: N812

SCHEMA = "metaplat_catalog"
WAIT = "30s"
"""How long a writer waits for another one."""
STREAMED = 10_000
"""Rows that a stream fetches at once."""
SENT = 200
"""Statements that are sent together."""
_LOCK = 20_260_301
"""First half of the advisory lock's key; the second is made of the schema's name."""
NULL = "\\N"
_ESCAPES = str.maketrans({"\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"})


class Array:
    """Many values as one literal: psycopg2 writes an expression, which the server reads five times slower.

    Parameters
    ----------
    values : list
        Texts or numbers, none of them null.
    connection : psycopg2 connection
        Where they are sent.
    """

    def __init__(self, values: list[Any], connection: Connection) -> None:
        self._values, self._connection = values, connection

    def __conform__(self, protocol: object) -> Array:
        """Say that it quotes itself, as psycopg2 asks."""
        del protocol
        return self

    def getquoted(self) -> bytes:
        """Return the literal with its type."""
        from psycopg2.extensions import QuotedString

        kind = "text" if isinstance(next(iter(self._values), ""), str) else "bigint"
        if any(isinstance(value, float) for value in self._values):
            kind = "float8"
        written = map(_element, self._values) if kind == "text" else map(repr, self._values)
        quoted = QuotedString(f"{{{','.join(written)}}}")
        quoted.prepare(self._connection)
        literal: bytes = quoted.getquoted()
        return literal + f"::{kind}[]".encode()


class PostgresSession:
    """One transaction; see ``SqlSession``.

    Parameters
    ----------
    connection : psycopg2 connection
        Inside the transaction.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._names = itertools.count()

    def rows(self, statement: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Run a statement and return all its rows."""
        with self._cursor() as cursor:
            cursor.execute(statement, self._sent(parameters))
            return cursor.fetchall()

    def stream(self, statement: str, parameters: Sequence[Any] = ()) -> Iterator[tuple[Any, ...]]:
        """Run a statement and yield its rows, which stay at the server until they are wanted."""
        name = f"streamed_{next(self._names)}"  # it ends with the transaction, also where it is left early
        with self._cursor() as cursor:
            cursor.execute(f"DECLARE {name} NO SCROLL CURSOR FOR {statement}", self._sent(parameters))
            cursor.execute(f"FETCH {STREAMED} FROM {name}")
            while block := cursor.fetchall():
                yield from block
                cursor.execute(f"FETCH {STREAMED} FROM {name}")
            cursor.execute(f"CLOSE {name}")

    def run(self, statement: str, parameters: Sequence[Any] = ()) -> None:
        """Run a statement that returns nothing."""
        with self._cursor() as cursor:
            cursor.execute(statement, self._sent(parameters))

    def run_many(self, statement: str, rows: Iterable[Sequence[Any]]) -> None:
        """Run a statement once for each row, planned once and sent many at a time."""
        from psycopg2.extras import execute_batch

        places = iter(range(1, statement.count("%s") + 1))
        planned = re.sub("%s", lambda _: f"${next(places)}", statement)
        marks = POSTGRES.marks(statement.count("%s"))
        sent = list(rows)
        if not sent:
            return
        with self._cursor() as cursor:
            cursor.execute(f"PREPARE many AS {planned}")
            execute_batch(cursor, f"EXECUTE many ({marks})", sent, page_size=SENT)
            cursor.execute("DEALLOCATE many")

    def insert(self, table: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
        """Insert new rows by COPY."""
        with self._cursor() as cursor:
            lines = io.BytesIO("".join(map(_line, rows)).encode())
            cursor.copy_expert(f"COPY {table} ({', '.join(columns)}) FROM STDIN", lines)

    def _sent(self, parameters: Sequence[Any]) -> list[Any]:
        return [Array(value, self._connection) if isinstance(value, list) else value for value in parameters]

    @contextmanager
    def _cursor(self) -> Iterator[Cursor]:
        with self._connection.cursor() as cursor:
            try:
                yield cursor
            except ValueError as error:  # how psycopg2 refuses a NUL, and Python a lone surrogate
                raise InvalidInputError("a text that is no Unicode text, or holds a NUL") from error


class PostgresStore:
    """The tables of one catalog; see ``SqlStore``. They are made on first use.

    Parameters
    ----------
    url : str
        Address of the database.
    name : str
        The schema that holds the tables; lower-case letters, digits and underscores.
    """

    def __init__(self, url: str, name: str) -> None:
        if not re.fullmatch("[a-z_][a-z0-9_]{0,62}", name):
            raise UsageError(f"{name!r} is no name of a schema; use lower-case letters, digits and _")
        self._connections, self._name = PostgresConnections(url), name
        self._is_made = False
        self.address = self._connections.address

    @contextmanager
    def reading(self, attempted: str) -> Iterator[PostgresSession]:
        """Lend a transaction that sees one state of the catalog."""
        with self._transaction(attempted, "ISOLATION LEVEL REPEATABLE READ READ ONLY") as session:
            yield session

    @contextmanager
    def writing(self, attempted: str) -> Iterator[PostgresSession]:
        """Lend the one transaction that writes; raises TransientStoreError after ``WAIT``."""
        with self._transaction(attempted, "ISOLATION LEVEL READ COMMITTED READ WRITE") as session:
            session.run(*self._lock)
            yield session

    def close(self) -> None:
        """Close the connections that nobody uses; others are opened when they are needed."""
        self._connections.close()

    @contextmanager
    def _transaction(self, attempted: str, level: str) -> Iterator[PostgresSession]:
        self._make(attempted)
        try:
            with self._connections.lent(attempted) as connection, _begun(connection, self._begin(level)):
                yield PostgresSession(connection)
        except StoreError:
            self._is_made = False  # they may be what is missing
            raise

    def _begin(self, level: str) -> str:
        # compiling costs more than any statement here saves
        return f"BEGIN {level}; SET LOCAL jit = off; SET LOCAL search_path = {self._name}, pg_temp"

    @property
    def _lock(self) -> tuple[str, Sequence[Any]]:
        statement = "SET LOCAL lock_timeout = %s; SELECT pg_advisory_xact_lock(%s, hashtext(%s))"
        return statement, (WAIT, _LOCK, self._name)

    def _make(self, attempted: str) -> None:
        """Create what is missing, once; several processes may do so at the same time."""
        if self._is_made:
            return
        statements = schema(POSTGRES)
        digest = hashlib.blake2b("".join(statements).encode(), digest_size=8).hexdigest()
        made = f"metaplat catalog {digest}"
        with self._connections.lent(attempted) as connection, _begun(connection, self._begin("")):
            session = PostgresSession(connection)
            if not self._has(session, made):
                session.run(*self._lock)
                if not self._has(session, made):
                    self._create(session, attempted, statements, made)
        self._is_made = True

    def _has(self, session: PostgresSession, made: str) -> bool:
        statement = "SELECT obj_description(to_regclass(%s), 'pg_class')"
        return session.rows(statement, (f"{self._name}.counters",)) == [(made,)]

    def _create(self, session: PostgresSession, attempted: str, statements: Sequence[str], made: str) -> None:
        ((encoding,),) = session.rows("SHOW server_encoding")
        if encoding != "UTF8":
            advice = "Create one with: CREATE DATABASE name ENCODING 'UTF8' TEMPLATE template0."
            answer = f"the database is kept in {encoding}, which not every text fits"
            raise PermanentStoreError(self.address, attempted, answer, advice)
        if session.rows("SELECT to_regnamespace(%s)", (self._name,)) == [(None,)]:
            session.run(f"CREATE SCHEMA {self._name}")
        for statement in statements:
            session.run(statement)
        session.run(f"COMMENT ON TABLE counters IS '{made}'")


@contextmanager
def _begun(connection: Connection, begin: str) -> Iterator[None]:
    """Run a block inside a transaction: kept at its end, or undone on an error."""
    with connection.cursor() as cursor:
        cursor.execute(begin)
        try:
            yield
            cursor.execute("COMMIT")
        except BaseException:
            if not connection.closed:
                cursor.execute("ROLLBACK; DEALLOCATE ALL")  # what was prepared outlives the transaction
            raise


def _element(text: str) -> str:
    """Return a text as an array's literal holds it."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _line(row: Sequence[Any]) -> str:
    r"""Return a row in COPY's text format: tabs between, ``\N`` for null."""
    cells = [NULL if cell is None else cell if isinstance(cell, str) else _number(cell) for cell in row]
    line = "\t".join(cells)
    marks = line.count("\t"), line.count("\\"), line.count("\n"), line.count("\r")
    if marks == (len(cells) - 1, row.count(None), 0, 0):  # so nearly always: no text holds any of them
        return f"{line}\n"
    texts = [NULL if cell is None else str(cell).translate(_ESCAPES) for cell in row]
    return "\t".join(texts) + "\n"


def _number(cell: Any) -> str:
    if not isinstance(cell, int | float):
        raise InvalidInputError(f"a {type(cell).__name__} has no place in a table")
    return repr(cell)
