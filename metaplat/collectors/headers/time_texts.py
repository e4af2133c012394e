"""Times written as text: every form that headers use, as a clock reading.

Here: the shapes of dates and times of day. Which forms are read, and how, is a table in
``docs/header_mappings.md``.
Not here: time scales (``time_scales``), numbers (``time_numbers``), which keyword to read (``times``).

``datetime.fromisoformat`` alone would not do: it takes week dates and other things no header means, and
refuses day-of-year dates, leap seconds, and blanks. The shape is therefore checked first.
"""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from typing import NamedTuple

PLAIN = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,6})?")
"""What nearly all files hold."""
PLAIN_IN_UTC = re.compile(f"{PLAIN.pattern}Z?")

_FORMS = re.compile(
    r"""\s*(?:
        (?P<year>[+-][0-9]{5}|[0-9]{4})(?P<mark>[-/.])(?P<month>[0-9]{1,2})(?P=mark)(?P<day>[0-9]{1,2})
      | (?P<compact>[0-9]{8})
      | (?P<ordinal>[0-9]{4}[-:][0-9]{3})
      | (?P<one>[0-9]{1,2})/(?P<two>[0-9]{1,2})/(?P<tail>[0-9]{4}|[0-9]{2})
      | (?P<named>[0-9]{1,2}[- ][A-Z]{3,9}[- ][0-9]{4})
    )(?:
        (?:T|\ +|_|(?<=[-:][0-9]{3}):)
        (?:(?P<hour>[0-9]{1,2}):(?P<minute>[0-9]{2})(?::(?P<second>[0-9]{2})(?:[.,](?P<fraction>[0-9]*))?)?
         | (?P<clock>[0-9]{4}(?:[0-9]{2})?)(?:\.(?P<clock_fraction>[0-9]*))?)
        \ *(?P<zone>Z|UTC?|GMT|[+-][0-9]{2}(?::?[0-9]{2})?)?
    )?\s*""",
    re.VERBOSE | re.IGNORECASE | re.ASCII,
)
_MONTHS = (
    *("january", "february", "march", "april", "may", "june"),
    *("july", "august", "september", "october", "november", "december"),
)
_DATE_ONLY = "date-only"


class Reading(NamedTuple):
    """What a text or a number says.

    Parameters
    ----------
    moment : datetime or None
        Without a time zone; None where it cannot be read.
    words : tuple of str
        How it was read, for ``time_rule``: ``date-only``, ``dd/mm/yy``, ...
    flags : tuple of str
        What is odd about it.
    is_utc : bool
        It names its offset from UTC and was converted; no time scale applies to it.
    """

    moment: datetime | None
    words: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()
    is_utc: bool = False

    @property
    def date_only(self) -> bool:
        """Whether the time of day is not known."""
        return _DATE_ONLY in self.words


UNREADABLE = Reading(None, flags=("time_unreadable",))
OUT_OF_RANGE = Reading(None, flags=("time_out_of_range",))


class _Day(NamedTuple):
    day: date
    words: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()


def read_text(text: str, date_order: str | None = None) -> Reading:
    """Read a time as a header writes it; digits beyond microseconds are cut.

    Parameters
    ----------
    text : str
        For example ``2026-03-01T12:00:00.5``, ``24/12/97`` or ``2026-060T12:00``.
    date_order : str or None
        ``dmy`` or ``mdy`` where a mission is known to write ``07/06/2011`` so; None reads it as the old FITS
        form, day first, and flags it.

    Returns
    -------
    Reading
        With flags ``time_unreadable``, ``time_out_of_range`` (no such year in a datetime), ``leap_second``
        (a second 60, given as the last microsecond before), ``date_ambiguous``, ``date_mdy``.
    """
    if PLAIN.fullmatch(text):
        try:
            return Reading(datetime.fromisoformat(text))
        except ValueError:  # a day or an hour that there is not, or a leap second
            pass
    found = _FORMS.fullmatch(text)
    if not found:
        return UNREADABLE
    try:
        day = _day(found, date_order)
    except OverflowError:
        return OUT_OF_RANGE
    except ValueError:
        return UNREADABLE
    if found["hour"] is None and found["clock"] is None:
        moment = datetime(day.day.year, day.day.month, day.day.day)  # noqa: DTZ001 - its scale is not known here
        return Reading(moment, (*day.words, _DATE_ONLY), day.flags)
    try:
        return _with_clock(found, day)
    except ValueError:
        return UNREADABLE
    except OverflowError:
        return OUT_OF_RANGE


