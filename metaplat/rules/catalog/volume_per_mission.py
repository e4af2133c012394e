"""No unusual number of observations of a mission in an hour, against the days before.

Here: every hour of a day against the same hour of earlier days, mission by mission.
Not here: missions that fell silent (``freshness_per_mission``), rows of whole partitions (``volume``).

Method. Counts are compared on the scale of ``volume``. Usual is the median of the same hour on the days of
the history that are in the lake, from the first one of the mission on; the scatter is 1.4826 times the median
distance from it, and at least 1, what counting alone makes. An hour is unusual where its score is beyond the
threshold and it has ``least_ratio`` times the usual count, or the usual one has that many times its own. So
many hours are judged a day that the threshold is higher than that of ``volume``: on simulated counts of 2 to
300 that scatter by 10 to 60 % from day to day, at most 1.8 hours in 1,000 were false alarms, mostly none.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import partial
from statistics import median
from typing import TYPE_CHECKING

from metaplat.model.rule import History, PartitionEvidence, Rule
from metaplat.model.verdict import Severity, Verdict
from metaplat.rules.as_of import by_last_partitions
from metaplat.rules.catalog.delivery import COLUMNS, MISSION, TIME, delivery_delays
from metaplat.rules.samples import require_columns, shown_rows, shown_value
from metaplat.rules.wording import agreeing, counted

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import polars as pl

NAME = "volume_per_mission"
HOURS = 24
ONE_HOUR = timedelta(hours=1)
MAD_TO_DEVIATION = 1.4826
SMALLEST_SCATTER = 1.0


@dataclass(frozen=True)
class _Limits:
    """How unusual an hour must be: see ``volume_per_mission``."""

    days: int
    warm_up: int
    threshold: float
    least_ratio: float
    settle: timedelta


@dataclass(frozen=True)
class _Hour:
    """One hour of one mission beside what is usual."""

    mission: str
    start: datetime
    files: int
    usual: float
    score: float

    def is_unusual(self, limits: _Limits) -> bool:
        """Whether the count strays too far, by score and by ratio."""
        low, high = sorted((self.files, self.usual))
        return abs(self.score) > limits.threshold and high >= limits.least_ratio * low


@dataclass
class _Compared:
    """The hours that are judged, of how many missions, and how many missions are too new."""

    hours: list[_Hour] = field(default_factory=list)
    missions: int = 0
    warming_up: int = 0


def volume_per_mission(
    days: int = 28,
    warm_up: int = 14,
    threshold: float = 6,
    least_ratio: float = 2,
    settle: timedelta = timedelta(hours=1),
) -> Rule:
    """Return the rule that no hour of a mission has an unusual number of observations; a warning.

    Parameters
    ----------
    days : int
        Length of the history looked at, before the start of the partition.
    warm_up : int
        Days that the history of a mission must have in the lake.
    threshold : float
        Score beyond which an hour is unusual, in standard deviations.
    least_ratio : float
        Smallest growth, or shrinking, that counts.
    settle : timedelta
        After its end an hour is not yet too empty for so long, or for as long as files of the mission
        usually take to arrive.
    """
    if not 2 <= warm_up <= days or not threshold > 0 or not least_ratio >= 1:
        raise ValueError(
            f"{NAME}: needs 2 <= warm_up <= days, threshold > 0 and least_ratio >= 1: "
            f"{days=} {warm_up=} {threshold=} {least_ratio=}"
        )
    limits = _Limits(days, warm_up, threshold, least_ratio, settle)
    doc = (
        f"No hour of a mission has {least_ratio:g} times its usual number of observations, or a part as "
        f"small, by the same hour of the {days} days before (score to {threshold:g})."
    )
    judge = partial(_judge, limits=limits)
    return Rule(
        NAME, doc, judge, by_last_partitions(NAME, 7), severity=Severity.WARN, history=History(days, COLUMNS)
    )


def _judge(evidence: PartitionEvidence, *, limits: _Limits) -> Verdict:
    require_columns(evidence.frame, COLUMNS, NAME)
    window = evidence.domain.partitions.window(evidence.partition)
    if window is None or evidence.history is None:
        return Verdict.not_evaluated("These files have no time to count hours by.")
    found = _compared(evidence, window[0], limits)
    hours = found.hours
    unusual = sorted((hour for hour in hours if hour.is_unusual(limits)), key=lambda hour: -abs(hour.score))
    numbers = {
        "missions": found.missions,
        "warming_up": found.warming_up,
        "hours": len(hours),
        "low_hours": sum(hour.score < 0 for hour in unusual),
        "high_hours": sum(hour.score > 0 for hour in unusual),
    }
    if not hours:
        return Verdict.not_evaluated(_not_yet(found, limits), numbers)
    return Verdict.judged(
        passed=not unusual,
        sentence=_sentence(len(hours), unusual),
        numbers=numbers,
        samples=shown_rows([_sample(hour) for hour in unusual], evidence.domain.columns),
    )


def _compared(evidence: PartitionEvidence, start: datetime, limits: _Limits) -> _Compared:
    """Compare the hours of every mission whose history is long enough."""
    assert evidence.history is not None  # noqa: S101  # the caller looked
    earlier, today = _counts(evidence.history), _counts(evidence.frame)
    known = _known_days(evidence, start, limits.days)
    delays = delivery_delays(evidence.history, timedelta(days=limits.days))
    found = _Compared()
    for mission in sorted(earlier.keys() | today.keys()):
        before = earlier.get(mission, {})
        days = [day for day in known if before and day >= min(before)[0]]
        if len(days) < limits.warm_up:
            found.warming_up += mission in today
            continue
        found.missions += 1
        due = evidence.now - max(delays.get(mission, limits.settle), limits.settle)
        hours = _hours(mission, start, today.get(mission, {}), before, days)
        found.hours += [hour for hour in hours if hour.score > 0 or hour.start + ONE_HOUR <= due]
    return found


def _counts(rows: pl.DataFrame) -> dict[str, dict[tuple[date, int], int]]:
    """Return the number of observations of each mission by day and hour; what is absent is none."""
    import polars as pl

    counted_hours = (
        rows.lazy()
        .filter(pl.col(MISSION).is_not_null(), pl.col(TIME).is_not_null())
        .group_by(MISSION, hour=pl.col(TIME).dt.truncate("1h"))
        .agg(files=pl.len())
        .collect()
    )
    found: dict[str, dict[tuple[date, int], int]] = {}
    for mission, hour, files in counted_hours.iter_rows():
        found.setdefault(mission, {})[hour.date(), hour.hour] = files
    return found


def _known_days(evidence: PartitionEvidence, start: datetime, days: int) -> list[date]:
    """Return the days before that are in the lake; keys of days sort as the days do."""
    partitions = evidence.domain.partitions
    first = partitions.key_of(start - timedelta(days=days))
    keys = [key for key in evidence.row_history if first <= key < evidence.partition]
    return [found[0].date() for key in keys if (found := partitions.window(key)) is not None]


def _hours(
    mission: str,
    start: datetime,
    today: Mapping[tuple[date, int], int],
    earlier: Mapping[tuple[date, int], int],
    days: Sequence[date],
) -> Iterator[_Hour]:
    """Yield the hours of a day beside the same hours of ``days``."""
    for hour in range(HOURS):
        files = today.get((start.date(), hour), 0)
        before = [earlier.get((day, hour), 0) for day in days]
        scaled = [_stabilized(count) for count in before]
        middle = median(scaled)
        scatter = max(MAD_TO_DEVIATION * median(abs(each - middle) for each in scaled), SMALLEST_SCATTER)
        score = (_stabilized(files) - middle) / scatter
        yield _Hour(mission, start + hour * ONE_HOUR, files, median(before), score)


def _stabilized(count: int) -> float:
    """Anscombe's transform: see ``volume``."""
    return 2 * math.sqrt(count + 0.375)


