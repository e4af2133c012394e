"""The keys of a bucket: whole or in blocks, in one type where they are to be compared.

Here: what makes keys of several files comparable, which file is to blame where they cannot be read.
Not here: reading a file (``stores.tables.key_column``), counting (``key_figures``, ``hashed_count``).
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from metaplat.model.errors import InvalidInputError
from metaplat.monitor.key_bytes import key_texts
from metaplat.stores.tables.key_column import iter_keys, read_keys

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import polars as pl

    from metaplat.model.landed import ObjectInfo
    from metaplat.monitor.profilers.profiler import CountRequest

GONE = "it was removed or written anew between listing and reading"


class UnreadableKeysError(Exception):
    """The key column of one file cannot be read: ``key`` of the file, and the reason."""

    def __init__(self, key: str, reason: str) -> None:
        super().__init__(key, reason)
        self.key, self.reason = key, reason


@dataclass(frozen=True)
class KeyReader:
    """Reads the key columns of a request; raises UnreadableKeysError where that fails for a file."""

    request: CountRequest

    def whole(self, bucket: int) -> list[pl.Series]:
        """Return the keys of a bucket, a series for each file."""
        found = []
        for info, footer in self.request.buckets[bucket]:
            with _blame(info):
                keys = read_keys(self.request.files, info, footer, self.request.table.key_column)
                found.append(_scalar(keys))
        return found

    def blocks(self, bucket: int, max_rows: int) -> Iterator[pl.Series]:
        """Yield the keys of a bucket, at most ``max_rows`` at a time."""
        column = self.request.table.key_column
        for info, footer in self.request.buckets[bucket]:
            with _blame(info):
                for keys in iter_keys(self.request.files, info, footer, column, max_rows):
                    yield _scalar(keys)

    def rows(self, bucket: int) -> int:
        """Return how many keys a bucket has, NULL among them, as the footers say."""
        return sum(footer.rows for _, footer in self.request.buckets[bucket])

    def size(self, bucket: int) -> int:
        """Return the bytes of a bucket's key column in its files."""
        column = self.request.table.key_column
        return sum(
            chunk.end - chunk.start
            for _, footer in self.request.buckets[bucket]
            for chunk in footer.chunks(column)
        )

    def of_one_type(self, buckets: Iterable[int]) -> bool:
        """Whether the key column has the same type in all files of some buckets."""
        column = self.request.table.key_column
        types = {footer.columns[column] for bucket in buckets for _, footer in self.request.buckets[bucket]}
        return len(types) <= 1


def comparable(keys: pl.Series, *, of_one_type: bool) -> pl.Series:
    """Return keys such that those of several files can be compared: as they are, else as text."""
    return keys if of_one_type else key_texts(keys)


def _scalar(keys: pl.Series) -> pl.Series:
    """Return keys in a type that has one form: NULLs alone are taken for texts."""
    import polars as pl

    if keys.dtype.is_nested() or keys.dtype == pl.Object:
        raise InvalidInputError(f"column {keys.name!r} is of type {keys.dtype}, which cannot be a key")
    return keys.cast(pl.String) if keys.dtype == pl.Null else keys


@contextmanager
def _blame(info: ObjectInfo) -> Iterator[None]:
    try:
        yield
    except InvalidInputError as error:
        raise UnreadableKeysError(info.key, str(error)) from error
    except KeyError as error:
        raise UnreadableKeysError(info.key, GONE) from error
