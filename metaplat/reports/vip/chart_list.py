"""The ten charts, declared: title, definition, what is drawn and what a reader is told.

Here: everything that page, image and CSV of a chart share but the figures.
Not here: the figures (``series``), how they are drawn (``specs``).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


class Grain(StrEnum):
    """What one row of a chart stands for."""

    HOUR = "hour"
    DAY = "day"


class Shape(StrEnum):
    """How a series is drawn."""

    STEP = "step"
    """A line that holds its value for the hour."""
    FILLED = "filled"
    """As ``STEP``, filled down to 0."""
    POINTS = "points"
    """A line through points; hollow ones are partial days."""
    DASHED = "dashed"
    """A thin dashed line, for what is only compared with."""
    BARS = "bars"
    """A bar a day; pale ones are partial days."""
    CAPS = "caps"
    """A mark across the day, for what the bar ought to reach."""
    STATES = "states"
    """A block from 0 to 1 for every stretch of hours in one state."""


class Unit(StrEnum):
    """What a figure counts; decides how axis and tooltip write it."""

    COUNT = "count"
    MEAN = "mean"
    KILOBYTES = "kB"
    RATIO = "ratio"


@dataclass(frozen=True)
class Series:
    """One column of a chart.

    Parameters
    ----------
    column : str
        Its column in the frame of its grain, and in the CSV.
    label : str
        What legend and tooltip call it.
    shape : Shape
        How it is drawn.
    """

    column: str
    label: str
    shape: Shape


@dataclass(frozen=True)
class Chart:
    """One chart.

    Parameters
    ----------
    number : int
        Its place, from 1.
    name : str
        Its id, and the end of its files' names.
    title : str
        As users know it; fixed.
    definition : str
        What the figures mean, in one sentence under the title.
    grain : Grain
        Hours or days.
    unit : Unit
        Of the vertical axis.
    series : sequence of Series
        What is drawn, the most important first.
    extra : sequence of str
        Further columns of the CSV.
    has_band, has_anomalies, has_objective : bool
        Whether the expected range, the anomalies and the objective are drawn on it.
    """

    number: int
    name: str
    title: str
    definition: str
    grain: Grain
    unit: Unit
    series: Sequence[Series]
    extra: Sequence[str] = ()
    has_band: bool = False
    has_anomalies: bool = False
    has_objective: bool = False

    @property
    def file_name(self) -> str:
        """Name of its files, without the ending."""
        return f"{self.number:02}_{self.name}"

    @property
    def columns(self) -> list[str]:
        """Columns of its CSV, the time first."""
        time = "hour_utc" if self.grain is Grain.HOUR else "day_utc"
        return [time, *(each.column for each in self.series), *self.extra]


_DAY = ("closed_hours", "is_partial")
_HOUR = ("status", "excused")
_MEAN = "mean over the closed hours of the day, a missing hour counts 0 delivered"

CHARTS: Sequence[Chart] = (
    Chart(
        1, "files_hourly",
        "Files Delivered (partitions, schema, scripts included) in Successful Jobs, Hourly",
        "Objects in the hour's folder but our own manifest; no line where the job delivered none. "
        "Marked: hours whose data volume is anomalous.",
        Grain.HOUR, Unit.COUNT, (Series("files", "files", Shape.STEP),),
        extra=("anomaly", *_HOUR), has_anomalies=True,
    ),
    Chart(
        2, "size_hourly",
        "Size of Files Delivered (partitions, schema, scripts included), Hourly",
        "Bytes of those objects, 0 for a missing hour. Expected: the robust band by hour of the week for the "
        "tables' files, raised by the schema and script files of the hour; cut off where it is far above all "
        "sizes.",
        Grain.HOUR, Unit.KILOBYTES, (Series("size_kb", "size", Shape.STEP),),
        extra=("band_lo_kb", "band_hi_kb", "score", "anomaly", "baseline", *_HOUR),
        has_band=True, has_anomalies=True,
    ),
    Chart(
        3, "jobs_daily",
        "Job Delivery Completeness, Averaged Daily",
        "Sum over the closed hours of the day: jobs that delivered any file, and one expected job an hour. "
        "Excused hours count as not delivered.",
        Grain.DAY, Unit.COUNT,
        (Series("jobs_delivered", "delivered jobs", Shape.BARS),
         Series("jobs_expected", "expected jobs", Shape.CAPS)),
        extra=_DAY,
    ),
    Chart(
        4, "jobs_ratio_daily",
        "Job Delivery Completeness Ratio, Averaged Daily",
        "Delivered jobs of the day / expected jobs of the day (sum / sum), over its closed hours.",
        Grain.DAY, Unit.RATIO, (Series("jobs_ratio", "delivered / expected jobs", Shape.POINTS),),
        extra=_DAY, has_objective=True,
    ),
    Chart(
        5, "jobs_hourly",
        "Job Delivery Completeness (out of 1, hourly)",
        "1 where the job of the hour delivered any file, else 0. The colour tells whether all of it came.",
        Grain.HOUR, Unit.COUNT, (Series("job_delivered", "job delivered", Shape.STATES),),
        extra=_HOUR,
    ),
    Chart(
        6, "tables_daily",
        "Table Delivery Completeness, Averaged Daily",
        f"Averaged: {_MEAN}; hours for which nothing says what to expect are left out.",
        Grain.DAY, Unit.MEAN,
        (Series("tables_delivered", "delivered tables", Shape.BARS),
         Series("tables_expected", "expected tables", Shape.CAPS)),
        extra=_DAY,
    ),
    Chart(
        7, "tables_ratio_daily",
        "Table Delivery Completeness Ratio, Averaged Daily",
        "Averaged: mean of the hourly ratio over the closed hours of the day, 0 for a missing hour. "
        "Ratio: sum of delivered / sum of expected. They differ where the expectation changes.",
        Grain.DAY, Unit.RATIO,
        (Series("tables_ratio", "averaged", Shape.POINTS),
         Series("tables_ratio_of_sums", "ratio", Shape.DASHED)),
        extra=_DAY, has_objective=True,
    ),
    Chart(
        8, "tables_hourly",
        "Table Delivery Completeness, Hourly",
        "Expected tables with a file in the hour's folder, and all expected tables of the hour.",
        Grain.HOUR, Unit.COUNT,
        (Series("tables_delivered", "delivered tables", Shape.STEP),
         Series("tables_expected", "expected tables", Shape.DASHED)),
        extra=_HOUR,
    ),
    Chart(
        9, "tables_missing_daily",
        "Table Delivery Failure, Averaged Daily",
        "Averaged: mean of the missing tables over the closed hours of the day; all expected tables of a "
        "missing hour are missing.",
        Grain.DAY, Unit.MEAN, (Series("tables_missing", "missing tables", Shape.BARS),),
        extra=_DAY,
    ),
    Chart(
        10, "tables_missing_hourly",
        "Table Delivery Failure, Hourly",
        "Expected tables without a file in the hour's folder; all of them in a missing hour.",
        Grain.HOUR, Unit.COUNT, (Series("tables_missing", "missing tables", Shape.FILLED),),
        extra=_HOUR,
    ),
)  # fmt: skip
"""In their order on the page."""
