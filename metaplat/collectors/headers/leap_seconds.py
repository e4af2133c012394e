"""Leap seconds: what TAI and UTC differ by, and since when.

Here: the table, TAI to UTC, and which days are a second longer.
Not here: the other time scales (``time_scales``).

The table is that of the IERS (Bulletin C, ``Leap_Second.dat``): whole seconds since 1972, 37 s since 2017
and, by Bulletin C 72, at least until June 2027. Before 1972 a second of UTC was no second of TAI; times of
then are converted with 10 s and flagged.
"""

from __future__ import annotations

from bisect import bisect_right
from datetime import date, datetime, timedelta

_SINCE = (  # year and month of UTC from whose begin on TAI - UTC is one second more; ten from the first
    (1972, 1),
    (1972, 7),
    (1973, 1),
    (1974, 1),
    (1975, 1),
    (1976, 1),
    (1977, 1),
    (1978, 1),
    (1979, 1),
    (1980, 1),
    (1981, 7),
    (1982, 7),
    (1983, 7),
    (1985, 7),
    (1988, 1),
    (1990, 1),
    (1991, 1),
    (1992, 7),
    (1993, 7),
    (1994, 7),
    (1996, 1),
    (1997, 7),
    (1999, 1),
    (2006, 1),
    (2009, 1),
    (2012, 7),
    (2015, 7),
    (2017, 1),
)
FIRST_OFFSET_S = 10

_STARTS_UTC = [datetime(year, month, 1) for year, month in _SINCE]  # noqa: DTZ001 - of UTC, by definition
_OFFSETS = [timedelta(seconds=FIRST_OFFSET_S + count) for count in range(len(_SINCE))]
_STARTS_TAI = [start + offset for start, offset in zip(_STARTS_UTC, _OFFSETS, strict=True)]
_LONG_DAYS = {start.date() - timedelta(days=1) for start in _STARTS_UTC[1:]}
_LAST_START, _LAST_OFFSET = _STARTS_TAI[-1], _OFFSETS[-1]


def utc_of_tai(tai: datetime) -> tuple[datetime, str | None]:
    """Convert a time of TAI to UTC.

    Parameters
    ----------
    tai : datetime
        Without a time zone.

    Returns
    -------
    tuple
        The time in UTC, without a time zone, and a flag: ``leap_second`` where it is a ``23:59:60`` (given as
        the last microsecond before), ``before_1972`` where the difference is not known that well.

    Raises
    ------
    OverflowError
        It is before the year 1.
    """
    if tai >= _LAST_START:
        return tai - _LAST_OFFSET, None
    row = bisect_right(_STARTS_TAI, tai) - 1
    if row < 0:
        return tai - _OFFSETS[0], "before_1972"
    utc, end = tai - _OFFSETS[row], _STARTS_UTC[row + 1]
    if utc >= end:
        return end - timedelta(microseconds=1), "leap_second"
    return utc, None


def has_leap_second(day: date) -> bool:
    """Tell whether a day of UTC ended with a leap second, and so had 86,401 seconds."""
    return day in _LONG_DAYS
