"""A number of every successful task of a stage, for its median and tail.

Here: all of them while they are few, and beyond that a histogram with buckets of equal ratio.
Not here: which numbers (``stage_tasks``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np  # noqa: TID253  # imported only when a log is read
from msgspec import Struct, field  # noqa: TID253  # imported only when a log is read

from metaplat.collectors.spark.attempt import HISTOGRAM_BUCKETS

if TYPE_CHECKING:
    from numpy.typing import NDArray

EXACT = 50_000
"""So many values are kept as they are."""
RATIO = 1.02
"""Upper over lower bound of a bucket: its middle is within 1 % of all its values."""


class Samples(Struct, array_like=True):
    """Whole numbers from 0 up, as many as come.

    Parameters
    ----------
    kept : bytearray
        The values as 64-bit integers, while they are at most ``EXACT``.
    buckets : dict of int to int
        Values by bucket once they are more: -1 holds 0, ``n`` those in ``[RATIO ** n, RATIO ** (n + 1))``.
    powers : list of int
        Values by power of two once they are more.
    least, most : int or None
        Exact, as are the powers, however many there are.
    """

    kept: bytearray = field(default_factory=bytearray)
    buckets: dict[int, int] = field(default_factory=dict)
    powers: list[int] = field(default_factory=lambda: [0] * HISTOGRAM_BUCKETS)
    least: int | None = None
    most: int | None = None

    def add(self, values: NDArray[np.int64]) -> None:
        """Add values, shape (n,)."""
        if not len(values):
            return
        least, most = int(values.min()), int(values.max())
        self.least = least if self.least is None else min(least, self.least)
        self.most = most if self.most is None else max(most, self.most)
        if self.buckets:
            self._count(values)
            return
        self.kept += values.tobytes()
        if len(self.kept) > 8 * EXACT:
            self._count(np.frombuffer(bytes(self.kept), np.int64))
            self.kept = bytearray()

    def _count(self, values: NDArray[np.int64]) -> None:
        self.powers = (np.array(self.powers) + _powers(values)).tolist()
        whole, counts = np.unique(_bucket(values), return_counts=True)
        for bucket, count in zip(whole.tolist(), counts.tolist(), strict=True):
            self.buckets[bucket] = self.buckets.get(bucket, 0) + count

    def quantiles(self, *shares: float) -> list[float | None]:
        """Return the values below which these shares of all lie, between neighbours by straight line.

        Of more than ``EXACT`` values they are within 1 % of that value.
        """
        if self.most is None or self.least is None:
            return [None] * len(shares)
        if not self.buckets:
            ordered = np.sort(np.frombuffer(self.kept, np.int64))
            return [_between(ordered, share * (len(ordered) - 1)) for share in shares]
        order = sorted(self.buckets)
        reached = np.cumsum([self.buckets[bucket] for bucket in order])
        places = [int(np.searchsorted(reached, share * (int(reached[-1]) - 1), "right")) for share in shares]
        return [float(min(max(_middle(order[place]), self.least), self.most)) for place in places]

    def histogram(self) -> list[int] | None:
        """Return the values by power of two, see ``attempt.HISTOGRAM_BUCKETS``; None where there is none."""
        if self.most is None:
            return None
        powers = np.array(self.powers, np.int64)
        if self.kept:
            powers = powers + _powers(np.frombuffer(self.kept, np.int64))
        return [int(count) for count in np.trim_zeros(powers, "b")]


def _powers(values: NDArray[np.int64]) -> NDArray[np.int64]:
    powers = np.frexp(values.astype(np.float64))[1].clip(0, HISTOGRAM_BUCKETS - 1)
    return np.bincount(powers, minlength=HISTOGRAM_BUCKETS)


def _between(ordered: NDArray[np.int64], place: float) -> float:
    """Return the value at a place between two members."""
    lower = int(place)
    upper = min(lower + 1, len(ordered) - 1)
    first, second = int(ordered[lower]), int(ordered[upper])
    return first + (second - first) * (place - lower)


def _middle(bucket: int) -> float:
    """Return the value that is nearest to all of a bucket, by ratio."""
    return 0.0 if bucket < 0 else 2 * RATIO ** (bucket + 1) / (RATIO + 1)


def _bucket(values: NDArray[np.int64]) -> NDArray[np.int64]:
    logs = np.log(np.maximum(values, 1)) / np.log(RATIO)
    return np.where(values > 0, np.floor(logs), -1).astype(np.int64)
