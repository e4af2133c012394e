"""Hot rows as every implementation stores them: checked, in one form per content, with digest and ttl.

Here: row <-> entry; the limits of keys and sizes, which are DynamoDB's for every implementation.
Not here: single values (``hot_values``), what a put does (``hot``), storage itself.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, NamedTuple

import orjson

from metaplat.model.errors import InvalidInputError, PermanentStoreError
from metaplat.stores.hot import HotState
from metaplat.stores.hot_values import Convert, RefusedValueError, decoder, encoder, stored_bytes

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from metaplat.model.field import Field
    from metaplat.model.retention import HotTable
    from metaplat.stores.hot import HotRow

TTL = "ttl"
DIGEST = "content_hash"
"""Attributes that the store adds to the columns."""

SORT_LIMIT = 10**11
"""Seconds since 1970 beyond this (year 5138) are milliseconds by mistake, and would never expire."""
MAX_KEY_BYTES = 2048
"""Of a DynamoDB partition key, in a table and in an index."""
MAX_ROW_BYTES = 400_000
"""A little below the 409,600 of DynamoDB, since the size of a number is known roughly only."""
SURELY_SMALL = 100_000
"""JSON up to this many bytes cannot reach ``MAX_ROW_BYTES``; most rows need no measuring."""
SHOWN_ROWS = 3


class HotEntry(NamedTuple):
    """One row, ready to be stored."""

    partition: str
    sort: int
    ttl: int
    status: str | None
    identity: Any
    digest: str
    """SHA-256 of ``content``, hexadecimal."""
    content: bytes
    """JSON object of all columns, sorted by name, without nulls and without the ttl."""

    @property
    def key(self) -> tuple[str, int]:
        """Partition and sort key."""
        return self.partition, self.sort

    @property
    def state(self) -> HotState:
        """What decides between this content and another one of the key."""
        return HotState(self.ttl, self.status, self.identity, self.digest)


class HotCodec:
    """Encodes and decodes the rows of one table.

    Parameters
    ----------
    table : HotTable
        Keys and columns.
    retention_seconds : int
        From the sort key to the ttl.
    fields : sequence of Field
        Declarations of at least the table's columns.

    Raises
    ------
    ValueError
        The declaration does not fit: an undeclared column, or a key, status or identity of another type.
    """

    def __init__(self, table: HotTable, retention_seconds: int, fields: Sequence[Field]) -> None:
        declared = {field.name: field.dtype for field in fields}
        chosen = (table.partition_key, table.sort_key, table.status, table.identity, *table.columns)
        names = [name for name in dict.fromkeys(chosen) if name is not None]
        _check_declaration(table, names, declared)
        self.table, self.retention_seconds = table, retention_seconds
        self._columns = frozenset({*names, TTL})
        self._encoders: dict[str, Convert] = {name: encoder(declared[name]) for name in names}
        self._decoders: dict[str, Convert] = {name: decoder(declared[name]) for name in names}

    def encode(self, row: HotRow) -> HotEntry:
        """Check and encode one row; raises InvalidInputError with key, column and reason."""
        table = self.table
        content: dict[str, Any] = {}
        name = ""
        try:
            for name, convert in self._encoders.items():
                if (value := row.get(name)) is not None:
                    content[name] = convert(value)
            name = ""
            self._check(row, content)
            encoded = _sized_json(content)
        except (RefusedValueError, orjson.JSONEncodeError) as problem:  # the latter: text that is not Unicode
            raise self._refusal(row, name, problem) from problem
        sort = content[table.sort_key]
        return HotEntry(
            content[table.partition_key],
            sort,
            sort + self.retention_seconds,
            content.get(table.status) if table.status else None,
            content.get(table.identity) if table.identity else None,
            hashlib.sha256(encoded).hexdigest(),
            encoded,
        )

    def decode(self, content: Mapping[str, Any], ttl: int | None) -> HotRow:
        """Return the row of decoded JSON; columns that are no longer declared are left out.

        Raises PermanentStoreError where a value is not of the declared type: the declaration changed, or
        somebody else wrote the row.
        """
        row: HotRow = {}
        name = ""
        try:
            for name, convert in self._decoders.items():
                if (value := content.get(name)) is not None:
                    row[name] = convert(value)
        except (TypeError, ValueError, AttributeError) as error:
            answer = f"column {name} holds {type(content[name]).__name__}, which is not its declared type"
            advice = "Rebuild the table from the lake."
            raise PermanentStoreError(
                f"hot store table {self.table.name}", "read a row", answer, advice
            ) from error
        return row if ttl is None else row | {TTL: ttl}

    def row(self, entry: HotEntry) -> HotRow:
        """Return the row that ``entry`` was made of, coerced."""
        return self.decode(orjson.loads(entry.content), entry.ttl)

    def _check(self, row: HotRow, content: Mapping[str, Any]) -> None:
        table = self.table
        if not row.keys() <= self._columns:
            raise RefusedValueError(f"undeclared columns {sorted(row.keys() - self._columns)}")
        if not possible_key(content.get(table.partition_key)):
            raise RefusedValueError(f"{table.partition_key} must be text of 1 to {MAX_KEY_BYTES} bytes")
        if not -SORT_LIMIT <= content.get(table.sort_key, SORT_LIMIT + 1) <= SORT_LIMIT:
            raise RefusedValueError(f"{table.sort_key} must be whole seconds since 1970")
        if table.status and table.status in content and not possible_key(content[table.status]):
            raise RefusedValueError(f"{table.status} must be text of 1 to {MAX_KEY_BYTES} bytes, or null")

    def _refusal(self, row: HotRow, column: str, problem: Exception) -> InvalidInputError:
        key = f"{row.get(self.table.partition_key)!r}, {row.get(self.table.sort_key)!r}"
        where = f"column {column}: " if column else ""
        return InvalidInputError(f"hot store table {self.table.name}: row ({key:.200}): {where}{problem}")


class LiveEntries:
    """Entries of the rows that are not past their ttl; rows that cannot be stored are kept aside.

    Parameters
    ----------
    codec : HotCodec
        Of the table.
    rows : iterable of HotRow
        Read once, while this is iterated.
    now : int
        Whole seconds since 1970.
    """

    def __init__(self, codec: HotCodec, rows: Iterable[HotRow], now: int) -> None:
        self._codec, self._rows, self._now = codec, rows, now
        self._refused = 0
        self._refusals: list[str] = []

    def __iter__(self) -> Iterator[HotEntry]:
        encode, now = self._codec.encode, self._now
        for row in self._rows:
            try:
                entry = encode(row)
            except InvalidInputError as error:
                self._set_aside(error)
                continue
            if entry.ttl > now:
                yield entry

    def raise_refusals(self) -> None:
        """Raise InvalidInputError where rows were kept aside; call it when the others are written."""
        if self._refused:
            first = "; ".join(self._refusals)
            raise InvalidInputError(
                f"{self._refused} rows were left out of the hot store, the others are written: {first}"
            )

    def _set_aside(self, error: InvalidInputError) -> None:
        self._refused += 1
        if len(self._refusals) < SHOWN_ROWS:
            self._refusals.append(str(error))


def possible_key(value: object) -> bool:
    """Whether ``value`` can be a partition key or a status; nothing is stored under any other."""
    try:
        return isinstance(value, str) and 0 < len(value.encode()) <= MAX_KEY_BYTES
    except UnicodeEncodeError:
        return False


def _sized_json(content: Mapping[str, Any]) -> bytes:
    encoded = orjson.dumps(content, option=orjson.OPT_SORT_KEYS)
    if len(encoded) > SURELY_SMALL and (size := stored_bytes(content)) > MAX_ROW_BYTES:
        raise RefusedValueError(f"{size} bytes are more than the {MAX_ROW_BYTES} of a hot row")
    return encoded


def _check_declaration(table: HotTable, names: Sequence[str], declared: Mapping[str, object]) -> None:
    if missing := [name for name in names if name not in declared]:
        raise ValueError(f"hot table {table.name}: undeclared columns {missing}")
    if reserved := {TTL, DIGEST} & set(names):
        raise ValueError(f"hot table {table.name}: the store itself adds {sorted(reserved)}")
    wanted = {table.partition_key: str, table.sort_key: int, table.status: str, table.identity: str}
    for name, dtype in wanted.items():
        if name is not None and declared[name] is not dtype:
            raise ValueError(f"hot table {table.name}: {name} must be declared {dtype.__name__}")
