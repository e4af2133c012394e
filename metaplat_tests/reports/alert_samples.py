"""Alerts, sinks that record, and a place to notify from, for the tests of alerts."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from metaplat.reports.alerts.alert import Alert
from metaplat.reports.alerts.due import Interest
from metaplat.reports.alerts.entry import Acknowledgement
from metaplat.reports.alerts.ledger import AlertLedger
from metaplat.reports.alerts.notify import notify
from metaplat.reports.alerts.sinks import Receiver
from metaplat.reports.alerts.standing import Standing
from metaplat.settings import AlertSettings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from metaplat.reports.alerts.entry import Entry
    from metaplat.reports.alerts.message import Render
    from metaplat.reports.alerts.notify import DeliveryOutcome
    from metaplat.settings import AlertLevel
    from metaplat.stores.objects import ObjectStore

NOW = datetime(2025, 12, 3, 14, 5, tzinfo=UTC)
HOUR = timedelta(hours=1)
TABLE = "table_profile/part_orders"


def alert(
    rule: str = "row_count",
    level: AlertLevel = "high",
    subject: str = "jobs",
    since: datetime = NOW,
    text: str | None = None,
) -> Alert:
    text = text or f"{subject}: {rule} fails"
    return Alert(subject, rule, level, (text,), text, since)


@dataclass
class Recording:
    """A sink that records what it is sent, or refuses it."""

    dead: bool = False
    sent: list[tuple[str, str]] = field(default_factory=list)

    def send(self, subject: str, body: str) -> None:
        """Record, or refuse."""
        if self.dead:
            raise ConnectionError("refused: https://hooks.example.com/s3cr3t-token")
        self.sent.append((subject, body))


@dataclass
class Watch:
    """A ledger, sinks and a clock."""

    state: ObjectStore
    now: datetime = NOW
    receivers: list[Receiver] = field(default_factory=list)
    settings: AlertSettings = field(default_factory=AlertSettings)

    @property
    def ledger(self) -> AlertLedger:
        """A ledger as a new process opens it."""
        return AlertLedger(self.state)

    def sink(
        self, name: str, level: AlertLevel = "low", *subjects: str, render: Render | None = None
    ) -> Recording:
        """Add a sink that records."""
        recording = Recording()
        self.receivers.append(Receiver(Interest(name, level, subjects), recording, render))
        return recording

    def look(
        self, *alerts: Alert, subject: str = "jobs", undecided: Sequence[str] = ()
    ) -> list[DeliveryOutcome]:
        """Look at one subject, and tell; an hour passes."""
        standing = {subject: Standing(alerts, frozenset(undecided))}
        outcomes = notify(standing, self.ledger, self.receivers, self.settings, self.now)
        self.now += HOUR
        return outcomes

    def entry(self, one: Alert) -> Entry:
        """Return what the ledger remembers of an alert."""
        return self.ledger.load([one.subject])[one.subject][one.id]

    def acknowledge(self, one: Alert, by: str = "ada", note: str = "on it") -> None:
        """Take care of an alert."""
        self.ledger.acknowledge(self.entry(one), Acknowledgement(by, note, self.now))


def changes(outcomes: Sequence[DeliveryOutcome]) -> dict[str, list[Any]]:
    """Return what each sink was due to be told, by name: rule and change."""
    return {
        each.sink: [(notice.alert.rule, notice.change.value) for notice in each.notices] for each in outcomes
    }
