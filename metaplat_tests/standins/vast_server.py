"""A VAST cluster in memory, behind the calls that the real SDK makes of its network layer.

Here: buckets, schemas, tables, and transactions with snapshots: each sees what was there when it began, and
of two that update the same row the second meets a conflict. Everything above (sessions, tables, splits,
request limits, the compiler of predicates) is the SDK itself.
Not here: reading requests (``vast_query``), catalogs in it (``vast_session``).

It is as awkward as VAST is documented to be: rows come in any order, in blocks of odd sizes; a cell holds
128 KB; types it could not query are refused; nothing is unique; limits cut before anything is sorted.
"""

from __future__ import annotations

import io
import itertools
import random
import threading
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc
from vastdb import errors
from vastdb._internal import MAX_REQUEST_BODY_SIZE, TableInfo, TableStats

from metaplat_tests.standins.vast_query import VastQuery, framed

if TYPE_CHECKING:
    from collections.abc import Callable

CELL = 128 * 1024
ROW_ID = "$row_id"
QUERYABLE = {pa.string(), pa.int64(), pa.float64(), pa.timestamp("us", "UTC"), pa.bool_()}
Name = tuple[str, str, str]
"""Bucket, schema and table."""


def http_error(kind: type[errors.HttpError], code: str) -> errors.HttpError:
    """Return an error as the SDK makes it of an answer."""
    statuses = {errors.NotFound: 404, errors.Conflict: 409, errors.BadRequest: 400, errors.Forbidden: 403}
    status = statuses.get(kind, 503)
    url = "http://vast.example/bucket?secret=1"
    return kind(code=code, message=code, method="PUT", url=url, status=status, headers={})


@dataclass
class _Transaction:
    begun: int
    tables: dict[Name, pa.Table]
    schemas: set[tuple[str, str]]
    made: set[Any] = field(default_factory=set)
    inserted: dict[Name, pa.Table] = field(default_factory=dict)
    updated: dict[Name, pa.Table] = field(default_factory=dict)
    reading: dict[Name, int] = field(default_factory=dict)


