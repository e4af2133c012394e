"""The engine ``footer``: rows and nulls from Parquet footers; no key is read where they tell.

A file whose footer has no statistics of the key column has that column read, for its nulls alone.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from metaplat.monitor.profilers.hashed_count import BLOCK_ROWS
from metaplat.monitor.profilers.key_figures import BucketFigures, figures_frame
from metaplat.monitor.profilers.key_reader import KeyReader, UnreadableKeysError
from metaplat.monitor.profilers.profiler import KeyCounts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from metaplat.monitor.profilers.profiler import CountRequest
    from metaplat.stores.tables.parquet_footer import ColumnChunk


@dataclass(frozen=True)
class FooterProfiler:
    """Counts nulls, and knows nothing else of keys."""

    def count_keys(self, request: CountRequest) -> KeyCounts:
        """Count the NULL keys of the requested buckets."""
        reader = KeyReader(request)
        nulls = {bucket: _told_nulls(request, bucket) for bucket in request.buckets}
        problems: dict[str, str] = {}

        def count(bucket: int) -> None:
            try:
                nulls[bucket] = sum(keys.null_count() for keys in reader.blocks(bucket, BLOCK_ROWS))
            except UnreadableKeysError as error:
                problems[error.key] = error.reason

        untold = [bucket for bucket, told in nulls.items() if told is None]
        with ThreadPoolExecutor(max(request.files.parallel, os.cpu_count() or 1)) as pool:
            list(pool.map(count, untold))
        figures = [
            BucketFigures(bucket, counted, None, None, None)
            for bucket, counted in nulls.items()
            if counted is not None
        ]
        return KeyCounts(figures_frame(figures), problems=problems, whole_table=False)


def told_nulls(chunks: Sequence[ColumnChunk]) -> int | None:
    """Return the nulls of a column as its chunks tell them; None where one does not."""
    told = [chunk.nulls for chunk in chunks if chunk.rows]
    return None if None in told else sum(filter(None, told))


def _told_nulls(request: CountRequest, bucket: int) -> int | None:
    told = [told_nulls(footer.chunks(request.table.key_column)) for _, footer in request.buckets[bucket]]
    return None if None in told else sum(filter(None, told))
