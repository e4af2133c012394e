"""Transactions in VAST DB: connecting, taking turns to write, and what its failures mean to a person.

Here: ``VastSession``, and the tables of one transaction.
Not here: what is read and written (``vast_reading``, ``vast_changes``).

What is promised between writers: VAST gives transactions, no locks and no unique keys. Each writer therefore
first updates the one row of ``catalog_counters``, so that of two at once the second meets a conflict (or
waits), rolls back and starts again: changes follow one another, and numbers grow in the order of commits.
This rests on VAST refusing, or making wait, the second of two transactions that update one row.
"""

from __future__ import annotations

import random
import threading
import time
import uuid
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from metaplat.model.errors import PermanentStoreError, SettingsError, shown_address
from metaplat.stores.catalog.vast_errors import sdk, told_plainly
from metaplat.stores.catalog.vast_tables import COUNTERS, TABLES, VastTable, arrow_rows

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from metaplat.model.observation import Row
    from metaplat.settings import CatalogSettings

T = TypeVar("T")
TURN_SECONDS = 60.0
"""How long a writer tries to get its turn."""
TIMEOUT_SECONDS = 120.0
"""How long one request may be silent."""
TRIES, TRY_SECONDS = 4, 20.0
"""How often, and how long, the SDK tries what was not even received, or was throttled."""
ROW_ID = "$row_id"


class VastTables:
    """The tables inside one transaction; ``handle`` gives the SDK's."""

    def __init__(self, schema: Any) -> None:
        self._schema = schema
        self._handles: dict[str, Any] = {}

    def handle(self, table: VastTable) -> Any:
        """Return the SDK's table."""
        if table.name not in self._handles:
            self._handles[table.name] = self._schema.table(table.name)
        return self._handles[table.name]

    def insert(self, table: VastTable, rows: Sequence[Row]) -> None:
        """Insert stored rows."""
        if rows:
            self.handle(table).insert(arrow_rows(table, rows))

    def update(self, table: VastTable, rows: Sequence[Row], columns: Sequence[str]) -> None:
        """Set columns of rows that hold their ``ROW_ID``."""
        if not rows:
            return
        import pyarrow as pa

        ids = pa.array([row[ROW_ID] for row in rows], pa.uint64())
        self.handle(table).update(arrow_rows(table, rows, columns).add_column(0, ROW_ID, ids))