class VastServer:
    """The cluster, and at once the ``api`` object of sessions with it."""

    access_key = "access"
    endpoints = ("http://vast.example:80",)
    vast_version = (5, 5, 0, 10)

    def __init__(self, *buckets: str, seed: int = 0) -> None:
        self.buckets = set(buckets)
        self.queries: list[VastQuery] = []
        self.limits: set[int] = set()
        self.before: Callable[[str], None] = lambda _call: None
        self.conflicts = 0
        self._random = random.Random(seed)
        self._lock = threading.RLock()
        self._numbers = itertools.count(1)
        self._row_ids = itertools.count(1)
        self._commits = 0
        self._schemas: set[tuple[str, str]] = set()
        self._tables: dict[Name, pa.Table] = {}
        self._written: dict[Any, int] = {}
        self._open: dict[int, _Transaction] = {}
        self.closed = 0

    # --- what the SDK expects of its network layer

    def _backoff_decorator(self, work: Any) -> Any:
        return work

    def with_endpoint(self, endpoint: str) -> VastServer:
        """Go to one node."""
        del endpoint
        return self

    def __enter__(self) -> VastServer:
        return self

    def __exit__(self, *error: object) -> None:
        self.closed += 1

    def begin_transaction(self) -> Any:
        """Begin, with a snapshot of everything."""
        self.before("begin")
        with self._lock:
            number = next(self._numbers)
            self._open[number] = _Transaction(self._commits, dict(self._tables), set(self._schemas))
        return SimpleNamespace(headers={"tabular-txid": str(number)})

    def rollback_transaction(self, txid: int) -> None:
        """Forget all."""
        with self._lock:
            self._ended(txid)

    def commit_transaction(self, txid: int) -> None:
        """Make all visible at once."""
        try:
            self.before("commit")
        except Exception:
            self.rollback_transaction(txid)
            raise
        with self._lock:
            transaction = self._ended(txid)
            taken = transaction.made & (self._schemas | set(self._tables))
            if taken:
                self.conflicts += 1
                raise http_error(errors.Conflict, "TabularConflict")
            self._commits += 1
            self._schemas |= transaction.schemas
            for name in {*transaction.inserted, *transaction.updated, *transaction.made}:
                if name in transaction.tables:
                    self._merge(name, transaction)

    def _ended(self, txid: int) -> _Transaction:
        transaction = self._open.pop(txid)
        if any(transaction.reading.values()):
            raise AssertionError(f"a transaction ended while rows of {transaction.reading} were being read")
        return transaction

    def _merge(self, name: Name, transaction: _Transaction) -> None:
        empty = transaction.tables[name].slice(0, 0)
        updated = transaction.updated.get(name, empty)
        self._written |= dict.fromkeys(((name, row) for row in _ids(updated)), self._commits)
        table = _replaced(self._tables.get(name, empty), updated)
        self._tables[name] = pa.concat_tables([table, transaction.inserted.get(name, empty)])

    def head_bucket(self, name: str) -> None:
        """Tell that a bucket exists."""
        if name not in self.buckets:
            raise http_error(errors.NotFound, "NoSuchBucket")

    def list_schemas(self, bucket: str, *, txid: int, name_prefix: str, **_others: Any) -> Any:
        """Return the schema of that name, if any."""
        found = [
            (name,) for place, name in self._open[txid].schemas if (place, name) == (bucket, name_prefix)
        ]
        return bucket, found, 0, False, len(found)

    def create_schema(self, bucket: str, name: str, *, txid: int) -> None:
        """Create a schema, for this transaction so far."""
        self._open[txid].schemas.add((bucket, name))
        self._open[txid].made.add((bucket, name))

    def list_tables(
        self, bucket: str, schema: str, *, txid: int, exact_match: bool, name_prefix: str, **_others: Any
    ) -> Any:
        """Return the tables of a schema, or the one of that name."""
        names = [name for *place, name in self._open[txid].tables if place == [bucket, schema]]
        chosen = [name for name in names if name == name_prefix or not exact_match]
        return bucket, schema, [TableInfo(name, "", 1, *[0] * 9) for name in chosen], 0, False, len(chosen)

    def create_table(
        self, bucket: str, schema: str, name: str, columns: pa.Schema, *, txid: int, **_others: Any
    ) -> None:
        """Create a table, for this transaction so far."""
        if refused := set(columns.types) - QUERYABLE:
            raise AssertionError(f"VAST could not query these types: {refused}")
        empty = pa.schema([*columns, pa.field(ROW_ID, pa.uint64())]).empty_table()
        self._open[txid].tables[bucket, schema, name] = empty
        self._open[txid].made.add((bucket, schema, name))

    def list_all_columns(
        self, bucket: str, schema: str, table: str, *, txid: int, **_others: Any
    ) -> pa.Schema:
        """Return the columns of a table."""
        fields = self._open[txid].tables[bucket, schema, table].drop_columns([ROW_ID]).schema
        return pa.schema([one.with_metadata({b"k": b"v"}) for one in fields], metadata={b"k": b"v"})

    def get_table_stats(
        self, bucket: str, schema: str, name: str, *, txid: int, **_others: Any
    ) -> TableStats:
        """Return the number of rows, from which the SDK guesses splits."""
        return TableStats(self._open[txid].tables[bucket, schema, name].num_rows, 0, 0, 0, 0, vips=[])

    # --- rows

    def query_data(
        self,
        *,
        bucket: str,
        schema: str,
        table: str,
        params: bytes,
        split: tuple[int, int, int],
        num_sub_splits: int,
        txid: int,
        limit_rows: int,
        **_others: Any,
    ) -> Any:
        """Return matching rows in any order, in blocks of odd sizes, spread over streams."""
        self.before("query")
        name = (bucket, schema, table)
        with self._lock:
            transaction = self._open[txid]
            query = VastQuery(bytes(params))
            self.queries.append(query)
            self.limits.add(limit_rows)
            rows = query.answer(transaction.tables[name]) if split[0] == 0 else None
            streams: list[list[pa.Table]] = [[] for _ in range(num_sub_splits)]
            if rows is not None:
                order = self._random.sample(range(rows.num_rows), rows.num_rows)
                self._spread(rows.take(pa.array(order, pa.int64())).combine_chunks(), streams)
            for blocks in streams:
                if not blocks:
                    blocks.append(query.answer(transaction.tables[name].slice(0, 0)))
            transaction.reading[name] = transaction.reading.get(name, 0) + 1
        return SimpleNamespace(raw=_Answer(b"".join(framed(streams)), transaction.reading, name))

    def _spread(self, rows: pa.Table, streams: list[list[pa.Table]]) -> None:
        start = 0
        while start < rows.num_rows:
            size = self._random.choice([1, 2, 3, 7, 5000])
            self._random.choice(streams).append(rows.slice(start, size).combine_chunks())
            start += size

    def insert_rows(self, bucket: str, schema: str, table: str, body: Any, txid: int) -> Any:
        """Insert rows; columns that are not sent are null."""
        name = (bucket, schema, table)
        with self._lock:
            there, sent = self._received(name, body, txid)
            ids = pa.array([next(self._row_ids) for _ in range(sent.num_rows)], pa.uint64())
            whole = [
                sent[one.name] if one.name in sent.column_names else pa.nulls(sent.num_rows, one.type)
                for one in there.schema
                if one.name != ROW_ID
            ]
            rows = pa.Table.from_arrays([*whole, ids], schema=there.schema)
            transaction = self._open[txid]
            own = transaction.inserted.get(name, there.slice(0, 0))
            transaction.inserted[name] = pa.concat_tables([own, rows])
            transaction.tables[name] = pa.concat_tables([there, rows])
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, pa.schema([(ROW_ID, pa.uint64())])) as writer:
            writer.write_batch(pa.record_batch([ids], [ROW_ID]))
        return SimpleNamespace(content=sink.getvalue())

    def update_rows(self, bucket: str, schema: str, table: str, record_batch: Any, txid: int) -> None:
        """Update columns of rows, first of all writers or not at all."""
        name = (bucket, schema, table)
        self.before("update")
        with self._lock:
            there, sent = self._received(name, record_batch, txid)
            self._refuse_second(name, set(_ids(sent)), txid)
            old = there.filter(pc.is_in(there[ROW_ID], sent[ROW_ID].combine_chunks())).sort_by(ROW_ID)
            if old[ROW_ID] != sent[ROW_ID]:
                raise AssertionError(f"rows are updated in {table} that are not there, or not in order")
            new = _with_columns(old, sent)
            transaction = self._open[txid]
            transaction.tables[name] = _replaced(there, new)
            own = transaction.inserted.get(name, there.slice(0, 0))
            is_own = pc.is_in(new[ROW_ID], own[ROW_ID].combine_chunks())
            transaction.inserted[name] = _replaced(own, new.filter(is_own))
            before = transaction.updated.get(name, there.slice(0, 0))
            transaction.updated[name] = _replaced(before, new.filter(pc.invert(is_own)))

    def _refuse_second(self, name: Name, ids: set[int], txid: int) -> None:
        others = [
            one.updated[name] for number, one in self._open.items() if number != txid and name in one.updated
        ]
        begun = self._open[txid].begun
        newer = any(self._written.get((name, row), 0) > begun for row in ids)
        if newer or any(ids.intersection(_ids(other)) for other in others):
            self.conflicts += 1
            raise http_error(errors.Conflict, "TabularConflict")

    def _received(self, name: Name, body: Any, txid: int) -> tuple[pa.Table, pa.Table]:
        """Return the table as it is, and the rows sent, checked as VAST checks them."""
        if len(body) > MAX_REQUEST_BODY_SIZE:
            raise http_error(errors.BadRequest, "EntityTooLarge")
        sent = pa.ipc.open_stream(body).read_all()
        there = self._open[txid].tables[name]
        if self._open[txid].reading.get(name):
            raise AssertionError(f"{name} is written while it is read: VAST may never come to an end")
        for one in sent.schema:
            if there.schema.field(one.name).type != one.type:
                raise AssertionError(f"column {one.name} of {name} is no {one.type}")
            if (
                pa.types.is_string(one.type)
                and (pc.max(pc.binary_length(sent[one.name])).as_py() or 0) > CELL
            ):
                raise http_error(errors.BadRequest, "CellTooLarge")
        return there, sent


