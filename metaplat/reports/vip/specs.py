"""Vega-Lite specifications of the charts: the same one for page and image.

Here: axes, legend and size of a chart. Data are named, not held: ``rows``, ``stretches`` and ``runs``, as
``chart_data`` makes them, and the parameters ``from`` and ``to`` (Unix milliseconds) are the shown range.
Not here: layers (``layers``), data, compiling (``vega``), titles of the page (its template).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from metaplat.reports.vip.chart_list import Chart, Shape, Unit
from metaplat.reports.vip.layers import BLUE, GREY, MARKS, OBJECTIVE, chart_layers, objective_label
from metaplat.reports.vip.stretches import State

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    Spec = dict[str, Any]

WIDTH, HEIGHT = 1080, 190
"""Of the page's charts, in CSS pixels; the script of the page sets the width."""

TICKS = 4
"""Of the vertical axis."""
HEADROOM = 7
"""Pixels above the axis, so that marks at its upper end are whole although they are clipped."""

INK, SOFT, LINE = "#16191d", "#59616b", "#e2e5e9"
FONT = "Liberation Sans, Helvetica, Arial, sans-serif"

_MOMENT = (
    "utchours(datum.value) || utcminutes(datum.value) ? utcFormat(datum.value, '%H:%M') : "
    "utcFormat(datum.value, utcmonth(datum.value) == 0 && utcdate(datum.value) == 1 ? '%b %d, %Y' : '%b %d')"
)
_WHOLE = "datum.value % 1 ? '' : format(datum.value, ',d')"
_BYTES = "replace(format(datum.value * 1000, '~s'), /([kMGTP]?)$/, ' $1B')"


def chart_spec(chart: Chart, objective: float, present: Collection[str]) -> Spec:
    """Return the specification of a chart, without title and data.

    Parameters
    ----------
    chart : Chart
        Which.
    objective : float
        Share of hours that are to be complete, where the chart shows it.
    present : collection of str
        Which of ``MARKS`` occur in the history; the legend has no others.
    """
    colours = _colours(chart, objective, present)
    return {
        "width": WIDTH,
        "height": HEIGHT,
        "autosize": {"type": "fit-x", "contains": "padding"},
        "padding": {"left": 4, "right": 14, "top": 4, "bottom": 4},
        "params": [{"name": "from", "value": 0}, {"name": "to", "value": 1}],
        "data": {"name": "rows"},
        "encoding": {
            "x": {
                "axis": {
                    "title": None,
                    "tickCount": {"expr": "ceil(width / 110)"},
                    "labelOverlap": True,
                    "labelExpr": _MOMENT,
                }
            },
            "y": {"type": "quantitative", "scale": _y_scale(chart), "axis": _y_axis(chart)},
            "color": {"scale": {"domain": list(colours), "range": list(colours.values())}, "legend": _LEGEND},
        },
        "layer": chart_layers(chart, objective, colours),
        "config": _CONFIG,
    }


_LEGEND = {
    "orient": "top", "title": None, "symbolType": "square", "symbolOpacity": 1, "symbolStrokeWidth": 0,
    "labelFontSize": 12, "labelLimit": 300, "columnPadding": 14, "offset": 6,
}  # fmt: skip
_AXIS = {
    "labelFontSize": 11, "labelColor": SOFT, "domainColor": "#8a939e", "tickColor": "#8a939e",
    "gridColor": LINE,     "labelFont": FONT, "titleFont": FONT,
}  # fmt: skip
_CONFIG = {
    "font": FONT,
    "background": "#ffffff",
    "aria": False,  # a sentence for every mark of a canvas is work that nobody hears
    "view": {"stroke": None},
    "axis": _AXIS,
    "axisX": {"grid": False},
    "legend": {"labelColor": INK, "labelFont": FONT},
    "line": {"strokeWidth": 1.3, "invalid": "break-paths-show-path-domains"},
    "area": {"invalid": "break-paths-show-path-domains"},
}


def _colours(chart: Chart, objective: float, present: Collection[str]) -> dict[str, str]:
    """Return what the legend names, with its colours."""
    colours: dict[str, str] = {}
    for place, series in enumerate(chart.series):
        if series.shape is not Shape.STATES:
            colours[series.label] = BLUE if place == 0 else GREY
    wanted = ["missing hours", "excused hours"]
    if any(series.shape is Shape.STATES for series in chart.series):
        wanted = [State.WHOLE, State.PARTLY, State.FAILED, *wanted]
    if chart.has_band:
        wanted.insert(0, "expected range")
    if chart.has_anomalies:
        wanted.append("anomaly")
    colours |= {name: MARKS[name] for name in wanted if name in present}
    if chart.has_objective:
        colours[objective_label(objective)] = OBJECTIVE
    return colours


def _y_scale(chart: Chart) -> Spec:
    headroom: Spec = {"range": [{"expr": "height"}, HEADROOM]}
    if any(series.shape is Shape.STATES for series in chart.series):
        return headroom | {"domain": [0, 1], "nice": False}
    if chart.unit is Unit.RATIO:
        return headroom | {"zero": False, "domainMax": 1, "nice": TICKS}
    return headroom | {"zero": True, "nice": TICKS}


def _y_axis(chart: Chart) -> Spec:
    axis: Spec = {"title": None, "tickCount": TICKS, "minExtent": 58, "maxExtent": 58}
    if any(series.shape is Shape.STATES for series in chart.series):
        return axis | {"values": [0, 1], "format": "d"}
    forms: Mapping[Unit, Spec] = {
        Unit.KILOBYTES: {"labelExpr": _BYTES},
        Unit.COUNT: {"labelExpr": _WHOLE, "tickMinStep": 1},
        Unit.MEAN: {"format": ",~f"},
        Unit.RATIO: {"format": ".4~f"},
    }
    return axis | forms[chart.unit]
