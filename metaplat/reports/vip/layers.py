"""The layers of a chart: shading, lines, bars, marks, each as Vega-Lite has it.

Here: one function a shape, and the colours of what is marked.
Not here: axes, legend and size (``specs``), data (``chart_data``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from metaplat.reports.vip.chart_list import Chart, Grain, Series, Shape
from metaplat.reports.vip.stretches import State

if TYPE_CHECKING:
    from collections.abc import Collection

    Spec = dict[str, Any]

BLUE, GREY, OBJECTIVE = "#0072b2", "#4a525c", "#a3396f"
BAND, MISSING_TINT = "#cde4f2", "#fbe4df"
# a palette that the colour-blind can tell apart (Okabe and Ito); shapes differ as well
MARKS = {
    "missing hours": "#b3261e",
    "excused hours": "#dcdfe3",
    "anomaly": "#d55e00",
    "expected range": BAND,
    State.WHOLE: "#5aa9d6",
    State.PARTLY: "#e69f00",
    State.FAILED: "#7a3f98",
}
_X = {
    "type": "temporal",
    "scale": {"type": "utc", "domain": [{"expr": "from"}, {"expr": "to"}], "nice": False},
}
_Y2_ZERO = {"datum": 0}
WIDEST_BAND = 1.5
"""The expected range is cut off at so many times the largest size, or the largest low end of the range."""


def objective_label(objective: float) -> str:
    """Return what the legend calls the line of the objective."""
    return f"objective {objective * 100:.10g} %"


def chart_layers(chart: Chart, objective: float, named: Collection[str]) -> list[Spec]:
    """Return the layers of a chart, the lowest first; of the marks those that its legend names."""
    layers = _shades(named)
    if "expected range" in named:
        layers.append(_band())
    for series in reversed(chart.series):  # the first one lies on top
        layers += _DRAWN[series.shape](series, chart)
    if "anomaly" in named:
        layers.append(_anomalies(chart.series[0]))
    if chart.has_objective:
        layers.append(_objective_line(objective))
    return layers + _ticks(named)


def _shades(named: Collection[str]) -> list[Spec]:
    """Shade excused and missing hours from top to bottom."""
    full = {"y": {"value": 0}, "y2": {"value": "height"}}
    layers = []
    if "excused hours" in named:
        layers.append(_stretch("excused", full, {"datum": "excused hours"}, MARKS["excused hours"]))
    if "missing hours" in named:
        layers.append(_stretch("missing", full, {"value": MISSING_TINT}, MISSING_TINT))
    return layers


def _ticks(named: Collection[str]) -> list[Spec]:
    """Mark missing hours at the foot, on top of everything: even a single hour of a year is seen."""
    if "missing hours" not in named:
        return []
    foot = {"y": {"value": {"expr": "height - 7"}}, "y2": {"value": "height"}}
    return [_stretch("missing", foot, {"datum": "missing hours"}, MARKS["missing hours"])]


def _stretch(kind: str, place: Spec, colour: Spec, stroke: str) -> Spec:
    return {
        "data": {"name": "stretches"},
        "transform": [{"filter": {"field": "kind", "equal": kind}}],
        "mark": {"type": "rect", "clip": True, "stroke": stroke, "strokeWidth": 1, "opacity": 1},
        "encoding": {"x": {"field": "from", **_X}, "x2": {"field": "to"}, **place, "color": colour},
    }


def _band() -> Spec:
    """Draw the expected range; where it is very wide (warming up), it does not flatten the line below it."""
    largest = [
        {"op": "max", "field": "size_kb", "as": "largest_size"},
        {"op": "max", "field": "band_lo_kb", "as": "largest_low"},
    ]
    top = f"{WIDEST_BAND} * max(datum.largest_size, datum.largest_low)"
    shown = f"datum.band_hi_kb === null ? null : min(datum.band_hi_kb, {top})"
    return {
        "transform": [{"joinaggregate": largest}, {"calculate": shown, "as": "band_top_kb"}],
        "mark": {"type": "area", "interpolate": "step-after", "clip": True, "opacity": 1},
        "encoding": {
            "x": {"field": "t", **_X},
            "y": {"field": "band_lo_kb", "type": "quantitative"},
            "y2": {"field": "band_top_kb"},
            "color": {"datum": "expected range"},
        },
    }


def _line(series: Series, x: str, **mark: Any) -> Spec:
    return {
        "mark": {"type": "line", "clip": True, **mark},
        "encoding": {
            "x": {"field": x, **_X},
            "y": {"field": series.column, "type": "quantitative"},
            "color": {"datum": series.label},
        },
    }


def _middle(chart: Chart) -> str:
    return "t" if chart.grain is Grain.HOUR else "mid"


def _step(series: Series, chart: Chart) -> list[Spec]:
    lone = _line(series, "mid")  # an hour between two gaps has no line
    lone["mark"] = {"type": "point", "filled": True, "size": 14, "clip": True, "opacity": 1}
    lone["transform"] = [{"filter": "datum.lone"}]
    return [_line(series, _middle(chart), interpolate="step-after"), lone]


def _filled(series: Series, chart: Chart) -> list[Spec]:
    area = _line(series, _middle(chart))
    area["mark"] = {"type": "area", "interpolate": "step-after", "clip": True, "opacity": 1, "line": False}
    return [area, *_step(series, chart)]


def _dashed(series: Series, chart: Chart) -> list[Spec]:
    form = "step-after" if chart.grain is Grain.HOUR else "linear"
    return [_line(series, _middle(chart), interpolate=form, strokeDash=[4, 3], strokeWidth=1.2)]


def _points(series: Series, chart: Chart) -> list[Spec]:
    points, hollow = (_line(series, _middle(chart)) for _ in range(2))
    points["mark"] = {"type": "point", "filled": True, "size": 28, "opacity": 1, "clip": True}
    hollow["mark"] = points["mark"] | {"size": 10}
    hollow["transform"] = [{"filter": "datum.is_partial"}]
    hollow["encoding"]["color"] = {"value": "#ffffff"}
    return [_line(series, _middle(chart)), points, hollow]


def _day(series: Series, mark: Spec) -> Spec:
    return {
        "mark": {"clip": True, **mark},
        "encoding": {
            "x": {"field": "t", **_X},
            "x2": {"field": "t2"},
            "y": {"field": series.column, "type": "quantitative"},
            "color": {"datum": series.label},
        },
    }


def _bars(series: Series, chart: Chart) -> list[Spec]:
    del chart
    bar = _day(series, {"type": "rect", "stroke": "#ffffff", "strokeWidth": 0.6})
    bar["encoding"]["y2"] = _Y2_ZERO
    bar["encoding"]["opacity"] = {"condition": {"test": "datum.is_partial", "value": 0.45}, "value": 0.85}
    return [bar]


def _caps(series: Series, chart: Chart) -> list[Spec]:
    del chart
    return [_day(series, {"type": "rule", "strokeWidth": 1.6})]


def _states(series: Series, chart: Chart) -> list[Spec]:
    del series, chart
    thin = {"condition": {"test": f"datum.state === '{State.WHOLE}'", "value": 0}, "value": 1}
    return [
        {
            "data": {"name": "runs"},
            "mark": {"type": "rect", "clip": True, "opacity": 1},
            "encoding": {
                "x": {"field": "from", **_X},
                "x2": {"field": "to"},
                "y": {"datum": 1, "type": "quantitative"},
                "y2": _Y2_ZERO,
                "color": {"field": "state", "type": "nominal"},
                "stroke": {"field": "state", "type": "nominal", "legend": None,
                           "scale": {"domain": list(MARKS), "range": list(MARKS.values())}},
                "strokeWidth": thin,
            },
        }
    ]  # fmt: skip


_DRAWN = {
    Shape.STEP: _step,
    Shape.FILLED: _filled,
    Shape.DASHED: _dashed,
    Shape.POINTS: _points,
    Shape.BARS: _bars,
    Shape.CAPS: _caps,
    Shape.STATES: _states,
}


def _anomalies(series: Series) -> Spec:
    return {
        "transform": [{"filter": {"field": "anomaly", "oneOf": ["low", "high"]}}],
        "mark": {"type": "point", "filled": True, "size": 70, "opacity": 1, "clip": True,
                 "stroke": "#ffffff", "strokeWidth": 0.8},
        "encoding": {
            "x": {"field": "mid", **_X},
            "y": {"field": series.column, "type": "quantitative"},
            "color": {"datum": "anomaly"},
            "shape": {
                "field": "anomaly", "type": "nominal", "legend": None,
                "scale": {"domain": ["low", "high"], "range": ["triangle-down", "triangle-up"]},
            },
        },
    }  # fmt: skip


def _objective_line(objective: float) -> Spec:
    return {
        "data": {"values": [{}]},
        "mark": {"type": "rule", "strokeDash": [6, 4], "strokeWidth": 1.4},
        "encoding": {
            "y": {"datum": objective, "type": "quantitative"},
            "color": {"datum": objective_label(objective)},
        },
    }
