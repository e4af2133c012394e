"""Quantities of Spark applications as people read them: durations, sizes, counts, shares, times.

Here: one function a quantity; all of them say ``not known`` for None, never 0.
Not here: sentences (``wording``), what is measured.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from metaplat.reports.tables.bucket_words import size_text
from metaplat.reports.wording import number_text

NOT_KNOWN = "not known"
TIMES = "\N{MULTIPLICATION SIGN}"
SECOND, MINUTE, HOUR, DAY = 1000, 60_000, 3_600_000, 86_400_000
"""In milliseconds."""


def duration_text(ms: float | None) -> str:
    """Write milliseconds in the two largest units, for example ``850 ms``, ``12.3 s``, ``3 min 4 s``."""
    if ms is None:
        return NOT_KNOWN
    if ms < 0:
        return f"-{duration_text(-ms)}"
    if ms < 10:  # so short that a digit more tells something
        return f"{ms:.2g} ms"
    if round(ms) < SECOND:
        return f"{round(ms)} ms"
    if ms < MINUTE - 50:  # what would be written 60.0 s is a minute
        return f"{ms / SECOND:.1f} s"
    return _two_units(round(ms / SECOND))


def _two_units(seconds: int) -> str:
    if seconds < 3600:
        large, small, units = seconds // 60, seconds % 60, ("min", "s")
    elif (minutes := round(seconds / 60)) < 1440:
        large, small, units = minutes // 60, minutes % 60, ("h", "min")
    else:
        hours = round(seconds / 3600)
        large, small, units = hours // 24, hours % 24, ("d", "h")
    return f"{large:,} {units[0]}" + (f" {small} {units[1]}" if small else "")


def seconds_text(seconds: float | None) -> str:
    """Write seconds as ``duration_text`` does."""
    return duration_text(None if seconds is None else seconds * SECOND)


def bytes_text(size: float | None) -> str:
    """Write a size, for example ``1.2 GiB``."""
    if size is None:
        return NOT_KNOWN
    return f"-{size_text(-size)}" if size < 0 else size_text(size)


def memory_text(mebibytes: float | None) -> str:
    """Write MiB as a size."""
    return bytes_text(None if mebibytes is None else mebibytes * 2**20)


def count_text(count: float | None) -> str:
    """Write a count with thousands apart."""
    return NOT_KNOWN if count is None else number_text(count)


def times_text(factor: float | None) -> str:
    """Write a factor: two digits, from ten up as a whole number."""
    if factor is None:
        return NOT_KNOWN
    return f"{factor:,.0f} {TIMES}" if abs(factor) >= 9.95 else f"{factor:.2g} {TIMES}"


def share_text(share: float | None) -> str:
    """Write a share in percent: a small one is not rounded to nothing, nor a nearly whole one to 100."""
    if share is None:
        return NOT_KNOWN
    percent = share * 100
    if percent in (0, 100) or 1 <= abs(percent) <= 99 or abs(percent) > 100:
        return f"{percent:,.0f} %"
    return f"{percent:.2g} %" if abs(percent) < 1 else f"{percent:.3g} %"


def cost_text(cost: float | None, currency: str | None) -> str:
    """Write a cost with its currency, to the cent from one up."""
    if cost is None:
        return NOT_KNOWN
    amount = f"{cost:,.2f}" if abs(cost) >= 1 or cost == 0 else f"{cost:.2g}"
    return f"{amount} {currency}" if currency else amount


def moment_text(moment: datetime | None) -> str:
    """Write a time in UTC to the second."""
    if moment is None:
        return NOT_KNOWN
    return _utc(moment).strftime("%Y-%m-%d %H:%M:%S")


def milliseconds_between(start: datetime | None, end: datetime | None) -> float | None:
    """Return ``end`` minus ``start``; None where one of them is unknown."""
    if start is None or end is None:
        return None
    return (end - start) / timedelta(milliseconds=1)


def _utc(moment: datetime) -> datetime:
    try:
        return moment.astimezone(UTC)
    except OverflowError:  # year 1 or 9999: the offset leads out of the calendar
        return moment.replace(tzinfo=UTC)
