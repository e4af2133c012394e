"""Counts over observations in VAST DB, which does not aggregate: blocks are counted as they come.

Here: numbers, sizes, facets, summaries and changed days.
Not here: pages (``vast_pages``).
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from metaplat.model.filters import EVERYTHING, Compare, Filter
from metaplat.stores.catalog.index import FacetCount, Summary
from metaplat.stores.catalog.vast_pages import TIME, present
from metaplat.stores.catalog.vast_reading import frames
from metaplat.stores.catalog.vast_tables import EVENTS, OBSERVATIONS, RELATIONSHIPS, REPLACED_SEQ, REVISIONS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date, datetime

    import polars as pl

    from metaplat.stores.catalog.index import Table
    from metaplat.stores.catalog.vast_session import VastTables

CALIBRATED = "COMPLETE"
DAYS_OF = {
    "observations": ((OBSERVATIONS, TIME, "change_seq"), (REVISIONS, TIME, REPLACED_SEQ)),
    "dataset_relationships": ((RELATIONSHIPS, "recorded_at", "change_seq"),),
    "processing_events": ((EVENTS, "occurred_at", "change_seq"),),
}
"""Where the days of a table come from; rows left the days of their earlier versions."""


def total(tables: VastTables, where: Filter, *, absent: bool) -> int:
    """Return how many observations match."""
    found = frames(tables, OBSERVATIONS, ["revision"], present(where, absent=absent))
    return sum(frame.height for frame in found)


def totals(tables: VastTables, where: Filter) -> tuple[int, int]:
    """Return number and bytes of the matching files that are there."""
    number = size = 0
    for frame in frames(tables, OBSERVATIONS, ["file_size"], present(where, absent=False)):
        number += frame.height
        size += int(frame["file_size"].sum())
    return number, size


def facets(
    tables: VastTables, where: Filter, columns: Sequence[str], limit: int
) -> dict[str, list[FacetCount]]:
    """Count the matching files by the values of columns."""
    counted: dict[str, Counter[str | None]] = {column: Counter() for column in columns}
    wanted = list(counted)
    for frame in frames(tables, OBSERVATIONS, wanted, present(where, absent=False)) if wanted else ():
        for column, counts in counted.items():
            for value, number in frame[column].value_counts().iter_rows():
                counts[value] += number
    return {column: _most(counts, limit) for column, counts in counted.items()}


def _most(counts: Counter[str | None], limit: int) -> list[FacetCount]:
    order = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0] is None, pair[0] or ""))
    return [FacetCount(value, number) for value, number in order[:limit]]


@dataclass
class _Running:
    """A summary while blocks come in; sums of parts are kept, so that no order of rows changes the mean."""

    datasets: int = 0
    bytes: int = 0
    qualities: list[float] = field(default_factory=list)
    stated: int = 0
    calibrated: int = 0
    times: list[datetime] = field(default_factory=list)

    def add(self, part: dict[str, Any]) -> None:
        self.datasets += part["datasets"]
        self.bytes += part["bytes"]
        self.qualities.append(part["qualities"])
        self.stated += part["stated"]
        self.calibrated += part["calibrated"]
        self.times = [time for time in (*self.times, part["first"], part["last"]) if time is not None]
        self.times = [min(self.times), max(self.times)] if self.times else []

    def summary(self, mission_id: str | None) -> Summary:
        mean = math.fsum(self.qualities) / self.stated if self.stated else None
        first, last = self.times or (None, None)
        return Summary(mission_id, self.datasets, self.bytes, mean, self.calibrated, first, last)


def summaries(tables: VastTables, mission_id: str | None) -> list[Summary]:
    """Return the summary of a mission, or of all, by mission, null last."""
    wanted = ["mission_id", "file_size", "data_quality_score", "calibration_status", TIME]
    one = EVERYTHING if mission_id is None else Compare("mission_id", "=", mission_id)
    running: dict[str | None, _Running] = {}
    found = frames(tables, OBSERVATIONS, wanted, present(one, absent=False))
    for part in _parts(found):
        running.setdefault(part["mission_id"], _Running()).add(part)
    order = sorted(running, key=lambda mission: (mission is None, mission or ""))
    return [running[mission].summary(mission) for mission in order]


def _parts(found: Iterable[pl.DataFrame]) -> Iterable[dict[str, Any]]:
    import polars as pl

    quality = pl.col("data_quality_score")
    for frame in found:
        grouped = frame.group_by("mission_id").agg(
            pl.len().alias("datasets"),
            pl.col("file_size").sum().alias("bytes"),
            quality.sum().alias("qualities"),
            quality.count().alias("stated"),
            (pl.col("calibration_status") == CALIBRATED).sum().alias("calibrated"),
            pl.col(TIME).min().alias("first"),
            pl.col(TIME).max().alias("last"),
        )
        yield from grouped.iter_rows(named=True)


def changed_days(tables: VastTables, table: Table, after_seq: int) -> dict[date | None, int]:
    """Return the days with changes after a number, each with the number of its last change."""
    import polars as pl

    days: dict[date | None, int] = {}
    for source, time, seq in DAYS_OF[table]:
        for frame in frames(tables, source, [time, seq], Compare(seq, ">", after_seq)):
            latest = frame.group_by(pl.col(time).dt.date()).agg(pl.col(seq).max())
            for day, number in latest.iter_rows():
                days[day] = max(number, days.get(day, 0))
    return days
