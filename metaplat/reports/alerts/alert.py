"""One alert: something that fails and somebody should know of.

Here: what an alert is, its level and its name. Not here: which alerts stand (``standing``), who was told
(``ledger``).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from metaplat.model.verdict import Severity

if TYPE_CHECKING:
    from datetime import datetime

    from metaplat.settings import AlertLevel

RANKS: dict[AlertLevel, int] = {"low": 0, "medium": 1, "high": 2}
OF_SEVERITY: dict[Severity, AlertLevel] = {
    Severity.INFO: "low",
    Severity.WARN: "medium",
    Severity.ERROR: "high",
}


def level_of(severity: Severity) -> AlertLevel:
    """Return how much a failure of this severity matters to people."""
    return OF_SEVERITY[severity]


def alert_id(subject: str, rule: str, partition: str | None = None) -> str:
    """Return the name of an alert: the same in every run, twelve hexadecimal digits."""
    parts = "\0".join([subject, rule, *([] if partition is None else [partition])])
    return hashlib.blake2b(parts.encode("utf-8", "replace"), digest_size=6).hexdigest()


@dataclass(frozen=True)
class Alert:
    """One thing that fails.

    Parameters
    ----------
    subject : str
        Name of the domain, or ``table_profile/<table>``.
    rule : str
        Which rule fails.
    partition : str or None
        Of which partition; None for the whole table.
    level : {"low", "medium", "high"}
        How much it matters.
    texts : tuple of str
        What people are told, one line each.
    sentence : str
        The verdict's own words.
    since : datetime
        When it began, aware UTC.
    """

    subject: str
    rule: str
    level: AlertLevel
    texts: tuple[str, ...]
    sentence: str
    since: datetime
    partition: str | None = None

    @property
    def id(self) -> str:
        """The alert's name in the ledger and for ``metaplat alerts ack``."""
        return alert_id(self.subject, self.rule, self.partition)

    @property
    def rank(self) -> int:
        """The level as a number: 0 is the least."""
        return RANKS[self.level]
