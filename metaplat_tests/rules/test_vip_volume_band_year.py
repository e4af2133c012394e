"""Anomalies planted in synthetic hours: how many are found, and how many hours are flagged without cause."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pytest

from metaplat.rules.vip.volume_band import VolumeBands, score_volumes

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy.typing as npt

    Noise = Callable[[np.random.Generator, int], npt.NDArray[np.float64]]

YEAR, SIXTEEN_WEEKS = 366 * 24, 16 * 168
FACTORS = (0.0, 0.5, 0.6, 1.6, 2.0)
LEAST_RECALL, MOST_FALSE_ALARMS = 0.9, 1.0
"""The second in 1,000 hours; over all series of a test."""
SEEDS = range(8)


@dataclass(frozen=True)
class Planted:
    """A series, and where its anomalies are."""

    values: npt.NDArray[np.float64]
    trainable: npt.NDArray[np.bool_]
    anomalies: npt.NDArray[np.bool_]
    first_hour: int


def normal(random: np.random.Generator, hours: int) -> npt.NDArray[np.float64]:
    return random.normal(0, 0.06, hours)


def twice_as_wide_now_and_then(random: np.random.Generator, hours: int) -> npt.NDArray[np.float64]:
    return random.normal(0, 0.06, hours) * np.where(random.random(hours) < 0.05, 2, 1)


def student_10(random: np.random.Generator, hours: int) -> npt.NDArray[np.float64]:
    return random.standard_t(10, hours) * 0.06


def planted(seed: int, hours: int, noise: Noise, weekend: float, *, holes: bool) -> Planted:
    """Make hours of a day, a week, a trend of 15 %, noise, holes, and one anomaly in 100 hours."""
    random = np.random.default_rng(seed)
    first = 31 * seed % 168
    time = np.arange(hours)
    week = (time + first) % 168
    shape = (1 + 0.35 * np.sin(2 * np.pi * week / 24)) * np.where(week >= 120, weekend, 1)
    values = 2e9 * shape * (1 + 0.15 * time / hours) * np.exp(noise(random, hours))
    anomalies = np.zeros(hours, dtype=bool)
    anomalies[random.choice(hours, hours // 100, replace=False)] = True
    values[anomalies] *= random.choice(FACTORS, anomalies.sum())
    trainable = np.ones(hours, dtype=bool)
    if holes:
        values[random.choice(hours, hours // 50, replace=False)] = np.nan
        values[1000:1022], trainable[1000:1022] = np.nan, False
        trainable[1800:1830] = False
        values[1800:1830] *= 3
        anomalies[1800:1830] = True
    return Planted(values, trainable, anomalies, first)


def recall_and_false_alarms(series: list[Planted], *, after: int = 0) -> tuple[float, float]:
    """Return the share of the anomalies that are found, and the false alarms in 1,000 judged hours."""
    found = missed = alarms = quiet = 0
    for each in series:
        bands: VolumeBands = score_volumes(each.values, each.first_hour, each.trainable)
        flagged = np.array([word in ("low", "high") for word in bands.anomaly])
        judged = np.array([word is not None for word in bands.anomaly])
        there = np.isfinite(each.values) & (np.arange(len(flagged)) >= after)
        found += int((flagged & each.anomalies & there).sum())
        missed += int((~flagged & each.anomalies & there).sum())
        alarms += int((flagged & ~each.anomalies & there).sum())
        quiet += int((judged & ~each.anomalies & there).sum())
    return found / (found + missed), 1000 * alarms / quiet


@pytest.mark.parametrize("weekend", [0.2, 0.5, 0.6, 0.8, 1.0, 1.2])
@pytest.mark.parametrize("holes", [False, True])
def test_a_year_of_hours_is_judged_well_from_its_first_day_on(weekend: float, holes: bool) -> None:
    series = [planted(seed, YEAR, normal, weekend, holes=holes) for seed in SEEDS]
    recall, alarms = recall_and_false_alarms(series)
    assert recall >= LEAST_RECALL
    assert alarms <= MOST_FALSE_ALARMS


@pytest.mark.parametrize("noise", [twice_as_wide_now_and_then, student_10], ids=lambda noise: noise.__name__)
def test_noise_with_heavier_tails_raises_few_alarms_more(noise: Noise) -> None:
    recall, alarms = recall_and_false_alarms([planted(seed, YEAR, noise, 0.6, holes=True) for seed in SEEDS])
    assert recall >= LEAST_RECALL
    assert alarms <= MOST_FALSE_ALARMS


def test_sixteen_weeks_of_which_the_first_four_are_not_scored_are_judged_as_measured() -> None:
    series = [planted(seed, SIXTEEN_WEEKS, normal, 0.6, holes=False) for seed in SEEDS]
    recall, alarms = recall_and_false_alarms(series, after=4 * 168)
    assert recall >= 0.95
    assert alarms <= 0.5
