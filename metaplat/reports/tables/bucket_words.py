"""Buckets, sizes and shares in words, as the reports of monitored tables write them.

Here: formats for people that only tables need. Not here: counts, times and states (``reports.wording``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

NAMED_RANGES = 24
UNITS = ("KiB", "MiB", "GiB", "TiB", "PiB")
STEP = 1024


def bucket_list(buckets: Iterable[int], most: int = NAMED_RANGES) -> str:
    """Write buckets as ranges, for example ``3, 7 to 9``; after ``most`` of them only how many follow."""
    ranges: list[list[int]] = []
    for bucket in sorted(set(buckets)):
        if ranges and bucket == ranges[-1][1] + 1:
            ranges[-1][1] = bucket
        else:
            ranges.append([bucket, bucket])
    shown = [str(first) if first == last else f"{first} to {last}" for first, last in ranges[:most]]
    left_off = sum(last - first + 1 for first, last in ranges[most:])
    return ", ".join(shown) + (f" and {left_off:,} more" if left_off else "")


def size_text(size: float) -> str:
    """Write a size in the largest unit that is at least one, for example ``4.5 MiB``."""
    if size < STEP:
        return f"{size:.0f} B"
    unit = -1
    while size >= STEP and unit + 1 < len(UNITS):
        size, unit = size / STEP, unit + 1
    return f"{size:.3g} {UNITS[unit]}" if size < STEP - 25 else f"{size:.0f} {UNITS[unit]}"
