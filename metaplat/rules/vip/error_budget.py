"""How many bad hours an objective allows, how many are left, and how fast they are used up.

Here: the arithmetic of one configuration's hours. Not here: which hours are bad (``budget``, the rules),
charts.

Formulas. An objective of 99 % over 30 days allows ``0.01 * 720 = 7.2`` bad hours; excused hours leave both
sides, so the 720 are fewer by them. A burn rate is the share of bad hours in a window over the share that the
objective allows: at 1 the budget lasts exactly as long as its days. The paging limits that are usual for
requests (14.4 over 1 h, 6 over 6 h) are of no use for hours: one bad hour already burns at 100 and 16.7. So
the first bad hour in 3 days warns, and pages are asked for by numbers of bad hours: two in 6 hours burn at
33, three in 3 days at 4.2.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

HOURS_OF_DAY = 24
SHORT, MIDDLE, LONG = timedelta(hours=1), timedelta(hours=6), timedelta(days=3)
"""The windows of the burn rates."""


class BurnLevel(StrEnum):
    """What a budget asks of a person, least first."""

    NONE = "none"
    WARN = "warn"
    """There was a bad hour in the last 3 days."""
    PAGE = "page"
    """There were so many of them that somebody should look at once."""


@dataclass(frozen=True)
class Slo:
    """What is promised of the hours.

    Parameters
    ----------
    objective : float
        Share of hours that are to be complete, above 0 and below 1.
    days : int
        Days over which it is.
    page_bad_hours_6h, page_bad_hours_3d : int
        Bad hours in 6 hours, and in 3 days, that are worth a page.
    """

    objective: float = 0.99
    days: int = 30
    page_bad_hours_6h: int = 2
    page_bad_hours_3d: int = 3

    def __post_init__(self) -> None:
        if not 0 < self.objective < 1 or self.days < 1:
            raise ValueError(f"an objective is a share between 0 and 1 over at least a day, not {self}")


@dataclass(frozen=True)
class Budget:
    """How one configuration stands against its objective.

    Parameters
    ----------
    hours, bad : int
        Hours counted in the days of the objective, and the bad ones of them.
    ratio : float or None
        Share of good ones; None where no hour is counted.
    allowed_bad : float
        Bad hours that the objective allows over its days.
    left : float
        Share of them that is not used up; below 0 where more were bad.
    burn_1h, burn_6h, burn_3d : float or None
        Burn rates; None where the window holds no hour that counts.
    bad_6h, bad_3d : int
        Bad hours of the last 6 hours, and of the last 3 days.
    level : BurnLevel
        What that asks of a person.
    """

    hours: int
    bad: int
    ratio: float | None
    allowed_bad: float
    left: float
    burn_1h: float | None
    burn_6h: float | None
    burn_3d: float | None
    bad_6h: int
    bad_3d: int
    level: BurnLevel


def error_budget(
    hours: Sequence[datetime], good: Sequence[bool], slo: Slo, now: datetime, *, excused: int = 0
) -> Budget:
    """Say how much of the error budget is left.

    Parameters
    ----------
    hours : sequence of datetime, length (hours,)
        Starts of the closed hours that are not excused, aware, each once, in any order; those before the
        days of the objective, or from ``now`` on, do not count.
    good : sequence of bool, length (hours,)
        Whether the hour is complete; late is complete.
    slo : Slo
        The objective.
    now : datetime
        Where all windows end; the end of the newest closed hour, so that an hour that is not closed yet does
        not stand in a window as one that is unknown.
    excused : int
        Excused hours in the days of the objective.

    Returns
    -------
    Budget
        Formulas: see the header of the module.
    """
    allowed_share = round(1 - slo.objective, 12)  # 0.01, not 0.010000000000000009
    known = [(now - hour, is_good) for hour, is_good in zip(hours, good, strict=True) if hour < now]

    def within(window: timedelta) -> tuple[int, int]:
        inside = [is_good for age, is_good in known if age <= window]
        return len(inside), inside.count(False)

    def burn(window: timedelta) -> float | None:
        count, bad = within(window)
        return bad / count / allowed_share if count else None

    count, bad = within(timedelta(days=slo.days))
    allowed = allowed_share * max(HOURS_OF_DAY * slo.days - excused, count)
    bad_6h, bad_3d = within(MIDDLE)[1], within(LONG)[1]
    return Budget(
        hours=count,
        bad=bad,
        ratio=(count - bad) / count if count else None,
        allowed_bad=allowed,
        left=1 - bad / allowed if allowed else 1.0,
        burn_1h=burn(SHORT),
        burn_6h=burn(MIDDLE),
        burn_3d=burn(LONG),
        bad_6h=bad_6h,
        bad_3d=bad_3d,
        level=_level(bad_6h, bad_3d, slo),
    )


def _level(bad_6h: int, bad_3d: int, slo: Slo) -> BurnLevel:
    if bad_6h >= slo.page_bad_hours_6h or bad_3d >= slo.page_bad_hours_3d:
        return BurnLevel.PAGE
    return BurnLevel.WARN if bad_3d else BurnLevel.NONE
