"""The views of a heat map on the page: shade and tooltip of each cell, and what the map says without colours.

Here: one view for the checks and one for each figure. Not here: cells (``heat_map``), colours (style sheet).
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, sqrt
from statistics import median
from typing import TYPE_CHECKING

from metaplat.reports.tables.heat_map import COLUMNS, STATES, Cell
from metaplat.reports.wording import age_text, minute_text

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

SHADES = 7
"""Shade 0 is nothing, ``SHADES`` the most."""
SAME_AGE_SECONDS = 3600.0
"""Files written within an hour are of one age."""
LETTERS = {"passed": "p", "failed": "f", "warning": "w", "not evaluated": "n", "missing": "m"}
LABELLED_ROWS = 4
FAILING = ("failed", "warning")


@dataclass(frozen=True)
class Square:
    """A drawn cell: classes of the style sheet, and a tooltip."""

    classes: str
    title: str


@dataclass(frozen=True)
class View:
    """One map: its name, a sentence that says the same without colours, its squares by bucket."""

    name: str
    said: str
    squares: Sequence[Square]


@dataclass(frozen=True)
class HeatMap:
    """All views of one table; ``labels`` are row (from 1) and first bucket of the labelled rows."""

    columns: int
    rows: int
    labels: Sequence[tuple[int, int]]
    views: Sequence[View]


def heat_map(cells: Sequence[Cell], now: datetime) -> HeatMap:
    """Draw ``cells`` in every view, as of ``now``."""
    rows = -(-len(cells) // COLUMNS)
    every = 1 if rows <= LABELLED_ROWS else -(-rows // (-(-rows // LABELLED_ROWS)))
    labels = [(row + 1, cells[row * COLUMNS].first) for row in range(0, rows, every)]
    views = [
        _checks(cells),
        _counts("rows", cells, lambda cell: cell.rows, _beside_usual, _spread),
        _counts("null keys", cells, lambda cell: cell.key_nulls, _visible_share, _in_buckets),
        _counts("duplicate rows", cells, lambda cell: cell.duplicate_rows, _visible_share, _in_buckets),
        _age(cells, now),
    ]
    return HeatMap(min(len(cells), COLUMNS), rows, labels, views)


def _checks(cells: Sequence[Cell]) -> View:
    counts = {state: sum(cell.state == state for cell in cells) for state in STATES}
    said = [f"{count:,} {state}" for state, count in counts.items() if count]
    return View("checks", ", ".join(said), [Square(LETTERS[cell.state], _title(cell, "")) for cell in cells])


def _title(cell: Cell, figure: str) -> str:
    """Write a tooltip: bucket, figure, and what fails there."""
    state = f"{cell.state}: {', '.join(cell.failing)}" if cell.failing else cell.state
    return "; ".join(part for part in (f"{cell.name}: {figure}" if figure else cell.name, state) if part)


def _counts(
    name: str,
    cells: Sequence[Cell],
    value_of: Callable[[Cell], int | None],
    shade: Callable[[int, float, int], int],
    say: Callable[[Sequence[int]], str],
) -> View:
    values = [None if cell.state == "missing" else value_of(cell) for cell in cells]
    known = [value for value in values if value is not None]
    usual, most = median([value for value in known if value] or [0]), max(known, default=0)
    squares = []
    for cell, value in zip(cells, values, strict=True):
        figure = f"{name} unknown" if value is None else f"{value:,} {name}"
        classes = _unknown(cell) if value is None else f"s{shade(value, usual, most)}{_outline(cell)}"
        squares.append(Square(classes, _title(cell, "" if cell.state == "missing" else figure)))
    return View(name, say(known) if known else "unknown", squares)


def _unknown(cell: Cell) -> str:
    return "m" if cell.state == "missing" else f"n{_outline(cell)}"


def _outline(cell: Cell) -> str:
    return f" {LETTERS[cell.state]}o" if cell.state in FAILING else ""


def _beside_usual(value: int, usual: float, most: int) -> int:
    """Return the middle shade for the median: even buckets look even, full and poor ones differ."""
    del most
    return min(SHADES, ceil(SHADES / 2 * value / usual)) if value else 0


def _visible_share(value: int, usual: float, most: int) -> int:
    """Return a shade in which few are seen beside many: any is at least 2."""
    del usual
    return max(2, ceil(SHADES * sqrt(value / most))) if value else 0


def _spread(values: Sequence[int]) -> str:
    low, high = min(values), max(values)
    return f"{low:,} to {high:,} a bucket" if low != high else f"{low:,} a bucket"


def _in_buckets(values: Sequence[int]) -> str:
    buckets = sum(value > 0 for value in values)
    if not buckets:
        return "none"
    return f"{sum(values):,} in {buckets:,} bucket{'' if buckets == 1 else 's'}"


def _age(cells: Sequence[Cell], now: datetime) -> View:
    times = [cell.newest_modified for cell in cells if cell.newest_modified]
    if not times:
        return View("age", "unknown", [Square(_unknown(cell), _title(cell, "")) for cell in cells])
    newest, oldest = max(times), min(times)
    range_seconds = max((newest - oldest).total_seconds(), SAME_AGE_SECONDS)
    squares = []
    for cell in cells:
        if cell.newest_modified is None:
            squares.append(Square(_unknown(cell), _title(cell, "")))
            continue
        share = (newest - cell.newest_modified).total_seconds() / range_seconds
        classes = f"s{1 + round((SHADES - 1) * share)}{_outline(cell)}"
        said = f"newest file {minute_text(cell.newest_modified)} UTC"
        squares.append(Square(classes, _title(cell, said)))
    return View("age", _ages(newest, oldest, now), squares)


def _ages(newest: datetime, oldest: datetime, now: datetime) -> str:
    youngest, eldest = age_text(newest, now), age_text(oldest, now)
    return youngest if youngest == eldest else f"{youngest} to {eldest}"
