"""Figures of the buckets as rules need them: which are known, which are not, and what that makes of a table.

Here: one column of the metrics frame split into known and unknown, and the words for what is unknown.
Not here: what a figure must be (each rule).
A bucket without data files has no figures: ``s3_partition`` alone tells of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from metaplat.model.verdict import Verdict
from metaplat.rules.wording import counted

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from metaplat.model.table_evidence import TableFacts

MAX_NAMED = 5
"""Buckets that a sentence names."""


@dataclass(frozen=True)
class BucketFigures:
    """One figure of every bucket that holds data files.

    Parameters
    ----------
    known : mapping of int to int
        Figure by bucket, in order.
    unknown : sequence of int
        Buckets whose figure could not be measured, in order.
    """

    known: Mapping[int, int]
    unknown: Sequence[int]

    @property
    def total(self) -> int:
        """Sum of what is known."""
        return sum(self.known.values())

    @property
    def failing(self) -> list[int]:
        """Buckets whose figure is not 0, the largest first."""
        return sorted(
            (b for b, n in self.known.items() if n), key=lambda bucket: (-self.known[bucket], bucket)
        )

    @property
    def where(self) -> str:
        """How many buckets fail, and which: ``2 buckets (3, 17)``."""
        return counted_buckets(self.failing)

    @property
    def counts(self) -> dict[str, int]:
        """How many buckets fail, were judged, are unknown: numbers of a verdict."""
        return {
            "failing_buckets": len(self.failing),
            "judged_buckets": len(self.known),
            "unknown_buckets": len(self.unknown),
        }

    @property
    def unknown_note(self) -> str:
        """A sentence about what is unknown, with a space before it; empty where all is known."""
        if not self.unknown:
            return ""
        return f" Unknown for {counted_buckets(self.unknown)}."


def bucket_figures(facts: TableFacts, column: str) -> BucketFigures:
    """Return column ``column`` of the metrics frame."""
    rows = facts.profile.frame.select("id_bucket", "files", column).rows()
    known = {bucket: figure for bucket, files, figure in rows if files and figure is not None}
    return BucketFigures(known, [bucket for bucket, files, figure in rows if files and figure is None])


def none_known(figures: BucketFigures, reason: str) -> Verdict:
    """Return the verdict of a table of which no figure is known."""
    if not figures.unknown:
        return Verdict.not_evaluated("The table has no data files: see s3_partition.", figures.counts)
    return Verdict.not_evaluated(reason, figures.counts)


def bucket_unknown(row: Mapping[str, Any], column: str, reason: str) -> Verdict | None:
    """Return the verdict of a bucket whose figure ``column`` is unknown; None where it is known."""
    if not row["files"]:
        return Verdict.not_evaluated("The bucket holds no data files: see s3_partition.")
    if row[column] is not None:
        return None
    if row["unreadable_files"]:
        unreadable = counted(row["unreadable_files"], "data file")
        return Verdict.not_evaluated(f"{unreadable} of the bucket cannot be read: see parquet_file.")
    if row["measured_by"] is None:
        return Verdict.not_evaluated("The bucket was not measured yet.")
    return Verdict.not_evaluated(reason)


def counted_buckets(buckets: Sequence[int]) -> str:
    """Say how many buckets and name the lowest: ``2 buckets (3, 17)``."""
    return f"{counted(len(buckets), 'bucket')} ({named(sorted(buckets))})"


def named(things: Sequence[object]) -> str:
    """Name the first few, and say how many more there are."""
    more = len(things) - MAX_NAMED
    return ", ".join(map(str, things[:MAX_NAMED])) + (f" and {more:,} more" if more > 0 else "")
