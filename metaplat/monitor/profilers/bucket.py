"""The engine ``bucket``: the key column, one bucket at a time, in little memory however large the table is.

Keys are compared inside each bucket only: that is exact where each key can lie in one bucket alone, which is
what verifying the bucket function shows.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Condition
from typing import TYPE_CHECKING

from metaplat.monitor.profilers.hashed_count import HashedCount
from metaplat.monitor.profilers.key_figures import (
    BucketFigures,
    count_duplicates,
    count_misplaced,
    figures_frame,
)
from metaplat.monitor.profilers.key_reader import KeyReader, UnreadableKeysError, comparable
from metaplat.monitor.profilers.profiler import KeyCounts

if TYPE_CHECKING:
    from collections.abc import Iterator

    import polars as pl

    from metaplat.monitor.profilers.profiler import CountRequest

KEY_BYTES = 64
"""Memory for a key beside twice its own bytes: Polars' view of it, and its place in a set of keys."""
LARGE_ROWS, LARGE_HASHES, LARGE_REPEATED = 65_536, 250_000, 200_000
"""Of a bucket too large for memory: keys, hashes and repeated hashes in memory at a time."""


@dataclass(frozen=True)
class BucketProfiler:
    """Counts keys bucket by bucket.

    Parameters
    ----------
    memory_bytes : int
        Keys in memory at a time, in all threads; a bucket with more than a third of that is counted by
        hashes.
    threads : int or None
        Buckets read side by side; None means what the store and this machine allow.
    """

    memory_bytes: int = 56 * 2**20
    threads: int | None = None

    def count_keys(self, request: CountRequest) -> KeyCounts:
        """Count the keys of the requested buckets, each on its own."""
        reader = KeyReader(request)
        weights = {
            bucket: KEY_BYTES * reader.rows(bucket) + 2 * reader.size(bucket) for bucket in request.buckets
        }
        large = {bucket for bucket, weight in weights.items() if weight > self.memory_bytes / 3}
        figures: dict[int, BucketFigures] = {}
        problems: dict[str, str] = {}
        room = _Room(self.memory_bytes)

        def count(bucket: int) -> None:
            try:
                with room.for_(weights[bucket]):
                    figures[bucket] = _count_bucket(reader, bucket)
            except UnreadableKeysError as error:
                problems[error.key] = error.reason

        threads = self.threads or max(request.files.parallel, os.cpu_count() or 1)
        with ThreadPoolExecutor(threads, thread_name_prefix="bucket") as pool:
            list(pool.map(count, [bucket for bucket in request.buckets if bucket not in large]))
        for bucket in large:
            one = HashedCount(reader, 1, LARGE_HASHES, LARGE_REPEATED, LARGE_ROWS)
            one.run([bucket])
            figures |= one.figures
            problems |= one.problems
        samples = [sample for bucket in sorted(figures) for sample in figures[bucket].samples]
        return KeyCounts(figures_frame(figures.values()), samples, problems, whole_table=False)


def _count_bucket(reader: KeyReader, bucket: int) -> BucketFigures:
    request = reader.request
    figures = BucketFigures(bucket)
    files = reader.whole(bucket)
    if request.function is not None:
        for keys in files:
            count_misplaced(figures, keys, request.function, request.table.bucket_count)
    count_duplicates(figures, _together(files, of_one_type=reader.of_one_type([bucket])))
    return figures


def _together(files: list[pl.Series], *, of_one_type: bool) -> pl.Series:
    import polars as pl

    if len(files) == 1:
        return files[0]
    return pl.concat([comparable(keys, of_one_type=of_one_type) for keys in files])


class _Room:
    """Memory that many threads share; who needs more than is free waits."""

    def __init__(self, size: int) -> None:
        self._size = self._free = size
        self._changed = Condition()

    @contextmanager
    def for_(self, weight: int) -> Iterator[None]:
        weight = min(weight, self._size)
        with self._changed:
            self._changed.wait_for(lambda: self._free >= weight)
            self._free -= weight
        try:
            yield
        finally:
            with self._changed:
                self._free += weight
                self._changed.notify_all()
