"""Where each partition's cell stands: one row of cells, a calendar, hours by day, or a grid of buckets.

Here: places and axis labels, computed once for a domain so that the strips of all its rules line up.
Not here: colours and sizes (the template), what a cell says (``rule_report``).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from metaplat.reports.rule_report import Cell, PartitionMark

ONE_ROW = 100
"""Partitions that fit side by side; more are folded into weeks or days."""
MOST_CELLS = 1100
"""Cells drawn for one rule: three years of days, 45 days of hours; older partitions are only counted."""
BUCKET_COLUMNS = 16
WEEKS = (1, 8, 15, 22)
"""Days of a month that carry a label."""
WEEKS_OF_A_YEAR = 53

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
Place = tuple[int, int]


@dataclass(frozen=True)
class Label:
    """A text on an axis, at the ``at``-th row or column, counted from 1."""

    at: int
    text: str


@dataclass(frozen=True)
class Block:
    """Cells drawn together: places of partitions by key, and the labels of both axes."""

    columns: int
    rows: int
    places: dict[str, Place]
    across: tuple[Label, ...] = ()
    down: tuple[Label, ...] = ()


@dataclass(frozen=True)
class Layout:
    """How the partitions of a domain are drawn.

    Parameters
    ----------
    kind : str
        ``row``, ``calendar``, ``hours`` or ``grid``.
    blocks : tuple of Block
        One, but for a calendar of more than a year.
    hidden : int
        Older partitions that are not drawn.
    """

    kind: str
    blocks: tuple[Block, ...]
    hidden: int = 0


def lay_out(marks: Sequence[PartitionMark]) -> Layout:
    """Choose how to draw ``marks``, and place them."""
    if not marks:
        return Layout("row", ())
    lengths = {mark.length for mark in marks}
    shown, hidden = marks[-MOST_CELLS:], max(0, len(marks) - MOST_CELLS)
    if len(shown) > ONE_ROW and lengths == {DAY}:
        return Layout("calendar", _calendar(shown), hidden)
    if len(shown) > ONE_ROW and lengths == {HOUR}:
        return Layout("hours", (_hours(shown),), hidden)
    if None in lengths or len(shown) > ONE_ROW:
        return Layout("grid", (_grid(shown),), hidden)
    return Layout("row", (_row(shown),), hidden)


def place_cells(cells: Sequence[Cell], block: Block) -> list[tuple[Cell, int, int]]:
    """Return the cells of ``block`` with row and column."""
    return [(cell, *block.places[cell.mark.key]) for cell in cells if cell.mark.key in block.places]


def _row(marks: Sequence[PartitionMark]) -> Block:
    places = {mark.key: (1, column) for column, mark in enumerate(marks, 1)}
    return Block(len(marks), 1, places, _spread(_row_labels(marks), len(marks)))


def _row_labels(marks: Sequence[PartitionMark]) -> list[Label]:
    """Label the first cell in full, then those at which a week, a day or a quarter of a day begins."""
    starts = [(at, mark.start) for at, mark in enumerate(marks, 1) if mark.start]
    if marks[0].length == HOUR:
        return [
            Label(at, _day(start) if at == 1 or start.hour == 0 else f"{start:%H:%M}")
            for at, start in starts
            if at == 1 or start.hour % 6 == 0
        ]
    every_day = len(marks) <= 10  # all labels fit
    return [
        Label(at, _day(start) if at == 1 or start.day == 1 else str(start.day))
        for at, start in starts
        if at == 1 or every_day or start.day in WEEKS
    ]


def _day(start: datetime) -> str:
    return f"{start:%b} {start.day}"


def _spread(labels: Sequence[Label], columns: int) -> tuple[Label, ...]:
    """Drop labels that would touch the one before: a label needs about a ninth of the width."""
    kept: list[Label] = []
    for label in labels:
        if not kept or (label.at - kept[-1].at) * 9 >= columns:
            kept.append(label)
    return tuple(kept)


def _calendar(marks: Sequence[PartitionMark]) -> tuple[Block, ...]:
    """Fold days into weeks: a column is a week from Monday, a row is a weekday; a block is at most a year."""
    days = _started(marks)
    monday = days[0][1] - days[0][1].weekday() * DAY
    weeks = (days[-1][1] - monday).days // 7 + 1
    blocks = -(-weeks // WEEKS_OF_A_YEAR)
    size = -(-weeks // blocks) * 7
    by_block = groupby(days, lambda day: (day[1] - monday).days // size)
    return tuple(_calendar_block(monday + number * size * DAY, list(within)) for number, within in by_block)


def _calendar_block(monday: datetime, days: Sequence[tuple[str, datetime]]) -> Block:
    places = {key: (start.weekday() + 1, (start - monday).days // 7 + 1) for key, start in days}
    months = [Label(places[key][1], _month(start)) for key, start in days if start.day == 1]
    if not months or months[0].at > 6:  # room for the name of the month that is cut
        months.insert(0, Label(1, f"{days[0][1]:%b %Y}"))
    columns = max(column for _, column in places.values())
    fitting = tuple(label for label in months if label.at < columns - 1 or label.at == 1)
    return Block(columns, 7, places, fitting, (Label(1, "Mon"), Label(7, "Sun")))


def _month(start: datetime) -> str:
    return str(start.year) if start.month == 1 else f"{start:%b}"


def _hours(marks: Sequence[PartitionMark]) -> Block:
    """Fold hours into days: a column is a day, a row is an hour."""
    hours = _started(marks)
    first = hours[0][1].replace(hour=0)
    places = {key: (start.hour + 1, (start - first).days + 1) for key, start in hours}
    columns = max(column for _, column in places.values())
    days = [first + column * DAY for column in range(columns)]
    starting = [Label(at, _day(day)) for at, day in enumerate(days, 1) if at == 1 or day.day in WEEKS]
    clock = tuple(Label(hour + 1, f"{hour:02}:00") for hour in (0, 6, 12, 18))
    return Block(columns, 24, places, _spread(starting, columns), clock)


def _started(marks: Iterable[PartitionMark]) -> list[tuple[str, datetime]]:
    return [(mark.key, mark.start) for mark in marks if mark.start]


def _grid(marks: Sequence[PartitionMark]) -> Block:
    places = {
        mark.key: (place // BUCKET_COLUMNS + 1, place % BUCKET_COLUMNS + 1)
        for place, mark in enumerate(marks)
    }
    rows = -(-len(marks) // BUCKET_COLUMNS)
    columns = min(len(marks), BUCKET_COLUMNS)
    labelled = range(0, rows, 4 if rows > 4 else 1)
    down = tuple(Label(row + 1, marks[row * BUCKET_COLUMNS].key) for row in labelled)
    return Block(columns, rows, places, (), down)
