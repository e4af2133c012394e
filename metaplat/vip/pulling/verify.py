"""Promised against delivered, for one hour, without asking the API.

Here: the verdict on an hour that is remembered, or of which only the folder tells; keeping it.
Not here: the comparison itself (``comparison``), fetching what is missing (``repair``).
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from metaplat.collectors.vip.credentials import VipCredentials
from metaplat.collectors.vip.redaction import redacting_logs
from metaplat.model.errors import UsageError
from metaplat.model.extract import ExtractStatus, hour_start
from metaplat.stores.deliveries import open_deliveries
from metaplat.vip.pulling.alone import alone
from metaplat.vip.pulling.bench import unheard
from metaplat.vip.pulling.comparison import compared, judged
from metaplat.vip.pulling.folder_files import write_folder_files
from metaplat.vip.pulling.hours import check_hour
from metaplat.vip.pulling.known_hour import known_hour, missing, recovered
from metaplat.vip.pulling.remembered import ExtractMemory

if TYPE_CHECKING:
    from datetime import datetime

    from metaplat.model.extract import Extract
    from metaplat.settings import Settings, VipSettings
    from metaplat.stores.deliveries import Deliveries
    from metaplat.stores.objects import ObjectStore
    from metaplat.vip.pulling.bench import Clock, Tell

JOBLESS = "; its job is not known, so nothing more can be fetched"


def verify(
    settings: Settings,
    state: ObjectStore,
    hour: datetime,
    clock: Clock,
    *,
    deep: bool = False,
    tell: Tell = unheard,
) -> Extract:
    """Compare what was promised for an hour with what its folder holds, and remember the verdict.

    Works for hours that another client pulled, too, where it left its promise in the folder.

    Parameters
    ----------
    settings : Settings
        Section ``vip``, and where everything is kept.
    state : ObjectStore
        Where extracts are remembered.
    hour : datetime
        Start of an hour, aware UTC.
    clock : callable
        Gives the time, aware UTC.
    deep : bool
        Read every byte, too, and compare its digest with that of the delivery.
    tell : callable
        Takes a sentence for whoever watches.

    Returns
    -------
    Extract
        Ok or incomplete where a promise is known; missing where an hour that is over has neither job nor
        file; else as it was: its job has not promised anything yet, or an hour that goes on has no job yet.

    Raises
    ------
    UsageError
        The hour has not begun, is no start of an hour, or is still going on and nothing was pulled yet.
    SettingsError
        The folder holds an extract of another configuration, or a setting is not usable.
    InvalidInputError
        What is remembered, or the promise in the folder, cannot be read.
    TransientStoreError, PermanentStoreError
        State or target fails.
    """
    check_hour(hour, clock())
    with redacting_logs(), alone(settings, tell):
        deliveries = open_deliveries(settings, VipCredentials(settings.vip).delivery_keys())
        memory = ExtractMemory(state)
        before = known_hour(settings.vip, memory, deliveries, hour)
        is_open = hour == hour_start(clock())
        if before is None and is_open:
            raise UsageError(f"nothing was pulled for {hour:%Y-%m-%d %H}:00 UTC yet: metaplat vip pull")
        if before is None or not before.job_guid:
            extract = without_job(settings.vip, deliveries, hour, before, clock(), deep=deep)
            if before and is_open and extract.status is ExtractStatus.MISSING:
                return before  # an export was asked for in vain, and can be asked for again
        elif before.files:
            extract = judged(compared(settings.vip, deliveries, before, deep=deep), clock())
            write_folder_files(settings.vip, deliveries, extract, None)
        else:
            return before
        memory.save(extract)
        return extract


def without_job(
    settings: VipSettings,
    deliveries: Deliveries,
    hour: datetime,
    known: Extract | None,
    now: datetime,
    *,
    deep: bool = False,
) -> Extract:
    """Return the verdict on an hour whose job is not known: by its folder alone.

    Raises
    ------
    SettingsError
        The folder holds an extract of another configuration.
    InvalidInputError
        The promise in the folder cannot be read.
    TransientStoreError, PermanentStoreError
        The target fails.
    """
    found = recovered(settings, deliveries, hour)
    if found is None:
        return missing(settings, hour, known)
    if known:
        known_files = {each.promised: each for each in known.files}
        files = tuple(known_files.get(each.promised, each) for each in found.files)
        found = replace(found, files=files, asked_at=known.asked_at, export_calls=known.export_calls)
    if found.files:
        found = judged(compared(settings, deliveries, found, deep=deep), now)
    return found.with_status(found.status, f"{found.reason}{JOBLESS}" if found.reason else None)
