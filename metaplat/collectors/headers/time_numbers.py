"""Times written as numbers: days and seconds since a moment, as a clock reading.

Here: MJD, JD, Unix and GPS seconds, and variables with ``units since`` and a calendar.
Not here: text (``time_texts``), time scales (``time_scales``).

Sources: CF Conventions 1.11, section 4.4 (units and calendars); a UTC day that ends with a leap second is
86,401 seconds long in MJD and JD, as in SOFA (``iauDtf2d``) and so in astropy.
"""

from __future__ import annotations

import math
import re
from datetime import date, datetime, timedelta

from metaplat.collectors.headers.leap_seconds import has_leap_second
from metaplat.collectors.headers.time_texts import OUT_OF_RANGE, UNREADABLE, Reading, read_text

EPOCHS = {"unix": datetime(1970, 1, 1), "gps": datetime(1980, 1, 6)}  # noqa: DTZ001 - each in its own scale
_MJD_0 = date(1858, 11, 17).toordinal()
_JD_LESS_MJD = 2400000.5
_DAY_S = 86400
_STEPS = {  # seconds in a unit, as UDUNITS spells it; months and years have no fixed length
    **dict.fromkeys(("microsecond", "microseconds", "microsec", "microsecs"), 1e-6),
    **dict.fromkeys(("millisecond", "milliseconds", "millisec", "millisecs", "msec", "msecs", "ms"), 1e-3),
    **dict.fromkeys(("second", "seconds", "sec", "secs", "s"), 1.0),
    **dict.fromkeys(("minute", "minutes", "min", "mins"), 60.0),
    **dict.fromkeys(("hour", "hours", "hr", "hrs", "h"), 3600.0),
    **dict.fromkeys(("day", "days", "d"), 86400.0),
}
_UNITS = re.compile(r"\s*([a-z]+)\s+(?:since|after|from|ref|@)\s+(\S.*?)\s*", re.IGNORECASE | re.DOTALL)
_SINCE = re.compile(  # UDUNITS pads nothing: ``1-1-1 0:0:0.0``
    r"([0-9]{1,4})-([0-9]{1,2})-([0-9]{1,2})"
    r"(?:[T ]+([0-9]{1,2}):([0-9]{1,2})(?::([0-9]{1,2})(\.[0-9]*)?)?)?"
    r"\s*(Z|UTC|GMT|[+-]?[0-9]{1,2}(?::?[0-9]{2})?)?",
    re.IGNORECASE | re.ASCII,
)
_MIXED = ("standard", "gregorian")
CALENDARS = (*_MIXED, "proleptic_gregorian")
"""Calendars of which a date is a moment; noleap, 360_day and the like are days of a model."""

_GREGORIAN_FROM = date(1582, 10, 15)
_JDN_LESS_ORDINAL = 1721425  # Julian day number of a day, less its ``toordinal``
_BAD_UNITS = Reading(None, flags=("time_units",))
_BAD_CALENDAR = Reading(None, flags=("time_calendar",))


def number_of(value: object) -> float | None:
    """Return a value as a finite number, also where it is written as text; None where it is none."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    try:
        number = float(value.replace("D", "E").replace("d", "e") if isinstance(value, str) else value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def read_days(value: object, form: str, *, is_utc: bool) -> Reading:
    """Read a modified Julian date, or a Julian date.

    Parameters
    ----------
    value : object
        Days, a number or its text; doubles of today are good to a microsecond in MJD, to 40 in JD.
    form : str
        ``mjd`` or ``jd``.
    is_utc : bool
        Its time scale is UTC, so that days with a leap second are longer.
    """
    number = number_of(value)
    if number is None:
        return UNREADABLE
    if form == "jd":
        number -= _JD_LESS_MJD
    whole = math.floor(number)
    try:
        day = date.fromordinal(_MJD_0 + whole)
    except (ValueError, OverflowError):
        return OUT_OF_RANGE
    seconds = (number - whole) * (_DAY_S + (is_utc and has_leap_second(day)))
    flags: tuple[str, ...] = ()
    if seconds >= _DAY_S:
        seconds, flags = _DAY_S - 1e-6, ("leap_second",)
    try:
        return Reading(_midnight(day) + timedelta(seconds=seconds), (form,), flags)
    except OverflowError:
        return OUT_OF_RANGE


def read_seconds(value: object, form: str) -> Reading:
    """Read seconds since an epoch, ``unix`` or ``gps``; the latter is in the scale GPS."""
    number = number_of(value)
    return UNREADABLE if number is None else _later(EPOCHS[form], number, (form,))


def read_since(value: float, units: str, calendar: str | None) -> Reading:
    """Read one value of a time variable.

    Parameters
    ----------
    value : float
        In ``units``.
    units : str
        ``seconds since 2000-01-01 00:00:00``; milliseconds to days.
    calendar : str or None
        Of ``CALENDARS``; None is ``standard``.

    Returns
    -------
    Reading
        Flags ``time_units`` where the units are not understood, ``time_calendar`` where a date of the
        calendar is no moment.
    """
    name = (calendar or "standard").strip().lower() or "standard"
    if name not in CALENDARS:
        return _BAD_CALENDAR
    found = _UNITS.fullmatch(units)
    step = _STEPS.get(found[1].lower()) if found else None
    if found is None or step is None:
        return _BAD_UNITS
    start = _reference(found[2])
    number = number_of(value)
    if start is None:
        return _BAD_UNITS
    if number is None:
        return UNREADABLE
    is_julian = name in _MIXED and start.date() < _GREGORIAN_FROM
    shift_s = _julian_less_gregorian_s(start) if is_julian else 0  # alone it may lead to before the year 1
    return _later(start, number * step + shift_s, ())


def _reference(text: str) -> datetime | None:
    found = _SINCE.fullmatch(text)
    if found is None:
        return read_text(text).moment
    year, month, day, hour, minute, second, fraction, zone = (part or "" for part in found.groups())
    clock = f"{hour or 0:0>2}:{minute or 0:0>2}:{second or 0:0>2}{fraction}"
    return read_text(f"{year:0>4}-{month:0>2}-{day:0>2}T{clock}{_padded(zone)}").moment


def _padded(zone: str) -> str:
    """Write an offset of UDUNITS (``-6``, ``+5:30``, ``0``) with two digits and a sign."""
    if zone.isalpha() or not zone:
        return zone
    sign, digits = (zone[0], zone[1:]) if zone[0] in "+-" else ("+", zone)
    hours, _, minutes = digits.partition(":")
    return f"{sign}{hours:0>2}{minutes}" if len(hours) < 3 else f"{sign}{digits}"


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day)  # noqa: DTZ001 - its scale is not known here


def _later(start: datetime, seconds: float, words: tuple[str, ...]) -> Reading:
    try:
        return Reading(start + timedelta(seconds=seconds), words, is_utc=False)
    except OverflowError:
        return OUT_OF_RANGE


def _julian_less_gregorian_s(moment: datetime) -> int:
    """How many seconds later a date of the Julian calendar is than the same date of the Gregorian one."""
    years, months = moment.year + 4800 - (moment.month <= 2), (moment.month - 3) % 12
    number = moment.day + (153 * months + 2) // 5 + 365 * years + years // 4 - 32083
    return (number - _JDN_LESS_ORDINAL - moment.date().toordinal()) * _DAY_S
