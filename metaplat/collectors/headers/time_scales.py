"""Time scales: a clock reading in TT, TAI, GPS, TDB, TCB, TCG, UT1 or UTC, as UTC.

Here: the names of scales as ``TIMESYS`` writes them, and their conversion.
Not here: leap seconds (``leap_seconds``), reading a time from text or numbers (``time_texts``,
``time_numbers``).

Sources: FITS Standard 4.0, section 9.2 (names, and what the old ones mean); IAU 2000 resolution B1.9 and 2006
resolution B3 (TCG, TCB); U.S. Naval Observatory Circular 179, equation 2.6 (TDB - TT, good to 10 microseconds
between 1600 and 2200). UT1 is within 0.9 s of UTC by definition and is taken as UTC, with a flag.
"""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from metaplat.collectors.headers.leap_seconds import utc_of_tai

SCALES = {
    "UTC": "UTC",
    "UT": "UTC",
    "GMT": "UTC",
    "Z": "UTC",
    "TAI": "TAI",
    "IAT": "TAI",
    "TT": "TT",
    "TDT": "TT",
    "ET": "TT",
    "GPS": "GPS",
    "TDB": "TDB",
    "TCB": "TCB",
    "TCG": "TCG",
    "UT1": "UT1",
}
"""What each name in a file means; ``TT(BIPM)`` and the like mean the scale before the parenthesis."""

_REALISED = re.compile(r"([A-Z0-9]+) ?\([^)]*\)")
_TT_LESS_TAI = timedelta(seconds=32, microseconds=184_000)
_TAI_LESS_GPS = timedelta(seconds=19)
_COMMON_EPOCH = datetime(1977, 1, 1, 0, 0, 32, 184_000)  # noqa: DTZ001 - TT, TCG and TCB were equal then
_J2000 = datetime(2000, 1, 1, 12)  # noqa: DTZ001 - of TT
_CENTURY_S = 36525 * 86400.0
_L_G, _L_B, _TDB_0 = 6.969290134e-10, 1.550519768e-8, -6.55e-5
_TDB_TERMS = (  # amplitude in s, radians per century, phase in radians
    (0.001657, 628.3076, 6.2401),
    (0.000022, 575.3385, 4.2970),
    (0.000014, 1256.6152, 6.1969),
    (0.000005, 606.9777, 4.0212),
    (0.000005, 52.9691, 0.4444),
    (0.000002, 21.3299, 5.5431),
)


class InUtc(NamedTuple):
    """A time in UTC, None where a calendar of years 1 to 9999 cannot hold it, and what is odd about it."""

    time: datetime | None
    flags: tuple[str, ...] = ()


def scale_named(text: object) -> str | None:
    """Return the scale that a value of ``TIMESYS`` names, in any case; None where it names none."""
    if not isinstance(text, str):
        return None
    name = text.strip().upper()
    realised = _REALISED.fullmatch(name)
    return SCALES.get(realised.group(1) if realised else name)


def to_utc(moment: datetime, scale: str) -> InUtc:
    """Convert a clock reading to UTC.

    Parameters
    ----------
    moment : datetime
        Without a time zone, in ``scale``.
    scale : str
        One of the values of ``SCALES``.

    Returns
    -------
    InUtc
        Aware. Flags: ``ut1_as_utc``, ``leap_second``, ``before_1972``, ``time_out_of_range``.
    """
    if scale == "UTC":
        return InUtc(moment.replace(tzinfo=UTC))
    if scale == "UT1":
        return InUtc(moment.replace(tzinfo=UTC), ("ut1_as_utc",))
    try:
        utc, flag = utc_of_tai(_tai(moment, scale))
    except OverflowError:
        return InUtc(None, ("time_out_of_range",))
    return InUtc(utc.replace(tzinfo=UTC), (flag,) if flag else ())


def _tai(moment: datetime, scale: str) -> datetime:
    if scale == "TAI":
        return moment
    if scale == "GPS":
        return moment + _TAI_LESS_GPS
    if scale == "TCG":
        moment -= timedelta(seconds=_L_G * (moment - _COMMON_EPOCH).total_seconds())
    elif scale == "TCB":
        moment -= timedelta(seconds=_L_B * (moment - _COMMON_EPOCH).total_seconds() - _TDB_0)
    if scale in ("TDB", "TCB"):
        moment -= timedelta(seconds=_tdb_less_tt(moment))
    return moment - _TT_LESS_TAI


def _tdb_less_tt(moment: datetime) -> float:
    """Seconds between TDB and TT; which of the two ``moment`` is in makes no difference."""
    century = (moment - _J2000).total_seconds() / _CENTURY_S
    periodic = sum(size * math.sin(speed * century + phase) for size, speed, phase in _TDB_TERMS)
    return periodic + 0.000010 * century * math.sin(628.3076 * century + 4.2490)
