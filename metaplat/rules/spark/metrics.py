"""The figures by which runs of one application are compared.

Here: what is compared, from which difference on it matters, and how it is said.
Not here: the comparison (``regression``).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

MINUTE_MS, HOUR_MS = 60_000, 3_600_000
MIB, GIB = 2**20, 2**30
CORE_HOUR = 3600


@dataclass(frozen=True)
class Metric:
    """One figure of an attempt, of which less is better.

    Parameters
    ----------
    column : str
        Where it is.
    noun : str
        What it is called in a sentence.
    floor : float
        Differences below never matter, in the unit of the column.
    words : callable
        Row and value -> the value for a person.
    of_all_parts : bool
        Summed over events, so that a record that lost some has too little of it.
    money : bool
        Comparable within one currency only.
    """

    column: str
    noun: str
    floor: float
    words: Callable[[Mapping[str, Any], float], str]
    of_all_parts: bool = True
    money: bool = False


def _time(row: Mapping[str, Any], value: float) -> str:
    del row
    if value < 2 * MINUTE_MS:
        return f"{value / 1000:.0f} s"
    return f"{value / MINUTE_MS:.0f} min" if value < 2 * HOUR_MS else f"{value / HOUR_MS:,.1f} h"


def _size(row: Mapping[str, Any], value: float) -> str:
    del row
    return f"{value / MIB:.0f} MiB" if value < GIB else f"{value / GIB:,.1f} GiB"


def _money(row: Mapping[str, Any], value: float) -> str:
    return f"{value:,.2f} {row['cost_currency'] or ''}".rstrip()


def _core_time(row: Mapping[str, Any], value: float) -> str:
    del row
    return f"{value / CORE_HOUR:,.1f} core hours"


METRICS = (
    Metric("duration_ms", "duration", MINUTE_MS, _time, of_all_parts=False),
    Metric("disk_spilled_bytes", "spill", 256 * MIB, _size),
    Metric("estimated_cost", "cost", 0.1, _money, money=True),
    Metric("core_seconds_used", "core time", 600, _core_time),
)
