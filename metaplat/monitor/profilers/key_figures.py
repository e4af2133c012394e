"""The figures of a bucket's keys, and the samples of those that fail.

Here: counting keys that are in memory. Not here: reading them (``key_reader``), which buckets are counted how
(``bucket``, ``global_``).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from metaplat.model.table_metrics import KeySample
from metaplat.model.verdict import MAX_SAMPLES
from metaplat.monitor.bucket_functions import buckets_of
from metaplat.monitor.key_bytes import key_texts

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import polars as pl

    from metaplat.model.table import BucketFunction

FIGURES = ("key_nulls", "distinct_keys", "duplicate_rows", "duplicate_keys", "misplaced_keys")


@dataclass
class BucketFigures:
    """What was counted of one bucket, as in ``model.table_metrics``; None where it is unknown."""

    bucket: int
    key_nulls: int | None = 0
    distinct_keys: int | None = 0
    duplicate_rows: int | None = 0
    duplicate_keys: int | None = 0
    misplaced_keys: int | None = None
    samples: list[KeySample] = field(default_factory=list)


def figures_frame(figures: Iterable[BucketFigures]) -> pl.DataFrame:
    """Return figures as the frame that ``KeyCounts`` holds."""
    import polars as pl

    names = ("id_bucket", *FIGURES)
    rows = sorted((item.bucket, *(getattr(item, name) for name in FIGURES)) for item in figures)
    return pl.DataFrame(rows, schema=dict.fromkeys(names, pl.Int64()), orient="row")


def count_duplicates(figures: BucketFigures, keys: pl.Series) -> None:
    """Fill in nulls, distinct and duplicate keys of a bucket of which ``keys`` are all.

    As many distinct keys as rows prove that nothing occurs twice; only where that fails, keys are grouped.
    """
    nulls = keys.null_count()
    figures.key_nulls = nulls
    figures.distinct_keys = keys.n_unique() - (nulls > 0)
    if figures.distinct_keys == len(keys) - nulls:
        return
    repeated = key_counts(keys).filter_repeated()
    figures.duplicate_rows, figures.duplicate_keys = repeated.rows, len(repeated.keys)
    figures.samples += repeated.samples(figures.bucket, "duplicate")


@dataclass(frozen=True)
class KeyRows:
    """Different keys, and the rows of each."""

    keys: pl.Series
    counts: pl.Series

    @property
    def rows(self) -> int:
        """Rows of all of them."""
        return int(self.counts.sum())

    def filter_repeated(self) -> KeyRows:
        """Return the keys that have several rows."""
        repeated = self.counts > 1
        return KeyRows(self.keys.filter(repeated), self.counts.filter(repeated))

    def samples(self, bucket: int, kind: str, belongs_in: Sequence[int] | None = None) -> list[KeySample]:
        """Return the keys with most rows, as texts; among equals the first by their text."""
        import polars as pl

        belongs = pl.Series("belongs_in", belongs_in or [None] * len(self.keys), dtype=pl.Int64)
        frame = pl.DataFrame({"rows": self.counts, "key": key_texts(self.keys), "belongs_in": belongs})
        first = frame.sort(-pl.col("rows").cast(pl.Int64), "key").head(MAX_SAMPLES)
        return [
            KeySample(bucket, kind, row["key"], row["rows"], row["belongs_in"])
            for row in first.iter_rows(named=True)
        ]


def key_counts(keys: pl.Series) -> KeyRows:
    """Count the rows of each key that is not NULL."""
    import polars as pl

    counts = keys.drop_nulls().alias("key").to_frame().group_by("key").agg(rows=pl.len().cast(pl.Int64))
    return KeyRows(counts["key"], counts["rows"])


def count_misplaced(figures: BucketFigures, keys: pl.Series, function: BucketFunction, buckets: int) -> None:
    """Add to a bucket's figures the keys among ``keys`` that belong in another one."""
    belongs = buckets_of(keys, function, buckets)
    wrong = belongs != figures.bucket
    count = int(wrong.sum())
    figures.misplaced_keys = (figures.misplaced_keys or 0) + count
    room = MAX_SAMPLES - sum(sample.kind == "misplaced" for sample in figures.samples)
    if count and room > 0:
        found = key_counts(keys.drop_nulls().filter(wrong))
        figures.samples += found.samples(
            figures.bucket, "misplaced", buckets_of(found.keys, function, buckets).tolist()
        )[:room]
