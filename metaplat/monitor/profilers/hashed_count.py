"""Counting keys exactly across buckets, or in one too large for memory: by hashes first, then by keys.

Equal keys have equal hashes. So only keys whose hash occurs more than once can be duplicates: those are read
again and compared themselves, and a collision of hashes costs a second reading, never a wrong figure.
Here: the three passes. Not here: where hashes are kept (``hash_ranges``).
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from metaplat.model.errors import PermanentStoreError
from metaplat.model.table_metrics import KeySample
from metaplat.model.verdict import MAX_SAMPLES
from metaplat.monitor.key_bytes import key_texts
from metaplat.monitor.profilers.hash_ranges import RANGES, HashRanges
from metaplat.monitor.profilers.key_figures import BucketFigures, count_misplaced
from metaplat.monitor.profilers.key_reader import KeyReader, UnreadableKeysError, comparable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import numpy as np
    import polars as pl
    from numpy.typing import NDArray

SEED = 7
BLOCK_ROWS = 131_072
"""A bucket of the usual hundred thousand keys is read at once."""


@dataclass
class HashedCount:
    """One exact count of the keys of some buckets.

    Parameters
    ----------
    reader : KeyReader
        Reads them.
    threads : int
        Buckets looked at side by side.
    memory_rows : int
        Hashes kept in memory, 8 bytes each; the rest goes to a temporary file.
    repeated_rows : int
        Repeated hashes looked at in one pass over the keys.
    block_rows : int
        Keys of a bucket in memory at a time.
    """

    reader: KeyReader
    threads: int
    memory_rows: int
    repeated_rows: int = 1_000_000
    block_rows: int = BLOCK_ROWS
    figures: dict[int, BucketFigures] = field(default_factory=dict)
    problems: dict[str, str] = field(default_factory=dict)

    def run(self, buckets: Sequence[int]) -> None:
        """Fill ``figures`` and ``problems`` for ``buckets``; one with a problem has no figures.

        Raises
        ------
        PermanentStoreError
            The folder for temporary files is full or cannot be written.
        """
        self._same_type = self.reader.of_one_type(buckets)
        try:
            with HashRanges(self.memory_rows) as hashes, ThreadPoolExecutor(self.threads) as pool:
                list(pool.map(lambda bucket: self._hash(bucket, hashes), buckets))
                hashes.finish()
                repeated = [*pool.map(hashes.repeated, range(RANGES))]
        except OSError as error:
            raise PermanentStoreError(
                "folder for temporary files",
                "keep hashes of keys",
                error.strerror or type(error).__name__,
                "Free some space there, or set TMPDIR to a larger disk.",
            ) from error
        for wanted, hit in self._passes(repeated):
            self._compare(wanted, sorted(hit))
        for bucket in [bucket for bucket in self.figures if self._troubled(bucket)]:
            del self.figures[bucket]
        for figures in self.figures.values():
            figures.samples = self._first_samples(figures.samples)

    def _hash(self, bucket: int, hashes: HashRanges) -> None:
        figures = BucketFigures(bucket)
        try:
            for keys in self._blocks(bucket):
                self._count_block(figures, keys)
                hashes.add(bucket, self._hashes(keys.drop_nulls()))
            self.figures[bucket] = figures
        except UnreadableKeysError as error:
            self.problems[error.key] = error.reason

    def _count_block(self, figures: BucketFigures, keys: pl.Series) -> None:
        request, nulls = self.reader.request, keys.null_count()
        figures.key_nulls = (figures.key_nulls or 0) + nulls
        figures.distinct_keys = (figures.distinct_keys or 0) + len(keys) - nulls
        if request.function is not None:
            count_misplaced(figures, keys, request.function, request.table.bucket_count)

    def _blocks(self, bucket: int) -> Iterator[pl.Series]:
        if self.reader.rows(bucket) <= self.block_rows:
            yield from self.reader.whole(bucket)
        else:
            yield from self.reader.blocks(bucket, self.block_rows)

    def _hashes(self, keys: pl.Series) -> NDArray[np.uint64]:
        return comparable(keys, of_one_type=self._same_type).hash(SEED).to_numpy()

    def _passes(
        self, repeated: Sequence[tuple[NDArray[np.uint64], set[int]]]
    ) -> Iterator[tuple[NDArray[np.uint64], set[int]]]:
        """Put ranges together as long as their repeated hashes fit into one pass."""
        import numpy as np

        wanted: list[NDArray[np.uint64]] = []
        hit: set[int] = set()
        for hashes, buckets in repeated:
            if wanted and sum(map(len, wanted)) + len(hashes) > self.repeated_rows:
                yield np.unique(np.concatenate(wanted)), hit
                wanted, hit = [], set()
            if len(hashes):
                wanted.append(hashes)
                hit = hit | buckets
        if wanted:
            yield np.unique(np.concatenate(wanted)), hit

    def _compare(self, wanted: NDArray[np.uint64], buckets: Sequence[int]) -> None:
        """Compare the keys themselves that have one of the wanted hashes, and count those that repeat."""
        import polars as pl

        with ThreadPoolExecutor(self.threads) as pool:
            found = [*pool.map(lambda bucket: self._rows_of(wanted, bucket), buckets)]
        rows = pl.concat([frame for frame in found if frame is not None], how="vertical_relaxed")
        repeated = rows.with_columns(
            total=pl.col("rows").sum().over("key"), lowest=pl.col("bucket").min().over("key")
        ).filter(pl.col("total") > 1)
        counted = repeated.group_by("bucket").agg(
            pl.col("rows").sum(), keys=(pl.col("bucket") == pl.col("lowest")).sum()
        )
        for bucket, duplicate_rows, lowest_here in counted.iter_rows():
            self._add_duplicates(self.figures[bucket], duplicate_rows, lowest_here)
        self._add_samples(repeated)

    def _rows_of(self, wanted: NDArray[np.uint64], bucket: int) -> pl.DataFrame | None:
        """Return key, bucket and rows of a bucket's keys with a wanted hash; None where it has a problem."""
        import numpy as np
        import polars as pl

        if bucket not in self.figures:
            return None
        found: list[pl.DataFrame] = []
        try:
            for block in self._blocks(bucket):
                keys = comparable(block.drop_nulls(), of_one_type=self._same_type)
                hashes = self._hashes(keys)
                nearest = np.minimum(np.searchsorted(wanted, hashes), len(wanted) - 1)
                hit = keys.filter(wanted[nearest] == hashes).alias("key").to_frame()
                found = [_summed([*found, hit.select("key", rows=pl.lit(1, pl.Int64))])]
        except UnreadableKeysError as error:
            self.problems[error.key] = error.reason
            return None
        return found[0].select("key", pl.lit(bucket, pl.Int64).alias("bucket"), "rows") if found else None

    def _add_duplicates(self, figures: BucketFigures, rows: int, lowest_here: int) -> None:
        figures.duplicate_rows = (figures.duplicate_rows or 0) + rows
        figures.duplicate_keys = (figures.duplicate_keys or 0) + lowest_here
        figures.distinct_keys = (figures.distinct_keys or 0) - rows + lowest_here

    def _add_samples(self, repeated: pl.DataFrame) -> None:
        import polars as pl

        texts = repeated.with_columns(key_texts(repeated["key"]).alias("key"))
        first = texts.sort("bucket", -pl.col("total"), "key").group_by("bucket", maintain_order=True)
        for bucket, total, key in first.head(MAX_SAMPLES).select("bucket", "total", "key").iter_rows():
            self.figures[bucket].samples.append(KeySample(bucket, "duplicate", key, total))

    def _first_samples(self, samples: Sequence[KeySample]) -> list[KeySample]:
        """Return those with most rows of what all passes found."""
        found = [sample for sample in samples if sample.kind == "duplicate"]
        found.sort(key=lambda sample: (-sample.rows, sample.key))
        return [*(sample for sample in samples if sample.kind != "duplicate"), *found[:MAX_SAMPLES]]

    def _troubled(self, bucket: int) -> bool:
        return any(info.key in self.problems for info, _ in self.reader.request.buckets[bucket])


def _summed(frames: Sequence[pl.DataFrame]) -> pl.DataFrame:
    import polars as pl

    return pl.concat(frames).group_by("key").agg(pl.col("rows").sum())
