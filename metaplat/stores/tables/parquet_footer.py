"""Parquet footers, read without a library: rows, nulls, schema, and where a column's bytes lie.

Here: the footer as a whole; the schema is remembered by its bytes, which files of one table share, and row
groups are looked at only when a column's chunks are asked for.
Not here: the protocol (``thrift_compact``), types (``parquet_schema``), row groups (``parquet_chunks``),
fetching (``footers``).
Source: https://parquet.apache.org/docs/file-format/ and parquet.thrift; Thrift compact protocol.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from metaplat.model.errors import InvalidInputError
from metaplat.stores.tables import thrift_compact as thrift
from metaplat.stores.tables.parquet_chunks import ColumnChunk, read_chunks
from metaplat.stores.tables.parquet_schema import read_schema, schema_digest

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from metaplat.stores.tables.parquet_schema import Leaves, ParquetSchema

__all__ = [
    "CUT",
    "ENCRYPTED_MAGIC",
    "END_BYTES",
    "MAGIC",
    "ColumnChunk",
    "Footer",
    "FooterLongerError",
    "parse_footer",
]

MAGIC = b"PAR1"
ENCRYPTED_MAGIC = b"PARE"
END_BYTES = 8
"""The last bytes of a file: four of the footer's length, four of magic."""

LARGEST_FOOTER = 128 * 2**20
"""A longer footer is taken for damage: reading it would cost more memory than any table is worth."""

CUT = "the file is cut: it begins as Parquet and does not end as Parquet"
NOT_PARQUET = "the file is not Parquet: it does not end in PAR1"

_SCHEMA, _ROWS, _ROW_GROUPS = 2, 3, 4  # numbers of fields in parquet.thrift, FileMetaData
_SMALLEST_FILE = 12
_MOST_RECENT = 8
_LONGEST_REMEMBERED = 2**20


class FooterLongerError(Exception):
    """The tail at hand is too short: ``needed`` bytes from the end of the file are."""

    def __init__(self, needed: int) -> None:
        super().__init__(needed)
        self.needed = needed


@dataclass(frozen=True)
class Footer:
    """What a footer says.

    Parameters
    ----------
    rows : int
        Rows of the file.
    columns : mapping of str to str
        Type by top-level column name, in file order, as Arrow would name it (``string``, ``int64``, ...).
    schema : str
        Fingerprint of ``columns``, whatever their order.
    leaves : mapping of str to Leaves
        Leaf columns of each top-level one.
    file_size : int
        Bytes of the whole file.
    length : int
        Bytes of the footer.
    body : bytes
        The footer itself; empty where ``without_body`` dropped it.
    groups_at : int
        Where in ``body`` the list of row groups begins; 0 where there is none.
    """

    rows: int
    columns: Mapping[str, str]
    schema: str
    leaves: Mapping[str, Leaves] = field(default_factory=dict, repr=False)
    file_size: int = field(default=0, repr=False)
    length: int = field(default=0, repr=False)
    body: bytes = field(default=b"", repr=False)
    groups_at: int = field(default=0, repr=False)
    known: dict[str, Sequence[ColumnChunk]] = field(default_factory=dict, repr=False, compare=False)

    def chunks(self, column: str) -> Sequence[ColumnChunk]:
        """Return the chunks of a top-level column, one a row group; raises KeyError where there is none.

        Raises
        ------
        InvalidInputError
            The row groups are corrupt, or the column is encrypted.
        """
        if (found := self.known.get(column)) is None:
            leaves = self.leaves[column]
            with _corrupt_bytes():
                found = self._read_chunks(column, leaves)
            self.known[column] = found
        return found

    def _read_chunks(self, column: str, leaves: Leaves) -> Sequence[ColumnChunk]:
        if not self.groups_at:
            return ()
        found = read_chunks(self.body, self.groups_at, self.rows, column, leaves)
        if not all(0 <= chunk.start <= chunk.end <= self.file_size for chunk in found):
            raise ValueError("a column chunk outside of the file")
        return found

    def named(self, column: str) -> Footer:
        """Return the footer with the one column that differs from ``column`` in case only called ``column``.

        Glue and Athena know names in lower case; Spark writes them as they were. Where the very name is
        there, or none or several are like it, nothing is renamed.
        """
        alike = [name for name in self.columns if name.lower() == column.lower()]
        if column in self.columns or len(alike) != 1:
            return self
        columns = {column if name == alike[0] else name: kind for name, kind in self.columns.items()}
        leaves = {column if name == alike[0] else name: leaf for name, leaf in self.leaves.items()}
        return replace(self, columns=columns, leaves=leaves, schema=schema_digest(columns))

    def without_body(self, column: str) -> Footer:
        """Return the footer with nothing but the chunks of ``column``: for keeping very many of them."""
        self.chunks(column)
        return Footer(self.rows, self.columns, self.schema, {}, self.file_size, self.length, known=self.known)


