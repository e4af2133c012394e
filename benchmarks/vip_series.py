"""Hours of volumes as a vendor delivers them, with anomalies at known places.

Here: one series by seed. Not here: judging it (``vip_anomalies``), drawing it (``vip_charts``).
A day with a soft morning and evening, quieter weekends, a trend and noise; one hour in 100 is 0, 0.5, 0.6,
1.6 or 2 times what it would be. Every seed has a weekend, a trend and a day of its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

FACTORS = (0.0, 0.5, 0.6, 1.6, 2.0)
NOISE = 0.06


@dataclass(frozen=True)
class Volumes:
    """A series: ``values`` in bytes, and which of them were planted as ``anomalies``."""

    values: npt.NDArray[np.float64]
    anomalies: npt.NDArray[np.bool_]


def volumes(seed: int, hours: int, first_hour_of_week: int) -> Volumes:
    """Make a series of ``hours`` hours that begins at an hour of the week, 0 to 167."""
    import numpy as np

    random = np.random.default_rng(seed)
    time = np.arange(hours)
    week = (time + first_hour_of_week) % 168
    peak, height = random.uniform(8, 18), random.uniform(0.2, 0.5)
    day = 1 + height * np.cos(2 * np.pi * (week % 24 - peak) / 24)
    shape = day * np.where(week >= 120, random.uniform(0.5, 1.0), 1.0)
    trend = 1 + random.uniform(0, 0.3) * time / hours
    values = 2e9 * shape * trend * np.exp(random.normal(0, NOISE, hours))
    anomalies = np.zeros(hours, dtype=np.bool_)
    anomalies[random.choice(hours, hours // 100, replace=False)] = True
    values[anomalies] *= random.choice(FACTORS, int(anomalies.sum()))
    return Volumes(values, anomalies)
