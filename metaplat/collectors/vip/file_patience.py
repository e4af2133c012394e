"""How often and when a file host is asked again.

Here: the pauses between attempts, hosts that all their files wait for, what counts as too slow.
Not here: which answers are worth another attempt (``file_refusals``), asking (``download``).
"""

from __future__ import annotations

import asyncio
import random
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

from metaplat.collectors.vip.times_in_text import pause_in

if TYPE_CHECKING:
    from collections.abc import Mapping

    from metaplat.settings.vip import VipSettings

KIB = 1024
MOST_DOUBLINGS = 32


def asked_pause(headers: Mapping[str, str]) -> float | None:
    """Return the seconds that ``Retry-After`` asks to wait, given as a number or as a date.

    Parameters
    ----------
    headers : mapping
        Of the answer; a date is held against its own ``Date``, because clocks differ.

    Returns
    -------
    float or None
        None where it says nothing, nothing readable, or no time ahead.
    """
    return pause_in(headers.get("Retry-After"), _told_time(headers) or datetime.now(UTC))


def pause_before(attempt: int, asked: float | None, settings: VipSettings) -> float:
    """Return the seconds to wait before a further attempt.

    Parameters
    ----------
    attempt : int
        1 for the first further one; the pause doubles each time.
    asked : float or None
        Seconds that the host asks to wait; less than that is not waited.
    settings : VipSettings
        ``backoff_seconds``, and ``max_backoff_seconds`` for the longest pause of all.

    Returns
    -------
    float
        With jitter: many files that failed at once do not come back at once.
    """
    longest = settings.max_backoff_seconds
    own = min(longest, settings.backoff_seconds * 2.0 ** min(attempt - 1, MOST_DOUBLINGS))
    own *= random.uniform(0.5, 1.0)  # noqa: S311  # no secret
    return min(longest, max(own, asked or 0.0))


class CrowdedHosts:
    """Hosts that have too much to do: every file of such a host waits, not only the one that was told so."""

    def __init__(self) -> None:
        self._until: dict[str, float] = {}

    def slow_down(self, host: str, seconds: float) -> None:
        """Ask nothing of a host for so long."""
        self._until[host] = max(self._until.get(host, 0.0), time.monotonic() + seconds)

    async def wait(self, host: str) -> None:
        """Return when the host may be asked."""
        while (left := self._until.get(host, 0.0) - time.monotonic()) > 0:
            await asyncio.sleep(left)


@dataclass
class Pace:
    """How fast one answer comes; only time spent on waiting for the host counts.

    Parameters
    ----------
    settings : VipSettings
        ``stall_seconds`` and ``min_kb_per_second`` (KiB).
    """

    settings: VipSettings
    _bytes: int = field(default=0, init=False)
    _seconds: float = field(default=0.0, init=False)
    _window_bytes: int = field(default=0, init=False)
    _window_seconds: float = field(default=0.0, init=False)

    def add(self, count: int, seconds: float) -> None:
        """Note bytes, and how long they were waited for."""
        if self._window_seconds >= self.settings.stall_seconds:
            self._window_bytes, self._window_seconds = 0, 0.0
        self._bytes += count
        self._seconds += seconds
        self._window_bytes += count
        self._window_seconds += seconds

    @property
    def too_slow(self) -> bool:
        """Whether the last ``stall_seconds`` brought less than they must."""
        return self._stalled(self._window_bytes, self._window_seconds)

    @property
    def progressed(self) -> bool:
        """Whether it brought anything, and no trickle: a host may not keep us for ever byte by byte."""
        return self._bytes > 0 and not self._stalled(self._bytes, self._seconds)

    def _stalled(self, count: int, seconds: float) -> bool:
        slowest = self.settings.min_kb_per_second * KIB
        return seconds >= self.settings.stall_seconds and count < slowest * seconds


def _told_time(headers: Mapping[str, str]) -> datetime | None:
    try:
        told = parsedate_to_datetime(headers.get("Date", ""))
    except (ValueError, OverflowError):
        return None
    return told if told.tzinfo else told.replace(tzinfo=UTC)
