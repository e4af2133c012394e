"""Fetching what is missing of one hour, from the job that it has.

Here: which hours can be repaired, and that no export is ever asked for.
Not here: the way (``steps``), the verdict alone (``verify``).
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from metaplat.collectors.vip.redaction import redacting_logs
from metaplat.model.errors import UsageError
from metaplat.model.extract import hour_start
from metaplat.vip.pulling.alone import alone
from metaplat.vip.pulling.bench import unheard, unkept
from metaplat.vip.pulling.hours import check_hour
from metaplat.vip.pulling.known_hour import known_hour
from metaplat.vip.pulling.opening import open_bench
from metaplat.vip.pulling.pull import noted, past_hour

if TYPE_CHECKING:
    from datetime import datetime

    from metaplat.model.extract import Extract
    from metaplat.settings import Settings
    from metaplat.stores.objects import ObjectStore
    from metaplat.vip.pulling.bench import Clock, Progress, Saved, Tell


def repair(
    settings: Settings,
    state: ObjectStore,
    hour: datetime,
    clock: Clock,
    *,
    progress: Progress | None = None,
    tell: Tell = unheard,
    saved: Saved = unkept,
) -> Extract:
    """Go on with the job of an hour, however long ago: fetch what is missing or short, and verify.

    Parameters
    ----------
    settings, state, clock, progress, tell, saved
        As of ``pull``.
    hour : datetime
        Start of an hour, aware UTC.

    Returns
    -------
    Extract
        As it stands then. Without a known job it is what ``verify`` says.

    Raises
    ------
    UsageError
        The hour has not begun, is no start of an hour, or is still going on and has no job yet.
    SettingsError, InvalidInputError, TransientStoreError, PermanentStoreError
        As of ``pull``.
    """
    check_hour(hour, clock())
    with redacting_logs(), alone(settings, tell):
        return asyncio.run(_repaired(settings, state, hour, clock, progress, tell, saved))


async def _repaired(
    settings: Settings,
    state: ObjectStore,
    hour: datetime,
    clock: Clock,
    progress: Progress | None,
    tell: Tell,
    saved: Saved,
) -> Extract:
    async with open_bench(settings, state, clock, progress, tell, saved) as bench:
        if hour == hour_start(clock()):
            known = await asyncio.to_thread(known_hour, bench.settings, bench.memory, bench.deliveries, hour)
            if known is None or not known.job_guid:
                raise UsageError(f"no job is known for {hour:%Y-%m-%d %H}:00 UTC yet: metaplat vip pull")
        return await noted(bench, hour, past_hour(bench, hour))
