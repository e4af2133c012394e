"""The figures behind the charts: a row for every hour of the calendar, and a row for every day.

Here: three histories of one configuration -> hourly and daily frame -> the columns of each chart.
Not here: which chart shows what (``chart_list``), stretches of hours (``stretches``), drawing (``specs``).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from metaplat.model.extract import ExtractStatus
from metaplat.reports.vip.chart_list import Grain

if TYPE_CHECKING:
    import polars as pl

    from metaplat.reports.vip.chart_list import Chart

HOURS_A_DAY = 24

_JOBS = (
    "hour_utc", "status", "excused", "excuse", "completeness", "lag_min", "n_tables_expected",
    "n_tables_delivered", "missing_tables",
)  # fmt: skip
_SIZES = (
    "hour_utc", "n_files", "bytes_total", "bytes_data", "band_lo", "band_hi", "score", "anomaly", "baseline",
)  # fmt: skip


@dataclass(frozen=True)
class ChartFrames:
    """What all charts are drawn from.

    Parameters
    ----------
    hours : polars.DataFrame, shape (hours of the calendar, ...)
        One row an hour without a gap, sorted: ``hour_utc``, the hourly columns of the charts, ``excuse``.
    days : polars.DataFrame, shape (days of the calendar, ...)
        One row a day: ``day_utc``, the daily columns of the charts.
    tables : polars.DataFrame
        Rows of the table history with a failure, for the list of tables.
    """

    hours: pl.DataFrame
    days: pl.DataFrame
    tables: pl.DataFrame

    def of(self, chart: Chart) -> pl.DataFrame:
        """Return the columns of a chart, as its CSV has them."""
        frame = self.hours if chart.grain is Grain.HOUR else self.days
        return frame.select(chart.columns)


def chart_frames(
    jobs: pl.DataFrame, tables: pl.DataFrame, sizes: pl.DataFrame, config_name: str
) -> ChartFrames:
    """Bring the histories of one configuration into the form of the charts.

    Parameters
    ----------
    jobs, tables, sizes : polars.DataFrame
        Columns of ``JOB_METRICS_FIELDS``, ``TABLE_METRICS_FIELDS``, ``JOB_SIZE_FIELDS``; rows of other
        configurations are left out.
    config_name : str
        The configuration.

    Returns
    -------
    ChartFrames
        Hours that the histories do not hold between their first and last are there with nulls.
    """
    import polars as pl

    mine = pl.col("config_name") == config_name
    hours = hourly(jobs.filter(mine), sizes.filter(mine))
    return ChartFrames(hours, daily(hours), tables.filter(mine & pl.col("failure")))


def hourly(jobs: pl.DataFrame, sizes: pl.DataFrame) -> pl.DataFrame:
    """Return a row for every hour from the first to the last of both histories of one configuration."""
    import polars as pl

    known = pl.concat([jobs.select("hour_utc"), sizes.select("hour_utc")]).unique().sort("hour_utc")
    if known.height:
        known = known.upsample("hour_utc", every="1h")
    joined = known.join(jobs.select(_JOBS), "hour_utc", "left").join(sizes.select(_SIZES), "hour_utc", "left")
    there = (pl.col("status") != ExtractStatus.MISSING).fill_null(value=True)  # a note left there is no job
    has_files = (pl.col("n_files") > 0) & there
    delivered = pl.coalesce(has_files, pl.col("status") != ExtractStatus.MISSING)
    other = pl.col("bytes_total") - pl.col("bytes_data")  # the band is of data alone, the line of everything
    expected = pl.col("n_tables_expected")
    # without the expectation of an hour, what it delivered cannot be compared with anything
    arrived = pl.when(expected.is_not_null()).then(pl.col("n_tables_delivered"))
    return joined.sort("hour_utc").select(
        "hour_utc",
        "status",
        pl.col("excused").fill_null(value=False),
        "excuse",
        "lag_min",
        "completeness",
        "missing_tables",
        delivered.cast(pl.Int64).alias("job_delivered"),
        pl.when(has_files).then("n_files").alias("files"),
        (pl.col("bytes_total") // 1000).alias("size_kb"),
        ((pl.col("band_lo") + other) / 1000).round(1).alias("band_lo_kb"),
        ((pl.col("band_hi") + other) / 1000).round(1).alias("band_hi_kb"),
        pl.col("score").round(2),
        "anomaly",
        "baseline",
        arrived.alias("tables_delivered"),
        expected.alias("tables_expected"),
        (expected - arrived).alias("tables_missing"),
    )


def daily(hours: pl.DataFrame) -> pl.DataFrame:
    """Return a row for every day of an hourly frame.

    The formulas are those that the charts print: sums for jobs, means over the hours that are in the
    history for tables. A day of less than 24 such hours is partial: the first and the open one.
    """
    import polars as pl

    column = pl.col
    days = hours.group_by(column("hour_utc").dt.truncate("1d").alias("day_utc"), maintain_order=True).agg(
        column("job_delivered").count().cast(pl.Int64).alias("closed_hours"),
        column("job_delivered").sum().alias("jobs_delivered"),
        column("job_delivered").count().cast(pl.Int64).alias("jobs_expected"),
        column("tables_delivered").mean(),
        column("tables_expected").mean(),
        column("tables_missing").mean(),
        column("completeness").mean().alias("tables_ratio"),
        column("tables_delivered").sum().alias("sum_delivered"),
        column("tables_expected").sum().alias("sum_expected"),
    )
    return days.select(
        "day_utc",
        "closed_hours",
        (column("closed_hours") < HOURS_A_DAY).alias("is_partial"),
        "jobs_delivered",
        "jobs_expected",
        _ratio("jobs_delivered", "jobs_expected").alias("jobs_ratio"),
        column("tables_delivered").round(3),
        column("tables_expected").round(3),
        column("tables_missing").round(3),
        column("tables_ratio").round(5),
        _ratio("sum_delivered", "sum_expected").alias("tables_ratio_of_sums"),
    )


def _ratio(part: str, whole: str) -> pl.Expr:
    import polars as pl

    return pl.when(pl.col(whole) > 0).then(pl.col(part) / pl.col(whole)).round(5)
