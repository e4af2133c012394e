"""Which days pulls remember, and the extracts at both ends: found without reading what lies between.

Here: a listing of folders, and the outermost days.
Not here: remembering (``vip.pulling.remembered``), the calendar made of it (``histories``).
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from metaplat.vip.pulling.remembered import FOLDER, ExtractMemory, safe_segment

if TYPE_CHECKING:
    from collections.abc import Sequence

    from metaplat.model.extract import Extract
    from metaplat.stores.home import Stores

ONE_DAY, LAST_HOUR = timedelta(days=1), timedelta(hours=23)


def days_pulled(stores: Stores) -> list[str]:
    """Return the days, as YYYYMMDD, of which a pull remembers anything, in order; raises StoreError."""
    folder = f"{FOLDER}/{safe_segment(stores.settings.vip.config)}/"
    folders = stores.state.list_folders(folder, 1)
    return sorted(day for day in folders if _is_day(day))


def outermost_extracts(stores: Stores) -> dict[datetime, Extract]:
    """Return the extracts of the first day with a job, and of the last one with the day before it.

    After years of pulls these are a few dozen objects of tens of thousands.

    Raises
    ------
    StoreError
        The state store fails.
    """
    days = days_pulled(stores)
    newest = _with_a_job(stores, days[::-1])
    before = _extracts(stores, min(newest) - ONE_DAY) if newest else {}
    return {**_with_a_job(stores, days), **before, **newest}


def _with_a_job(stores: Stores, days: Sequence[str]) -> dict[datetime, Extract]:
    """Return the extracts of the first of ``days`` that has a job; a day may hold missed hours only."""
    for day in days:
        found = _extracts(stores, datetime.strptime(day, "%Y%m%d").replace(tzinfo=UTC))
        if any(extract.job_guid for extract in found.values()):
            return found
    return {}


def _is_day(name: str) -> bool:
    try:
        return f"{datetime.strptime(name, '%Y%m%d').replace(tzinfo=UTC):%Y%m%d}" == name
    except ValueError:  # a foreign folder
        return False


def _extracts(stores: Stores, moment: datetime) -> dict[datetime, Extract]:
    start = moment.replace(hour=0)
    return ExtractMemory(stores.state).load_range(stores.settings.vip.config, start, start + LAST_HOUR)
