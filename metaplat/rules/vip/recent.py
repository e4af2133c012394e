"""Tables that are as their last days are.

Here: the verdict of a table from its newest partitions. Not here: the verdict of a partition (each rule).

An hour that is lost stays lost, so the roll-up of all partitions would fail for ever after the first one.
"""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

from metaplat.model.verdict import Outcome
from metaplat.rules.as_of import by_last_partitions

if TYPE_CHECKING:
    from datetime import datetime

    from metaplat.model.rule import JudgeTable, TableEvidence
    from metaplat.model.verdict import Verdict

DAYS = 3
"""As the longest window of the burn rates."""


def recent(rule: str, days: int = DAYS) -> JudgeTable:
    """Return the judgement of a table: that no partition of the last days fails.

    Parameters
    ----------
    rule : str
        Name of the check of partitions.
    days : int
        Length of the time looked at, to the end of the newest judged partition: of daily partitions as
        many, of hourly ones 24 times as many.
    """
    return partial(_judge_table, rule=rule, length=timedelta(days=days))


def _judge_table(evidence: TableEvidence, *, rule: str, length: timedelta) -> Verdict:
    outcomes = evidence.outcomes.items()
    ends = [_end(evidence, key) for key, outcome in outcomes if outcome is not Outcome.NOT_EVALUATED]
    oldest = max(ends) - length if ends else None
    count = sum(oldest is None or end > oldest for end in ends)
    return by_last_partitions(rule, max(count, 1))(evidence)


def _end(evidence: TableEvidence, key: str) -> datetime:
    window = evidence.domain.partitions.window(key)
    if window is None:
        raise ValueError(f"{evidence.domain.name}: partition {key} has no end in time")
    return window[1]
