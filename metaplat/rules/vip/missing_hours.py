"""Every hour has an extract (Completeness, of jobs).

Here: hours without a job and without a file. Not here: extracts with something missing (``incomplete_jobs``),
hours without a row (``calendar_complete``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from metaplat.model.extract import ExtractStatus
from metaplat.model.rule import PartitionEvidence, Rule
from metaplat.model.verdict import MAX_SAMPLES, Verdict
from metaplat.rules.samples import shown_rows
from metaplat.rules.vip.closed_hours import CONFIG, HOUR, closed_hours, shown_hours
from metaplat.rules.vip.recent import recent
from metaplat.rules.wording import agreeing, counted, materialize_command

if TYPE_CHECKING:
    import polars as pl

NAME = "missing_hours"


def missing_hours() -> Rule:
    """Return the rule that no closed hour is missing, excused ones apart."""
    return Rule(NAME, "Every closed hour that is not excused has an extract.", _judge, recent(NAME))


def _judge(evidence: PartitionEvidence) -> Verdict:
    import polars as pl

    hours = closed_hours(evidence, ["status"], NAME)
    missing = hours.rows.filter(pl.col("status") == ExtractStatus.MISSING.value)
    expected = hours.rows.height
    numbers: dict[str, int | float] = {
        "expected": expected,
        "delivered": expected - missing.height,
        "missing": missing.height,
        "excused": hours.excused,
    }
    if not expected:
        return hours.nothing(numbers)
    numbers["ratio"] = numbers["delivered"] / expected
    return Verdict.judged(
        passed=missing.is_empty(),
        sentence=_sentence(expected, missing, evidence),
        numbers=numbers,
        samples=shown_rows(
            missing.select(CONFIG, HOUR).head(MAX_SAMPLES).to_dicts(), evidence.domain.columns
        ),
    )


def _sentence(expected: int, missing: pl.DataFrame, evidence: PartitionEvidence) -> str:
    if missing.is_empty():
        return f"{counted(expected, 'closed hour')}, none of them missing."
    return (
        f"{missing.height:,} of {counted(expected, 'closed hour')} {agreeing(missing.height, 'is', 'are')} "
        f"missing: {shown_hours(missing[HOUR].to_list())}; none expected. The vendor exports the present "
        "only, so they can no longer be pulled: where their files lie in another place, copy those folders "
        f"into the target and run {materialize_command(evidence.domain, evidence.partition)}; else excuse "
        "them, with the reason, in [[vip.excused]]."
    )