def parse_footer(tail: bytes, file_size: int) -> Footer:
    """Return the footer that ends in ``tail``, the last bytes of a file of ``file_size``.

    Raises
    ------
    InvalidInputError
        The file is empty, cut, encrypted, corrupt, or not Parquet.
    FooterLongerError
        ``tail`` does not hold all of the footer.
    """
    length = _footer_length(tail, file_size)
    if length + END_BYTES > len(tail):
        raise FooterLongerError(length + END_BYTES)
    body = tail[len(tail) - END_BYTES - length : len(tail) - END_BYTES]
    with _corrupt_bytes():
        return _parse(body, file_size)


def _footer_length(tail: bytes, file_size: int) -> int:
    if file_size == 0:
        raise InvalidInputError("the file is empty")
    if tail[-4:] == ENCRYPTED_MAGIC:
        raise InvalidInputError("the footer is encrypted")
    if file_size < _SMALLEST_FILE or tail[-4:] != MAGIC:
        cut = len(tail) == file_size and tail[:4] == MAGIC
        raise InvalidInputError(CUT if cut else NOT_PARQUET)
    length = int.from_bytes(tail[-8:-4], "little")
    if length + _SMALLEST_FILE > file_size:
        raise InvalidInputError(
            f"the footer is said to be {length} bytes long, more than the file of {file_size} bytes can hold"
        )
    if length > LARGEST_FOOTER:
        raise InvalidInputError(f"the footer is said to be {length} bytes long, which is taken for damage")
    return length


def _parse(body: bytes, file_size: int) -> Footer:
    schema, position, number = _known_schema(body)
    rows, groups_at = None, 0
    while rows is None or not groups_at:
        number, kind, position = thrift.read_field(body, position, number)
        if kind == 0:
            break
        if number == _ROWS and kind == thrift.I64:
            rows, position = thrift.read_zigzag(body, position)
            continue
        if number == _ROW_GROUPS and kind == thrift.LIST:
            groups_at = position
            if rows is not None:  # the rest is of no interest, and it is long
                break
        position = position if kind <= thrift.FALSE else thrift.skip(kind, body, position)
    if rows is None or rows < 0 or (rows and not groups_at):
        raise ValueError("no number of rows, or no row groups")
    return Footer(
        rows, schema.columns, schema.fingerprint, schema.leaves, file_size, len(body), body, groups_at
    )


_recent: tuple[tuple[bytes, ParquetSchema], ...] = ()


def _known_schema(body: bytes) -> tuple[ParquetSchema, int, int]:
    """Return the schema, where it ends and its field number; equal first bytes are the same schema."""
    global _recent  # threads may overwrite each other: the schema is read again, no more
    for start, schema in _recent:
        if body.startswith(start):
            return schema, len(start), _SCHEMA
    number, kind, position = thrift.read_field(body, 0, 0)
    while kind and number != _SCHEMA:
        position = position if kind <= thrift.FALSE else thrift.skip(kind, body, position)
        number, kind, position = thrift.read_field(body, position, number)
    if kind != thrift.LIST:
        raise ValueError("no schema")
    elements, position = thrift.read_list(body, position)
    if not elements or not all(isinstance(element, dict) for element in elements):
        raise ValueError("no schema elements")
    schema = read_schema(elements)
    if position < _LONGEST_REMEMBERED:
        _recent = ((body[:position], schema), *_recent[: _MOST_RECENT - 1])
    return schema, position, _SCHEMA


@contextmanager
def _corrupt_bytes() -> Iterator[None]:
    """Tell any impossible byte as one sentence."""
    try:
        yield
    except IndexError:
        raise InvalidInputError("the footer is corrupt: it ends too early") from None
    except ValueError as error:
        raise InvalidInputError(f"the footer is corrupt: {error}") from None
