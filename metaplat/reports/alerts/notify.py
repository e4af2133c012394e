"""Tell the sinks what changed: the one way from alerts to people.

Here: look, decide, send, remember, in this order. The command line, the table monitor and Dagster's sensor
call it. A sink that fails never raises: it is remembered, and told the next time. What was sent is remembered
per sink as soon as it was sent, so that a kill at any moment loses nothing; the worst is to be told twice.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from metaplat.reports.alerts.due import due_notices
from metaplat.reports.alerts.message import render_message
from metaplat.reports.alerts.sending import Delivery, deliver

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from metaplat.reports.alerts.due import Notice
    from metaplat.reports.alerts.ledger import AlertLedger
    from metaplat.reports.alerts.message import Render
    from metaplat.reports.alerts.sinks import Receiver
    from metaplat.reports.alerts.standing import Standing
    from metaplat.settings import AlertSettings


@dataclass(frozen=True)
class DeliveryOutcome:
    """How it went with one sink that was due to be told something.

    Parameters
    ----------
    sink : str
        Its name.
    notices : tuple of Notice
        What it was due to be told.
    problem : str or None
        Why it could not be, in one line; None where it was told.
    """

    sink: str
    notices: tuple[Notice, ...]
    problem: str | None = None


def notify(
    standing: Mapping[str, Standing],
    ledger: AlertLedger,
    receivers: Sequence[Receiver],
    settings: AlertSettings,
    now: datetime,
    render: Render = render_message,
) -> list[DeliveryOutcome]:
    """Tell every sink what it is due to hear, in one message a sink.

    Parameters
    ----------
    standing : mapping of str to Standing
        Every subject looked at now; one without alerts resolves its alerts, one that is not named keeps them.
    ledger : AlertLedger
        What was told before.
    receivers : sequence of Receiver
        Sinks, under names of their own.
    settings : AlertSettings
        Reminders and time limit.
    now : datetime
        Aware UTC.
    render : callable
        Words the message, where a receiver does not do so itself.

    Returns
    -------
    list of DeliveryOutcome
        The sinks that were due to be told something, by name.

    Raises
    ------
    StoreError
        The ledger cannot be read or written.
    """
    entries = [entry for kept in ledger.observe(standing, now).values() for entry in kept.values()]
    remind_after = timedelta(hours=settings.remind_after_hours)
    due = {
        receiver.name: due_notices(entries, receiver.interest, remind_after, now) for receiver in receivers
    }
    deliveries = [
        Delivery(receiver.name, receiver.sink, (receiver.render or render)(due[receiver.name]))
        for receiver in receivers
        if due[receiver.name]
    ]
    outcomes = []
    for name, problem in deliver(deliveries, settings.timeout_seconds):
        ledger.record(name, due[name], problem, now)
        outcomes.append(DeliveryOutcome(name, tuple(due[name]), problem))
    return sorted(outcomes, key=lambda outcome: outcome.sink)
