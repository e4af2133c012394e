"""Extracts come in time (DataFreshness in AWS Glue DQDL, of a single hour).

Here: extracts that are complete and came late. Not here: those that never came (``missing_hours``); late is
not bad, and costs no error budget.
"""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING

from metaplat.model.extract import ExtractStatus
from metaplat.model.rule import PartitionEvidence, Rule
from metaplat.model.verdict import MAX_SAMPLES, Severity, Verdict
from metaplat.rules.samples import shown_rows
from metaplat.rules.vip.closed_hours import CONFIG, HOUR, closed_hours, shown_hours
from metaplat.rules.vip.recent import recent
from metaplat.rules.wording import agreeing, counted

if TYPE_CHECKING:
    import polars as pl

NAME = "lateness"
_SHOWN = ("lag_min", "duration_s", "started_at", "completed_at")


def lateness() -> Rule:
    """Return the rule that no complete extract came late; a warning, excused hours apart."""
    doc = "Every complete extract of a closed hour came within vip.late_minutes of the start of its hour."
    return Rule(NAME, doc, _judge, recent(NAME), severity=Severity.WARN)


def _judge(evidence: PartitionEvidence) -> Verdict:
    import polars as pl

    hours = closed_hours(evidence, ["status", *_SHOWN], NAME)
    whole = hours.rows.filter(pl.col("status").is_in([ExtractStatus.OK.value, ExtractStatus.LATE.value]))
    late = whole.filter(pl.col("status") == ExtractStatus.LATE.value)
    numbers: dict[str, int | float] = {"jobs": whole.height, "late": late.height, "excused": hours.excused}
    if whole.is_empty():
        return hours.nothing(numbers, "No closed hour has a complete extract.")
    numbers |= _lags(whole)
    rows = late.sort("lag_min", descending=True, nulls_last=True).select(CONFIG, HOUR, *_SHOWN)
    return Verdict.judged(
        passed=late.is_empty(),
        sentence=_sentence(whole.height, late),
        numbers=numbers,
        samples=shown_rows(rows.head(MAX_SAMPLES).to_dicts(), evidence.domain.columns),
    )


def _lags(whole: pl.DataFrame) -> dict[str, int | float]:
    """Return the lags in minutes, where any is known."""
    lags = whole["lag_min"].drop_nulls().to_list()
    return {"lag_min_median": median(lags), "lag_min_max": max(lags)} if lags else {}


def _sentence(jobs: int, late: pl.DataFrame) -> str:
    if late.is_empty():
        return f"{counted(jobs, 'complete extract')}, none of them late."
    return (
        f"{late.height:,} of {counted(jobs, 'complete extract')} came late: "
        f"{shown_hours(late[HOUR].to_list())}; none expected. Where {agreeing(late.height, 'it', 'they')} "
        "took long, look at the vendor's job and at the network; where the lag is as it should be, raise "
        "vip.late_minutes."
    )
