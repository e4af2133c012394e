"""Read one column of a Parquet file, at once or in blocks.

Here: which bytes are needed and how Polars gets them. A local file is read where it lies. Of an object only
the column's bytes are fetched, and put at their own places in a temporary file full of holes, which Polars
reads like any other: no other way costs so few requests.
Not here: what is done with the keys (``monitor``).
Damaged pages are an error of the file as long as Polars says so; on a few bytes in many thousands Polars 2.1
ends the process instead (it asks for 2**61 bytes), which nothing in Python can prevent.
"""

from __future__ import annotations

import tempfile
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING

from metaplat.model.errors import InvalidInputError, PermanentStoreError
from metaplat.stores.tables.parquet_footer import END_BYTES, MAGIC

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import polars as pl

    from metaplat.model.landed import ObjectInfo
    from metaplat.stores.tables.files import TableFiles
    from metaplat.stores.tables.parquet_footer import ColumnChunk, Footer

AT_ONCE_BYTES = 32 * 2**20
"""Held in memory at a time while chunks go from the store to the temporary file."""


def read_keys(files: TableFiles, info: ObjectInfo, footer: Footer, column: str) -> pl.Series:
    """Return a whole column, named ``column``; a dictionary comes as the type of its values.

    Raises
    ------
    InvalidInputError
        The column cannot be read: damaged pages, or a type that Polars does not know.
    KeyError
        The file has no such column, is gone, or was rewritten since it was listed.
    """
    chunks = footer.chunks(column)
    with _readable(files, info, footer, chunks) as path:
        return _read(path, footer, column, 0, sum(chunk.rows for chunk in chunks))


def iter_keys(
    files: TableFiles, info: ObjectInfo, footer: Footer, column: str, max_rows: int
) -> Iterator[pl.Series]:
    """Yield the column in blocks of at most ``max_rows``, in order; raises as ``read_keys`` does.

    Memory follows ``max_rows``, and pages of the largest row group; never the size of the file.
    """
    offset = 0
    for batch in _batches(footer.chunks(column), max_rows):
        end = offset + sum(chunk.rows for chunk in batch)
        with _readable(files, info, footer, batch) as path:
            for start in range(offset, end, max_rows):
                yield _read(path, footer, column, start, min(max_rows, end - start))
        offset = end


def _batches(chunks: Sequence[ColumnChunk], max_rows: int) -> Iterator[list[ColumnChunk]]:
    """Yield neighbouring row groups that together fit into ``max_rows``, or a larger one alone."""
    batch: list[ColumnChunk] = []
    rows = 0
    for chunk in chunks:
        if batch and rows + chunk.rows > max_rows:
            yield batch
            batch, rows = [], 0
        batch.append(chunk)
        rows += chunk.rows
    if batch:
        yield batch


def _read(path: str, footer: Footer, column: str, offset: int, rows: int) -> pl.Series:
    """Read rows of the column, named by its place: Polars takes names like ``^a.*$`` for patterns."""
    import polars as pl
    from polars.exceptions import PanicException, PolarsError

    try:
        scan = pl.scan_parquet(path, glob=False, hive_partitioning=False, use_statistics=False)
        found = scan.select(pl.nth(list(footer.columns).index(column))).slice(offset, rows).collect()
    except (PolarsError, PanicException, OSError) as error:
        raise InvalidInputError(f"column {column!r} cannot be read: {_reason(error, path)}") from None
    keys = found.to_series()
    if len(keys) != rows:
        raise InvalidInputError(f"column {column!r} holds {len(keys)} values where the footer says {rows}")
    if isinstance(keys.dtype, pl.Categorical | pl.Enum):
        return keys.cast(pl.String)
    return keys


def _reason(error: BaseException, path: str) -> str:
    """First line of an error, without the path, which may be that of a temporary file."""
    lines = str(error).replace(path, "the file").strip().splitlines()
    return lines[0][:200] if lines else type(error).__name__


@contextmanager
def _readable(
    files: TableFiles, info: ObjectInfo, footer: Footer, chunks: Sequence[ColumnChunk]
) -> Iterator[str]:
    """Give the path of a local file that holds the footer and at least ``chunks``."""
    path = files.local_path(info)
    if path is not None and path.isprintable():
        files.read_tail(info, END_BYTES)  # raises KeyError where it is gone, or not the file that was listed
        yield path
        return
    try:
        with tempfile.NamedTemporaryFile(prefix="metaplat-", suffix=".parquet") as file:
            _fill(file, files, info, footer, chunks)
            yield file.name
    except OSError as error:
        raise PermanentStoreError(
            f"folder {tempfile.gettempdir()}",
            "keep a key column for reading",
            error.strerror or type(error).__name__,
            "Free some space there, or set TMPDIR to a larger disk.",
        ) from error


def _fill(
    file: IO[bytes], files: TableFiles, info: ObjectInfo, footer: Footer, chunks: Sequence[ColumnChunk]
) -> None:
    """Write the needed bytes of an object at their own places; the rest of the file stays a hole."""
    ranges = list(_pieces(chunks))
    footer_at = info.size - END_BYTES - footer.length
    if footer.body:
        _put(file, footer_at, footer.body + footer.length.to_bytes(4, "little") + MAGIC)
    else:
        ranges.append((footer_at, info.size))
    waiting: list[tuple[int, int]] = []
    for piece in ranges:
        if waiting and sum(end - start for start, end in [*waiting, piece]) > AT_ONCE_BYTES:
            _fetch(file, files, info, waiting)
            waiting = []
        waiting.append(piece)
    _fetch(file, files, info, waiting)
    _put(file, 0, MAGIC)
    file.flush()


def _pieces(chunks: Sequence[ColumnChunk]) -> Iterator[tuple[int, int]]:
    for chunk in chunks:
        for start in range(chunk.start, chunk.end, AT_ONCE_BYTES):
            yield start, min(chunk.end, start + AT_ONCE_BYTES)


def _fetch(file: IO[bytes], files: TableFiles, info: ObjectInfo, ranges: Sequence[tuple[int, int]]) -> None:
    for (start, _), content in zip(ranges, files.read_ranges(info, ranges), strict=True):
        _put(file, start, content)


def _put(file: IO[bytes], position: int, content: bytes) -> None:
    file.seek(position)
    file.write(content)
