"""No bucket is much larger than the others.

Here: buckets with many times the median rows.
Not here: buckets that are missing (``s3_partition``) or changed in time (``volume``).
An empty bucket is not skew, and does not lower the median.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from metaplat.model.table_rule import TableRule
from metaplat.model.verdict import Severity, Verdict
from metaplat.rules.tables.bucket_figures import (
    bucket_figures,
    bucket_unknown,
    counted_buckets,
    none_known,
)
from metaplat.rules.wording import agreeing, counted

if TYPE_CHECKING:
    from collections.abc import Mapping

    from metaplat.model.table_evidence import TableFacts, TableLimits

UNKNOWN = "The rows could not be counted."
ADVICE = "Look at the most frequent keys there, or use more buckets."


def _judge_facts(facts: TableFacts) -> Verdict:
    rows = bucket_figures(facts, "rows")
    if not rows.known:
        return none_known(rows, UNKNOWN)
    usual, largest = _median(facts), max(rows.known.values())
    skewed = [b for b, n in rows.known.items() if _is_skewed(n, usual, facts.limits)]
    skewed.sort(key=lambda bucket: (-rows.known[bucket], bucket))
    sentence = f"The {_usual(usual)}, the largest has {largest:,}; {_limit(facts.limits)}."
    if skewed:
        beyond = agreeing(len(skewed), "is beyond it", "are beyond it")
        sentence += f" {counted_buckets(skewed)} {beyond}. {ADVICE}"
    return Verdict.judged(
        passed=not skewed,
        sentence=sentence + rows.unknown_note,
        numbers={
            "median_rows": usual,
            "largest_rows": largest,
            "largest_ratio": round(largest / usual, 3) if usual else 0,
            "skewed_buckets": len(skewed),
            "unknown_buckets": len(rows.unknown),
        },
        samples=[{"id_bucket": bucket, "rows": rows.known[bucket]} for bucket in skewed],
    )


def _judge(facts: TableFacts, row: Mapping[str, Any]) -> Verdict:
    if unknown := bucket_unknown(row, "rows", UNKNOWN):
        return unknown
    rows, usual = row["rows"], _median(facts)
    skewed = _is_skewed(rows, usual, facts.limits)
    sentence = f"{counted(rows, 'row')}; the {_usual(usual)}; {_limit(facts.limits)}."
    return Verdict.judged(
        passed=not skewed,
        sentence=f"{sentence} {ADVICE}" if skewed else sentence,
        numbers={"rows": rows, "median_rows": usual},
    )


def _median(facts: TableFacts) -> float:
    """Return the median rows of the buckets that hold any; by Series, since this is asked once a bucket."""
    rows = facts.profile.frame["rows"]
    return float(rows.filter(rows > 0).median() or 0)  # type: ignore[arg-type]  # a median of integers


def _is_skewed(rows: int, usual: float, limits: TableLimits) -> bool:
    return rows > limits.skew_factor * usual and rows >= limits.skew_floor_rows


def _usual(usual: float) -> str:
    return f"median bucket has {counted(round(usual), 'row')}"


def _limit(limits: TableLimits) -> str:
    floor = counted(limits.skew_floor_rows, "row")
    return f"at most {limits.skew_factor:g} times the median expected, from {floor} on"


BUCKET_SKEW = TableRule(
    "bucket_skew",
    "No bucket has more than skew_factor times the median rows, from skew_floor_rows rows on.",
    _judge_facts,
    _judge,
    Severity.INFO,
)
