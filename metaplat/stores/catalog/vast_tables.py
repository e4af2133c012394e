"""The tables of the catalog in VAST DB, and rows as they are stored there.

Here: columns and Arrow types, what fits into a cell, and what is done with longer text.
Not here: reading and writing them (``vast_session``, ``vast_changes``), filters (``vast_filter``).

VAST has no unique keys, holds 128 KB in a cell, and answers with plain ``string`` only (``large_string`` and
``string_view`` can be created, and fail when they are queried). One column of a table may be longer than a
cell: its text is then cut into parts in ``LONG_TEXTS``, under a digest that takes its place in the row.
"""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from metaplat.model.errors import InvalidInputError
from metaplat.model.field import Field
from metaplat.model.observation import EVENT_FIELDS, OBSERVATION_FIELDS, RELATIONSHIP_FIELDS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    import pyarrow as pa

    from metaplat.model.observation import Row

LONGEST_CELL = 128_000
"""Bytes of text in a cell; the limit is stated as 128 KB, and this is below either reading of it."""
CUT_FLAG = "text_cut"
"""Flag of an observation, a text of which (not ``mission_specific``) was cut to fit into a cell."""
LONG_TEXT = "long_text_id"
"""Hidden column: the digest under which the text of the long column is kept, null where it is in the row."""


@dataclass(frozen=True)
class VastTable:
    """One table.

    Parameters
    ----------
    name : str
        Its name in the schema.
    fields : sequence of Field
        Its columns.
    long : str or None
        The column whose text may be longer than a cell; its text is then not in the row, so no filter on it
        may be left to VAST.
    """

    name: str
    fields: Sequence[Field]
    long: str | None = None

    @property
    def columns(self) -> list[str]:
        """Names of the columns that are for callers."""
        return [field.name for field in self.fields]

    @property
    def stored_columns(self) -> list[str]:
        """Names of all columns there."""
        return [*self.columns, *([LONG_TEXT] if self.long else [])]

    def is_time(self, column: str) -> bool:
        """Tell whether a column holds times."""
        return any(field.name == column and field.dtype is datetime for field in self.fields)

    def arrow_schema(self) -> pa.Schema:
        """Return the Arrow types, all of which VAST can also query."""
        import pyarrow as pa

        types = {str: pa.string(), int: pa.int64(), float: pa.float64(), datetime: pa.timestamp("us", "UTC")}
        pairs = [(field.name, types[field.dtype]) for field in self.fields]  # type: ignore[index]
        return pa.schema([*pairs, *([(LONG_TEXT, pa.string())] if self.long else [])])


OBSERVATIONS = VastTable("observations", OBSERVATION_FIELDS, long="mission_specific")
REPLACED_SEQ = "replaced_seq"
REVISIONS = VastTable(
    "observation_revisions",
    (*OBSERVATION_FIELDS, Field(REPLACED_SEQ, int, doc="Number of the change that replaced it.")),
    long="mission_specific",
)
RELATIONSHIPS = VastTable("dataset_relationships", RELATIONSHIP_FIELDS, long="relationship_metadata")
EVENTS = VastTable("processing_events", EVENT_FIELDS, long="detail")
LONG_TEXTS = VastTable(
    "long_texts",
    (
        Field("text_id", str, key=True, doc="Digest of the whole text."),
        Field("part", int, key=True, minimum=0, doc="Number of the part, from 0."),
        Field("text", str, doc="The part."),
    ),
)
COUNTERS = VastTable(
    "catalog_counters",
    (
        Field("change_seq", int, doc="Number of the last change."),
        Field("holder", str, doc="Who writes, or wrote last: every writer sets it first."),
    ),
)
TABLES = (OBSERVATIONS, REVISIONS, RELATIONSHIPS, EVENTS, LONG_TEXTS, COUNTERS)


def stored_row(table: VastTable, row: Mapping[str, Any], texts: dict[str, str]) -> Row:
    """Return a row as it is stored: NaN is null, times are UTC, long text is elsewhere.

    Parameters
    ----------
    table : VastTable
        Where it goes.
    row : mapping
        A value under every column; others are left out.
    texts : dict of str to str
        Filled: long texts by their digest, to be stored too.

    Raises
    ------
    InvalidInputError
        A text is longer than a cell in a column that must not be cut, a time has no zone, or a key is null.
    """
    stored = {field.name: _stored_value(field, row.get(field.name)) for field in table.fields}
    if too_long := [name for name in table.columns if name != table.long and not _fits(stored[name])]:
        _cut(table, stored, too_long)
    if table.long:
        whole = stored[table.long]
        stored[LONG_TEXT] = None
        if not _fits(whole):
            key = hashlib.blake2b(whole.encode(), digest_size=16).hexdigest()
            texts[key] = whole
            stored |= {table.long: None, LONG_TEXT: key}
    return stored


def _cut(table: VastTable, stored: Row, too_long: Sequence[str]) -> None:
    """Cut texts to what a cell holds, and flag it; one odd header must not stop the files beside it."""
    for field in table.fields:
        if field.name in too_long and (not field.nullable or "flags" not in stored):
            raise InvalidInputError(
                f"{table.name}.{field.name}: {_size(stored[field.name])} bytes of text; "
                f"VAST DB holds {LONGEST_CELL} in a cell"
            )
    room = LONGEST_CELL - len(CUT_FLAG) - 1
    for name in too_long:
        stored[name] = stored[name].encode()[:room].decode(errors="ignore")
    stored["flags"] = ",".join(filter(None, (stored["flags"], CUT_FLAG)))


def _stored_value(field: Field, value: object) -> Any:
    if value is None and field.key:
        raise InvalidInputError(f"a row without {field.name}, which is its key")
    if isinstance(value, float) and math.isnan(value):
        return None
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise InvalidInputError(f"{field.name}: the time {value} has no zone; say which moment it is")
        return value.astimezone(UTC)
    return value


def _fits(value: object) -> bool:
    return not isinstance(value, str) or _size(value) <= LONGEST_CELL


def _size(text: str) -> int:
    """Return how many bytes the text is; text that is no Unicode cannot be stored anywhere."""
    if text.isascii():
        return len(text)
    try:
        return len(text.encode())
    except UnicodeEncodeError as error:
        raise InvalidInputError(f"text that is no Unicode cannot be stored: {text[:80]!a}") from error


def text_parts(texts: Mapping[str, str]) -> Iterator[Row]:
    """Yield the rows of ``LONG_TEXTS`` that hold texts, each part at most a cell long."""
    for key, text in texts.items():
        letters = LONGEST_CELL // 4  # so many fit, whatever they are
        for part, start in enumerate(range(0, len(text), letters)):
            yield {"text_id": key, "part": part, "text": text[start : start + letters]}


def arrow_rows(table: VastTable, rows: Iterable[Row], columns: Sequence[str] | None = None) -> pa.Table:
    """Return stored rows as Arrow, in the types of the table.

    Raises
    ------
    InvalidInputError
        A value is not of its column's type.
    """
    import pyarrow as pa

    schema = table.arrow_schema()
    if columns is not None:
        schema = pa.schema([schema.field(name) for name in columns])
    rows = list(rows)
    arrays = [_array(table, field, [row[field.name] for row in rows]) for field in schema]
    return pa.Table.from_arrays(arrays, schema=schema)


def _array(table: VastTable, field: pa.Field, values: list[Any]) -> pa.Array:
    import pyarrow as pa

    try:
        return pa.array(values, field.type)
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError, OverflowError) as error:
        text = " ".join(str(error).split())
        raise InvalidInputError(f"{table.name}.{field.name}: a value is no {field.type}: {text}") from error
