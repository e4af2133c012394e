"""An export that comes too early: how that is told, and when the next one is allowed.

Here: which answers mean it, and which of the times in them is believed.
Not here: the times that a text names (``times_in_text``), what a pull makes of it (``vip.pulling``).
The answer is documented nowhere: its status, its words and the zone of its time are settings.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from metaplat.collectors.vip.call import BAD_REQUEST, UNAUTHORIZED
from metaplat.collectors.vip.times_in_text import LONGEST, pause_in, times_in
from metaplat.model.errors import SettingsError

if TYPE_CHECKING:
    from metaplat.settings.vip import VipSettings

TOO_MANY_REQUESTS = 429
_PAUSE = re.compile(
    r"\b(?:again|retry|wait|available|triggered)\s{1,3}(?:(?:in|after|for)\s{1,3})?([0-9]{1,6})\s{0,3}(second|minute)",
    re.IGNORECASE | re.ASCII,
)
"""Not "once in 60 minutes", which says nothing about when."""
_SECONDS = {"second": 1, "minute": 60}


def is_too_early(status: int, message: str | None, settings: VipSettings) -> bool:
    """Say whether an answer to an export means that it comes too early.

    Parameters
    ----------
    status : int
        HTTP status. 429 always means it; another of ``too_early_statuses`` does where the message says so,
        by its words or by a time; any other error but 401 where it does by both.
    message : str or None
        What the vendor says: words like those of ``too_early_text``, or a date and time.
    settings : VipSettings
        Statuses, words and zone.

    Raises
    ------
    SettingsError
        ``too_early_text`` is no pattern, or ``too_early_zone`` no zone.
    """
    if status == TOO_MANY_REQUESTS:
        return True
    if status in settings.too_early_statuses:
        return says_too_early(message, settings)
    return status >= BAD_REQUEST and status != UNAUTHORIZED and all(_signs(message, settings))


def says_too_early(message: str | None, settings: VipSettings) -> bool:
    """Say whether a message means too early, whatever the status; raises as ``is_too_early``."""
    return any(_signs(message, settings))


def _signs(message: str | None, settings: VipSettings) -> tuple[bool, bool]:
    """Say whether a message has words that mean too early, and whether it names a time."""
    text = (message or "")[:LONGEST]
    any_time = datetime(2000, 1, 1, tzinfo=UTC)  # it would only choose between two readings
    return bool(_words(settings).search(text)), bool(times_in(text, any_time, _zone(settings)))


def next_slot(
    message: str | None, retry_after: str | None, now: datetime, settings: VipSettings
) -> datetime | None:
    """Return when the next export is allowed.

    Parameters
    ----------
    message : str or None
        What the vendor says, with a time somewhere in it, or "try again in 25 minutes".
    retry_after : str or None
        Header of that name: seconds or a time. It counts where the message names no time.
    now : datetime
        Aware UTC.
    settings : VipSettings
        Zone of a time without one; how far off a time may lie to be believed.

    Returns
    -------
    datetime or None
        Aware UTC, neither in the past nor further off than ``max_wait_minutes``; of several the earliest,
        since asking once more costs less than missing the hour. None where nothing credible is said.

    Raises
    ------
    SettingsError
        ``too_early_zone`` is no zone.
    """
    text = (message or "")[:LONGEST]
    named = times_in(text, now, _zone(settings))
    pauses = [float(number) * _SECONDS[unit.lower()] for number, unit in _PAUSE.findall(text)]
    for seconds in (_ahead(named, now), [pause_in(retry_after, now) or 0.0], pauses):
        believed = [each for each in seconds if 0 < each <= 60 * settings.max_wait_minutes]
        if believed:
            return now + timedelta(seconds=min(believed))
    return None


def _ahead(times: list[datetime], now: datetime) -> list[float]:
    return [(time - now).total_seconds() for time in times]


def _words(settings: VipSettings) -> re.Pattern[str]:
    try:
        return re.compile(settings.too_early_text, re.IGNORECASE)
    except re.error:
        problem = "is no regular expression"
    raise SettingsError("vip.too_early_text", problem, "Correct the pattern of METAPLAT_VIP__TOO_EARLY_TEXT.")


def _zone(settings: VipSettings) -> ZoneInfo:
    try:
        return ZoneInfo(settings.too_early_zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):  # OSError: a name that is a folder
        problem = f"there is no time zone {settings.too_early_zone!r}"
    raise SettingsError("vip.too_early_zone", problem, "Give a name such as UTC or Europe/Berlin.")
