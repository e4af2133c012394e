"""Which alerts stand, by the verdict log.

Here: verdicts become alerts. Not here: what was told of them (``ledger``).
An alert is made from a verdict about a whole table: it already sums up the partitions, and 256 failing
buckets are one thing to know. "Not evaluated" neither raises an alert nor resolves one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from metaplat.model.verdict import Outcome
from metaplat.reports.alerts.alert import Alert, alert_id, level_of
from metaplat.reports.verdict_log import VerdictRecord

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

Texts = Callable[[VerdictRecord], Sequence[str]]
"""Words a failing verdict: one line a finding. An empty answer leaves it to the default."""


@dataclass(frozen=True)
class Standing:
    """How one subject stands now; what is named nowhere here has been resolved.

    Parameters
    ----------
    alerts : tuple of Alert
        What fails.
    undecided : frozenset of str
        Ids of alerts that could not be judged now: they stay as they were.
    """

    alerts: tuple[Alert, ...] = ()
    undecided: frozenset[str] = frozenset()


def default_texts(record: VerdictRecord) -> list[str]:
    """Word a failing verdict as ``<subject>: <rule>: <sentence>``."""
    return [f"{record.domain}: {record.rule}: {record.sentence}"]


def standing_alerts(
    subject: str,
    records: Iterable[VerdictRecord],
    texts: Texts = default_texts,
    rules: Collection[str] | None = None,
) -> Standing:
    """Return how a subject stands.

    Parameters
    ----------
    subject : str
        Name of the domain, or ``table_profile/<table>``.
    records : iterable of VerdictRecord
        Its verdict log; verdicts about single partitions are passed over.
    texts : callable
        Words a failing verdict.
    rules : collection of str or None
        Rules that are declared now: the log keeps verdicts of others, which nobody judges any more, and of
        these one may be missing, which is no verdict. None means that the log says it all.
    """
    told = {
        record.rule: record
        for record in records
        if record.partition is None and (rules is None or record.rule in rules)
    }
    failed = (record for record in told.values() if record.outcome is Outcome.FAILED)
    unjudged = {rule for rule, record in told.items() if record.outcome is Outcome.NOT_EVALUATED}
    unjudged |= set(rules or ()) - set(told)
    return Standing(
        tuple(_alert(record, texts) for record in failed),
        frozenset(alert_id(subject, rule) for rule in unjudged),
    )


def _alert(record: VerdictRecord, texts: Texts) -> Alert:
    worded = tuple(texts(record)) or tuple(default_texts(record))
    level = level_of(record.severity)
    return Alert(record.domain, record.rule, level, worded, record.sentence, record.since)
