"""Hours as callers name them.

Here: refusing what is no start of an hour that has begun.
Not here: what becomes of an hour (``pull``, ``verify``).
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from metaplat.model.errors import UsageError
from metaplat.model.extract import hour_start

if TYPE_CHECKING:
    from datetime import datetime


def check_hour(hour: datetime, now: datetime) -> None:
    """Raise UsageError where ``hour`` is no start of an hour, in UTC, that has begun by ``now``."""
    if hour.utcoffset() != timedelta(0) or hour_start(hour) != hour:
        raise UsageError(
            f"{hour.isoformat()} is no start of an hour in UTC, such as 2022-02-08T08:00:00+00:00"
        )
    if hour > now:
        raise UsageError(f"hour {hour:%Y-%m-%d %H}:00 UTC has not begun: the API exports the present only")
