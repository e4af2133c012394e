"""Data young enough (DataFreshness in AWS Glue DQDL): about the table, by the time the rows themselves carry.

Here: the age of the newest row. Not here: when something was last ingested, which a backfill of an old
partition would renew; Dagster's own freshness badge (``orchestration``).
"""

from __future__ import annotations

from datetime import timedelta

from metaplat.model.rule import Rule, TableEvidence
from metaplat.model.verdict import Verdict

HOUR = timedelta(hours=1)


def freshness(within: timedelta) -> Rule:
    """Return the rule that the newest row is at most ``within`` old."""
    if within <= timedelta(0):
        raise ValueError(f"freshness: within must be positive, not {within}")

    def judge_table(evidence: TableEvidence) -> Verdict:
        times = [receipt.newest for receipt in evidence.receipts.values() if receipt.newest is not None]
        if not times:
            return Verdict.not_evaluated("No rows with a time yet.", {"allowed_hours": within / HOUR})
        newest = max(times)
        age = evidence.now - newest
        sentence = (
            f"The newest row is of {newest:%Y-%m-%d %H:%M} UTC, {_in_words(age)} old; "
            f"at most {_in_words(within)} expected."
        )
        if age > within:
            sentence += (
                f" Look at what lands objects under {evidence.domain.landing}, "
                f"then run `metaplat materialize {evidence.domain.name} --missing`."
            )
        numbers = {"age_hours": age / HOUR, "allowed_hours": within / HOUR}
        return Verdict.judged(passed=age <= within, sentence=sentence, numbers=numbers)

    return Rule("freshness", f"The newest row is at most {_in_words(within)} old.", judge_table=judge_table)


def _in_words(age: timedelta) -> str:
    """Return ``20 min``, ``1.5 h`` or ``2.5 days``; an age below zero is clock skew, said as none."""
    if age <= timedelta(0):
        return "0 min"
    if age < HOUR:
        return f"{age / timedelta(minutes=1):.0f} min"
    if age <= 48 * HOUR:
        return f"{age / HOUR:.1f}".removesuffix(".0") + " h"
    return f"{age / timedelta(days=1):.1f}".removesuffix(".0") + " days"