class VastSession:
    """A catalog in a schema of a bucket; connects, and creates the tables, on first use.

    Parameters
    ----------
    settings : CatalogSettings
        Address, keys, bucket and schema.
    session_factory : callable or None
        Returns a session of the SDK; by default ``vastdb.connect`` with the settings.
    """

    def __init__(self, settings: CatalogSettings, session_factory: Callable[[], Any] | None) -> None:
        self._settings = settings
        self._factory = session_factory or self._connect
        self._opening = threading.Lock()
        self._turn = threading.Lock()
        self._session: Any = None

    @property
    def address(self) -> str:
        """Host, bucket and schema."""
        host = shown_address(self._settings.vast_endpoint or "VAST DB")
        return f"{host}/{self._settings.vast_bucket}/{self._settings.vast_schema}"

    @contextmanager
    def reading(self, attempted: str) -> Iterator[VastTables]:
        """Lend the tables of a transaction that only reads: all is of one moment.

        Raises
        ------
        TransientStoreError
            The cluster cannot be reached, or is overloaded.
        PermanentStoreError
            It refuses: keys, bucket, version.
        """
        with told_plainly(self.address, attempted):
            transaction = self._opened().transaction()
            transaction.__enter__()
            try:
                yield VastTables(self._schema_of(transaction))
            finally:
                transaction.__exit__(None, None, None)  # nothing to undo, and leaving early is no error

    def writing(self, attempted: str, work: Callable[[VastTables, int], tuple[T, int]]) -> T:
        """Do ``work`` in a transaction of its own, when no other writer is in one.

        Parameters
        ----------
        attempted : str
            For messages.
        work : callable
            Given the tables and the number of the last change, writes, and returns its result and the
            number of the last change now. Called again from the start where another writer was faster.

        Raises
        ------
        TransientStoreError, PermanentStoreError
            As ``reading``; also transient where others wrote for ``TURN_SECONDS``.
        """
        with told_plainly(self.address, attempted), self._turn:
            session = self._opened()
            return _again_on_conflict(lambda: self._in_turn(session, work))

    def _in_turn(self, session: Any, work: Callable[[VastTables, int], tuple[T, int]]) -> T:
        with session.transaction() as transaction:
            tables = VastTables(self._schema_of(transaction))
            mine = {"holder": uuid.uuid4().hex}
            tables.update(COUNTERS, [self._counter(tables) | mine], ["holder"])
            counter = self._counter(tables) | mine  # only now is it certain that no one else counts
            result, last = work(tables, counter["change_seq"])
            if last != counter["change_seq"]:
                tables.update(COUNTERS, [counter | {"change_seq": last}], ["change_seq"])
            return result

    def last_seq(self, tables: VastTables) -> int:
        """Return the number of the last change."""
        return int(self._counter(tables)["change_seq"])

    def _counter(self, tables: VastTables) -> Row:
        reader = tables.handle(COUNTERS).select(columns=["change_seq"], internal_row_id=True)
        rows: list[Row] = reader.read_all().to_pylist()
        if len(rows) != 1:
            answer = f"{len(rows)} rows in {COUNTERS.name}, where one is expected"
            advice = "Someone else wrote into the schema; restore it from a snapshot."
            raise PermanentStoreError(self.address, "count changes", answer, advice)
        return rows[0]

    def close(self) -> None:
        """Close connections; they are opened again when they are needed."""
        with self._opening:
            session, self._session = self._session, None
        if session is not None:
            session.api.__exit__(None, None, None)

    # --- opening

    def _opened(self) -> Any:
        with self._opening:
            if self._session is None:
                session = self._factory()
                _again_on_conflict(lambda: self._create(session))
                self._session = session
            return self._session

    def _connect(self) -> Any:
        settings, vastdb = self._settings, sdk()
        if settings.vast_endpoint is None:
            advice = "Set it to the address of the cluster."
            raise SettingsError("catalog.vast_endpoint", "the backend vast needs it", advice)
        if settings.vast_access_key is None or settings.vast_secret_key is None:
            missing = "access" if settings.vast_access_key is None else "secret"
            advice = f"Set METAPLAT_CATALOG__VAST_{missing.upper()}_KEY."
            raise SettingsError(f"catalog.vast_{missing}_key", "the backend vast needs it", advice)
        return vastdb.connect(
            endpoint=settings.vast_endpoint,
            access=settings.vast_access_key.get_secret_value(),
            secret=settings.vast_secret_key.get_secret_value(),
            timeout=TIMEOUT_SECONDS,
            backoff_config=vastdb.config.BackoffConfig(max_tries=TRIES, max_time=TRY_SECONDS),
        )

    def _schema_of(self, transaction: Any) -> Any:
        return transaction.bucket(self._settings.vast_bucket).schema(self._settings.vast_schema)

    def _create(self, session: Any) -> None:
        """Create what is missing, all of it in one transaction: of two at once, one meets a conflict."""
        with session.transaction() as transaction:
            bucket = transaction.bucket(self._settings.vast_bucket)
            schema = bucket.schema(self._settings.vast_schema, fail_if_missing=False)
            there = set(schema.tablenames()) if schema is not None else set()
            if there >= {table.name for table in TABLES}:
                return
            schema = schema or bucket.create_schema(self._settings.vast_schema)
            for table in TABLES:
                if table.name not in there:
                    schema.create_table(table.name, table.arrow_schema())
            if COUNTERS.name not in there:
                VastTables(schema).insert(COUNTERS, [{"change_seq": 0, "holder": ""}])


def _again_on_conflict(work: Callable[[], T]) -> T:
    """Do ``work`` until no one else was faster: a conflict undid all of it."""
    errors = sdk().errors
    deadline = time.monotonic() + TURN_SECONDS
    pause = 0.005
    while True:
        try:
            return work()
        except (errors.Conflict, errors.Exists):  # exists: another process created the tables just now
            if time.monotonic() > deadline:
                raise
            time.sleep(pause * (0.5 + random.random()))  # noqa: S311 - so that two do not meet again
            pause = min(2 * pause, 1.0)
