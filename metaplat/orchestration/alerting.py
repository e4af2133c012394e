"""From the verdict log to the sinks: which subjects there are, how they stand, and telling of it.

Here: what the command line and Dagster's sensor share. Not here: deciding and sending (``reports.alerts``).
The subjects are all domains, the declared tables, and whatever else the ledger remembers: a table that was
once monitored by hand is watched until its alerts are gone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from metaplat.domains import all_domains
from metaplat.reports.alerts.alert import alert_id
from metaplat.reports.alerts.ledger import AlertLedger
from metaplat.reports.alerts.notify import notify
from metaplat.reports.alerts.sinks import open_sinks, topic_receiver
from metaplat.reports.alerts.standing import Standing, Texts, default_texts, standing_alerts
from metaplat.reports.verdict_log import VerdictLog

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from metaplat.model.domain import MetadataDomain
    from metaplat.model.table import MonitoredTable
    from metaplat.reports.alerts.entry import Entries
    from metaplat.reports.alerts.notify import DeliveryOutcome
    from metaplat.reports.alerts.sinks import Receiver
    from metaplat.reports.verdict_log import VerdictRecord
    from metaplat.settings import Settings
    from metaplat.stores.home import Stores


@dataclass(frozen=True)
class AlertSubject:
    """Something that alerts are raised about.

    Parameters
    ----------
    name : str
        As in the verdict log.
    rules : frozenset of str or None
        The rules declared for it; None where only the log knows.
    texts : callable
        Words its alerts.
    """

    name: str
    rules: frozenset[str] | None = None
    texts: Texts = default_texts


def domain_subject(domain: MetadataDomain) -> AlertSubject:
    """Return a domain as the subject of alerts."""
    return AlertSubject(domain.name, frozenset(rule.name for rule in domain.rules))


def table_subject(table: MonitoredTable) -> AlertSubject:
    """Return a monitored table as the subject of alerts; they are worded as those of the table monitor."""
    from metaplat.reports.tables.alert_texts import alert_texts
    from metaplat.rules.tables.all_rules import ALL_RULES

    def texts(record: VerdictRecord) -> list[str]:
        return alert_texts(table, record.rule, record)

    return AlertSubject(table.subject, frozenset(rule.name for rule in ALL_RULES), texts)


def declared_subjects(settings: Settings) -> list[AlertSubject]:
    """Return all domains and all declared tables; raises SettingsError."""
    from metaplat.monitor.declared import declared_tables

    domains = [domain_subject(domain) for domain in all_domains()]
    return domains + [table_subject(table) for table in declared_tables(settings)]


def receivers_of(settings: Settings) -> list[Receiver]:
    """Return the sinks of section ``[alerts]``, and the topic of the table monitor; raises SettingsError."""
    receivers = open_sinks(settings.alerts)
    topic = settings.monitor.sns_topic_arn
    return [*receivers, topic_receiver(topic)] if topic else receivers


def standing_now(stores: Stores, subjects: Iterable[AlertSubject]) -> dict[str, Standing]:
    """Return how the subjects, and others that the ledger remembers, stand by the verdict log.

    Raises
    ------
    StoreError
        The verdict log or the ledger cannot be read.
    """
    log, ledger = VerdictLog(stores.state), AlertLedger(stores.state)
    chosen = {subject.name: subject for subject in subjects}
    others = [name for name in ledger.subjects() if name not in chosen]
    chosen |= {name: _remembered(name, entries) for name, entries in ledger.load(others).items()}
    return {
        name: standing_alerts(name, log.load_table(name), subject.texts, subject.rules)
        for name, subject in chosen.items()
    }


def send_alerts(
    stores: Stores, receivers: Sequence[Receiver], standing: dict[str, Standing], now: datetime
) -> list[DeliveryOutcome]:
    """Tell the sinks what is due; raises StoreError where the ledger cannot be read or written."""
    return notify(standing, AlertLedger(stores.state), receivers, stores.settings.alerts, now)


def _remembered(name: str, entries: Entries) -> AlertSubject:
    """Return a subject that nobody declares; its alerts keep the words they had."""
    worded = {entry.alert.id: entry.alert.texts for entry in entries.values()}
    return AlertSubject(name, texts=lambda record: worded.get(alert_id(name, record.rule), ()))
