"""The hot store in a SQLite file: the embedded default.

Here: the statements of one hot table, ``hot_<name>``.
Not here: opening and failures (``sqlite_file``), the form of a row (``hot_content``).
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import orjson

from metaplat.model.errors import HotConflictError
from metaplat.stores.hot import HotPage, HotState, PutOutcome, outcome_of_put
from metaplat.stores.hot_content import SORT_LIMIT, HotCodec, LiveEntries, possible_key
from metaplat.stores.hot_page import HotQueries
from metaplat.stores.sqlite_file import SqliteFile

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from metaplat.model.field import Field
    from metaplat.model.retention import HotTable
    from metaplat.stores.hot import HotRow
    from metaplat.stores.hot_content import HotEntry
    from metaplat.stores.hot_page import PageRequest

CREATE_TABLE = """
CREATE TABLE IF NOT EXISTS {table} (
    pk TEXT NOT NULL, sk INTEGER NOT NULL, ttl INTEGER NOT NULL, status TEXT, identity,
    content_hash TEXT NOT NULL, content BLOB NOT NULL, PRIMARY KEY (pk, sk)
) WITHOUT ROWID
"""
CREATE_INDEX = "CREATE INDEX IF NOT EXISTS {index} ON {table} (status, sk, pk)"
WRITE = "INSERT OR REPLACE INTO {table} VALUES (?, ?, ?, ?, ?, ?, ?)"
STATE = "SELECT ttl, status, identity, content_hash FROM {table} WHERE pk = ? AND sk = ?"
CONTENT = "SELECT ttl, content FROM {table} WHERE pk = ? AND sk = ?"
PAGE = """
SELECT pk, sk, ttl, content FROM {table}
WHERE {column} = ? AND sk BETWEEN ? AND ? AND (sk, pk) {beyond} (?, ?) AND ttl > ?
ORDER BY sk {order}, pk {order} LIMIT ?
"""
DELETE_SUBJECT = "DELETE FROM {table} WHERE pk = ?"
DELETE_EXPIRED = "DELETE FROM {table} WHERE ttl <= ?"


class SqliteHot(HotQueries):
    """One hot table in a SQLite file; see ``HotStore``. The file is opened on first use.

    Parameters
    ----------
    path : Path
        The file; other tables may live in it too.
    table : HotTable
        Name, keys and columns.
    retention_seconds : int
        Time to live, counted from the sort key.
    fields : sequence of Field
        Declarations of at least the table's columns.
    """

    def __init__(self, path: Path, table: HotTable, retention_seconds: int, fields: Sequence[Field]) -> None:
        super().__init__(table)
        self._codec = HotCodec(table, retention_seconds, fields)
        self._name = _quoted(f"hot_{table.name}")
        self._write, self._read_state = self._sql(WRITE), self._sql(STATE)
        schema = [self._sql(CREATE_TABLE)]
        if table.status is not None:
            schema.append(self._sql(CREATE_INDEX, index=_quoted(f"hot_{table.name}_status")))
        repair = f"It is a cache: delete {path.name}, its -wal and its -shm, then rebuild it from the lake."
        self._file = SqliteFile(path, schema, repair)

    def put(self, row: HotRow, now: int) -> PutOutcome:
        """Write ``row`` by the rules of its key; raises HotConflictError where other content is stored."""
        entry = self._codec.encode(row)
        if entry.ttl <= now:
            return PutOutcome.STALE
        with self._file.writing(self._attempt("put a row")) as connection:
            outcome = outcome_of_put(self._state(connection, entry.key), entry.state, now, self._table)
            if outcome in (PutOutcome.CREATED, PutOutcome.UPDATED):
                connection.execute(self._write, entry)
            stored = None if outcome else self._stored(connection, *entry.key)
        if outcome is None:
            raise HotConflictError(self._table.name, stored or {}, self._codec.row(entry))
        return outcome

    def replace(self, row: HotRow) -> None:
        """Write ``row`` whatever is stored: the lake has decided."""
        entry = self._codec.encode(row)
        with self._file.writing(self._attempt("replace a row")) as connection:
            connection.execute(self._write, entry)

    def get(self, partition: str, sort: int, now: int) -> HotRow | None:
        """Return the live row under a key."""
        if not _possible(partition, sort):
            return None
        with self._file.reading(self._attempt("get a row")) as connection:
            row = self._stored(connection, partition, sort)
        return row if row and row["ttl"] > now else None

    def put_many(self, rows: Iterable[HotRow], now: int) -> dict[PutOutcome, int]:
        """Put many rows in one transaction; a conflict is resolved for the incoming row."""
        live = LiveEntries(self._codec, rows, now)
        entries = list(live)  # encoded before the file is locked
        with self._file.writing(self._attempt(f"put {len(entries)} rows")) as connection:
            counts = self._put_entries(connection, entries, now)
        live.raise_refusals()
        return {outcome: counts[outcome] for outcome in PutOutcome}

    def rebuild(self, rows: Iterable[HotRow], now: int) -> int:
        """Write every live row of ``rows`` over whatever is stored; returns how many."""
        live = LiveEntries(self._codec, rows, now)
        entries = {entry.key: entry for entry in live}
        with self._file.writing(self._attempt(f"rebuild {len(entries)} rows")) as connection:
            connection.executemany(self._write, entries.values())
        live.raise_refusals()
        return len(entries)

    def delete_subject(self, partition: str) -> int:
        """Remove every row of a partition key, expired ones too; returns how many."""
        if not possible_key(partition):
            return 0
        with self._file.writing(self._attempt("delete a subject")) as connection:
            return connection.execute(self._sql(DELETE_SUBJECT), (partition,)).rowcount

    def sweep(self, now: int) -> int:
        """Remove expired rows and return how many."""
        with self._file.writing(self._attempt("remove expired rows")) as connection:
            return connection.execute(self._sql(DELETE_EXPIRED), (now,)).rowcount

    def _put_entries(
        self, connection: sqlite3.Connection, entries: Sequence[HotEntry], now: int
    ) -> Counter[PutOutcome]:
        """Judge every entry against what is stored or came before it, then write the winners."""
        counts: Counter[PutOutcome] = Counter()
        winners: dict[tuple[str, int], HotEntry] = {}
        for entry in entries:
            before = winners.get(entry.key)
            stored = before.state if before else self._state(connection, entry.key)
            outcome = outcome_of_put(stored, entry.state, now, self._table) or PutOutcome.UPDATED
            counts[outcome] += 1
            if outcome in (PutOutcome.CREATED, PutOutcome.UPDATED):
                winners[entry.key] = entry
        connection.executemany(self._write, sorted(winners.values()))  # in key order: the B-tree likes it
        return counts

    def _page(self, request: PageRequest, now: int) -> HotPage:
        statement = self._sql(
            PAGE,
            column="status" if request.column == self._table.status else "pk",
            beyond="<" if request.descending else ">",
            order="DESC" if request.descending else "ASC",
        )
        start = request.start or ((SORT_LIMIT + 1) * (1 if request.descending else -1), "")
        values = (request.value, request.low, request.high, *start, now, request.limit + 1)
        with self._file.reading(self._attempt("query rows")) as connection:
            found = connection.execute(statement, values).fetchall()
        page = found[: request.limit]
        after = request.token(*page[-1][:2]) if len(found) > len(page) else None
        return HotPage([self._codec.decode(orjson.loads(item), ttl) for _, _, ttl, item in page], after)

    def _state(self, connection: sqlite3.Connection, key: tuple[str, int]) -> HotState | None:
        found = connection.execute(self._read_state, key).fetchone()
        return HotState(*found) if found else None

    def _stored(self, connection: sqlite3.Connection, partition: str, sort: int) -> HotRow | None:
        found = connection.execute(self._sql(CONTENT), (partition, sort)).fetchone()
        return self._codec.decode(orjson.loads(found[1]), found[0]) if found else None

    def _sql(self, template: str, **parts: str) -> str:
        """Fill in names that cannot be parameters; all of them come from the declaration, none from rows."""
        return template.format(table=self._name, **parts)

    def _attempt(self, what: str) -> str:
        return f"{what} in hot store table {self._table.name}"


def _possible(partition: str, sort: int) -> bool:
    return possible_key(partition) and -SORT_LIMIT <= sort <= SORT_LIMIT


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
