"""Small line and bar drawings as SVG paths.

Here: numbers in partition order -> the ``d`` of a path in a box of known size.
Not here: colours and text around it (the template), verdict cells (``strips``).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

WIDTH, HEIGHT = 200.0, 40.0
MARGIN = 4.0
BAR_HEIGHT = 32.0


@dataclass(frozen=True)
class Sparkline:
    """One number over the partitions of a domain.

    Parameters
    ----------
    rule, name : str
        Whose number it is; rule is empty for rows.
    path : str
        Line in a box of ``WIDTH`` times ``HEIGHT``; it breaks where a partition has no number.
    x, y : float
        The last point.
    low, high, last : int or float
        Values.
    last_key : str
        Partition of the last value.
    """

    rule: str
    name: str
    path: str
    x: float
    y: float
    low: int | float
    high: int | float
    last: int | float
    last_key: str


@dataclass(frozen=True)
class Bars:
    """Counts over partitions: a path in a box of ``len(keys)`` times ``BAR_HEIGHT``."""

    path: str
    width: int
    low: int
    high: int
    last: int
    total: int


def sparkline(rule: str, name: str, values: Mapping[str, int | float], keys: Sequence[str]) -> Sparkline:
    """Draw ``values`` (not empty) at the places of their partitions in ``keys``."""
    low, high = min(values.values()), max(values.values())
    first, last = (next(i for i in (order) if keys[i] in values) for order in _both_ways(len(keys)))
    steps = max(last - first, 1)
    spread = float(high) - float(low) or 1.0
    points: list[tuple[float, float] | None] = [
        (
            MARGIN + (WIDTH - 2 * MARGIN) * place / steps,
            HEIGHT - MARGIN - (HEIGHT - 2 * MARGIN) * (float(values[key]) / spread - float(low) / spread),
        )
        if key in values
        else None
        for place, key in enumerate(keys[first : last + 1])
    ]
    x, y = points[-1] or (0.0, 0.0)
    return Sparkline(
        rule, name, _line(points), round(x, 1), round(y, 1), low, high, values[keys[last]], keys[last]
    )


def _both_ways(length: int) -> tuple[range, range]:
    return range(length), range(length - 1, -1, -1)


def _line(points: Sequence[tuple[float, float] | None]) -> str:
    """Write a path; a point without neighbours becomes a dot (a line of no length with round ends)."""
    parts: list[str] = []
    pen_down = False
    for point in points:
        if point is not None:
            x, y = point
            parts.append(f"{'L' if pen_down else 'M'}{x:.1f} {y:.1f}" + ("" if pen_down else "h0"))
        pen_down = point is not None
    return "".join(parts)


def bars(values: Mapping[str, int], keys: Sequence[str]) -> Bars | None:
    """Draw counts as bars from zero; None where there is nothing to draw."""
    known = {place: values[key] for place, key in enumerate(keys) if key in values}
    if not known:
        return None
    high = max(known.values())
    parts = [
        f"M{place + 0.1:.1f} {BAR_HEIGHT:.0f}v{-_bar(count, high):.1f}h.8v{_bar(count, high):.1f}z"
        for place, count in known.items()
        if count
    ]
    counts = list(known.values())
    return Bars("".join(parts), len(keys), min(counts), high, counts[-1], sum(counts))


def _bar(count: int, high: int) -> float:
    """Height of a bar; the smallest count can still be seen."""
    return max(1.5, BAR_HEIGHT * count / high)
