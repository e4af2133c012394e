"""The volume band as its formula is written: slow, looking at all earlier hours every time."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from metaplat.rules.vip.volume_band import BandParameters

Values = list[float | None]


@dataclass
class NaiveHour:
    """What the formula says of one hour."""

    low: float = math.nan
    high: float = math.nan
    score: float = math.nan
    baseline: str | None = None
    anomaly: str | None = None


@dataclass
class NaiveSeries:
    """One series: what trains the level, the base and the spread, by hour, and the anomalies in a row."""

    parameters: BandParameters
    z: Values
    level: Values = field(default_factory=list)
    deviation: Values = field(default_factory=list)
    misses: Values = field(default_factory=list)
    run: list[tuple[int, float, str | None]] = field(default_factory=list)

    def judge(self, hour: int, *, trains: bool) -> NaiveHour:
        """Judge one hour; every earlier one was judged before."""
        p, z = self.parameters, self.z[hour]
        for series in (self.level, self.deviation, self.misses):
            series.append(None)
        levels = known(self.level, hour - p.level_hours, hour)
        if len(levels) < p.level_minimum:
            self.level[hour] = z if trains else None
            return NaiveHour()
        level, (base, baseline) = median(levels), self.base(hour)
        found = self.compare(hour, level + base, baseline)
        if z is not None and trains:
            self.learn(hour, z, level, base, found, warming_up=baseline != "hour of week")
        return found

    def base(self, hour: int) -> tuple[float, str]:
        """Return the base of an hour, and what it is made of."""
        first = hour - self.parameters.season_weeks * 168
        for step, name in ((168, "hour of week"), (24, "hour of day")):
            same = known(self.deviation, first, hour, step)
            if len(same) >= self.parameters.season_minimum:
                return median(same), name
        return 0.0, "level"

    def compare(self, hour: int, middle: float, baseline: str) -> NaiveHour:
        """Return band, score and anomaly."""
        p, z = self.parameters, self.z[hour]
        misses = known(self.misses, hour - p.spread_hours, hour)
        if len(misses) < p.level_minimum:
            return NaiveHour()
        floors = [p.spread_floor] if baseline == "hour of week" else [p.spread_floor, p.warm_up_floor]
        spread = max(1.4826 * median(misses), *floors)
        low, high = (max(math.expm1(middle + side * p.k * spread), 0.0) for side in (-1, 1))
        if z is None:
            return NaiveHour(low, high, baseline=baseline)
        score = (z - middle) / spread
        beyond = "low" if score < 0 else "high"
        return NaiveHour(low, high, score, baseline, beyond if abs(score) > p.k else "none")

    def learn(
        self, hour: int, z: float, level: float, base: float, found: NaiveHour, *, warming_up: bool
    ) -> None:
        """Take in what trains, and accept a new level."""
        usual = found.anomaly in (None, "none")
        if usual or warming_up:
            self.deviation[hour], self.misses[hour] = z - level, abs(z - level - base)
        if usual:
            self.level[hour], self.run = z, []
            return
        self.run = [each for each in self.run if each[2] == found.anomaly]
        self.run.append((hour, z - level - base, found.anomaly))
        if len(self.run) == self.parameters.accept_after:
            shift = median(distance for _, distance, _ in self.run)
            self.level = [None if each is None else each + shift for each in self.level]
            for past, _, _ in self.run:
                self.level[past] = self.z[past]
            self.run = []


def known(series: Values, first: int, last: int, step: int = 1) -> list[float]:
    """Return the values of the hours ``last - step``, ``last - 2 * step`` and so on, not before ``first``."""
    hours = [hour for hour in range(last - step, first - 1, -step) if hour >= 0]
    return [value for hour in hours if (value := series[hour]) is not None]


def naive_bands(
    values: Sequence[float], trainable: Sequence[bool], parameters: BandParameters
) -> list[NaiveHour]:
    """Compute band, score, baseline and anomaly of every hour."""
    series = NaiveSeries(parameters, [math.log1p(value) if value >= 0 else None for value in values])
    return [series.judge(hour, trains=trains) for hour, trains in enumerate(trainable)]
