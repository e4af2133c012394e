"""What stands in a predicate of CQL2: columns, literals, intervals, and the times in them.

Here: the operands, and the error of a predicate that means nothing.
Not here: what predicates mean (``predicates``, ``temporal``).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from metaplat.catalog.words import Day, read_moment, shown

MAX_DEPTH = 100
"""Levels of brackets and negations; both readers walk by recursion."""


class MisuseError(ValueError):
    """A predicate that means nothing here; the reader adds where it stands."""


@dataclass(frozen=True)
class Property:
    """A column by the name it was written with."""

    name: str


Moment = datetime | Day


@dataclass(frozen=True)
class Interval:
    """From one bound to another, both included; None is open."""

    start: Property | Moment | None
    end: Property | Moment | None


Literal = str | int | float | bool | datetime | Day
Operand = Property | Interval | Literal


def moment_of(text: str) -> datetime:
    """Read the text of a ``TIMESTAMP``; raises MisuseError."""
    moment = read(text)
    if not isinstance(moment, datetime):
        raise MisuseError(
            f"{shown(text)} is a day and no timestamp; write DATE({shown(text)}), or add the time"
        )
    return moment


def day_of(text: str) -> Day:
    """Read the text of a ``DATE``; raises MisuseError."""
    moment = read(text)
    if isinstance(moment, datetime):
        raise MisuseError(f"{shown(text)} is no day such as 2026-03-01")
    return moment


def bound_of(operand: Operand) -> Property | Moment | None:
    """Read a bound of an ``INTERVAL``: a column, a day, a moment, or ``..`` for none; raises MisuseError."""
    if isinstance(operand, Property | datetime | Day):
        return operand
    if not isinstance(operand, str):
        raise MisuseError("an interval is bounded by times: INTERVAL('2026-03-01', '..')")
    return None if operand == ".." else read(operand)


def read(text: str) -> Moment:
    """Read a day or a moment; raises MisuseError."""
    try:
        return read_moment(text)
    except ValueError as error:
        raise MisuseError(f"{shown(text)} {error}") from error
