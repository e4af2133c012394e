"""Pulling one extract, and finishing those that an earlier pull left unfinished.

Here: which extracts one pull touches, all at once, none stopping another.
Not here: the way of one (``exporting``, ``steps``), waiting for others on this machine (``alone``).
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from metaplat.collectors.vip.redaction import redacting_logs
from metaplat.model.errors import MetaplatError
from metaplat.model.extract import ExtractStatus, hour_start
from metaplat.vip.pulling.alone import alone
from metaplat.vip.pulling.bench import unheard, unkept
from metaplat.vip.pulling.export_apart import wait_for_exports
from metaplat.vip.pulling.exporting import of_current_hour
from metaplat.vip.pulling.hours import check_hour
from metaplat.vip.pulling.known_hour import known_hour
from metaplat.vip.pulling.opening import open_bench
from metaplat.vip.pulling.steps import finished
from metaplat.vip.pulling.verify import without_job

if TYPE_CHECKING:
    from collections.abc import Coroutine, Sequence
    from datetime import datetime

    from metaplat.model.extract import Extract
    from metaplat.settings import Settings
    from metaplat.stores.objects import ObjectStore
    from metaplat.vip.pulling.bench import Bench, Clock, Progress, Saved, Tell

RESUMED = timedelta(hours=24)
"""So far back extracts are gone on with by themselves; older ones by ``repair``."""


@dataclass(frozen=True)
class Pulled:
    """What one pull did.

    Parameters
    ----------
    extract : Extract
        Of the hour that was asked for.
    resumed : sequence of Extract
        Earlier ones that it went on with.
    """

    extract: Extract
    resumed: Sequence[Extract] = field(default_factory=tuple)


def pull(
    settings: Settings,
    state: ObjectStore,
    clock: Clock,
    *,
    hour: datetime | None = None,
    progress: Progress | None = None,
    tell: Tell = unheard,
    saved: Saved = unkept,
) -> Pulled:
    """Pull the extract of an hour: export, wait, fetch what is missing, verify.

    Running it again goes on where it was, with the same job: an export is asked for in the hour itself only,
    and never where one was accepted. A pull of the current hour also finishes extracts of the last 24 hours.

    Parameters
    ----------
    settings : Settings
        Section ``vip``, and where everything is kept.
    state : ObjectStore
        Where extracts are remembered.
    clock : callable
        Gives the time, aware UTC.
    hour : datetime or None
        Start of an hour, aware UTC; None means the hour it is when the export is asked for.
    progress : callable or None
        ``progress(what, done, total)`` in bytes, as they come.
    tell : callable
        Takes a sentence for whoever watches.
    saved : callable
        Takes the final state of every extract that was touched, also where this function raises.

    Returns
    -------
    Pulled
        Its extract is ok, incomplete, failed, missing or skipped: what the vendor does wrong is told there.

    Raises
    ------
    UsageError
        The hour has not begun, or is no start of an hour.
    SettingsError
        There are no credentials, a setting is not usable, or the folder of the hour belongs to another
        configuration.
    InvalidInputError
        What is remembered of the hour, or the promise in its folder, cannot be read.
    TransientStoreError, PermanentStoreError
        State or target fails. What was delivered until then is remembered.
    """
    if hour is not None:
        check_hour(hour, clock())
    with redacting_logs(), alone(settings, tell):
        wait_for_exports(settings)
        return asyncio.run(_pulled(settings, state, clock, hour, progress, tell, saved))


async def _pulled(
    settings: Settings,
    state: ObjectStore,
    clock: Clock,
    hour: datetime | None,
    progress: Progress | None,
    tell: Tell,
    saved: Saved,
) -> Pulled:
    async with open_bench(settings, state, clock, progress, tell, saved) as bench:
        now = hour_start(clock())
        if hour is not None and hour < now:
            return Pulled(await noted(bench, hour, past_hour(bench, hour)))
        left = await asyncio.to_thread(_left, bench, now)
        ways = [noted(bench, each.hour, finished(bench, each)) for each in left]
        results = await asyncio.gather(
            noted(bench, now, _current(bench, hour)), *ways, return_exceptions=True
        )
        for result in results:  # raised when all have come to their end
            if isinstance(result, BaseException):
                raise result
        current, *resumed = [result for result in results if not isinstance(result, BaseException)]
        return Pulled(current, tuple(resumed))


async def noted(bench: Bench, hour: datetime, way: Coroutine[Any, Any, Extract]) -> Extract:
    """Go a way and tell where it ended; where it raises, what is remembered of ``hour`` by then."""
    try:
        extract = await way
    except MetaplatError:
        with suppress(MetaplatError):
            left = await asyncio.to_thread(bench.memory.load, bench.settings.config, hour)
            if left is not None:
                bench.saved(left)
        raise
    bench.saved(extract)
    return extract


async def past_hour(bench: Bench, hour: datetime) -> Extract:
    """Go on with the job of an hour that is over; without one, say what its folder shows."""
    extract = await asyncio.to_thread(known_hour, bench.settings, bench.memory, bench.deliveries, hour)
    if extract is not None and extract.job_guid:
        return await finished(bench, extract)
    judgement = (bench.settings, bench.deliveries, hour, extract, bench.clock())
    return await bench.save(await asyncio.to_thread(without_job, *judgement))


async def _current(bench: Bench, only: datetime | None) -> Extract:
    extract = await of_current_hour(bench, only)
    return await finished(bench, extract) if extract.job_guid else extract


def _left(bench: Bench, now: datetime) -> list[Extract]:
    """Return earlier extracts whose job may still bring files."""
    unfinished = bench.memory.unfinished(bench.settings.config, now - RESUMED)
    over = {word.casefold() for word in bench.settings.failed_words}
    return [
        each
        for each in unfinished
        if each.hour < now
        and each.job_guid
        and not (each.status is ExtractStatus.FAILED and (each.job_status or "").casefold() in over)
    ]
