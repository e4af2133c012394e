"""The export call in a process of its own, which lives on where the pull is killed, and notes the job.

Here: both sides of it: what the pull sends and gets back, and the process (``python -m`` this module).
Not here: when an export may be asked for (``exporting``), the call itself (``collectors.vip.client``).

No client can make the vendor's answer and its own note of it one step. But whatever ends a pull (a kill,
memory running out, an interrupt) ends that process alone; this one is small, does nothing else, and holds a
lock until the job is noted. The next pull waits for that lock, and finds the job. Where both end in between,
as when the machine goes down, the job is lost, and that is told.
"""

from __future__ import annotations

import asyncio
import fcntl
import pickle
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from metaplat.collectors.vip.client import VipClient
from metaplat.collectors.vip.credentials import VipCredentials
from metaplat.model.errors import (
    MetaplatError,
    PermanentStoreError,
    StoreError,
    TransientSourceError,
    TransientStoreError,
)
from metaplat.model.extract import Extract, ExtractStatus, hour_start
from metaplat.stores.home import open_stores
from metaplat.stores.local_errors import writing_error
from metaplat.vip.pulling.remembered import FOLDER, ExtractMemory, safe_segment

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import timedelta

    from metaplat.settings import Settings, VipSettings
    from metaplat.vip.pulling.bench import Clock


@dataclass(frozen=True)
class Question:
    """What the process is asked.

    Parameters
    ----------
    settings : Settings
        With the credentials, where they are part of it: sent through a pipe, never as an argument.
    asked : Extract
        What is remembered before the call.
    ahead : timedelta
        By how much the clock of the pull is ahead of this machine's; none but in tests.
    """

    settings: Settings
    asked: Extract
    ahead: timedelta


@dataclass(frozen=True)
class Reply:
    """What came of it: one of the three, and the time of the vendor's clock where it told it.

    Parameters
    ----------
    extract : Extract or None
        With the job, which is noted by now, unless there is an error as well.
    error : MetaplatError or None
        Why there is no job, or why it could not be noted.
    server_time : datetime or None
        As ``Accepted``.
    """

    extract: Extract | None = None
    error: MetaplatError | None = None
    server_time: datetime | None = None

    @property
    def is_over(self) -> bool:
        """Whether the hour ended before the call could be made."""
        return self.extract is None and self.error is None


async def export_apart(question: Question) -> Reply:
    """Ask for the export of an hour in a process of its own, and return what came of it.

    Raises
    ------
    TransientSourceError
        The process ended without a reply: the outcome is not known.
    """
    return await asyncio.to_thread(_run, pickle.dumps(question))


async def export_here(question: Question, clock: Clock, memory: ExtractMemory) -> Reply:
    """Ask for it in this process, where no other may be started."""
    return await asyncio.to_thread(answered, question, clock, memory)


def wait_for_exports(settings: Settings) -> None:
    """Wait until no process asks for an export of the configuration any more: one may have outlived its pull.

    Raises
    ------
    TransientStoreError, PermanentStoreError
        The lock's file, in ``home``, cannot be written.
    """
    with _exporting_alone(settings):
        pass


def _run(question: bytes) -> Reply:
    command = [sys.executable, "-m", __spec__.name]
    ended = subprocess.run(  # noqa: S603  # our own module
        command, input=question, capture_output=True, start_new_session=True, check=False
    )
    if ended.returncode == 0:
        reply = pickle.loads(ended.stdout)  # noqa: S301  # from our own process, through a pipe
        if isinstance(reply, Reply):
            return reply
    lines = ended.stderr.decode(errors="replace").strip().splitlines()
    kind = lines[-1].partition(":")[0] if lines else "no word"  # what follows may hold anything
    answer = f"its process ended with {ended.returncode} ({kind}), so the outcome is not known"
    raise TransientSourceError("vendor lake", "ask for the export", answer, "Pull again within the hour.")


@contextmanager
def _exporting_alone(settings: Settings) -> Iterator[None]:
    path = settings.home / FOLDER / f"{safe_segment(settings.vip.config)}.export.lock"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = path.open("a")
    except OSError as error:
        raise writing_error(settings.home, f"take the lock {path.name}", error) from None
    with file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def answered(question: Question, clock: Clock | None = None, memory: ExtractMemory | None = None) -> Reply:
    """Ask for the export, in whatever process, unless a job of the hour is noted by now."""
    settings, asked = question.settings, question.asked
    clock = clock or (lambda: datetime.now(UTC) + question.ahead)
    memory = memory or ExtractMemory(open_stores(settings).state)
    try:
        with _exporting_alone(settings):
            known = memory.load(asked.config_name, asked.hour)
            if known is not None and known.job_guid:
                return Reply(known)
            return asyncio.run(_export(settings, memory, asked, clock))
    except MetaplatError as error:
        return Reply(error=error)


async def _export(settings: Settings, memory: ExtractMemory, asked: Extract, clock: Clock) -> Reply:
    async with VipClient(settings.vip, VipCredentials(settings.vip), clock) as client:
        await client.authorize()  # so that nothing slow lies between the look at the clock and the call
        if hour_start(clock()) != asked.hour:
            return Reply()
        accepted = await client.export()
        extract = replace(
            asked.with_status(ExtractStatus.RUNNING), job_guid=accepted.job_guid, accepted_at=clock()
        )
        unnoted = _noted(memory, extract, settings.vip)  # in this very thread: nothing can come between
        return Reply(extract, unnoted, accepted.server_time)


def _noted(memory: ExtractMemory, extract: Extract, settings: VipSettings) -> StoreError | None:
    """Note a job, trying again where the store fails: the vendor names it once. Return why it could not."""
    pause = settings.backoff_seconds
    for left in range(settings.retries, -1, -1):
        try:
            memory.save_job(extract)
        except StoreError as error:
            trouble = error
        else:
            return None
        if left:
            time.sleep(pause)
            pause = min(2 * pause, settings.max_backoff_seconds)
    kind = PermanentStoreError if isinstance(trouble, PermanentStoreError) else TransientStoreError
    attempted = f"note job {extract.job_guid}, which the API has accepted ({trouble.attempted})"
    return kind(trouble.system, attempted, trouble.answer, trouble.advice)


def main() -> None:
    """Read a question from standard input, and write the reply to standard output."""
    question = pickle.loads(sys.stdin.buffer.read())  # noqa: S301  # from the pull that started this process
    reply = pickle.dumps(answered(question))
    try:
        sys.stdout.buffer.write(reply)
        sys.stdout.buffer.flush()
    except BrokenPipeError:  # the pull was killed; the job is noted
        sys.stdout = None


if __name__ == "__main__":
    # under its own name, so that what is pickled is what the pull knows
    from metaplat.vip.pulling import export_apart as module

    module.main()
