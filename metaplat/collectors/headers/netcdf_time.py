"""The time variable of a NetCDF file: which one it is, and the range its first and last value give.

Here: what NetCDF-3 and NetCDF-4 share.
Not here: reading the values (``netcdf3``, ``netcdf4``), and turning them into UTC (``times``).
"""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from metaplat.collectors.headers.header import Value

TimeRange = tuple[float, float, str, str | None]

TIME_ATTRIBUTES = ("units", "calendar", "scale_factor", "add_offset", "_FillValue", "missing_value")
"""What of a variable is needed to tell and to read a time."""

FILLED = 9.9e36
"""The default fill values of float and double are just above it: nothing was written."""

_SINCE = re.compile(r"\s*[A-Za-z]+\s+since\s+\S", re.IGNORECASE)


def is_time(units: Value) -> bool:
    """Tell whether ``units`` of a variable make it a time: ``seconds since 2000-01-01``."""
    return isinstance(units, str) and _SINCE.match(units) is not None


def time_rank(name: str, *, is_coordinate: bool) -> tuple[int, str]:
    """Return how likely a variable is *the* time of its file; the lowest is.

    Parameters
    ----------
    name : str
        Its name.
    is_coordinate : bool
        Whether it is named like its own dimension.
    """
    lower = name.lower()
    likely = ("time", is_coordinate, "time" in lower)
    return (0 if lower == likely[0] else 1 if likely[1] else 2 if likely[2] else 3, lower)


def time_range(first: float, last: float, attributes: Mapping[str, Value]) -> TimeRange | None:
    """Return the range that the two stored values of a time variable give, the lesser first.

    Parameters
    ----------
    first, last : float
        Values as they are stored: packed, if the variable has a scale or an offset.
    attributes : mapping
        Of the variable; those of ``TIME_ATTRIBUTES`` are looked at.

    Returns
    -------
    tuple or None
        (first, last, units, calendar); None where one of the values is missing.
    """
    units, calendar = attributes.get("units"), attributes.get("calendar")
    if not isinstance(units, str) or _missing(first, attributes) or _missing(last, attributes):
        return None
    scale, offset = _number(attributes.get("scale_factor"), 1), _number(attributes.get("add_offset"), 0)
    unpacked = sorted((first * scale + offset, last * scale + offset))
    if not all(map(math.isfinite, unpacked)):
        return None
    return unpacked[0], unpacked[1], units, calendar if isinstance(calendar, str) else None


def _missing(value: float, attributes: Mapping[str, Value]) -> bool:
    fills = [attributes.get("_FillValue"), attributes.get("missing_value")]
    return value in fills or not math.isfinite(value) or abs(value) >= FILLED


def _number(value: Value, otherwise: int) -> float:
    return otherwise if value is None or isinstance(value, (str, bool, list)) else value
