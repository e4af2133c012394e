"""Filters on mission and time alone: the ones that rollups answer.

Here: recognising them (``window_of``), and cutting their time into whole days and the rest.
Not here: the counts (``sql_rollup_reading``).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from metaplat.model.filters import And, Between, Compare, Filter, In, IsNull, Not, Or, Overlaps
from metaplat.stores.catalog.sql_filter import conjuncts
from metaplat.stores.catalog.sql_rewriting import TIME, is_required
from metaplat.stores.catalog.sql_values import DAY_MICROSECONDS, microseconds, moment_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from metaplat.model.filters import Value

FIRST_DAY, DAY_AFTER = -800_000, 3_000_000
"""Days since 1970 before and after all that a time can lie in (years 1 to 9999)."""


@dataclass(frozen=True)
class Window:
    """Missions and a stretch of time.

    Parameters
    ----------
    missions : frozenset or None
        Those asked for, None in it for files without one; None for all.
    first, last : int or None
        Microseconds since 1970, ``first`` included and ``last`` not; None is open.
    is_timed : bool
        Whether files without a time are out.
    crossed : Overlaps or None
        Those that began before ``first`` and overlap this are in it too.
    """

    missions: frozenset[str | None] | None = None
    first: int | None = None
    last: int | None = None
    is_timed: bool = False
    crossed: Overlaps | None = None

    @property
    def is_empty(self) -> bool:
        """Whether nothing can be in it."""
        return self.missions == frozenset() or (
            self.first is not None and self.last is not None and self.first >= self.last
        )

    @property
    def days(self) -> tuple[int, int]:
        """The whole days in it, as the first one and the one after the last; the two may be equal."""
        first = FIRST_DAY if self.first is None else -(-self.first // DAY_MICROSECONDS)
        last = DAY_AFTER if self.last is None else self.last // DAY_MICROSECONDS
        return first, max(first, last)

    @property
    def rest(self) -> list[Filter]:
        """What is outside its whole days, as filters that do not overlap."""
        begin, end = (day * DAY_MICROSECONDS for day in self.days)
        first = begin if self.first is None else self.first
        last = end if self.last is None else self.last
        stretches = [(first, last)] if begin == end else [(first, begin), (end, last)]
        rest = [self._between(*stretch) for stretch in stretches if stretch[0] < stretch[1]]
        if self.crossed is None or self.crossed.start is None:
            return rest
        start = self.crossed.start
        crossing: list[Filter] = [
            self.crossed,
            Compare(TIME, "<", start),
            Compare("observation_end", ">=", start),
        ]
        return [*rest, And([*self._mission_conditions(), *crossing])]

    def _between(self, first: int, last: int) -> Filter:
        begin, end = moment_of(first), moment_of(last - 1)
        return And([*self._mission_conditions(), Between(TIME, begin, end)])

    def _mission_conditions(self) -> list[Filter]:
        if self.missions is None:
            return []
        named = In("mission_id", sorted(mission for mission in self.missions if mission is not None))
        return [Or([named, IsNull("mission_id")]) if None in self.missions else named]


def window_of(where: Filter) -> Window | None:
    """Return the window that a filter says; None where it says anything else."""
    window: Window | None = Window()
    for condition in conjuncts(where):
        if window is None or (window.crossed and is_required(condition, TIME)):
            return None
        window = _narrowed(window, condition)
    return window


def _narrowed(window: Window, condition: Filter) -> Window | None:
    match condition:
        case Compare("mission_id", "=", str(mission)):
            return _of_missions(window, [mission])
        case In("mission_id", values):
            return _of_missions(window, [value for value in values if isinstance(value, str)])
        case IsNull("mission_id"):
            return _of_missions(window, [None])
        case Compare(column, operator, datetime() as value) if column == TIME:
            return _of_time(window, operator, value)
        case Between(column, low, high) if column == TIME:
            return _between(window, low, high)
        case Not(IsNull(column)) if column == TIME:
            return replace(window, is_timed=True)
        case Overlaps(start, end) if not window.is_timed:
            bounds = (None if at is None else microseconds(at) for at in (start, end))
            return replace(_clipped(window, *bounds), crossed=condition)
    return None


def _of_missions(window: Window, missions: Sequence[str | None]) -> Window:
    wanted = frozenset(missions)
    return replace(window, missions=wanted if window.missions is None else wanted & window.missions)


def _between(window: Window, low: Value, high: Value) -> Window | None:
    if not (isinstance(low, datetime) and isinstance(high, datetime)):
        return None
    return _clipped(window, microseconds(low), microseconds(high) + 1)


def _of_time(window: Window, operator: str, value: datetime) -> Window | None:
    at = microseconds(value)
    first, last = {
        "=": (at, at + 1),
        "<": (None, at),
        "<=": (None, at + 1),
        ">": (at + 1, None),
        ">=": (at, None),
        "<>": (at, at),
    }[operator]
    return None if operator == "<>" else _clipped(window, first, last)


def _clipped(window: Window, first: int | None, last: int | None) -> Window:
    firsts = [at for at in (window.first, first) if at is not None]
    lasts = [at for at in (window.last, last) if at is not None]
    return replace(window, first=max(firsts, default=None), last=min(lasts, default=None), is_timed=True)
