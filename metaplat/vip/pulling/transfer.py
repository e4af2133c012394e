"""The files of one extract, from their addresses into its folder.

Here: many at once, in rounds for what failed, until nothing is left or nothing helps; what became of each.
Not here: one stream (``collectors.vip.download``), writing it (``stores.deliveries``), the verdict
(``comparison``).
"""

from __future__ import annotations

import asyncio
import random
from dataclasses import replace
from typing import TYPE_CHECKING

from metaplat.collectors.vip.download import FileChangedError, FileMismatchError, RefusedFileError
from metaplat.model.errors import SourceError
from metaplat.model.extract import ExtractFile, FileOutcome
from metaplat.vip.pulling.addresses import Addresses
from metaplat.vip.pulling.comparison import archive_problem, is_as_sent
from metaplat.vip.pulling.promise import UNLISTED

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Sequence

    from metaplat.collectors.vip.download import Download
    from metaplat.collectors.vip.signed_file import SignedFile
    from metaplat.model.extract import Extract
    from metaplat.vip.pulling.bench import Bench


def wanted(extract: Extract) -> list[ExtractFile]:
    """Return the promised files that are to be fetched."""
    settled = {FileOutcome.DELIVERED, FileOutcome.REFUSED}
    return [each for each in extract.files if each.outcome not in settled and not is_as_sent(each)]


async def transferred(bench: Bench, extract: Extract, safe: Sequence[SignedFile]) -> Extract:
    """Fetch the files of an extract that are wanted, and remember after each round what came of it.

    Parameters
    ----------
    bench : Bench
        The parts.
    extract : Extract
        Compared with its folder.
    safe : sequence of SignedFile
        Where files come from; none but these are fetched.

    Returns
    -------
    Extract
        With the outcome of every file, and what was transferred.

    Raises
    ------
    TransientStoreError, PermanentStoreError
        The target fails; what came before that is remembered.
    """
    transfer = _Transfer(bench, extract, Addresses(bench, extract, safe))
    for number in range(bench.settings.rounds):
        files = wanted(transfer.extract)
        if not files:
            break
        if number:
            bench.about(extract, f"{len(files)} files are asked for again")
            await _pause(bench, number)
        try:
            await transfer.round(files)
        finally:
            await bench.save(transfer.extract)
    return transfer.extract


class _Transfer:
    """The files of one extract, and how far they are."""

    def __init__(self, bench: Bench, extract: Extract, addresses: Addresses) -> None:
        self._bench, self._before, self._addresses = bench, extract, addresses
        self._outcomes = {each.promised: each for each in extract.files}
        self._came = 0
        self._came_bytes = 0
        self._what = f"{extract.config_name} {extract.hour:%Y-%m-%d %H}:00"
        self._running: dict[str, int] = {}
        self._total = sum(each.promised.size or 0 for each in wanted(extract))

    @property
    def extract(self) -> Extract:
        """The extract as it stands now."""
        files = tuple(self._outcomes[each.promised] for each in self._before.files)
        return replace(
            self._before, files=files, transferred_files=self._came, transferred_bytes=self._came_bytes
        )

    async def round(self, files: Sequence[ExtractFile]) -> None:
        """Fetch every one of ``files`` once; what our own storage raises stops the others first."""
        queue = iter(files)
        workers = min(len(files), self._bench.settings.parallel_files)
        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(workers):
                    group.create_task(self._work(queue))
        except BaseExceptionGroup as failures:
            raise failures.exceptions[0] from None

    async def _work(self, queue: Iterator[ExtractFile]) -> None:
        for file in queue:
            async with self._bench.slots:
                self._outcomes[file.promised] = await self._fetched(file)

    async def _fetched(self, file: ExtractFile) -> ExtractFile:
        """Fetch one file, from its start again where it changes meanwhile."""
        attempts = self._bench.settings.rounds
        for attempt in range(1, attempts + 1):
            signed = self._addresses.newest(file.promised)
            if signed is None:
                return replace(file, outcome=FileOutcome.FAILED, problem=file.problem or UNLISTED)
            try:
                return await self._stored(signed)
            except FileChangedError as error:
                if attempt == attempts:
                    return replace(file, outcome=FileOutcome.FAILED, problem=error.answer)
            except SourceError as error:
                return replace(file, outcome=_outcome(error), problem=error.answer)
        raise AssertionError("unreachable")

    async def _stored(self, signed: SignedFile) -> ExtractFile:
        """Stream one file into its place, and look at it where it is an archive."""
        promised, deliveries = signed.promised, self._bench.deliveries
        key = f"{self._before.folder}{promised.name}"
        download = self._bench.downloads.open(signed, self._addresses.renewer(signed))
        try:
            size = await deliveries.write(key, self._counted(promised.name, download), promised.size)
        finally:
            self._running.pop(promised.name, None)
        self._came, self._came_bytes = self._came + 1, self._came_bytes + size
        problem = await asyncio.to_thread(archive_problem, self._bench.settings, deliveries, key, size)
        outcome = FileOutcome.MISMATCHED if problem else FileOutcome.DELIVERED
        return ExtractFile(promised, outcome, size, download.etag, download.sha256, problem)

    async def _counted(self, name: str, download: Download) -> AsyncIterator[bytes]:
        """Yield the pieces of a file, telling how far all of them are."""
        try:
            async for piece in download:
                self._running[name] = self._running.get(name, 0) + len(piece)
                done = self._came_bytes + sum(self._running.values())
                self._bench.progress(self._what, done, max(done, self._total))
                yield piece
        finally:
            download.close()


async def _pause(bench: Bench, number: int) -> None:
    """Wait before a round, longer before each, and never as long as others do that failed with this one."""
    longest = min(bench.settings.backoff_seconds * 2**number, bench.settings.max_backoff_seconds)
    await asyncio.sleep(random.uniform(longest / 2, longest))  # noqa: S311  # spreads load, guards nothing


def _outcome(error: SourceError) -> FileOutcome:
    if isinstance(error, RefusedFileError):
        return FileOutcome.REFUSED
    return FileOutcome.MISMATCHED if isinstance(error, FileMismatchError) else FileOutcome.FAILED
