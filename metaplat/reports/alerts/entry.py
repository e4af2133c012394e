"""What is remembered of one alert: whether it stands, who knows of it, what each sink was told.

Here: the nouns, and how they change with a new look at the subject or a delivery; pure.
Not here: keeping them (``ledger``), what is due to be sent (``due``).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from metaplat.reports.alerts.alert import RANKS, Alert

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from metaplat.reports.alerts.standing import Standing
    from metaplat.settings import AlertLevel

KEPT_RESOLVED = timedelta(days=30)
"""A sink that was taken out of the settings never hears of the resolution; after this it is forgotten."""


class Change(StrEnum):
    """Why a sink is told of an alert."""

    FIRING = "firing"
    WORSE = "worse"
    REMINDER = "reminder"
    EASED = "eased"
    """It still stands, at a level below what this sink asked for."""
    RESOLVED = "resolved"

    @property
    def good(self) -> bool:
        """Whether the sink need not care any more."""
        return self in (Change.EASED, Change.RESOLVED)


@dataclass(frozen=True)
class Acknowledgement:
    """Somebody takes care: no reminders until the alert is resolved or gets worse."""

    by: str
    note: str
    at: datetime


@dataclass(frozen=True)
class Told:
    """The last time a sink was told that an alert stands.

    ``since`` tells this time of standing from an earlier one; ``level`` falls with the alert's own, so that
    another rise is news again.
    """

    level: AlertLevel
    since: datetime
    at: datetime


@dataclass(frozen=True)
class Pending:
    """What could not be delivered: tried again on the next occasion, as long as it is still true."""

    change: Change
    attempts: int
    problem: str
    at: datetime


@dataclass(frozen=True)
class SinkState:
    """What one sink knows of one alert: told None means that for the sink it does not stand."""

    told: Told | None = None
    pending: Pending | None = None


@dataclass(frozen=True)
class Entry:
    """One alert and what became of it.

    Parameters
    ----------
    alert : Alert
        As it stands, or stood last.
    resolved_at : datetime or None
        None while it stands.
    acknowledged : Acknowledgement or None
        Who takes care of it.
    sinks : mapping of str to SinkState
        By name of the sink.
    """

    alert: Alert
    resolved_at: datetime | None = None
    acknowledged: Acknowledgement | None = None
    sinks: Mapping[str, SinkState] = field(default_factory=dict)

    @property
    def firing(self) -> bool:
        """Whether it stands."""
        return self.resolved_at is None


Entries = dict[str, Entry]
"""By alert id."""


def observed(entries: Mapping[str, Entry], standing: Standing, now: datetime) -> Entries:
    """Return the entries of a subject after a new look at it."""
    after = {alert.id: _seen(entries.get(alert.id), alert) for alert in standing.alerts}
    for name, entry in entries.items():
        if name in after:
            continue
        if entry.firing and name not in standing.undecided:
            entry = replace(entry, resolved_at=now, acknowledged=None)
        after[name] = entry
    return without_settled(after, now)


def _seen(before: Entry | None, alert: Alert) -> Entry:
    if before is None:
        return Entry(alert)
    if not before.firing:
        return Entry(alert, sinks=before.sinks)
    # not alert.since: a verdict that was "not evaluated" in between begins anew, the alert does not
    alert = replace(alert, since=before.alert.since)
    worse = alert.rank > before.alert.rank
    sinks = {name: _eased(state, alert) for name, state in before.sinks.items()}
    return Entry(alert, acknowledged=None if worse else before.acknowledged, sinks=sinks)


def _eased(state: SinkState, alert: Alert) -> SinkState:
    if state.told is None or RANKS[state.told.level] <= alert.rank:
        return state
    return replace(state, told=replace(state.told, level=alert.level))


def delivered(entry: Entry, sink: str, change: Change, alert: Alert, now: datetime) -> Entry:
    """Return the entry after ``sink`` was told of ``alert`` as it then was."""
    told = None if change.good else Told(alert.level, alert.since, now)
    return replace(entry, sinks={**entry.sinks, sink: SinkState(told)})


def undelivered(entry: Entry, sink: str, change: Change, problem: str, now: datetime) -> Entry:
    """Return the entry after ``sink`` could not be told."""
    state = entry.sinks.get(sink, SinkState())
    attempts = state.pending.attempts if state.pending else 0
    pending = Pending(change, attempts + 1, problem, now)
    return replace(entry, sinks={**entry.sinks, sink: replace(state, pending=pending)})


def without_settled(entries: Entries, now: datetime) -> Entries:
    """Drop what is resolved and of which no sink believes any more that it stands."""
    kept: Entries = {}
    for name, entry in entries.items():
        if entry.resolved_at is None:
            kept[name] = entry
            continue
        sinks = {sink: state for sink, state in entry.sinks.items() if state.told is not None}
        if sinks and now - entry.resolved_at < KEPT_RESOLVED:
            kept[name] = replace(entry, sinks=sinks)
    return kept
