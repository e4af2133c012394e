"""Anomalies planted in years of synthetic hours: how many are found, and how many alarms have no cause.

From the first hour on, the weeks of warming up included, and without the first four weeks. Years with seeds
of their own (``YEARS``), as ``vip_series`` makes them; settings as they are.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from benchmarks.vip_series import FACTORS, volumes

if TYPE_CHECKING:
    from benchmarks.vip_series import Volumes
    from metaplat.rules.vip.volume_band import VolumeBands

HOURS, YEARS = 365 * 24, 12
WARM_HOURS = 4 * 168

Line = tuple[str, str, str]


def anomaly_lines() -> list[Line]:
    """Return recall, false alarms and seconds, each with its target."""
    import numpy as np

    from metaplat.rules.vip.volume_band import score_volumes

    begun = time.perf_counter()
    judged = []
    for seed in range(YEARS):
        first = 31 * seed % 168
        series = volumes(seed, HOURS, first)
        judged.append((series, score_volumes(series.values, first, np.ones(HOURS, dtype=np.bool_))))
    seconds = (time.perf_counter() - begun) / YEARS
    factors = ", ".join(f"{factor:g}" for factor in FACTORS)
    return [
        (f"{YEARS} years, one hour in 100 times {factors}: found", _found(judged, 0), ">= 0.9, <= 1"),
        ("the same without the first four weeks", _found(judged, WARM_HOURS), ">= 0.9, <= 1"),
        ("to judge a year", f"{seconds:.2f} s", ""),
    ]


def _found(judged: list[tuple[Volumes, VolumeBands]], after: int) -> str:
    """Return recall and false alarms in 1,000 hours, from hour ``after`` on."""
    found = planted = alarms = quiet = 0
    for series, bands in judged:
        for is_planted, word in list(zip(series.anomalies, bands.anomaly, strict=True))[after:]:
            flagged = word in {"low", "high"}
            found += bool(is_planted and flagged)
            planted += bool(is_planted)
            alarms += bool(flagged and not is_planted)
            quiet += bool(not is_planted)
    return f"{found / planted:.3f}, {1000 * alarms / quiet:.2f} false alarms in 1,000 hours"


if __name__ == "__main__":
    for line in anomaly_lines():
        print(*line, sep=" | ")
