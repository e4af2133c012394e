"""The objective is kept: bad hours stay within the error budget, and do not come thick and fast.

Here: ``error_budget`` warns, ``slo_burn`` is an error that is worth a page.
Not here: the arithmetic (``error_budget``), single bad hours (``missing_hours``, ``incomplete_jobs``).

Configurations are never mixed: each has its own budget, and the numbers are those of the one that is worst
off. Judged is the moment that ``as_of`` tells, so the table is as its newest partition is.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

from metaplat.model.errors import SettingsError
from metaplat.model.extract import ExtractStatus
from metaplat.model.rule import History, PartitionEvidence, Rule
from metaplat.model.verdict import MAX_SAMPLES, Severity, Verdict
from metaplat.rules.as_of import by_last_partitions, judged_as_of
from metaplat.rules.samples import require_columns, shown_rows, shown_value
from metaplat.rules.vip.closed_hours import CONFIG, HOUR, ONE_HOUR
from metaplat.rules.vip.error_budget import LONG, Budget, BurnLevel, Slo, error_budget
from metaplat.rules.wording import counted, percent

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    import polars as pl

COLUMNS = (CONFIG, HOUR, "status", "excused")
LONGEST_DAYS = 92
"""So many days before a partition the rules know; an objective over more cannot be judged."""
GOOD = (ExtractStatus.OK.value, ExtractStatus.LATE.value)


@dataclass(frozen=True)
class _Standing:
    """How one configuration stands: its budget as of a moment, and its bad hours, the newest first."""

    config: str
    as_of: datetime
    budget: Budget
    bad: pl.DataFrame


def error_budget_left(slo: Callable[[], Slo]) -> Rule:
    """Return the rule that error budget is left, and no hour of the last 3 days is bad; a warning.

    Parameters
    ----------
    slo : callable
        Gives the objective. Asked when a partition is judged.
    """
    name = "error_budget"
    doc = "Error budget is left of the objective (vip.slo_objective), and no hour of the last 3 days is bad."
    judge = partial(_judge_budget, slo=slo, name=name)
    history = History(LONGEST_DAYS, COLUMNS)
    return Rule(name, doc, judge, by_last_partitions(name), severity=Severity.WARN, history=history)


def slo_burn(slo: Callable[[], Slo]) -> Rule:
    """Return the rule that bad hours do not come so fast that somebody should look at once.

    Parameters
    ----------
    slo : callable
        Gives the objective. Asked when a partition is judged.
    """
    name = "slo_burn"
    doc = "Fewer bad hours than vip.page_bad_hours_6h in 6 hours, and than vip.page_bad_hours_3d in 3 days."
    judge = partial(_judge_burn, slo=slo, name=name)
    return Rule(name, doc, judge, by_last_partitions(name), history=History(LONGEST_DAYS, COLUMNS))


def _judge_budget(evidence: PartitionEvidence, *, slo: Callable[[], Slo], name: str) -> Verdict:
    promised = slo()
    standings = _standings(evidence, promised, name)
    if not standings:
        return Verdict.not_evaluated("No closed hour that counts.", {"hours": 0})
    worst = min(standings, key=lambda each: (each.budget.left, each.config))
    passed = all(each.budget.left > 0 and each.budget.level is BurnLevel.NONE for each in standings)
    return Verdict.judged(
        passed=passed,
        sentence=_budget_sentence(worst, promised, len(standings), passed=passed),
        numbers=_numbers(worst.budget, len(standings)),
        samples=_samples([each.bad for each in standings], evidence),
    )


def _judge_burn(evidence: PartitionEvidence, *, slo: Callable[[], Slo], name: str) -> Verdict:
    promised = slo()
    standings = _standings(evidence, promised, name)
    if not standings:
        return Verdict.not_evaluated("No closed hour that counts.", {"hours": 0})
    worst = max(standings, key=_urgency)
    passed = all(each.budget.level is not BurnLevel.PAGE for each in standings)
    return Verdict.judged(
        passed=passed,
        sentence=_burn_sentence(worst, promised, passed=passed),
        numbers=_numbers(worst.budget, len(standings)),
        samples=_samples([_of_last_days(each) for each in standings], evidence),
    )


def _standings(evidence: PartitionEvidence, slo: Slo, rule: str) -> list[_Standing]:
    """Return how each configuration of a partition stands; without those none of whose hours counts."""
    import polars as pl

    if slo.days > LONGEST_DAYS:
        advice = f"Choose at most {LONGEST_DAYS}."
        raise SettingsError("vip.slo_days", f"{slo.days} days are more than rules know", advice)
    require_columns(evidence.frame, COLUMNS, rule)
    moment = judged_as_of(evidence)
    if moment is None or evidence.history is None or evidence.frame.is_empty():
        return []
    rows = pl.concat([evidence.history.select(COLUMNS), evidence.frame.select(COLUMNS)])
    closed = rows.filter(
        pl.col(HOUR) + ONE_HOUR <= moment, pl.col(CONFIG).is_in(evidence.frame[CONFIG].unique())
    )
    found = [_standing(config, part, slo) for (config,), part in closed.group_by(CONFIG)]
    return sorted((each for each in found if each.budget.hours), key=lambda each: each.config)


def _standing(config: object, rows: pl.DataFrame, slo: Slo) -> _Standing:
    """Judge one configuration as of the end of its newest hour, so that an hour not closed yet is no hole."""
    import polars as pl

    end: datetime = rows[HOUR].max() + ONE_HOUR  # type: ignore[assignment, operator]  # rows has at least one
    recent = rows.filter(pl.col(HOUR) >= end - timedelta(days=slo.days)).sort(HOUR, descending=True)
    counting = recent.filter(~pl.col("excused"))
    good = counting["status"].is_in(GOOD)
    excused = recent.height - counting.height
    budget = error_budget(counting[HOUR].to_list(), good.to_list(), slo, end, excused=excused)
    return _Standing(str(config), end, budget, counting.filter(~good))


def _urgency(each: _Standing) -> tuple[bool, int, int, str]:
    budget = each.budget
    return budget.level is BurnLevel.PAGE, budget.bad_6h, budget.bad_3d, each.config


def _of_last_days(each: _Standing) -> pl.DataFrame:
    import polars as pl

    return each.bad.filter(pl.col(HOUR) >= each.as_of - LONG)


def _numbers(budget: Budget, configurations: int) -> dict[str, int | float]:
    """Return the numbers of a budget; those that are not known are left out."""
    found: dict[str, int | float | None] = {
        "left": budget.left,
        "ratio": budget.ratio,
        "hours": budget.hours,
        "bad": budget.bad,
        "allowed_bad": budget.allowed_bad,
        "bad_6h": budget.bad_6h,
        "bad_3d": budget.bad_3d,
        "burn_1h": budget.burn_1h,
        "burn_6h": budget.burn_6h,
        "burn_3d": budget.burn_3d,
        "configurations": configurations,
    }
    return {name: number for name, number in found.items() if number is not None}


def _samples(bad: list[pl.DataFrame], evidence: PartitionEvidence) -> list[dict[str, object]]:
    """Return bad hours, the newest first."""
    import polars as pl

    rows = pl.concat(bad).sort([HOUR, CONFIG], descending=[True, False]).select(CONFIG, HOUR, "status")
    return shown_rows(rows.head(MAX_SAMPLES).to_dicts(), evidence.domain.columns)


def _budget_sentence(worst: _Standing, slo: Slo, configurations: int, *, passed: bool) -> str:
    budget = worst.budget
    others = f", the worst off of {configurations}" if configurations > 1 else ""
    sentence = (
        f"As of {worst.as_of:%Y-%m-%d %H:%M} UTC, {counted(budget.bad, 'bad hour')} of {budget.hours:,} in "
        f"{slo.days} days ({shown_value(worst.config)}{others}); {percent(slo.objective)} good allows "
        f"{budget.allowed_bad:.1f}, so {percent(max(budget.left, 0.0))} of the budget is left."
    )
    if budget.left <= 0:
        sentence += " It is used up: mend the causes before anything that may cost hours is changed."
    elif not passed:
        sentence += " There are bad hours in the last 3 days: look at missing_hours and incomplete_jobs."
    return sentence


def _burn_sentence(worst: _Standing, slo: Slo, *, passed: bool) -> str:
    budget = worst.budget
    sentence = (
        f"As of {worst.as_of:%Y-%m-%d %H:%M} UTC, {counted(budget.bad_6h, 'bad hour')} in 6 hours and "
        f"{budget.bad_3d:,} in 3 days ({shown_value(worst.config)}); fewer than {slo.page_bad_hours_6h} and "
        f"{slo.page_bad_hours_3d} expected."
    )
    if not passed:
        sentence += (
            " Hours are being lost that nobody can pull again: run `metaplat vip status` now, and look at "
            "the proxy, the vendor's service, permissions of the target and the age of the credentials."
        )
    return sentence
