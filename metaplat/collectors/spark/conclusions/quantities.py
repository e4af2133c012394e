"""Quantities that are known, and what can be divided by what.

Here: the one rule that a value which cannot be a quantity is unknown, and unknown stays unknown.
Not here: which quantities mean what (``figures``).
"""

from __future__ import annotations

import math
from typing import TypeVar

Number = TypeVar("Number", int, float)
LARGEST = 2**63
"""Beyond is no quantity, but a damaged number."""


def known(value: Number | None) -> Number | None:
    """Return ``value`` where it can be a quantity: neither negative nor infinite nor NaN; else None."""
    return value if value is not None and 0 <= value < LARGEST else None


def ratio(part: float | None, whole: float | None) -> float | None:
    """Return ``part`` over ``whole``; None where one of them is unknown or the whole is nothing."""
    part, whole = known(part), known(whole)
    if part is None or not whole:
        return None
    found = part / whole
    return found if math.isfinite(found) else None  # a whole near the smallest float


def share(part: float | None, whole: float | None) -> float | None:
    """Return ``part`` over ``whole`` where it is at most 1: more contradicts itself, and is unknown."""
    found = ratio(part, whole)
    return found if found is not None and found <= 1 else None


def total(first: Number | None, second: Number | None) -> Number | None:
    """Return the sum where both are known."""
    first, second = known(first), known(second)
    return None if first is None or second is None else first + second
