"""Where a telescope looked: right ascension and declination in degrees, ICRS.

Here: degrees, and sexagesimal text.
Not here: which keywords (``mappings``), searching in a cone (``stores.catalog``).
Positions of 1950 are up to 0.7 degrees off those of ICRS; they are not taken, and flagged (FK5 and equinox
2000 differ from ICRS by 0.02 arc seconds, which no search here can see).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from metaplat.collectors.headers.time_numbers import number_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from metaplat.collectors.headers.header import Value
    from metaplat.collectors.headers.observation_texts import Notes

_SEXAGESIMAL = re.compile(
    r"\s*([+-]?)\s*([0-9]{1,3})\s*[:hd°\s]\s*([0-9]{1,2})(?:\s*[:m'\s]\s*([0-9]{1,2}(?:\.[0-9]*)?)\s*[s\"]?|\s*m?)\s*",
    re.IGNORECASE,
)
_DEGREES_AN_HOUR = 15
_OLDEST_EQUINOX = 1984.0
_FULL_CIRCLE, _POLE = 360.0, 90.0


def direction(
    values: Mapping[str, Value], pairs: Iterable[tuple[str, str]], notes: Notes
) -> tuple[float | None, float | None]:
    """Return right ascension and declination of the first pair of keywords that says both, in degrees.

    Parameters
    ----------
    values : mapping of str to Value
        The header.
    pairs : iterable of (str, str)
        Keywords of both: numbers in degrees, or text in degrees or as ``12:34:56.7``, which for the right
        ascension is in hours.
    notes : Notes
        Learns the keywords, and ``direction_unreadable``, ``direction_out_of_range``, ``not_icrs``.
    """
    for ra_key, dec_key in pairs:
        ra_value = values.get(ra_key)
        dec_value = values.get(dec_key)
        if ra_value is None or dec_value is None:
            continue
        ra, dec = _degrees(ra_value, _DEGREES_AN_HOUR), _degrees(dec_value, 1)
        if ra is None or dec is None:
            notes.flags.append("direction_unreadable")
        elif not (0 <= ra <= _FULL_CIRCLE and -_POLE <= dec <= _POLE):
            notes.flags.append("direction_out_of_range")
        elif not _is_icrs(values):
            notes.flags.append("not_icrs")
            break
        else:
            if ra is ra_value and dec is dec_value:  # else the raw text says more, and stays
                notes.used.update((ra_key, dec_key))
            return ra, dec
    return None, None


def _degrees(value: Value, unit: int) -> float | None:
    if type(value) is float:
        return value if value - value == 0 else None
    number = number_of(value)
    if number is not None or not isinstance(value, str):
        return number
    found = _SEXAGESIMAL.fullmatch(value)
    if not found:
        return None
    sign, whole, minutes, seconds = found.groups()
    if int(minutes) >= 60 or float(seconds or 0) >= 60:
        return None
    size = (int(whole) + int(minutes) / 60 + float(seconds or 0) / 3600) * unit
    return -size if sign == "-" else size


def _is_icrs(values: Mapping[str, Value]) -> bool:
    frame = values.get("RADESYS") or values.get("RADECSYS")
    if isinstance(frame, str) and frame.strip().upper() in ("FK4", "FK4-NO-E"):
        return False
    equinox = values.get("EQUINOX")
    year = number_of(equinox) if equinox is not None else None
    return year is None or year >= _OLDEST_EQUINOX
