"""The charts as PNG: large ones to be shown and sent on, small ones for the metadata of an asset.

Here: a chart's specification with its data, title and definition, drawn.
Not here: the specification (``specs``), the library that draws (``vega``).
"""

from __future__ import annotations

import textwrap
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from metaplat.reports.vip.chart_data import chart_data, milliseconds, time_range
from metaplat.reports.vip.chart_list import Grain
from metaplat.reports.vip.specs import FONT, INK, SOFT
from metaplat.reports.vip.vega import drawn

if TYPE_CHECKING:
    from metaplat.reports.vip.chart_list import Chart
    from metaplat.reports.vip.series import ChartFrames
    from metaplat.reports.vip.stretches import Stretches

LARGE_SCALE = 1.5
"""Pixels a unit: 1,620 wide."""
SMALL_WIDTH, SMALL_HEIGHT = 640, 130
SMALL_RANGE = timedelta(days=14)
"""Newest days of an hourly chart that a small image shows: more could not be told apart."""
MAX_SMALL_BYTES = 50_000
"""Of a small image: they are stored in Dagster's event log."""
_LINE_LETTERS = {"large": 165, "small": 92}
"""Letters of a definition in one line."""


def large_image(
    spec: dict[str, Any], chart: Chart, frames: ChartFrames, stretches: Stretches, subject: str
) -> bytes:
    """Draw a chart with its title, its definition and whose history it is."""
    lines = textwrap.wrap(chart.definition, _LINE_LETTERS["large"])
    title = _title(f"{chart.number}. {chart.title}", 16, [*lines, subject])
    return drawn({**_with_data(spec, chart, frames, stretches), "title": title}, LARGE_SCALE)


def small_image(spec: dict[str, Any], chart: Chart, frames: ChartFrames, stretches: Stretches) -> bytes:
    """Draw a chart with its title alone, in at most ``MAX_SMALL_BYTES``."""
    lines = textwrap.wrap(f"{chart.number}. {chart.title}", _LINE_LETTERS["small"])
    longest = SMALL_RANGE if chart.grain is Grain.HOUR else None
    small = _with_data(spec, chart, frames, stretches, longest) | {
        "width": SMALL_WIDTH,
        "height": SMALL_HEIGHT,
        "title": _title(lines, 13, []) | {"offset": 2},
    }
    for scale in (1.0, 0.75, 0.5):
        image = drawn(small, scale)
        if len(image) <= MAX_SMALL_BYTES:
            break
    return image


def _title(text: str | list[str], size: int, lines: list[str]) -> dict[str, Any]:
    return {
        "text": text,
        "subtitle": lines,
        "anchor": "start",
        "frame": "bounds",
        "fontSize": size,
        "font": FONT,
        "color": INK,
        "subtitleFont": FONT,
        "subtitleColor": SOFT,
        "subtitleFontSize": 11.5,
        "subtitlePadding": 4,
        "offset": 10,
    }


def _with_data(
    spec: dict[str, Any],
    chart: Chart,
    frames: ChartFrames,
    stretches: Stretches,
    longest: timedelta | None = None,
) -> dict[str, Any]:
    begin, end = time_range(frames)
    if longest is not None:
        begin = max(begin, end - longest)
    bounds = [{"name": "from", "value": milliseconds(begin)}, {"name": "to", "value": milliseconds(end)}]
    return {**spec, "params": bounds, "datasets": chart_data(chart, frames, stretches)}
