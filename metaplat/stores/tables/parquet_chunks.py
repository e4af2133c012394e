"""The column chunks of a Parquet footer: rows, nulls, and where the bytes lie.

Here: walking the row groups, past everything but the wanted column.
Not here: the protocol (``thrift_compact``), the footer as a whole (``parquet_footer``).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from metaplat.model.errors import InvalidInputError
from metaplat.stores.tables import thrift_compact as thrift

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from metaplat.stores.tables.parquet_schema import Leaves
    from metaplat.stores.tables.thrift_compact import Fields

# numbers of fields in parquet.thrift
_COLUMNS, _ROWS = 1, 3  # RowGroup
_FILE_PATH, _META_DATA, _ENCRYPTED = 1, 3, (8, 9)  # ColumnChunk
_SIZE, _PAGES, _STATISTICS = 7, (9, 10, 11), 12  # ColumnMetaData: data, index and dictionary page
_NULL_COUNT = 3  # Statistics


@dataclass(frozen=True)
class ColumnChunk:
    """Where one row group's part of a column lies: ``start`` and ``end`` in bytes, ``nulls`` None unknown."""

    rows: int
    start: int
    end: int
    nulls: int | None


def read_chunks(
    body: bytes, groups_at: int, file_rows: int, column: str, leaves: Leaves
) -> list[ColumnChunk]:
    """Return the chunks of a column, one a row group.

    Parameters
    ----------
    body : bytes
        The footer.
    groups_at : int
        Where in it the list of row groups begins.
    file_rows : int
        Rows of the file.
    column, leaves
        Which column.

    Raises
    ------
    InvalidInputError
        The column is encrypted.
    ValueError, IndexError
        The row groups are corrupt.
    """
    return [_chunk(column, leaves, *group) for group in _groups(body, groups_at, file_rows, leaves)]


def _groups(
    body: bytes, groups_at: int, file_rows: int, leaves: Leaves
) -> Iterator[tuple[int, list[Fields]]]:
    """Yield rows and the structs of the wanted leaves for each row group."""
    count, kind, position = thrift.read_list_head(body, groups_at)
    if count and kind != thrift.STRUCT:
        raise ValueError("row groups that are no structs")
    left = file_rows
    for group in range(count):
        rows, wanted = None, None
        number, kind, position = thrift.read_field(body, position, 0)
        while kind:
            if number == _COLUMNS and kind == thrift.LIST:
                wanted, position = _wanted(body, position, leaves, last=group == count - 1)
                if group == count - 1:  # what is left of the footer is long, and tells nothing else
                    rows = left
                    break
            elif number == _ROWS and kind == thrift.I64:
                rows, position = thrift.read_zigzag(body, position)
            elif kind > thrift.FALSE:
                position = thrift.skip(kind, body, position)
            number, kind, position = thrift.read_field(body, position, number)
        if rows is None or not 0 <= rows <= left or wanted is None:
            raise ValueError("a row group without rows or columns, or more rows than the file")
        left -= rows
        yield rows, wanted
    if left:
        raise ValueError("row groups with fewer rows than the file")


def _wanted(body: bytes, position: int, leaves: Leaves, *, last: bool) -> tuple[list[Fields], int]:
    """Return the column chunks of some leaves out of a row group's list, and where the list ends.

    The ``last`` list is not followed to its end.
    """
    count, kind, position = thrift.read_list_head(body, position)
    if kind != thrift.STRUCT or count < leaves.first + leaves.width:
        raise ValueError("fewer column chunks than columns")
    wanted: list[Fields] = []
    for number in range(leaves.first + leaves.width if last else count):
        if 0 <= number - leaves.first < leaves.width:
            chunk, position = thrift.read_struct(body, position)
            wanted.append(chunk)
        else:
            position = thrift.skip_struct(body, position)
    return wanted, position


def _chunk(column: str, leaves: Leaves, rows: int, wanted: Sequence[Fields]) -> ColumnChunk:
    starts, ends, nulls = [], [], None
    for chunk in wanted:
        if any(number in chunk for number in _ENCRYPTED):
            raise InvalidInputError(f"column {column!r} is encrypted")
        about = thrift.part(chunk, _META_DATA)
        if about is None or chunk.get(_FILE_PATH):
            raise ValueError("a column chunk in another file, or nowhere")
        start, size = _place(about)
        starts.append(start)
        ends.append(start + size)
        nulls = _nulls(about, rows) if leaves.flat else None
    start, end = min(starts, default=0), max(ends, default=0)
    return ColumnChunk(rows, start, end, 0 if leaves.required else nulls)


def _place(about: Fields) -> tuple[int, int]:
    """Return first byte and size of a chunk: its dictionary comes first where it has one."""
    pages = [place for number in _PAGES if (place := thrift.whole(about, number))]
    size = thrift.whole(about, _SIZE)
    if size is None or size < 0 or (size and not pages):
        raise ValueError("a column chunk without size or place")
    return min(pages, default=0), size


def _nulls(about: Fields, rows: int) -> int | None:
    """Return the number of nulls; None where the statistics do not tell it, or tell nonsense."""
    nulls = thrift.whole(thrift.part(about, _STATISTICS) or {}, _NULL_COUNT)
    return nulls if nulls is not None and 0 <= nulls <= rows else None
