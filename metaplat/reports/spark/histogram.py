"""How long the tasks of a stage took, as a small drawing.

Here: counts by powers of two -> the ``d`` of a path in a box one unit a bucket wide, and what it says.
Not here: the counts (``collectors.spark``), colours (the template).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from metaplat.collectors.spark.attempt import HISTOGRAM_BUCKETS
from metaplat.reports.spark.units import duration_text
from metaplat.reports.wording import counted

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from metaplat.collectors.spark.attempt import StageAttempt

HEIGHT = 20.0
LOWEST = 1.5
"""Height of the smallest bar: one task among thousands is still seen."""


@dataclass(frozen=True)
class Axis:
    """The buckets that all stages of a page are drawn over, so that their drawings compare."""

    first: int
    last: int

    @property
    def width(self) -> int:
        """Width of a drawing, in buckets."""
        return self.last - self.first + 1

    @property
    def label(self) -> str:
        """What the axis spans."""
        return f"{limits(self.first)[0]} to {limits(self.last)[1]}"


@dataclass(frozen=True)
class Histogram:
    """The drawing of one stage: a path in a box of ``Axis.width`` times ``HEIGHT``, and its words."""

    path: str
    title: str


def common_axis(stages: Iterable[StageAttempt]) -> Axis | None:
    """Return the buckets that hold any task; None where none does."""
    used = [place for stage in stages for place, count in enumerate(_counts(stage)) if count]
    return Axis(min(used), max(used)) if used else None


def histogram(stage: StageAttempt, axis: Axis | None) -> Histogram | None:
    """Draw one stage; None where its distribution is not known."""
    counts = _counts(stage)
    most = max(counts, default=0)
    if axis is None or not most:
        return None
    known = [(place, count) for place, count in enumerate(counts) if count]
    path = "".join(_bar(place - axis.first, count / most) for place, count in known)
    said = (f"{' to '.join(limits(place))}: {counted(count, 'task')}" for place, count in known)
    return Histogram(path, "; ".join(said))


def limits(bucket: int) -> tuple[str, str]:
    """Return the limits of a bucket in words."""
    if bucket == 0:
        return "0 ms", "1 ms"
    upper = "longer" if bucket >= HISTOGRAM_BUCKETS - 1 else duration_text(2**bucket)
    return duration_text(2 ** (bucket - 1)), upper


def _counts(stage: StageAttempt) -> Sequence[int]:
    """Return the counts that the format has; a negative one is none."""
    return [max(count, 0) for count in (stage.task_ms_histogram or ())[:HISTOGRAM_BUCKETS]]


def _bar(place: int, share: float) -> str:
    height = max(LOWEST, HEIGHT * share)
    return f"M{place + 0.08:.2f} {HEIGHT:.0f}v{-height:.1f}h.84v{height:.1f}z"
