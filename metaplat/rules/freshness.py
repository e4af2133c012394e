"""Data young enough (DataFreshness in AWS Glue DQDL): about the table, by the time the rows themselves carry.

Here: the age of the newest row. Not here: when something was last ingested, which a backfill of an old
partition would renew; Dagster's own freshness badge (``orchestration``).
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from metaplat.model.rule import Rule, TableEvidence
from metaplat.model.verdict import Verdict
from metaplat.rules.wording import age_in_words

if TYPE_CHECKING:
    from metaplat.model.domain import MetadataDomain

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
            f"The newest row is of {newest:%Y-%m-%d %H:%M} UTC, {age_in_words(age)} old; "
            f"at most {age_in_words(within)} expected."
        )
        if age > within:
            sentence += " " + _advice(evidence.domain)
        numbers = {"age_hours": age / HOUR, "allowed_hours": within / HOUR}
        return Verdict.judged(passed=age <= within, sentence=sentence, numbers=numbers)

    doc = f"The newest row is at most {age_in_words(within)} old."
    return Rule("freshness", doc, judge_table=judge_table)


def _advice(domain: MetadataDomain) -> str:
    command = f"`metaplat materialize {domain.name} --missing`"
    if domain.cataloged:
        return f"Look at what delivers the files, then run `metaplat catalog reconcile PLACE` and {command}."
    if not domain.lands:
        return "Look at `metaplat vip status`, then run `metaplat vip history`."
    return f"Look at what lands objects under {domain.landing}, then run {command}."
