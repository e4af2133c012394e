"""Any value that a verdict may carry, as a value that JSON can hold.

Here: the one mapping from Python and Polars values to JSON values.
Not here: which values are stored or shown (``verdict_log``, ``export``).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import UTC, date, datetime, time
from typing import Any

SMALLEST_INTEGER, LARGEST_INTEGER = -(2**63), 2**64 - 1


def plain(value: object) -> Any:
    """Return ``value`` as None, bool, int, float, str, list or dict with text keys.

    Numbers that JSON lacks become text (``"NaN"``, ``"Infinity"``, integers beyond 64 bits), times become
    ISO 8601 in UTC, bytes their text or ``0x…``; whatever is unknown becomes its ``str``.
    """
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()  # a lone surrogate is text that no file can hold
    if isinstance(value, int | float):
        return _number(value)
    if isinstance(value, Mapping):
        return {plain(str(key)): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, set | frozenset):
        return sorted((plain(item) for item in value), key=str)
    return _text(value)


def _number(value: float) -> int | float | str:
    if isinstance(value, int):
        return int(value) if SMALLEST_INTEGER <= value <= LARGEST_INTEGER else str(value)
    if math.isfinite(value):
        return float(value)
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def _text(value: object) -> str:
    if isinstance(value, datetime) and value.tzinfo is not None:
        return utc_text(value)
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, bytes | bytearray | memoryview):
        return _bytes_text(bytes(value))
    return str(value).encode("utf-8", "replace").decode()


def utc_text(moment: datetime) -> str:
    """Write an aware time as ISO 8601 in UTC, with ``Z``."""
    try:
        moment = moment.astimezone(UTC)
    except OverflowError:  # year 1 or 9999: the offset leads out of the calendar
        return moment.isoformat()
    return moment.isoformat().replace("+00:00", "Z")


def _bytes_text(content: bytes) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError:
        return f"0x{content.hex()}"


def number_from_plain(value: object) -> int | float:
    """Return the number that ``plain`` wrote; raises ValueError or TypeError where ``value`` is none."""
    if isinstance(value, int | float):
        return value
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is not a number")
    try:
        return int(value)
    except ValueError:
        return float(value)
