"""Numbers of findings in units for a person.

Here: bytes, times, shares, ratios and counted nouns as text. Not here: sentences.
"""

from __future__ import annotations

MIB = 2**20
STEP = 1024
SECOND, MINUTE, HOUR = 1000, 60_000, 3_600_000
SIGNIFICANT = 10


def size(amount: float) -> str:
    """Return bytes as ``812 B`` or ``1.2 GiB``."""
    if amount < STEP:
        return f"{amount:.0f} B"
    value, unit = amount / STEP, "KiB"
    for larger in ("MiB", "GiB", "TiB", "PiB", "EiB"):
        if value < STEP - 0.05:  # what would be written 1024.0
            break
        value, unit = value / STEP, larger
    return f"{value:.1f} {unit}"


def span(milliseconds: float) -> str:
    """Return a time as ``820 ms``, ``82.1 s``, ``3.4 min`` or ``5.2 h``."""
    if milliseconds < SECOND:
        return f"{milliseconds:.0f} ms"
    if milliseconds < 2 * MINUTE:
        return f"{milliseconds / SECOND:.1f} s"
    if milliseconds < 2 * HOUR:
        return f"{milliseconds / MINUTE:.1f} min"
    return f"{milliseconds / HOUR:,.1f} h"


def times(ratio: float) -> str:
    """Return a ratio as ``41 times`` or ``2.5 times``."""
    return f"{ratio:,.0f} times" if ratio >= SIGNIFICANT else f"{ratio:.1f} times".replace(".0 ", " ")


def percent(share: float) -> str:
    """Return a share as ``12 %`` or ``1.5 %``."""
    value = 100 * share
    return f"{value:,.0f} %" if value >= SIGNIFICANT else f"{value:.2g} %"


def counted(number: int, noun: str) -> str:
    """Return ``1 task``, ``2,000 tasks``."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def mebibytes(amount: float) -> str:
    """Return bytes as a property of Spark has them, at least ``1m``."""
    return f"{max(1, round(amount / MIB))}m"


def sentence(text: str) -> str:
    """Return ``text`` with a capital at its start."""
    return text[:1].upper() + text[1:]
