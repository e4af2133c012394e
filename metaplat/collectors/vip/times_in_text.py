"""Times that a text for people names, and the header ``Retry-After``.

Here: the forms that servers write: ISO 8601, RFC 1123, dates of the United States and of other countries.
Not here: which of them is believed (``too_early``). A bare number is never taken for a time.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import tzinfo

LONGEST = 4000
"""Characters of a text that are looked at."""
LONGEST_PAUSE = 10 * 366 * 86400.0
"""Seconds; a longer one is no pause, and would leave the calendar."""

MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
OFFSETS = {
    "z": 0, "utc": 0, "gmt": 0, "est": -5, "edt": -4, "cst": -6, "cdt": -5, "mst": -7, "mdt": -6, "pst": -8,
    "pdt": -7, "cet": 1, "cest": 2,
}  # fmt: skip
"""Hours east of UTC, of the abbreviations that RFC 2822 knows, and of Central Europe."""

_CLOCK = (
    r"(?P<hour>[0-9]{1,2}):(?P<minute>[0-9]{2})(?::(?P<second>[0-9]{2})(?:[.,](?P<fraction>[0-9]{1,9}))?)?(?![0-9:])"
    r"(?:\s{0,3}(?P<half>[ap])\.?m\b\.?)?"
    rf"(?:\s{{0,3}}\(?(?P<zone>{'|'.join(OFFSETS)})\b\)?)?"
    r"(?:\s{0,3}(?P<offset>[+-][0-9]{2}:?[0-9]{2})(?![0-9]))?"
)
_BEFORE_CLOCK = r"(?:\s{0,3}[T,]\s{0,3}|\s{1,3})(?:at\s{1,3})?"
_MONTH = rf"(?P<month>{'|'.join(MONTHS)})[a-z]{{0,6}}\.?"
_DATES = (
    r"(?P<year>[0-9]{4})[-/.](?P<month>[0-9]{1,2})[-/.](?P<day>[0-9]{1,2})",
    r"(?P<month>[0-9]{1,2})[-/.](?P<either>[0-9]{1,2})[-/.](?P<year>[0-9]{4})",
    rf"(?P<day>[0-9]{{1,2}})(?:st|nd|rd|th)?[-\s]{{1,3}}{_MONTH}[-\s,]{{1,3}}(?P<year>[0-9]{{4}})",
    rf"\b{_MONTH}\s{{1,3}}(?P<day>[0-9]{{1,2}})(?:st|nd|rd|th)?,?\s{{1,3}}(?P<year>[0-9]{{4}})",
)
_FORMS = tuple(
    re.compile(rf"(?<![0-9/.-]){date}{_BEFORE_CLOCK}{_CLOCK}", re.IGNORECASE | re.ASCII) for date in _DATES
)
_SECONDS = re.compile(r"\s*([0-9]{1,12})(?:\.[0-9]*)?\s*", re.ASCII)


def times_in(text: str, now: datetime, zone: tzinfo) -> list[datetime]:
    """Return the times that ``text`` names, in aware UTC.

    Parameters
    ----------
    text : str
        Anything; only its first 4,000 characters are looked at.
    now : datetime
        Aware. Of two readings of ``2/8/2022`` the one nearer to it counts.
    zone : tzinfo
        Of a time that names none.

    Returns
    -------
    list of datetime
        In no particular order; empty where there is none.
    """
    found: list[datetime] = []
    for form in _FORMS:
        for match in form.finditer(text[:LONGEST]):
            readings = list(_readings(match.groupdict(), zone))
            found += [min(readings, key=lambda reading: abs(reading - now))] if readings else []
    return found


def pause_in(retry_after: str | None, now: datetime) -> float | None:
    """Return the seconds that a header ``Retry-After`` asks to wait (RFC 9110, section 10.2.3).

    None where there is none, or nothing one can wait for: zero, a negative number, a time that has passed.
    """
    if retry_after is None:
        return None
    if number := _SECONDS.fullmatch(retry_after):
        seconds = float(number[1])
    else:
        seconds = max(((time - now).total_seconds() for time in times_in(retry_after, now, UTC)), default=0.0)
    return seconds if 0 < seconds <= LONGEST_PAUSE else None


def _readings(parts: dict[str, str | None], zone: tzinfo) -> Iterator[datetime]:
    """Yield what one match may mean; a date such as ``2/8/2022`` means two days."""
    for month, day in _days(parts):
        try:
            moment = datetime(
                int(parts["year"] or 0), month, day, *_clock(parts), tzinfo=_zone(parts) or zone
            )
            yield moment.astimezone(UTC)
        except (ValueError, OverflowError):  # no such day or hour; a zone that leads out of the calendar
            continue


def _days(parts: dict[str, str | None]) -> list[tuple[int, int]]:
    """Return the months and days that a date may mean."""
    month = str(parts["month"])
    if either := parts.get("either"):
        return [(int(month), int(either)), (int(either), int(month))]
    number = int(month) if month.isdigit() else MONTHS.index(month.lower()) + 1
    return [(number, int(parts["day"] or 0))]


def _clock(parts: dict[str, str | None]) -> tuple[int, int, int, int]:
    """Return hour, minute, second and microsecond."""
    hour, half = int(parts["hour"] or 0), (parts["half"] or "").lower()
    if half and hour <= 12:
        hour = hour % 12 + (12 if half == "p" else 0)
    fraction = (parts["fraction"] or "0")[:6].ljust(6, "0")
    return hour, int(parts["minute"] or 0), int(parts["second"] or 0), int(fraction)


def _zone(parts: dict[str, str | None]) -> tzinfo | None:
    """Return the zone that the text names; an offset says more than an abbreviation."""
    if offset := parts["offset"]:
        sign = -1 if offset[0] == "-" else 1
        return timezone(sign * timedelta(hours=int(offset[1:3]), minutes=int(offset[-2:])))
    if name := parts["zone"]:
        return timezone(timedelta(hours=OFFSETS[name.lower()]))
    return None
