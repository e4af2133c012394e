"""Which hours the history holds: a calendar that is generated, so that a missing hour is seen at all.

Here: the first and last hour of a bucket, and the hours that are closed.
Not here: what lies in them (``inventory``).
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from metaplat.model.extract import MANIFEST_FILE, Extract, hour_start, hours_between

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from metaplat.settings import Settings
    from metaplat.stores.deliveries import Deliveries

HOUR = timedelta(hours=1)


def known_range(
    deliveries: Deliveries, settings: Settings, extracts: Mapping[datetime, Extract]
) -> tuple[datetime, datetime] | None:
    """Return the first and the last hour of which there is a file, or an accepted job.

    Parameters
    ----------
    deliveries : Deliveries
        Where the hour folders are; the folders of all days are listed, those of the outermost days, and the
        outermost hours.
    settings : Settings
        Section ``[vip]`` names the prefix.
    extracts : mapping of datetime to Extract
        What is remembered of pulls; one without a job says nothing about the range.

    Returns
    -------
    tuple of two datetimes, or None
        Aware UTC, both included; None where there is nothing at all.

    Raises
    ------
    StoreError
        The bucket cannot be listed.
    """
    days = sorted(day for day in map(_day, deliveries.day_folders(settings.vip.hour_prefix)) if day)
    first = _outermost(deliveries, settings, days, first=True)
    last = _outermost(deliveries, settings, days[::-1], first=False)
    jobs = [hour for hour, extract in extracts.items() if extract.job_guid]
    known = [hour for hour in (first, last, *jobs) if hour is not None]
    return (min(known), max(known)) if known else None


def _day(name: str) -> datetime | None:
    try:
        return datetime.strptime(name.strip("/"), "%Y%m%d").replace(tzinfo=UTC)
    except ValueError:  # eight digits that are no date
        return None


def _outermost(
    deliveries: Deliveries, settings: Settings, days: Sequence[datetime], *, first: bool
) -> datetime | None:
    """Return the first (or last) hour with a file, over days given outermost first."""
    for day in days:
        within = f"{settings.vip.hour_prefix}{day:%Y%m%d}/"
        there = {f"{within}{name}/" for name in deliveries.objects.list_folders(within, 1)}
        hours = hours_between(day, day + 23 * HOUR)
        for hour in hours if first else hours[::-1]:
            if settings.vip.folder(hour) in there and _has_file(deliveries, settings.vip.folder(hour)):
                return hour
    return None


def _has_file(deliveries: Deliveries, folder: str) -> bool:
    """Whether there is anything but our own manifest."""
    return bool((deliveries.listing([folder])["name"] != MANIFEST_FILE).any())


def closed_hours(first: datetime, now: datetime, settings: Settings) -> list[datetime]:
    """Return the hours from ``first`` to the last one that is settled at ``now``.

    An hour belongs to the history when ``now >= hour + settle_minutes``. With bounds given by a person take
    ``hours_between`` (``model.extract``), which includes both.

    Parameters
    ----------
    first, now : datetime
        Aware; ``first`` is rounded down to its hour.
    settings : Settings
        ``vip.settle_minutes``.

    Returns
    -------
    list of datetime
        Starts of hours, aware UTC; empty where not even ``first`` is settled.
    """
    begin = hour_start(first.astimezone(UTC))
    last = hour_start(now.astimezone(UTC) - timedelta(minutes=settings.vip.settle_minutes))
    return hours_between(begin, last) if last >= begin else []
