"""Many files are read in as many processes as there are cores, and a crash of one of them costs one file.

Here: handing chunks to other processes ahead of their turn, and finding the file that a process died of.
Not here: reading one file (``reading_files``), what becomes of the rows (``cataloging``).
C libraries that read damaged files may take their process down; so files are read in this process only
where the settings ask for one process.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import TYPE_CHECKING, Any

from metaplat.catalog.ingesting.reading_files import FileReader, ReaderSettings, Refusal

if TYPE_CHECKING:
    from collections.abc import Sequence
    from concurrent.futures import Future
    from types import TracebackType

    from metaplat.catalog.ingesting.listing import FileEntry
    from metaplat.catalog.ingesting.reading_files import Reading
    from metaplat.collectors.headers.mappings import Mappings
    from metaplat.settings import Settings

_LOOK_SECONDS = 5.0
"""Between two looks whether the processes that read are still alive."""

_CRASHED = "the library that reads it crashed; it is most likely damaged"


class Handed:
    """A chunk that was handed over; ``readings`` waits for what came of it."""

    def __init__(self, extractor: Extractor, entries: Sequence[FileEntry]) -> None:
        self._extractor, self.entries = extractor, entries
        self.future: Future[list[Reading]] | None = None

    def readings(self) -> list[Reading]:
        """Return what came of each file, in order; raises SourceError where S3 as a whole fails."""
        return self._extractor.finish(self)


class Extractor:
    """A reader of files, in this process or in others, that are started when first needed.

    Parameters
    ----------
    settings : Settings
        Sections ``[catalog]`` and ``[s3]``.
    mappings : Mappings
        From keywords to columns.
    """

    def __init__(self, settings: Settings, mappings: Mappings) -> None:
        self._processes = _processes(settings)
        self._settings = _reader_settings(settings, mappings)
        self._here = FileReader(self._settings) if self._processes == 1 else None
        self._pool: ProcessPoolExecutor | None = None
        self._waiting: list[Handed] = []

    def __enter__(self) -> Extractor:
        """Start nothing yet."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop the processes; what they have not begun is not read."""
        self._stop()

    def hand_over(self, entries: Sequence[FileEntry]) -> Handed:
        """Let a chunk be read; take the readings of chunks in the order they were handed over."""
        handed = Handed(self, entries)
        if entries and self._here is None:
            self._submit(handed)
            self._waiting.append(handed)
        return handed

    def finish(self, handed: Handed) -> list[Reading]:
        """Return what came of a chunk; raises as ``FileReader.read_chunk``."""
        if not handed.entries:
            return []
        if self._here is not None:
            return self._here.read_chunk(handed.entries)
        assert handed.future is not None  # noqa: S101  # handed over
        try:
            return _result(self._pool, handed.future)
        except BrokenProcessPool:
            self._stop()  # every chunk that was not finished is lost with it
            for other in self._waiting:
                if other is not handed and not _is_done(other):
                    self._submit(other)
            return self._one_by_one(handed.entries)
        finally:
            if handed in self._waiting:
                self._waiting.remove(handed)

    def _submit(self, handed: Handed) -> None:
        if self._pool is None:
            self._pool = _start(self._processes, self._settings)
        try:
            handed.future = self._pool.submit(_read_chunk, handed.entries)
        except BrokenProcessPool:  # noticed when the readings of an earlier chunk are taken
            handed.future = _lost()

    def _stop(self) -> None:
        if self._pool is not None:
            _end_stuck(self._pool)
            self._pool.shutdown(wait=True, cancel_futures=True)
            self._pool = None

    def _one_by_one(self, entries: Sequence[FileEntry]) -> list[Reading]:
        """Read a chunk that a process died of, file by file; the one that does it again is refused."""
        readings: list[Reading] = []
        while len(readings) < len(entries):
            with _start(1, self._settings) as pool:
                futures = [pool.submit(_read_chunk, [entry]) for entry in entries[len(readings) :]]
                try:
                    for future in futures:
                        readings += _result(pool, future)
                except BrokenProcessPool:
                    readings.append(Refusal(entries[len(readings)], "broken", _CRASHED))
        return readings


def file_reader(settings: Settings, mappings: Mappings) -> FileReader:
    """Return a reader for this process."""
    return FileReader(_reader_settings(settings, mappings))


def _processes(settings: Settings) -> int:
    return settings.catalog.processes or len(os.sched_getaffinity(0))


def _reader_settings(settings: Settings, mappings: Mappings) -> ReaderSettings:
    catalog = settings.catalog
    return ReaderSettings(
        mappings,
        catalog.max_header_mb << 20,
        catalog.far_read_mb << 20,
        max(1, catalog.parallel_requests // _processes(settings)),
        settings.s3.model_dump_json(),
    )


def _is_done(handed: Handed) -> bool:
    """Whether the readings arrived before the processes were lost."""
    future = handed.future
    return (
        future is not None
        and future.done()
        and not future.cancelled()
        and not isinstance(future.exception(), BrokenProcessPool)
    )


def _result(pool: ProcessPoolExecutor | None, future: Future[list[Reading]]) -> list[Reading]:
    """Wait for a chunk; a pool that a dead process left with half a message would never end by itself."""
    while True:
        try:
            return future.result(timeout=_LOOK_SECONDS)
        except TimeoutError:
            if future.done():
                raise
            _end_stuck(pool)


def _end_stuck(pool: Any) -> None:
    """End all processes where one has died, and the pipe of results: then the pool notices.

    It waits for the rest of what the dead one said, as long as anybody could still say it.
    """
    processes = list((getattr(pool, "_processes", None) or {}).values())  # none of this is public
    if all(process.is_alive() for process in processes):
        return
    for process in processes:
        process.kill()
    pool._result_queue._writer.close()  # noqa: SLF001


def _lost() -> Future[list[Reading]]:
    from concurrent.futures import Future

    future: Future[list[Reading]] = Future()
    future.set_exception(BrokenProcessPool())
    return future


def _start(processes: int, settings: ReaderSettings) -> ProcessPoolExecutor:
    context = multiprocessing.get_context("spawn")  # this process has threads, which a fork would break
    return ProcessPoolExecutor(processes, context, _begin, (settings,))


_reader: FileReader | None = None
"""The reader of a process that was started here."""


def _begin(settings: ReaderSettings) -> None:
    """Prepare a process: interrupts are left to the first process, and it never outlives that one."""
    global _reader  # one a process
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _reader = FileReader(settings)


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
    os._exit(1)


def _read_chunk(entries: Sequence[FileEntry]) -> list[Reading]:
    assert _reader is not None  # noqa: S101  # set when the process began
    return _reader.read_chunk(entries)
