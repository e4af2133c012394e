"""The temporal functions of CQL2 as filters.

Here: ``T_INTERSECTS``, ``T_DISJOINT``, ``T_BEFORE``, ``T_AFTER`` and ``T_DURING``.
Not here: comparisons of times (``predicates``), reading them (``operands``).

Times follow the standard (OGC 21-065, clauses 6 and 7): a date is a whole day, an interval includes both its
ends. ``datetime`` (``observation_timestamp``) stands for the whole observation here, from its begin to its
end, as does ``INTERVAL(observation_timestamp, observation_end)``; other time columns are moments.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from metaplat.catalog.cql2.operands import Interval, MisuseError, Moment, Operand, Property, read
from metaplat.catalog.words import Day
from metaplat.model.filters import And, Compare, Filter, Not, Overlaps

if TYPE_CHECKING:
    from collections.abc import Sequence

    from metaplat.model.filters import Operator

BEGIN_NAMES = frozenset({"observation_timestamp", "datetime", "start_datetime"})
END_NAMES = frozenset({"observation_end", "end_datetime"})
TICK = timedelta(microseconds=1)
"""The resolution of all times: what is closed at t is open one tick later."""
FUNCTIONS = ("t_intersects", "t_disjoint", "t_before", "t_after", "t_during")


@dataclass(frozen=True)
class _Window:
    """The literal side of a temporal function: ``[start, after)``, and ``end`` as it was written."""

    start: datetime | None
    end: datetime | None
    after: datetime | None
    is_interval: bool


def temporal(name: str, args: Sequence[Operand]) -> Filter:
    """Return what a temporal function finds.

    Parameters
    ----------
    name : str
        One of ``FUNCTIONS``.
    args : sequence of Operand
        A column and a time, in any order.

    Raises
    ------
    MisuseError
        They are something else, or the time is none of use.
    """
    if len(args) != 2:
        raise MisuseError(
            f"{name.upper()} takes two arguments: {name.upper()}(datetime, INTERVAL('2026-03-01', '..'))"
        )
    subject, other = args
    if not _is_subject(subject) and _is_subject(other):
        subject, other = other, subject
        name = {"t_before": "t_after", "t_after": "t_before", "t_during": "t_contains"}.get(name, name)
    if not _is_subject(subject) or _is_subject(other):
        raise MisuseError(f"{name.upper()} takes one column and one time")
    window = _window(other)
    if isinstance(subject, Property) and subject.name not in BEGIN_NAMES:
        return _moment_predicate(name, subject.name, window)
    return _observation_predicate(name, window)


def _is_subject(operand: Operand) -> bool:
    """Say whether an operand is of the observation: a column, or the interval of its begin and end."""
    if not isinstance(operand, Interval):
        return isinstance(operand, Property)
    columns = [bound.name for bound in (operand.start, operand.end) if isinstance(bound, Property)]
    if columns and not (len(columns) == 2 and columns[0] in BEGIN_NAMES and columns[1] in END_NAMES):
        raise MisuseError("an interval of columns is INTERVAL(observation_timestamp, observation_end) only")
    return bool(columns)


def _window(operand: Operand) -> _Window:
    if isinstance(operand, Interval):
        start, end, is_interval = operand.start, operand.end, True
    elif isinstance(operand, str):
        start = end = read(operand)
        is_interval = False
    elif isinstance(operand, datetime | Day):
        start = end = operand
        is_interval = False
    else:
        raise MisuseError("a time is TIMESTAMP('...'), DATE('...') or INTERVAL('...', '...')")
    if isinstance(start, Property) or isinstance(end, Property):  # refused before; said for the type checker
        raise MisuseError("an interval of columns is INTERVAL(observation_timestamp, observation_end) only")
    window = _Window(_begin(start), *_ends(end), is_interval)
    if window.start is not None and window.after is not None and window.start >= window.after:
        raise MisuseError("the interval ends before it begins")
    return window


def _begin(bound: Moment | None) -> datetime | None:
    return bound.begin if isinstance(bound, Day) else bound


def _ends(bound: Moment | None) -> tuple[datetime | None, datetime | None]:
    """Return the end of a window as written, and the first moment after it."""
    if bound is None:
        return None, None
    if isinstance(bound, Day):
        return bound.end, bound.end
    try:
        return bound, bound + TICK
    except OverflowError:  # the last moment there is: open
        return bound, None


def _observation_predicate(name: str, window: _Window) -> Filter:
    match name:
        case "t_intersects":
            return Overlaps(window.start, window.after)
        case "t_disjoint":
            return Not(Overlaps(window.start, window.after))
        case "t_before":
            return Not(Overlaps(_needed(window.start, name), None))
        case "t_after":
            return Not(Overlaps(None, _needed(window.after, name)))
        case "t_during" if window.is_interval:
            parts: list[Filter] = []
            if window.start is not None:
                parts.append(Compare("observation_timestamp", ">", window.start))
            if window.end is not None:
                parts.append(Not(Overlaps(window.end, None)))
            return _all(parts)
    raise _during_error()


def _moment_predicate(name: str, column: str, window: _Window) -> Filter:
    match name:
        case "t_intersects" | "t_disjoint":
            within = _all([*_from(column, ">=", window.start), *_from(column, "<", window.after)])
            return within if name == "t_intersects" else Not(within)
        case "t_before":
            return Compare(column, "<", _needed(window.start, name))
        case "t_after":
            return Compare(column, ">=", _needed(window.after, name))
        case "t_during" if window.is_interval:
            return _all([*_from(column, ">", window.start), *_from(column, "<", window.end)])
    raise _during_error()


def _from(column: str, operator: Operator, bound: datetime | None) -> list[Filter]:
    return [] if bound is None else [Compare(column, operator, bound)]


def _all(parts: list[Filter]) -> Filter:
    if not parts:
        raise MisuseError("an interval that is open on both sides says nothing here; use IS NOT NULL")
    return parts[0] if len(parts) == 1 else And(tuple(parts))


def _needed(bound: datetime | None, name: str) -> datetime:
    if bound is None:
        side, place = ("begin", "before") if name == "t_before" else ("end", "after")
        raise MisuseError(f"the interval has no {side}, so nothing is {place} it")
    return bound


def _during_error() -> MisuseError:
    return MisuseError(
        "T_DURING takes a column, then an interval: T_DURING(datetime, INTERVAL('2026-03-01', '2026-03-02'))"
    )
