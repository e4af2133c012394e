"""The way of one extract that has a job, from wherever it stands to verified files.

Here: the order of the steps; what is saved before each; how it ends where a step fails.
Not here: the steps themselves (``waiting``, ``transfer``, ``comparison``, ``folder_files``), getting the job
(``exporting``).
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from metaplat.collectors.vip.safe_files import sort_out
from metaplat.model.errors import SourceError, StoreError
from metaplat.model.extract import PROMISE_FILE, ExtractStatus
from metaplat.vip.pulling.comparison import compared, judged
from metaplat.vip.pulling.folder_files import write_folder_files
from metaplat.vip.pulling.promise import with_promise
from metaplat.vip.pulling.transfer import transferred, wanted
from metaplat.vip.pulling.waiting import Deadline, ended, listed, listed_again

if TYPE_CHECKING:
    from collections.abc import Sequence

    from metaplat.collectors.vip.signed_file import SignedFile
    from metaplat.model.extract import Extract
    from metaplat.vip.pulling.bench import Bench


async def finished(bench: Bench, extract: Extract) -> Extract:
    """Take an extract to its end, or as far as it goes now; what it is then is remembered.

    Parameters
    ----------
    bench : Bench
        The parts.
    extract : Extract
        It has a job.

    Returns
    -------
    Extract
        Ok, incomplete or failed, with the reason.

    Raises
    ------
    TransientStoreError, PermanentStoreError
        State or target fails; the extract is remembered as incomplete or failed with that reason before, and
        can be gone on with.
    SettingsError
        There are no credentials, or the folder belongs to another configuration.
    """
    loop = asyncio.get_running_loop()
    began = loop.time()
    extract = replace(extract, transferred_files=0, transferred_bytes=0)
    try:
        extract = await _through(bench, extract)
    except SourceError as error:
        extract = await _last(bench, extract)
        return await _stopped(bench, extract, error, loop.time() - began)
    except StoreError as error:
        with suppress(StoreError):  # the one that is told is the first
            extract = await _counted(bench, await _last(bench, extract))
            await _stopped(bench, extract, error, loop.time() - began)
        raise
    return await bench.save(replace(extract, seconds=loop.time() - began))


async def _through(bench: Bench, extract: Extract) -> Extract:
    """Take the steps that are left."""
    fresh: Sequence[SignedFile] | None = None
    if not extract.files:
        found = await _promised(bench, extract)
        if not isinstance(found, tuple):
            return found
        extract, fresh = found
    extract = await asyncio.to_thread(compared, bench.settings, bench.deliveries, extract)
    if fresh is None and await _needs_addresses(bench, extract):
        extract, fresh = await _listed_again(bench, extract)
    if fresh is not None:
        safe = sort_out(fresh, bench.settings).safe
        extract = await transferred(bench, extract, safe)
        extract = await asyncio.to_thread(compared, bench.settings, bench.deliveries, extract)
    extract = judged(extract, bench.clock())
    await asyncio.to_thread(write_folder_files, bench.settings, bench.deliveries, extract, fresh)
    return extract


async def _promised(bench: Bench, extract: Extract) -> tuple[Extract, list[SignedFile]] | Extract:
    """Wait for the job and its list; the extract alone, failed, where they do not come."""
    deadline = Deadline(bench.settings.deadline_minutes, bench.settings.poll_seconds)
    if extract.completed_at is None:
        extract = await ended(bench, extract, deadline)
        if extract.completed_at is None:
            return extract
    files = await listed(bench, extract, deadline)
    if isinstance(files, str):
        return extract.with_status(ExtractStatus.FAILED, files)
    return await _with_list(bench, extract.with_status(ExtractStatus.RUNNING), files), files


async def _listed_again(bench: Bench, extract: Extract) -> tuple[Extract, list[SignedFile] | None]:
    """Return the extract with the list as it is now; as it was, and None, where there is none any more."""
    files = await listed_again(bench, extract)
    if isinstance(files, str):
        bench.about(extract, files)
        left = {each.promised for each in wanted(extract)}
        told = [
            replace(each, problem=each.problem or files) if each.promised in left else each
            for each in extract.files
        ]
        return replace(extract, files=tuple(told)), None
    extract = await _with_list(bench, extract.with_status(ExtractStatus.RUNNING), files)
    return await asyncio.to_thread(compared, bench.settings, bench.deliveries, extract), files


async def _with_list(bench: Bench, extract: Extract, files: Sequence[SignedFile]) -> Extract:
    """Return the extract with its promise, remembered."""
    found = sort_out(files, bench.settings)
    extract = with_promise(extract, found)
    told = f"{len(extract.files)} files are promised"
    if found.refused:
        told += f", {len(found.refused)} of them are refused"
    bench.about(extract, told + (f"; {found.repeated} entries were repeated" if found.repeated else ""))
    return await bench.save(extract)


async def _needs_addresses(bench: Bench, extract: Extract) -> bool:
    """Whether the list is needed: for files that are not there as promised, or to write the promise."""
    if extract.mismatches:
        return True
    key = f"{extract.folder}{PROMISE_FILE}"
    return await asyncio.to_thread(bench.deliveries.objects.info, key) is None


async def _last(bench: Bench, extract: Extract) -> Extract:
    """Return what is remembered of an extract: the step that failed may have saved more than is at hand."""
    return await asyncio.to_thread(bench.memory.load, extract.config_name, extract.hour) or extract


async def _counted(bench: Bench, extract: Extract) -> Extract:
    """Return an extract with what its folder shows, where it can be listed: files were still coming in."""
    with suppress(StoreError):
        return await asyncio.to_thread(compared, bench.settings, bench.deliveries, extract)
    return extract


async def _stopped(bench: Bench, extract: Extract, error: Exception, seconds: float) -> Extract:
    """Return an extract as an error left it, remembered."""
    status = ExtractStatus.INCOMPLETE if extract.files else ExtractStatus.FAILED
    return await bench.save(replace(extract.with_status(status, str(error)), seconds=seconds))
