"""The first step of an extract: the job of its hour, asked for at most once.

Here: when an export may be asked for, what is remembered before and after the call, too early, a lost answer.
Not here: the call itself (``collectors.vip.client``), an hour that is over or is known to the folder only
(``known_hour``).
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, TypeVar

from metaplat.collectors.vip.errors import TooEarlyError
from metaplat.model.errors import MetaplatError, SourceError, TransientSourceError
from metaplat.model.extract import ExtractStatus, hour_start
from metaplat.vip.pulling.export_apart import Question, Reply, export_apart, export_here
from metaplat.vip.pulling.known_hour import known_hour, new_extract

if TYPE_CHECKING:
    from collections.abc import Coroutine
    from typing import Any

    from metaplat.model.extract import Extract
    from metaplat.vip.pulling.bench import Bench

T = TypeVar("T")
HOUR = timedelta(hours=1)
SKEW = timedelta(minutes=5)
"""Clocks further apart are worth a word: the folder follows ours."""
SLOT_HOURS = 2
"""Hours back whose refusals may still hold: a next time further off is not believed."""
UNANSWERED = "an export was asked for, and its answer was not noted; pull again within the hour to ask again"
TOO_LATE = "the hour ended before its export could be asked for"


async def of_current_hour(bench: Bench, only: datetime | None = None) -> Extract:
    """Return the extract of the hour it is now: with a job, old or new, or with why it has none.

    The hour is that of the moment just before the call, whatever the time was when the pull began.

    Parameters
    ----------
    bench : Bench
        The parts.
    only : datetime or None
        Ask for no other hour than this one; where it ends meanwhile, it is missing.

    Raises
    ------
    SettingsError
        There are no credentials, or the folder of the hour belongs to another configuration.
    TransientStoreError, PermanentStoreError
        State or target cannot be read or written: found out before the export is asked for.
    """
    while True:
        hour = hour_start(bench.clock())
        known = await asyncio.to_thread(
            known_hour, bench.settings, bench.memory, bench.deliveries, only or hour
        )
        if known and known.job_guid:
            return known
        before = known or new_extract(bench.settings, only or hour, ExtractStatus.MISSING)
        if only and hour != only:
            return await bench.save(before.with_status(ExtractStatus.MISSING, TOO_LATE))
        if slot := await asyncio.to_thread(_slot_ahead, bench, hour):
            return await bench.save(_skipped(before, slot))
        extract = await _export(bench, before)
        if extract is not None:
            return extract


async def _export(bench: Bench, before: Extract) -> Extract | None:
    """Ask for the export of an hour; None where the hour ends before that."""
    asked = replace(
        before,
        status=ExtractStatus.FAILED,  # what it is until the answer is noted, whatever ends this process
        reason=UNANSWERED,
        asked_at=bench.clock(),
        export_calls=before.export_calls + 1,
        next_slot=None,
    )
    await bench.save(asked)
    extract = await _answered(_ask(bench, asked))
    if extract is None:
        bench.saved(await bench.save(before.with_status(ExtractStatus.MISSING, TOO_LATE)))
    return extract


async def _ask(bench: Bench, asked: Extract) -> Extract | None:
    """Make the one call, and see to it that its answer is noted before anything else happens."""
    bench.about(asked, "asking for the export")
    question = Question(bench.installation, asked, bench.clock() - datetime.now(UTC))
    try:
        apart = bench.settings.export_apart
        reply = await (export_apart(question) if apart else export_here(question, bench.clock, bench.memory))
    except TransientSourceError as error:
        reply = Reply(error=error)
    if reply.is_over:
        return None
    if isinstance(reply.error, TooEarlyError):
        return await _too_early(bench, asked, reply.error.next_slot)
    if isinstance(reply.error, SourceError):
        return await bench.save(asked.with_status(ExtractStatus.FAILED, str(reply.error)))
    if reply.error is not None and reply.extract is not None:  # accepted, and not noted
        with suppress(MetaplatError):  # the store that failed just now; the error names the job
            await bench.save(asked.with_status(ExtractStatus.FAILED, str(reply.error)))
        raise reply.error
    if reply.error is not None:  # no credentials: nothing was asked
        reason = f"no export was asked for: {reply.error}"
        calls = asked.export_calls - 1
        await bench.save(replace(asked.with_status(ExtractStatus.FAILED, reason), export_calls=calls))
        raise reply.error
    assert reply.extract is not None  # noqa: S101  # the last of the three
    _compare_clocks(bench, reply)
    bench.about(reply.extract, f"the export is accepted as job {reply.extract.job_guid}")
    return reply.extract


async def _answered(call: Coroutine[Any, Any, T]) -> T:
    """Return the answer of a call, waited for also where the pull is interrupted: it names the only job."""
    task = asyncio.ensure_future(call)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        raise


async def _too_early(bench: Bench, asked: Extract, slot: datetime | None) -> Extract:
    """Return the job that another machine got meanwhile, else the extract as skipped."""
    stored = await asyncio.to_thread(bench.memory.load, asked.config_name, asked.hour)
    if stored and stored.job_guid:
        bench.about(stored, f"another pull has got job {stored.job_guid}; going on with that")
        return stored
    return await bench.save(_skipped(asked, slot))


def _skipped(extract: Extract, slot: datetime | None) -> Extract:
    reason = "the API allows no export yet and does not say when"
    if slot:
        reason = f"the API allows the next export at {slot:%Y-%m-%d %H:%M:%S} UTC"
        if slot >= extract.hour + HOUR:
            reason += ", after the end of the hour: this hour will be missing"
    if extract.export_calls > 1:
        reason += f" ({extract.export_calls} export calls of this hour gave no job)"
    return replace(extract, status=ExtractStatus.SKIPPED, reason=reason, next_slot=slot)


def _slot_ahead(bench: Bench, hour: datetime) -> datetime | None:
    """Return the time before which the API has said not to ask, where it is still ahead."""
    known = bench.memory.load_range(bench.settings.config, hour - SLOT_HOURS * HOUR, hour)
    slots = [each.next_slot for each in known.values() if each.next_slot and not each.job_guid]
    newest = max(slots, default=None)
    return newest if newest and newest > bench.clock() else None


def _compare_clocks(bench: Bench, reply: Reply) -> None:
    if reply.server_time is None or reply.extract is None:
        return
    apart = abs(reply.server_time - bench.clock())
    if apart > SKEW:
        minutes = int(apart.total_seconds() // 60)
        said = f"the clock of the API and ours are {minutes} minutes apart; the folder is by ours"
        bench.about(reply.extract, said)
