"""What a sink is due to be told.

Here: the decision, from what stands and what the sink was told; pure.
Not here: sending (``notify``). Nothing is queued: what could not be sent is due again as long as it is true.
"""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from metaplat.reports.alerts.alert import RANKS
from metaplat.reports.alerts.entry import Acknowledgement, Change, SinkState

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime, timedelta

    from metaplat.reports.alerts.alert import Alert
    from metaplat.reports.alerts.entry import Entry
    from metaplat.settings import AlertLevel


@dataclass(frozen=True)
class Notice:
    """One alert that a sink is to be told of, and why; ``known`` is who already takes care."""

    alert: Alert
    change: Change
    known: Acknowledgement | None = None


@dataclass(frozen=True)
class Interest:
    """What a sink asked for.

    Parameters
    ----------
    sink : str
        Its name in the ledger.
    min_level : {"low", "medium", "high"}
        Lesser alerts are not sent.
    subjects : sequence of str
        Names or patterns of domains and tables; empty means everything.
    """

    sink: str
    min_level: AlertLevel = "low"
    subjects: Sequence[str] = ()

    def names(self, subject: str) -> bool:
        """Whether a subject is asked for: by its whole name, or by a table's own name."""
        names = {subject, subject.rpartition("@")[0] or subject}
        names |= {name.partition("/")[2] or name for name in names}
        return not self.subjects or any(
            fnmatchcase(name, pattern) for pattern in self.subjects for name in names
        )


def due_notices(
    entries: Iterable[Entry], interest: Interest, remind_after: timedelta, now: datetime
) -> list[Notice]:
    """Return what a sink is due to be told: the worst first, what has been resolved last."""
    notices = []
    for entry in entries:
        change = due_change(entry, interest, remind_after, now)
        if change is not None:
            notices.append(Notice(entry.alert, change, entry.acknowledged))
    return sorted(notices, key=_order)


def due_change(entry: Entry, interest: Interest, remind_after: timedelta, now: datetime) -> Change | None:
    """Return why a sink is due to be told of an alert; None where it is not."""
    alert, told = entry.alert, entry.sinks.get(interest.sink, SinkState()).told
    if not interest.names(alert.subject):
        return None
    wanted = alert.rank >= RANKS[interest.min_level]
    if told is None:
        return Change.FIRING if entry.firing and wanted else None
    if not entry.firing:
        return Change.RESOLVED
    if not wanted:
        return Change.EASED
    if told.since != alert.since:  # it was resolved in between, and the sink missed that
        return Change.FIRING
    if RANKS[told.level] < alert.rank:
        return Change.WORSE
    if entry.acknowledged is None and now - told.at >= remind_after:
        return Change.REMINDER
    return None


def _order(notice: Notice) -> tuple[bool, int, str, str, str]:
    alert = notice.alert
    return notice.change.good, -alert.rank, alert.subject, alert.rule, alert.partition or ""
