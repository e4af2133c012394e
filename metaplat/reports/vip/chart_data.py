"""The data of a chart as its specification names them, for images.

Here: frames and stretches -> ``rows``, ``stretches``, ``runs`` and the range. The script of the page makes
the same of the compact columns it is given (``page_data``): change both together.
Not here: figures (``series``), layers (``specs``).
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from metaplat.reports.vip.chart_list import Grain
from metaplat.reports.vip.layers import MARKS
from metaplat.reports.vip.stretches import HOUR, State

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl

    from metaplat.reports.vip.chart_list import Chart
    from metaplat.reports.vip.series import ChartFrames
    from metaplat.reports.vip.stretches import Stretch, Stretches

    Row = dict[str, Any]


def milliseconds(moment: datetime) -> int:
    """Return an aware time as Unix milliseconds."""
    return round(moment.timestamp() * 1000)


def time_range(frames: ChartFrames) -> tuple[datetime, datetime]:
    """Return begin and end of a history that has hours."""
    first: datetime = frames.hours["hour_utc"][0]
    last: datetime = frames.hours["hour_utc"][-1]
    return first, last + HOUR


def present_marks(frames: ChartFrames, stretches: Stretches) -> set[str]:
    """Return which of the marks of ``layers`` occur in a history."""
    words = {stretch.what for stretch in stretches.states}
    present = {name for name in MARKS if name in words and name != State.MISSING}
    if stretches.missing:
        present.add("missing hours")
    if stretches.excused:
        present.add("excused hours")
    if frames.hours["anomaly"].is_in(["low", "high"]).any():
        present.add("anomaly")
    if frames.hours["band_lo_kb"].is_not_null().any():
        present.add("expected range")
    return present


def chart_data(chart: Chart, frames: ChartFrames, stretches: Stretches) -> dict[str, list[Row]]:
    """Return the data sets of a chart over the whole history."""
    step = HOUR if chart.grain is Grain.HOUR else timedelta(days=1)
    rows = chart_rows(frames.of(chart), chart, step, time_range(frames))
    shaded = [_times(each, kind="excused") for each in stretches.excused]
    shaded += [_times(each, kind="missing") for each in stretches.missing]
    shown = [each for each in stretches.states if each.what in {State.WHOLE, State.PARTLY, State.FAILED}]
    runs = [_times(each, state=each.what) for each in sorted(shown, key=lambda run: run.what != State.WHOLE)]
    return {"rows": rows, "stretches": shaded, "runs": runs}


def chart_rows(
    frame: pl.DataFrame, chart: Chart, step: timedelta, shown: tuple[datetime, datetime]
) -> list[Row]:
    """Return the rows of a chart with their times; further ones close the last steps of hourly lines."""
    time, main = chart.columns[0], chart.series[0].column
    rows = frame.to_dicts()
    values = [None, *(row[main] for row in rows), None]
    for place, row in enumerate(rows):
        begin = row.pop(time)
        row |= _span(begin, begin + step, shown)
        row["lone"] = values[place] is None and values[place + 2] is None and values[place + 1] is not None
    return _with_ends(rows, main) if chart.grain is Grain.HOUR else rows


def _with_ends(rows: Sequence[Row], main: str) -> list[Row]:
    """Return the rows with one more where a line ends, at a gap and at last: its last hour is drawn, too."""
    found: list[Row] = []
    for row, following in zip(rows, [*rows[1:], None], strict=True):
        found.append(row)
        if following is None or (row[main] is not None and following[main] is None):
            found.append(row | {"t": row["t2"], "lone": False, "anomaly": None})
    return found


def _span(begin: datetime, end: datetime, shown: tuple[datetime, datetime]) -> Row:
    """Return the times of a row; its middle is that of the part which is shown."""
    middle = max(begin, shown[0]) + (min(end, shown[1]) - max(begin, shown[0])) / 2
    return {"t": milliseconds(begin), "t2": milliseconds(end), "mid": milliseconds(middle)}


def _times(stretch: Stretch, **more: str) -> Row:
    return {"from": milliseconds(stretch.first), "to": milliseconds(stretch.last + HOUR), **more}