def _day(found: re.Match[str], date_order: str | None) -> _Day:
    """Return the day of a match; raises ValueError where there is none, OverflowError beyond its years."""
    if found["year"]:
        return _Day(_date(int(found["year"]), int(found["month"]), int(found["day"])))
    if compact := found["compact"]:
        return _Day(_date(int(compact[:4]), int(compact[4:6]), int(compact[6:])))
    if ordinal := found["ordinal"]:
        return _Day(_day_of_year(int(ordinal[:4]), int(ordinal[5:])))
    if named := found["named"]:
        day, month, year = re.split("[- ]", named)
        return _Day(_date(int(year), _month_named(month), int(day)))
    return _slashed(int(found["one"]), int(found["two"]), found["tail"], date_order)


def _date(year: int, month: int, day: int) -> date:
    if not 1 <= year <= 9999:
        raise OverflowError(year)
    return date(year, month, day)


def _day_of_year(year: int, number: int) -> date:
    day = _date(year, 1, 1) + timedelta(days=number - 1)
    if day.year != year:
        raise ValueError(number)
    return day


def _month_named(name: str) -> int:
    for number, month in enumerate(_MONTHS, 1):
        if name.lower() in (month, month[:3]):
            return number
    raise ValueError(name)


def _slashed(one: int, two: int, year: str, date_order: str | None) -> _Day:
    """Read ``24/12/97`` (FITS until 1999, hence 19xx) and ``24/12/1997`` (no standard, read by analogy)."""
    old = len(year) == 2
    number = 1900 + int(year) if old else int(year)
    day_first, month_first = ("dd/mm/yy", "mm/dd/yy") if old else ("dd/mm/yyyy", "mm/dd/yyyy")
    if date_order == "mdy":
        return _Day(_date(number, one, two), (month_first,))
    if date_order is None and one <= 12 < two:
        return _Day(_date(number, one, two), (month_first,), ("date_mdy",))
    if old or date_order or one > 12 or one == two:
        return _Day(_date(number, two, one), (day_first,))
    return _Day(_date(number, two, one), (day_first, "ambiguous"), ("date_ambiguous",))


def _with_clock(found: re.Match[str], day: _Day) -> Reading:
    hour, minute, second, fraction = _clock(found)
    is_leap = second == 60
    moment = datetime(  # noqa: DTZ001
        day.day.year,
        day.day.month,
        day.day.day,
        hour,
        minute,
        59 if is_leap else second,
        999_999 if is_leap else int((fraction + "000000")[:6]),
    )
    zone = found["zone"]
    is_utc = bool(zone) and zone[0] in "+-"
    if is_utc:
        moment -= _offset(zone)
    if is_leap and (moment.hour, moment.minute) != (23, 59):
        return UNREADABLE
    return Reading(moment, day.words, (*day.flags, "leap_second") if is_leap else day.flags, is_utc)


def _clock(found: re.Match[str]) -> tuple[int, int, int, str]:
    if clock := found["clock"]:
        return int(clock[:2]), int(clock[2:4]), int(clock[4:] or 0), found["clock_fraction"] or ""
    return int(found["hour"]), int(found["minute"]), int(found["second"] or 0), found["fraction"] or ""


def _offset(zone: str) -> timedelta:
    digits = zone[1:].replace(":", "")
    hours, minutes = int(digits[:2]), int(digits[2:] or 0)
    if hours > 15 or minutes > 59:
        raise ValueError(zone)
    size = timedelta(hours=hours, minutes=minutes)
    return size if zone[0] == "+" else -size
