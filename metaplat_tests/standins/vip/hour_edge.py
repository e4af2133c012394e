"""Keep a test that follows the real clock away from the end of the hour: a pull belongs to the hour it is in.

Here: waiting. Not here: tests of the edge itself, which have a clock of their own.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

NEEDED = timedelta(seconds=75)
"""What a slow test of that kind takes on a busy machine."""


def away_from_the_hours_edge() -> None:
    """Wait for the next hour where this one is nearly over."""
    now = datetime.now(UTC)
    following = now.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
    if following - now < NEEDED:
        time.sleep((following - now).total_seconds() + 0.1)
