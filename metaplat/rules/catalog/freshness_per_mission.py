"""No mission fell silent (DataFreshness in AWS Glue DQDL, by mission).

Here: the age of the newest observation of each mission against how often it usually observes.
Not here: the newest observation of all (``freshness``), unusual numbers (``volume_per_mission``).

Method. Usual is the gap between two days with observations that nine of ten gaps of the mission keep to, in
the days of the history. A mission is stale where its newest observation is older than ``factor`` such gaps
and the time its files usually take to arrive. Judged is the moment that ``as_of`` tells. A mission that is
silent for nearly the whole history is no longer told of.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING

from metaplat.model.rule import History, PartitionEvidence, Rule
from metaplat.model.verdict import Severity, Verdict
from metaplat.rules.as_of import by_last_partitions, judged_as_of
from metaplat.rules.catalog.delivery import COLUMNS, MISSION, TIME, delivery_delays
from metaplat.rules.catalog.time_within_mission import last_moment
from metaplat.rules.samples import require_columns, shown_rows, shown_value
from metaplat.rules.wording import age_in_words, agreeing, counted

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import polars as pl

    from metaplat.rules.catalog.time_within_mission import MissionWindows, Window

NAME = "freshness_per_mission"
USUAL = 0.9
ONE_DAY, ONE_HOUR = timedelta(days=1), timedelta(hours=1)


@dataclass(frozen=True)
class _Silence:
    """How long one mission has been silent, and how long it usually is."""

    mission: str
    newest: datetime
    age: timedelta
    allowed: timedelta
    usual_gap: timedelta

    @property
    def excess(self) -> timedelta:
        return self.age - self.allowed


def freshness_per_mission(
    windows: MissionWindows, days: int = 28, factor: float = 2, warm_up: int = 5
) -> Rule:
    """Return the rule that every mission has observations as new as usual; a warning.

    Parameters
    ----------
    windows : callable
        See ``time_within_mission``: a mission that has ended is not stale.
    days : int
        Length of the history looked at, before the start of the partition.
    factor : float
        So many usual gaps a mission may be silent.
    warm_up : int
        Gaps between days with observations that the history must have.
    """
    if not 1 <= warm_up <= days or not factor >= 1:
        raise ValueError(f"{NAME}: needs 1 <= warm_up <= days and factor >= 1: {days=} {warm_up=} {factor=}")
    doc = (
        f"No mission is silent for more than {factor:g} times its usual gap between days with observations, "
        f"by the {days} days before, and the time its files usually take to arrive."
    )
    judge = partial(_judge, windows=windows, days=days, factor=factor, warm_up=warm_up)
    return Rule(
        NAME, doc, judge, by_last_partitions(NAME), severity=Severity.WARN, history=History(days, COLUMNS)
    )


def _judge(
    evidence: PartitionEvidence, *, windows: MissionWindows, days: int, factor: float, warm_up: int
) -> Verdict:
    import polars as pl

    require_columns(evidence.frame, COLUMNS, NAME)
    moment = judged_as_of(evidence)
    if moment is None or evidence.history is None:
        return Verdict.not_evaluated("These files have no time to judge silence by.")
    rows = pl.concat([evidence.history.select(COLUMNS), evidence.frame.select(COLUMNS)])
    observed = _observed_days(rows)
    ended = _ended(windows(), moment)
    active = {mission: seen for mission, seen in observed.items() if mission.casefold() not in ended}
    delays = delivery_delays(rows, timedelta(days=days))
    judged = [
        _silence(mission, seen, delays.get(mission, timedelta(0)), moment, factor)
        for mission, seen in active.items()
        if len(seen[1]) > warm_up
    ]
    stale = sorted(
        (each for each in judged if each.excess > timedelta(0)), key=lambda each: (-each.excess, each.mission)
    )
    numbers = {
        "missions": len(judged),
        "stale": len(stale),
        "warming_up": len(active) - len(judged),
        "ended": len(observed) - len(active),
    }
    if not judged:
        return Verdict.not_evaluated(f"No mission with {warm_up} gaps between days to judge by.", numbers)
    return Verdict.judged(
        passed=not stale,
        sentence=_sentence(len(judged), stale, moment),
        numbers=numbers,
        samples=shown_rows([_sample(each) for each in stale], evidence.domain.columns),
    )


def _observed_days(rows: pl.DataFrame) -> dict[str, tuple[datetime, list[date]]]:
    """Return the newest time and the days with observations of each mission, in order."""
    import polars as pl

    found = (
        rows.filter(pl.col(MISSION).is_not_null(), pl.col(TIME).is_not_null())
        .group_by(MISSION)
        .agg(newest=pl.col(TIME).max(), days=pl.col(TIME).dt.date().unique().sort())
        .sort(MISSION)
    )
    return {mission: (newest, days) for mission, newest, days in found.iter_rows()}


def _ended(windows: Mapping[str, Window], moment: datetime) -> frozenset[str]:
    """Return the missions whose window has ended, as they are compared."""
    return frozenset(
        name.casefold()
        for name, (_, end) in windows.items()
        if end is not None and last_moment(end) <= moment
    )


def _silence(
    mission: str, seen: tuple[datetime, Sequence[date]], delay: timedelta, moment: datetime, factor: float
) -> _Silence:
    newest, days = seen
    gaps = sorted(later - earlier for earlier, later in pairwise(days))
    usual = gaps[math.ceil(USUAL * len(gaps)) - 1]
    return _Silence(mission, newest, moment - newest, factor * usual + delay, usual)


def _sentence(judged: int, stale: Sequence[_Silence], moment: datetime) -> str:
    when = f"As of {moment:%Y-%m-%d %H:%M} UTC"
    if not stale:
        return f"{when}, {counted(judged, 'mission')} {agreeing(judged, 'is', 'are')} as fresh as usual."
    first = stale[0]
    return (
        f"{when}, {len(stale):,} of {counted(judged, 'mission')} fell silent, most of all "
        f"{shown_value(first.mission)}: its newest observation is {age_in_words(first.age)} old, at most "
        f"{age_in_words(first.allowed)} expected. Look at what delivers its files, then run "
        "`metaplat catalog reconcile PLACE`; where the mission has ended, say so in the file of "
        "catalog.mappings."
    )


def _sample(each: _Silence) -> dict[str, object]:
    return {
        MISSION: each.mission,
        "newest": each.newest,
        "age_hours": round(each.age / ONE_HOUR, 1),
        "allowed_hours": round(each.allowed / ONE_HOUR, 1),
        "usual_gap_days": each.usual_gap / ONE_DAY,
    }
