"""How complete a header is: a figure about keywords, not about the data.

Here: the one formula. It starts at 1, loses 0.2 for each of mission, telescope, instrument and observation
time that is missing or empty, gains 0.1 where the calibration is COMPLETE, and stays within 0 and 1.
Not here: which keywords count (``mappings``: the four of FITS, or the lists of their columns).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from metaplat.collectors.headers.header import Value

CALIBRATED = "COMPLETE"


def is_present(value: Value) -> bool:
    """Tell whether a keyword says anything: False and 0 do, blanks do not."""
    return value is not None and (
        not isinstance(value, (str, list)) or bool(value and str(value).strip(" \0"))
    )


def header_completeness(
    values: Mapping[str, Value],
    expected: Sequence[Sequence[str]],
    calibration: str | None,
    *,
    timed: bool = False,
) -> float:
    """Return the completeness of a header, 0 to 1, in tenths.

    Parameters
    ----------
    values : mapping of str to Value
        The header.
    expected : four sequences of str
        Keywords for mission, telescope, instrument and, last, time; any of each will do.
    calibration : str or None
        The ``calibration_status``.
    timed : bool
        A time variable states the time, whatever the keywords do.
    """
    missing = 0
    for keywords in expected:
        for keyword in keywords:
            value = values.get(keyword)
            if value is not None and ((type(value) is str and value.strip()) or is_present(value)):
                break
        else:
            missing += 1
    if timed and missing and not any(is_present(values.get(keyword)) for keyword in expected[-1]):
        missing -= 1
    tenths = 10 - 2 * missing + (calibration == CALIBRATED)
    return max(0, min(tenths, 10)) / 10