class _Answer(io.BytesIO):
    """The body of an answer, which counts as being read until its end, or until it is given up."""

    def __init__(self, body: bytes, reading: dict[Name, int], name: Name) -> None:
        super().__init__(body)
        self._reading, self._name, self._size = reading, name, len(body)

    def read(self, size: int | None = -1, /) -> bytes:
        """Return the next piece."""
        piece = super().read(size)
        if self.tell() == self._size:
            self._end()
        return piece

    def _end(self) -> None:
        self._reading[self._name] = self._reading.get(self._name, 0) - (self._size > 0)
        self._size = -1

    def __del__(self) -> None:
        if self._size > 0:
            self._end()
        super().__del__()


def _ids(rows: pa.Table) -> list[int]:
    ids: list[int] = rows[ROW_ID].to_pylist()
    return ids


def _replaced(table: pa.Table, rows: pa.Table) -> pa.Table:
    """Return the table with these rows in place of those of the same number, as far as there are any."""
    kept = table.filter(pc.invert(pc.is_in(table[ROW_ID], rows[ROW_ID].combine_chunks())))
    return pa.concat_tables([kept, rows]).combine_chunks()


def _with_columns(rows: pa.Table, changes: pa.Table) -> pa.Table:
    for name in changes.column_names:
        rows = rows.set_column(rows.schema.get_field_index(name), rows.schema.field(name), changes[name])
    return rows
