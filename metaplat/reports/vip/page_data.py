"""The data of the page, compact: every column once as an array, shared by all charts that draw it.

Here: the one JSON document that the script of the page reads; times are places in the arrays.
Not here: what the script makes of it (``templates/vip_charts.js``), figures (``series``).
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from metaplat.reports.plain_values import plain
from metaplat.reports.vip.chart_data import milliseconds, time_range
from metaplat.reports.vip.chart_list import CHARTS, Grain
from metaplat.reports.vip.stretches import HOUR, State

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    import polars as pl

    from metaplat.reports.vip.series import ChartFrames
    from metaplat.reports.vip.stretches import Stretch, Stretches

DIGITS = 4
"""Significant digits of the expected range and the score."""
NAMED_TABLES = 5
"""Missing tables that the page names for one hour."""
KNOWN_TABLES = 400
"""Tables that the page can name: those that are missing most."""
LONGEST_NAME = 80
"""Characters of a name."""
_WORDS = ("status", "anomaly", "baseline", "excuse")
_ROUNDED = ("band_lo_kb", "band_hi_kb", "score")


def page_data(
    frames: ChartFrames, stretches: Stretches, compiled: Mapping[str, Mapping[str, Any]]
) -> dict[str, Any]:
    """Return the document of a history that has hours.

    Parameters
    ----------
    compiled : mapping
        The compiled specification of each chart, by name.
    """
    begin, _ = time_range(frames)
    hours, words = _coded(frames.hours.with_columns(_round(name) for name in _ROUNDED))
    return {
        "begin": milliseconds(begin),
        "firstDay": milliseconds(frames.days["day_utc"][0]),
        "hours": {name: hours[name].to_list() for name in _columns(Grain.HOUR, "excuse")},
        "days": {name: frames.days[name].to_list() for name in _columns(Grain.DAY)},
        "words": words,
        "states": [str(state) for state in State],
        "runs": [[_place(list(State), each.what), *_places(each, begin)] for each in stretches.states],
        "missing": [_places(each, begin) for each in stretches.missing],
        "excused": [_places(each, begin) for each in stretches.excused],
        **_missing_names(frames.hours),
        "charts": [
            {
                "name": chart.name,
                "grain": chart.grain,
                "unit": chart.unit,
                "series": [[each.column, each.label] for each in chart.series],
                "band": chart.has_band,
                "anomalies": chart.has_anomalies,
                "columns": chart.columns[1:],
                "spec": compiled[chart.name],
            }
            for chart in CHARTS
        ],
    }


def _columns(grain: Grain, *more: str) -> list[str]:
    """Return the columns that charts of a grain draw or tell."""
    drawn = [name for chart in CHARTS if chart.grain is grain for name in chart.columns[1:]]
    return [name for name in dict.fromkeys([*drawn, *more]) if name != "excused"]


def _round(name: str) -> pl.Expr:
    import polars as pl

    return pl.col(name).round_sig_figs(DIGITS)


def _coded(hours: pl.DataFrame) -> tuple[pl.DataFrame, dict[str, list[str]]]:
    """Write words as places in a list of them, each of which is there once."""
    words: dict[str, list[str]] = {}
    for name in _WORDS:
        found = hours[name].drop_nulls().unique().sort().to_list()
        words[name] = [plain(word) for word in found]
        places = {word: place for place, word in enumerate(found)}
        hours = hours.with_columns(_places_of(hours[name], places))
    return hours, words


def _places_of(column: pl.Series, places: Mapping[str, int]) -> pl.Series:
    import polars as pl

    return pl.Series(column.name, [None if word is None else places[word] for word in column], pl.Int64)


def _missing_names(hours: pl.DataFrame) -> dict[str, Any]:
    """Name the missing tables of the hours that delivered others, by the place of the hour."""
    rows = hours.select("job_delivered", "missing_tables").iter_rows()
    found = {place: names for place, (came, names) in enumerate(rows) if came and names}
    often = Counter(name for names in found.values() for name in names).most_common(KNOWN_TABLES)
    places = {name: place for place, (name, _) in enumerate(often)}
    return {
        "tables": [str(plain(name))[:LONGEST_NAME] for name in places],
        "missingTables": {
            str(hour): [places[name] for name in names if name in places][:NAMED_TABLES]
            for hour, names in found.items()
        },
    }


def _place(words: Sequence[str], word: str) -> int:
    return words.index(word)


def _places(stretch: Stretch, begin: datetime) -> list[int]:
    """Return a stretch as places of its first hour and of the one after its last."""
    return [round((stretch.first - begin) / HOUR), round((stretch.last + HOUR - begin) / HOUR)]
