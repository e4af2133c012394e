"""No run of a recurring application is much slower or dearer than those before it.

Here: duration, spill, cost and core time of each completed attempt against its own history.
Not here: usual numbers of rows (``volume``), what is wrong inside one application (its ``findings``).

Method. Attempts recur where source, user and name (``recurring_name``) are the same. A value is compared on
the scale ``ln(value + floor)``, on which growth is a distance, and what is far below the floor does not
matter. Usual is the median of the last completed attempts before; the scatter is 1.4826 times the median
distance from it (as in ``volume``), and at least 0.1, so that a constant history makes no alarm of a second
more. An attempt regressed where its score is beyond the threshold, and it is larger by the least ratio and by
the floor too. Figures of records that lost a part are no measure, and left out: all but the duration.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass, field
from functools import partial
from statistics import median
from typing import TYPE_CHECKING, Any

from metaplat.model.rule import History, PartitionEvidence, Rule
from metaplat.model.verdict import Severity, Verdict
from metaplat.rules.samples import require_columns, shown_rows, shown_value
from metaplat.rules.spark.expected_executors import PARTS_LOST
from metaplat.rules.spark.metrics import METRICS, Metric
from metaplat.rules.spark.recurring_name import recurring_name
from metaplat.rules.wording import agreeing, counted

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    import polars as pl

MAD_TO_DEVIATION = 1.4826
SMALLEST_SCATTER = 0.1
IDENTITY = ("source", "app_id", "attempt_id")
GROUP = ("source", "user", "recurring")
COLUMNS = (
    *IDENTITY,
    "app_name",
    "user",
    "status",
    "data_quality",
    "cost_currency",
    *(metric.column for metric in METRICS),
)


@dataclass(frozen=True)
class Limits:
    """How unusual an attempt must be: see ``regression``."""

    days: int
    runs: int
    warm_up: int
    threshold: float
    least_ratio: float


@dataclass(frozen=True)
class Regression:
    """One figure of one attempt that is worse than usual."""

    row: Mapping[str, Any]
    metric: Metric
    value: float
    usual: float
    score: float
    earlier: int

    @property
    def ratio(self) -> float | None:
        """The value over the usual one; None where that is nothing."""
        return self.value / self.usual if self.usual else None


@dataclass
class _Found:
    """What comes of a partition: attempts that were judged, those that still warm up, regressions."""

    judged: int = 0
    warming_up: int = 0
    regressions: list[Regression] = field(default_factory=list)


def regression(
    days: int = 30, runs: int = 30, warm_up: int = 5, threshold: float = 3.5, least_ratio: float = 1.5
) -> Rule:
    """Return the rule that no completed attempt is much worse than those before it.

    Parameters
    ----------
    days : int
        Length of the history looked at, before the start of the partition.
    runs : int
        Attempts of it that are compared with at the most, the last ones.
    warm_up : int
        Attempts that the history must have.
    threshold : float
        Score beyond which an attempt is unusual, in standard deviations.
    least_ratio : float
        Smallest growth that counts.
    """
    if not 2 <= warm_up <= runs or not days > 0 or not threshold > 0 or not least_ratio >= 1:
        raise ValueError(
            "regression: needs days > 0, 2 <= warm_up <= runs, threshold > 0 and least_ratio >= 1: "
            f"{days=} {runs=} {warm_up=} {threshold=} {least_ratio=}"
        )
    limits = Limits(days, runs, warm_up, threshold, least_ratio)
    doc = (
        f"No completed attempt takes, spills or costs {least_ratio:g} times what its recurring application "
        f"usually does, by the last {runs} attempts of the {days} days before (score to {threshold:g})."
    )
    judge = partial(_judge, limits=limits)
    return Rule("regression", doc, judge, severity=Severity.WARN, history=History(days, COLUMNS))


def _judge(evidence: PartitionEvidence, *, limits: Limits) -> Verdict:
    require_columns(evidence.frame, COLUMNS, "regression")
    if evidence.history is None:
        return Verdict.not_evaluated("The rows of the days before are not known.")
    found = _Found()
    for rows in _recurring(evidence.frame, evidence.history, evidence.domain.partitions.by):
        _compare(rows, limits, found)
    worst = sorted(found.regressions, key=lambda each: -each.score)
    regressed = len({tuple(each.row[name] for name in IDENTITY) for each in worst})
    numbers = {"judged": found.judged, "warming_up": found.warming_up, "regressed": regressed}
    numbers |= {
        f"regressed_{metric.column}": sum(each.metric is metric for each in worst) for metric in METRICS
    }
    if not found.judged:
        return Verdict.not_evaluated(_not_yet(found, limits), numbers)
    return Verdict.judged(
        passed=not worst,
        sentence=_sentence(found.judged, regressed, worst),
        numbers=numbers,
        samples=shown_rows([_sample(each) for each in worst], evidence.domain.columns),
    )


def _recurring(frame: pl.DataFrame, history: pl.DataFrame, by: str) -> Iterator[list[dict[str, Any]]]:
    """Yield the completed attempts of each recurring application of the partition, oldest first."""
    import polars as pl

    columns = [by, *COLUMNS]
    attempts = pl.concat(
        [
            history.select(columns).with_columns(judged=pl.lit(value=False)),
            frame.select(columns).with_columns(judged=pl.lit(value=True)),
        ]
    ).filter(pl.col("status") == "COMPLETED", pl.col("app_name").is_not_null())
    if not attempts["judged"].any():
        return
    names = attempts["app_name"].unique().to_list()
    recurring = pl.col("app_name").replace_strict(
        names, [recurring_name(name) for name in names], return_dtype=pl.String
    )
    named = attempts.with_columns(recurring=recurring).filter(pl.col("recurring").is_not_null())
    of_today = named.filter(pl.col("judged").any().over(GROUP)).sort(by, maintain_order=True)
    for _, rows in of_today.group_by(GROUP, maintain_order=True):
        yield rows.to_dicts()


def _compare(rows: Sequence[Mapping[str, Any]], limits: Limits, found: _Found) -> None:
    """Compare the attempts of one application that are judged with the last ones before each."""
    before: dict[tuple[Metric, object], deque[float]] = {}
    for row in rows:
        known = [
            (metric, value, before.setdefault(_kept_under(metric, row), deque(maxlen=limits.runs)))
            for metric in METRICS
            if (value := _value(row, metric)) is not None
        ]
        if row["judged"]:
            compared = [each for each in known if len(each[2]) >= limits.warm_up]
            found.judged += bool(compared)
            found.warming_up += not compared
            for metric, value, earlier in compared:
                found.regressions.extend(_regression(row, metric, value, earlier, limits))
        for _, value, earlier in known:
            earlier.append(value)


def _kept_under(metric: Metric, row: Mapping[str, Any]) -> tuple[Metric, object]:
    """Return what values must share to be compared: the metric, and of money the currency."""
    return metric, row["cost_currency"] if metric.money else None


def _value(row: Mapping[str, Any], metric: Metric) -> float | None:
    if metric.of_all_parts and set(PARTS_LOST) & set(row["data_quality"] or ()):
        return None
    value = row[metric.column]
    return float(value) if value is not None and math.isfinite(value) and value >= 0 else None


def _regression(
    row: Mapping[str, Any], metric: Metric, value: float, earlier: Collection[float], limits: Limits
) -> Iterator[Regression]:
    scaled = [math.log(each + metric.floor) for each in earlier]
    middle, usual = median(scaled), median(earlier)
    scatter = max(MAD_TO_DEVIATION * median(abs(each - middle) for each in scaled), SMALLEST_SCATTER)
    score = (math.log(value + metric.floor) - middle) / scatter
    if score > limits.threshold and value >= limits.least_ratio * usual and value - usual >= metric.floor:
        yield Regression(row, metric, value, usual, score, len(earlier))


def _sentence(judged: int, regressed: int, worst: Sequence[Regression]) -> str:
    if not worst:
        return f"{counted(judged, 'recurring attempt')} {agreeing(judged, 'is', 'are')} as usual."
    first = worst[0]
    now, usual = first.metric.words(first.row, first.value), first.metric.words(first.row, first.usual)
    return (
        f"{regressed:,} of {counted(judged, 'recurring attempt')} {agreeing(regressed, 'is', 'are')} worse "
        f"than usual, most of all {shown_value(first.row['app_name'])} ({first.row['app_id']}): "
        f"{first.metric.noun} {now}, usually {usual}. Look at its findings, and compare it with an earlier "
        "run (`metaplat spark compare`); where it does more than before, it will become usual."
    )


def _not_yet(found: _Found, limits: Limits) -> str:
    if found.warming_up:
        attempts = counted(found.warming_up, "completed attempt")
        return (
            f"Warming up: none of {attempts} has {limits.warm_up} earlier ones of its recurring application."
        )
    return "No completed attempt of a recurring application."


def _sample(each: Regression) -> dict[str, object]:
    return {
        **{name: each.row[name] for name in (*IDENTITY, "app_name")},
        "metric": each.metric.column,
        "value": round(each.value, 3),
        "usual": round(each.usual, 3),
        "ratio": None if each.ratio is None else round(each.ratio, 2),
        "earlier_attempts": each.earlier,
    }