def _sentence(judged: int, unusual: Sequence[_Hour]) -> str:
    if not unusual:
        return f"{counted(judged, 'hour')} of missions {agreeing(judged, 'is', 'are')} as usual."
    first = unusual[0]
    advice = (
        "Look at what delivers its files, then run `metaplat catalog reconcile PLACE`; where it is right, do "
        "nothing."
        if first.score < 0
        else "Look for files delivered twice; where the number is right, it will become usual."
    )
    return (
        f"{len(unusual):,} of {counted(judged, 'hour')} of missions {agreeing(len(unusual), 'is', 'are')} "
        f"unusual, most of all {shown_value(first.mission)} at {first.start:%Y-%m-%d %H:%M} UTC: "
        f"{counted(first.files, 'file')}, usually {first.usual:,.0f} (score {first.score:+.1f}). {advice}"
    )


def _not_yet(found: _Compared, limits: _Limits) -> str:
    if found.warming_up:
        missions = counted(found.warming_up, "mission")
        return f"Warming up: {missions} with fewer than {limits.warm_up} days before in the lake."
    return "No hour of a mission to judge."


def _sample(hour: _Hour) -> dict[str, object]:
    return {
        MISSION: hour.mission,
        "hour": hour.start,
        "files": hour.files,
        "usual": hour.usual,
        "score": round(hour.score, 2),
    }
