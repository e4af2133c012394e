"""Hours one after the other that stand alike: what is shaded on charts and listed below them.

Here: how an hour stands in the words of the page, and runs of such hours.
Not here: drawing them (``specs``, the script of the page).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import groupby
from typing import TYPE_CHECKING

from metaplat.model.extract import ExtractStatus

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable

    import polars as pl

HOUR = timedelta(hours=1)


class State(StrEnum):
    """How an hour stands, in the words of the page."""

    WHOLE = "complete"
    PARTLY = "incomplete"
    FAILED = "failed"
    MISSING = "missing"
    UNKNOWN = "not in the history"


_STATES = {
    None: State.UNKNOWN,
    ExtractStatus.OK: State.WHOLE,
    ExtractStatus.LATE: State.WHOLE,
    ExtractStatus.FAILED: State.FAILED,
    ExtractStatus.MISSING: State.MISSING,
}


@dataclass(frozen=True)
class Stretch:
    """Some hours in a row.

    Parameters
    ----------
    first, last : datetime
        First and last hour, both included.
    what : str
        What they have in common: a state, or the reason why they are excused.
    """

    first: datetime
    last: datetime
    what: str

    @property
    def hours(self) -> int:
        """How many hours it has."""
        return round((self.last - self.first) / HOUR) + 1


@dataclass(frozen=True)
class Stretches:
    """All stretches of a history that a chart or a list shows.

    Parameters
    ----------
    states : sequence of Stretch
        Every hour is in exactly one; ``what`` is a ``State``.
    missing : sequence of Stretch
        Missing hours that nobody excused.
    excused : sequence of Stretch
        Excused hours; ``what`` is the reason.
    """

    states: list[Stretch]
    missing: list[Stretch]
    excused: list[Stretch]


def state_of(status: str | None) -> State:
    """Return how an hour with this status is shown."""
    return _STATES.get(None if status is None else ExtractStatus(status), State.PARTLY)


def find_stretches(hours: pl.DataFrame) -> Stretches:
    """Find the stretches of an hourly frame (``series.hourly``), in the order of time."""
    rows = list(hours.select("hour_utc", "status", "excused", "excuse").iter_rows())
    states = _runs((hour, state_of(status)) for hour, status, _, _ in rows)
    missing = _runs(
        (hour, None if excused or state_of(status) is not State.MISSING else State.MISSING)
        for hour, status, excused, _ in rows
    )
    excuses = _runs(
        (hour, (excuse or "no reason given") if excused else None) for hour, _, excused, excuse in rows
    )
    return Stretches(states, missing, excuses)


def _runs(hours: Iterable[tuple[datetime, str | None]]) -> list[Stretch]:
    """Join consecutive hours with one word; hours without a word are in no stretch."""
    found = []
    for what, group in groupby(hours, key=_word):
        members = [hour for hour, _ in group]
        if what is not None:
            found.append(Stretch(members[0], members[-1], str(what)))
    return found


def _word(hour: tuple[datetime, Hashable]) -> Hashable:
    return hour[1]
