"""From an accepted job to its list of files, within one deadline.

Here: asking for the job's status until it ends, and for its files until the list is whole.
Not here: the calls (``collectors.vip.client``), what is done with the list (``transfer``).
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

from metaplat.collectors.vip.client import JobPhase
from metaplat.collectors.vip.errors import UnknownJobError
from metaplat.model.errors import SourceError, TransientSourceError
from metaplat.model.extract import ExtractStatus

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Sequence
    from datetime import datetime

    from metaplat.collectors.vip.client import JobState
    from metaplat.collectors.vip.signed_file import SignedFile
    from metaplat.model.extract import Extract, PromisedFile
    from metaplat.vip.pulling.bench import Bench

T = TypeVar("T")
UNKNOWN_JOB_ANSWERS = 3
"""So many in a row, and the vendor does not know the job: right after the export one may mean nothing."""


class Deadline:
    """The one deadline of a job and its list, from now on.

    Parameters
    ----------
    minutes : float
        Until it has passed.
    pause : float
        Seconds between two questions.
    """

    def __init__(self, minutes: float, pause: float) -> None:
        self._at = asyncio.get_running_loop().time() + minutes * 60
        self._pause = pause

    async def before(self, call: Callable[[], Coroutine[Any, Any, T]]) -> T | SourceError | None:
        """Return what ``call`` gives or, where asking again may help, raises; None where time is up."""
        if self._left <= 0:
            return None
        try:
            async with asyncio.timeout_at(self._at):
                return await call()
        except TimeoutError:
            return None
        except (TransientSourceError, UnknownJobError) as error:
            return error

    async def pause(self) -> None:
        """Wait before the next question, but not beyond the deadline."""
        await asyncio.sleep(min(self._pause, max(self._left, 0)))

    @property
    def _left(self) -> float:
        return self._at - asyncio.get_running_loop().time()


async def ended(bench: Bench, extract: Extract, deadline: Deadline) -> Extract:
    """Ask for the status of a job until it ends.

    Returns
    -------
    Extract
        With ``completed_at`` where the job is complete; failed where it is not, with the reason. Saved.

    Raises
    ------
    PermanentSourceError
        The API refuses the question for good.
    """
    trouble, unknown, guid = "", 0, _job(extract)
    while (job := await deadline.before(lambda: bench.client.job_status(guid))) is not None:
        if isinstance(job, SourceError):
            trouble = str(job)
            bench.about(extract, trouble)
            unknown = unknown + 1 if isinstance(job, UnknownJobError) else 0
            if unknown == UNKNOWN_JOB_ANSWERS:
                return await bench.save(extract.with_status(ExtractStatus.FAILED, trouble))
        else:
            trouble, unknown = "", 0
            extract = await _heard(bench, extract, job.word)
            if job.phase is not JobPhase.RUNNING:
                return await bench.save(_over(extract, job, bench.clock()))
        await deadline.pause()
    word = extract.job_status or "unheard of"
    reason = f"timed out, job {extract.job_guid} still {word}; pull again to go on with it"
    return await bench.save(extract.with_status(ExtractStatus.FAILED, _with(reason, trouble)))


async def listed(bench: Bench, extract: Extract, deadline: Deadline) -> list[SignedFile] | str:
    """Ask for the list of a complete job until it is not empty and the same twice.

    Returns
    -------
    list of SignedFile or str
        The list; or why there is none.

    Raises
    ------
    PermanentSourceError
        The API refuses the question for good.
    """
    before: set[PromisedFile] | None = None
    trouble, guid = "", _job(extract)
    while (files := await deadline.before(lambda: bench.client.files(guid))) is not None:
        if isinstance(files, SourceError):
            trouble = str(files)
            bench.about(extract, trouble)
        else:
            now, trouble = promises(files), ""
            if now and now == before:
                return files
            before = now
        await deadline.pause()
    found = "did not come" if before is None else "is still changing" if before else "is still empty"
    reason = f"timed out, the list of files of job {guid} {found}; pull again to go on with it"
    return _with(reason, trouble)


async def listed_again(bench: Bench, extract: Extract) -> list[SignedFile] | str:
    """Ask once more for the list of a job whose promise is known: the addresses are needed.

    Returns
    -------
    list of SignedFile or str
        The list; or why there is none any more.
    """
    try:
        files = await bench.client.files(_job(extract))
    except SourceError as error:
        return f"the list of its job does not come: {error.answer}"
    return files or "its job lists no files any more"


def promises(files: Sequence[SignedFile]) -> set[PromisedFile]:
    """Return what a list promises, whatever its order and addresses."""
    return {each.promised for each in files}


def _over(extract: Extract, job: JobState, now: datetime) -> Extract:
    if job.phase is JobPhase.COMPLETE:
        return replace(extract, completed_at=now)
    return extract.with_status(ExtractStatus.FAILED, f"the vendor's job ended as {job.word!r}")


async def _heard(bench: Bench, extract: Extract, word: str) -> Extract:
    """Note the vendor's word on the job where it is a new one."""
    if word == extract.job_status and extract.status is ExtractStatus.RUNNING:
        return extract
    bench.about(extract, f"job {extract.job_guid}: {word!r}")
    return await bench.save(replace(extract.with_status(ExtractStatus.RUNNING), job_status=word))


def _job(extract: Extract) -> str:
    if extract.job_guid is None:
        raise ValueError("an extract without a job was polled")
    return extract.job_guid


def _with(reason: str, trouble: str) -> str:
    return f"{reason}. Last answer: {trouble}" if trouble else reason
