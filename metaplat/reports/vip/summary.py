"""What a reader wants to know before any chart: figures of the whole history, and lists of what is wrong.

Here: a history -> the strip of figures, the missing hours, the tables that are missing most, the anomalies.
Not here: the arithmetic of the budget (``rules.vip.error_budget``), layout (the template).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from metaplat.model.extract import ExtractStatus
from metaplat.reports.vip.stretches import HOUR, State, state_of
from metaplat.rules.vip.error_budget import Slo, error_budget

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    import polars as pl

    from metaplat.reports.vip.series import ChartFrames
    from metaplat.reports.vip.stretches import Stretch, Stretches
    from metaplat.rules.vip.error_budget import Budget

LISTED = 50
"""Rows of a list; the counts beside it are exact."""


@dataclass(frozen=True)
class Listing:
    """A list of which only the first rows are shown.

    Parameters
    ----------
    rows : sequence
        At most ``LISTED``.
    total : int
        How many there are.
    """

    rows: Sequence[Any]
    total: int


@dataclass(frozen=True)
class Summary:
    """Figures of a history that has hours; all of them in hours but where it says otherwise.

    Parameters
    ----------
    begin, end : datetime
        Begin of its first hour, end of its last.
    hours, delivered, missing, excused, incomplete, failed, late, anomalies : int
        How many; an excused hour is counted as excused only, not as missing, incomplete or failed.
    delivered_share : float or None
        Hours with any file, of the hours that are not excused.
    budget : Budget
        Of the days of the objective, at the end of the history.
    stretches : Listing
        Missing hours in a row, the newest first.
    tables : Listing
        Rows ``table``, ``hours``, ``last``: failures in hours in which other tables came, most first.
    anomalous : Listing
        Rows of the hourly frame, the newest first.
    excuses : Listing
        Excused hours in a row, the newest first.
    """

    begin: datetime
    end: datetime
    hours: int
    delivered: int
    delivered_share: float | None
    missing: int
    excused: int
    incomplete: int
    failed: int
    late: int
    anomalies: int
    budget: Budget
    stretches: Listing
    tables: Listing
    anomalous: Listing
    excuses: Listing


def summarize(frames: ChartFrames, stretches: Stretches, slo: Slo) -> Summary | None:
    """Sum up a history; None where it has no hour."""
    import polars as pl

    hours = frames.hours
    if not hours.height:
        return None
    counted = hours.filter(~pl.col("excused"))
    states = [state_of(status) for status in counted["status"]]
    came = counted["job_delivered"].drop_nulls()
    marked = hours.filter(pl.col("anomaly").is_in(["low", "high"])).reverse()
    end: datetime = hours["hour_utc"][-1] + HOUR
    return Summary(
        begin=hours["hour_utc"][0],
        end=end,
        hours=hours.height,
        delivered=int(came.sum()),
        delivered_share=int(came.sum()) / len(came) if len(came) else None,
        missing=states.count(State.MISSING),
        excused=hours.height - counted.height,
        incomplete=states.count(State.PARTLY),
        failed=states.count(State.FAILED),
        late=int((counted["status"] == ExtractStatus.LATE).sum()),
        anomalies=marked.height,
        budget=_budget(hours, slo, end),
        stretches=_newest(stretches.missing),
        tables=missing_tables(frames),
        anomalous=Listing(marked.head(LISTED).to_dicts(), marked.height),
        excuses=_newest(stretches.excused),
    )


def missing_tables(frames: ChartFrames) -> Listing:
    """List the tables that failed in hours that delivered others; an hour without any says nothing of one."""
    import polars as pl

    known = frames.hours.filter((pl.col("tables_delivered") > 0) & ~pl.col("excused")).select("hour_utc")
    counts = (
        frames.tables.join(known, "hour_utc", "semi")
        .group_by("table")
        .agg(pl.len().alias("hours"), pl.col("hour_utc").max().alias("last"))
        .sort("hours", "table", descending=[True, False])
    )
    return Listing(counts.head(LISTED).to_dicts(), counts.height)


def _newest(found: Sequence[Stretch]) -> Listing:
    return Listing(list(reversed(found[-LISTED:])), len(found))


def _budget(hours: pl.DataFrame, slo: Slo, end: datetime) -> Budget:
    import polars as pl

    known = hours.filter(pl.col("status").is_not_null())
    counted = known.filter(~pl.col("excused"))
    excused = known.filter(pl.col("excused") & (pl.col("hour_utc") >= end - timedelta(days=slo.days))).height
    good = [state_of(status) is State.WHOLE for status in counted["status"]]
    return error_budget(counted["hour_utc"].to_list(), good, slo, end, excused=excused)
