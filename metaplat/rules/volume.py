"""No unusual number of rows, against the partitions of the weeks before.

Here: the band in which a count is usual, from the history of counts alone.
Not here: the smallest lawful count (``row_count``), missing partitions (``partition``).

Method. A count ``n`` is compared on the scale ``2 * sqrt(n + 3/8)``, where Poisson counts of any size
scatter with a deviation of 1 (F. J. Anscombe, Biometrika 35, 1948, 246-254). Usual is the median of the
earlier partitions of the same weekday and hour, where there are two, else of all. How far a count may stray
is learned by comparing every earlier partition with the others in just that way: the scatter is 1.4826 times
the median of these absolute misses (the factor turns it into a standard deviation where they are normal), and
at least 1, so that after a constant history one row more is no alarm. A score beyond 3.5 is an anomaly
(B. Iglewicz and D. C. Hoaglin, How to Detect and Handle Outliers, 1993).

On simulated days (counts of 20 to 5,000, weekends down to 2 %, noise of 5 to 10 %, an outage in 50 days) with
four weeks of history it raised 2 to 17 false alarms in 1,000 days. The plain median and MAD of the same four
weekdays raised 8 to 131; of all days, while there are fewer than four weekdays, up to 284.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from statistics import median
from typing import TYPE_CHECKING

from metaplat.model.rule import PartitionEvidence, Rule
from metaplat.model.verdict import Severity, Verdict
from metaplat.rules.wording import counted, materialize_command

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from metaplat.model.partitioning import Partitioning

MIN_PEERS = 2
MAD_TO_DEVIATION = 1.4826
SMALLEST_SCATTER = 1.0


@dataclass(frozen=True)
class Band:
    """The usual number of rows: its middle and its ends, in rows, and the score of the count judged."""

    median: float
    low: float
    high: float
    score: float


def volume(days: int = 28, warm_up: int = 14, threshold: float = 3.5) -> Rule:
    """Return the rule that a partition has a usual number of rows.

    Parameters
    ----------
    days : int
        Length of the history looked at, before the start of the partition.
    warm_up : int
        Days with an ingested partition that the history must have.
    threshold : float
        Score beyond which a count is an anomaly, in standard deviations.
    """
    if not 1 <= warm_up <= days or not threshold > 0:
        raise ValueError(
            f"volume: needs 1 <= warm_up <= days and threshold > 0: {days=} {warm_up=} {threshold=}"
        )

    def judge(evidence: PartitionEvidence) -> Verdict:
        return _judge(evidence, days, warm_up, threshold)

    doc = f"The rows of a partition are as many as usual in the {days} days before (score to {threshold:g})."
    return Rule("volume", doc, judge, severity=Severity.WARN)


def usual_band(rows: int, start: datetime, history: Mapping[datetime, int], threshold: float = 3.5) -> Band:
    """Return the usual number of rows at ``start``, after ``history``.

    Parameters
    ----------
    rows : int
        The count to score.
    start : datetime
        Start of the partition judged.
    history : mapping of datetime to int, length >= 1
        Rows of earlier partitions by their start; a start that is absent is unknown, not zero.
    threshold : float
        Half width of the band, in standard deviations.

    Returns
    -------
    Band
        Finite numbers; the band is where the score stays within the threshold. Method: see the header.
    """
    slots: dict[tuple[int, ...], list[float]] = {}
    for moment, count in history.items():
        slots.setdefault(_slot(moment), []).append(_stabilized(count))
    overall = median(value for values in slots.values() for value in values)
    misses = [
        abs(value - _usual([*values[:place], *values[place + 1 :]], overall))
        for values in slots.values()
        for place, value in enumerate(values)
    ]
    usual = _usual(slots.get(_slot(start), []), overall)
    scatter = max(MAD_TO_DEVIATION * median(misses), SMALLEST_SCATTER)
    return Band(
        median=_count(usual),
        low=_count(usual - threshold * scatter),
        high=_count(usual + threshold * scatter),
        score=(_stabilized(rows) - usual) / scatter,
    )


def _judge(evidence: PartitionEvidence, days: int, warm_up: int, threshold: float) -> Verdict:
    window = evidence.domain.partitions.window(evidence.partition)
    if window is None:
        return Verdict.not_evaluated("Buckets have no order in time: there is no usual number before them.")
    if evidence.receipt is None and evidence.frame.is_empty():
        return Verdict.not_evaluated("This partition was never ingested.")
    start, end = window
    rows, history = evidence.frame.height, _history(evidence, start, days)
    known = len({moment.date() for moment in history})
    if known < warm_up:
        numbers = {"rows": rows, "history_days": known, "needed_days": warm_up}
        return Verdict.not_evaluated(f"Warming up: {known} of {counted(warm_up, 'day')}.", numbers)
    band = usual_band(rows, start, history, threshold)
    numbers_judged = {
        "rows": rows,
        "median": round(band.median, 1),
        "low": round(band.low, 1),
        "high": round(band.high, 1),
        "score": round(band.score, 2),
    }
    usual = f"{band.low:.0f} to {band.high:.0f} usual, median {band.median:.0f} (score {band.score:+.1f})"
    sentence = f"{counted(rows, 'row')}; {usual}."
    if band.score < -threshold and evidence.now < end:
        return Verdict.not_evaluated(
            f"{sentence} The partition still fills until {end:%Y-%m-%d %H:%M} UTC.", numbers_judged
        )
    passed = abs(band.score) <= threshold
    return Verdict.judged(
        passed=passed,
        sentence=sentence if passed else f"{sentence} {_advice(evidence, band)}",
        numbers=numbers_judged,
    )


def _history(evidence: PartitionEvidence, start: datetime, days: int) -> dict[datetime, int]:
    """Rows of the partitions that start within ``days`` before ``start``."""
    first = start - timedelta(days=days)
    partitions = evidence.domain.partitions
    starts = {
        _start(partitions, key): rows  # type: ignore[arg-type]  # every partitioning is a frozen dataclass
        for key, rows in evidence.row_history.items()
    }
    return {moment: rows for moment, rows in starts.items() if moment is not None and first <= moment < start}


@lru_cache(maxsize=100_000)  # a range run asks for every earlier start once per partition
def _start(partitions: Partitioning, key: str) -> datetime | None:
    window = partitions.window(key)
    return window[0] if window else None


def _advice(evidence: PartitionEvidence, band: Band) -> str:
    if band.score > 0:
        return "Look for doubled deliveries or a new source; where the number is right, it will become usual."
    command = materialize_command(evidence.domain, evidence.partition)
    return f"Look for objects that did not land, then run {command}; where the number is right, do nothing."


def _slot(moment: datetime) -> tuple[int, ...]:
    """Place in the week: what a partition is compared within."""
    return moment.weekday(), moment.hour, moment.minute


def _usual(peers: Sequence[float], overall: float) -> float:
    return median(peers) if len(peers) >= MIN_PEERS else overall


def _stabilized(count: int) -> float:
    """Anscombe's transform."""
    return 2 * math.sqrt(count + 0.375)


def _count(value: float) -> float:
    """Undo Anscombe's transform; nothing is below no rows."""
    return max((max(value, 0.0) / 2) ** 2 - 0.375, 0.0)
