"""Connections to one PostgreSQL database: lent to threads, replaced when broken, failures in words.

Here: the address, opening, a pool, and what PostgreSQL's failures mean to a person.
Not here: transactions and statements (``postgres_store``).

Nothing is kept in a session, so that a pooler in transaction mode may stand between. Codes of errors:
https://www.postgresql.org/docs/current/errcodes-appendix.html.
"""

from __future__ import annotations

import os
import select
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from metaplat.model.errors import (
    InvalidInputError,
    MetaplatError,
    MissingExtraError,
    PermanentStoreError,
    SettingsError,
    TransientStoreError,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from psycopg2.extensions import connection as Connection  # noqa: N812  # its name there
    from psycopg2.extensions import cursor as Cursor  # noqa: N812

IDLE_KEPT = 8
"""Connections that are kept open while nobody uses them."""
DEFAULTS = {
    "connect_timeout": "10",
    "keepalives_idle": "30",
    "keepalives_interval": "10",
    "keepalives_count": "3",
    "application_name": "metaplat",
}
"""What holds where the address says nothing else; a peer that vanished is noticed within a minute."""
ADVICE = "Write it as postgresql://user:password@host/database, its password's @ : / ? as %40 %3A %2F %3F."

REFUSALS = {
    "password authentication failed": "the password was refused",
    "no password supplied": "a password is needed",
    "does not exist": "the database or the user does not exist",
    "no pg_hba.conf entry": "connections from here are not admitted",
    "permission denied": "the user may not connect to it",
    "is not permitted to log in": "the user may not log in",
    "does not support SSL": "it offers no encryption, which the address asks for",
}
"""Parts of libpq's words that tell that trying again cannot help; a failed connection carries no code."""
OUTAGES = {
    "timeout expired": "no answer in time",
    "Connection refused": "nobody answers there",
    "No such file or directory": "nobody answers there",
    "could not translate host name": "the name of the host is not known",
    "starting up": "the server is starting up",
    "shutting down": "the server is shutting down",
    "too many": "it has no connection left",
    "remaining connection slots": "it has no connection left",
}
TRANSIENT = ("08", "40", "53", "55", "57", "58")
"""After these classes of codes the same may work: connection, rollback, resources, locks, stopped, system."""
INVALID = ("22", "23", "54")
"""A value that its column or an index cannot take: a text in an index may have 2,700 bytes, compressed."""
NUMERIC_OID = 1700
LOST, UNDEFINED_TABLE, INVALID_SCHEMA, DISK_FULL = "08006", "42P01", "3F000", "53100"


class PostgresConnections:
    """The database at an address; connections are opened when they are needed.

    Parameters
    ----------
    url : str
        ``postgresql://user:password@host:port/database``.

    Raises
    ------
    MissingExtraError
        psycopg2 is not installed.
    SettingsError
        The address cannot be read.
    """

    def __init__(self, url: str) -> None:
        self._parameters: dict[str, Any] = {**DEFAULTS, **_parsed(url), "client_encoding": "UTF8"}
        self._lock = threading.Lock()
        self._idle: list[Connection] = []
        self._process = os.getpid()

    @property
    def address(self) -> str:
        """Host and database, for people."""
        host, port = self._parameters.get("host"), self._parameters.get("port")
        return f"PostgreSQL {host or 'localhost'}{f':{port}' if port else ''}/{self._parameters['dbname']}"

    @contextmanager
    def lent(self, attempted: str) -> Iterator[Connection]:
        """Lend a connection in autocommit; one that is left inside a transaction is closed.

        Parameters
        ----------
        attempted : str
            For messages: what is being done, for example ``"search"``.

        Raises
        ------
        TransientStoreError
            The server does not answer, or is busy.
        PermanentStoreError
            It refuses: password, permission, no such database, disk full.
        InvalidInputError
            A value is not of the type of its column.
        """
        import psycopg2

        connection = self._taken() or self._opened(attempted)
        try:
            yield connection
        except psycopg2.Error as error:
            raise self._translated(error, attempted) from error
        finally:
            self._put_back(connection)

    def close(self) -> None:
        """Close the connections that nobody uses."""
        with self._lock:
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()

    def _taken(self) -> Connection | None:
        """Return an idle connection that lives."""
        with self._lock:
            if self._process != os.getpid():  # forked: the sockets are the parent's
                self._idle, self._process = [], os.getpid()
            while self._idle:
                connection = self._idle.pop()
                if not _has_news(connection):
                    return connection
                connection.close()
        return None

    def _put_back(self, connection: Connection) -> None:
        from psycopg2.extensions import TRANSACTION_STATUS_IDLE

        with self._lock:
            at_rest = connection.info.transaction_status == TRANSACTION_STATUS_IDLE
            if at_rest and self._process == os.getpid() and len(self._idle) < IDLE_KEPT:
                self._idle.append(connection)
                return
        connection.close()

    def _opened(self, attempted: str) -> Connection:
        import psycopg2
        from psycopg2.extensions import new_type, register_type

        try:
            connection: Connection = psycopg2.connect(**self._parameters)
        except psycopg2.OperationalError as error:
            raise self._unopened(str(error), attempted) from None  # its words may repeat the address
        connection.autocommit = True  # transactions are begun by hand: with their settings, in one round trip
        register_type(new_type((NUMERIC_OID,), "whole", _number), connection)
        return connection

    def _unopened(self, words: str, attempted: str) -> MetaplatError:
        for part, answer in REFUSALS.items():
            if part in words:
                advice = "Set catalog.postgres_url right, or let the administrator admit this user."
                return PermanentStoreError(self.address, attempted, answer, advice)
        answer = next((answer for part, answer in OUTAGES.items() if part in words), "no connection")
        return TransientStoreError(self.address, attempted, answer, "Look whether the server is up.")

    def _translated(self, error: Any, attempted: str) -> MetaplatError:
        import psycopg2

        code, primary = error.pgcode, error.diag.message_primary
        if code is None and isinstance(
            error, psycopg2.ProgrammingError
        ):  # a value of a type it does not know
            code, primary = INVALID[0], str(error)
        elif code is None:
            code, primary = LOST, "the connection was lost"
        if code.startswith(INVALID):
            return InvalidInputError(f"{self.address}: {attempted}: {primary}")
        if code in (UNDEFINED_TABLE, INVALID_SCHEMA):
            advice = "They are made anew by the next change; catalog the files again."
            return TransientStoreError(self.address, attempted, "the tables were removed meanwhile", advice)
        if code.startswith(TRANSIENT) and code != DISK_FULL:
            return TransientStoreError(self.address, attempted, primary, "See the server's log if it stays.")
        advice = "Free some space there." if code == DISK_FULL else "Let the database's owner look at it."
        return PermanentStoreError(self.address, attempted, primary, advice)


def _parsed(url: str) -> Mapping[str, str]:
    """Return the parts of an address; one that cannot be read is not shown, it may hold the password."""
    try:
        import psycopg2
        from psycopg2.extensions import parse_dsn
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != "psycopg2":
            raise
        raise MissingExtraError("the catalog in PostgreSQL", "psycopg2", "postgres") from error
    try:
        parameters: dict[str, str] = parse_dsn(url)
    except psycopg2.ProgrammingError:
        raise SettingsError("catalog.postgres_url", "it is no address of PostgreSQL", ADVICE) from None
    named = parameters.get("host", ""), parameters.get("port", ""), parameters.get("dbname", "")
    digits = named[1].replace(",", "")
    if not named[2] or "@" in "".join(named) or (digits and not digits.isdecimal()):
        raise SettingsError("catalog.postgres_url", "it names no host, port and database", ADVICE)
    return parameters


def _number(text: str | bytes | None, _: Cursor) -> float | None:
    """Read a ``numeric``, what a sum of whole numbers is there."""
    if text is None:
        return None
    try:
        return int(text)
    except ValueError:
        return float(text)


def _has_news(connection: Connection) -> bool:
    """Return whether the server said something while nobody asked: that it ends the connection."""
    poll = select.poll()
    poll.register(connection.fileno(), select.POLLIN)
    return bool(poll.poll(0))
