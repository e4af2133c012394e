"""Values as a History Server writes them, None where they say nothing.

Here: -1, 0, "" and text that is no date, each read as unknown where the server means that.
Not here: which field means what (``listing``, ``rest``).
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

from metaplat.collectors.spark.reasons import reason_line

LARGEST = 2**63 - 1
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
DATE = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?)(?:GMT|UTC|Z|[+-]00:?00)")
"""Only of these zones: the server writes GMT, and a name such as CST has several meanings."""


def whole(value: Any) -> int | None:
    """Return a count or an amount; None where it is none, negative, or beyond 64 bits."""
    if isinstance(value, float) and value.is_integer() and abs(value) <= LARGEST:
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= LARGEST:
        return None
    return value


def figure(value: Any) -> float | None:
    """Return a finite figure that is not negative, else None."""
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value <= LARGEST:
        return None  # not-a-number compares false
    return float(value)


def text(value: Any) -> str | None:
    """Return text; None where it is none or empty."""
    return value if isinstance(value, str) and value else None


def first_line(value: Any) -> str | None:
    """Return the line of a reason that tells most, as of one in an event log."""
    return text((reason_line((text(value) or "").strip()) or "").strip())


def moment(epoch_ms: Any, date: Any = None) -> datetime | None:
    """Return a time from milliseconds since 1970, else from text as ``2026-11-21T15:00:27.389GMT``.

    Parameters
    ----------
    epoch_ms : any
        -1 means that there is none.
    date : any
        What servers before 2.0 have instead, and every server where it gives no milliseconds.
    """
    milliseconds = whole(epoch_ms)
    if milliseconds is None and isinstance(epoch_ms, int):
        return None
    try:
        found = _parsed(date) if milliseconds is None else EPOCH + timedelta(milliseconds=milliseconds)
    except (ValueError, OverflowError):
        return None
    return found if found is not None and found >= EPOCH else None


def _parsed(date: Any) -> datetime | None:
    match = DATE.fullmatch(date) if isinstance(date, str) else None
    return datetime.fromisoformat(match[1]).replace(tzinfo=UTC) if match else None


def milliseconds_between(start: datetime | None, end: datetime | None) -> int | None:
    """Return a duration; None where an end is unknown, or the clock went backwards."""
    if start is None or end is None or end < start:
        return None
    return (end - start) // timedelta(milliseconds=1)


def server_date(time: datetime) -> str:
    """Return a time as the server reads it in a query."""
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{time.microsecond // 1000:03d}GMT"


def objects(value: Any) -> list[dict[str, Any]]:
    """Return the objects of an array; what else is in it is left out."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []
