"""Many event logs are read, in as many processes as there are cores where that is worth it.

Here: the choice between this process and others, and the order of the results.
Not here: reading one log (``log_reading``). Threads do not help: parsing holds Python's lock.
"""

from __future__ import annotations

import os
import signal
from collections import deque
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass, replace
from itertools import islice
from multiprocessing import get_context
from typing import TYPE_CHECKING

from metaplat.collectors.collector import CollectRequest
from metaplat.collectors.spark.log_files.place import open_place
from metaplat.collectors.spark.log_reading import Reading, read_log
from metaplat.model.errors import MetaplatError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

    from metaplat.collectors.spark.attempt import ApplicationAttempt
    from metaplat.collectors.spark.log_files.log import EventLog
    from metaplat.settings import Settings

SOURCE = "event-logs"
WORTH_BYTES = 64 << 20
"""Stored bytes from which other processes are started: each takes about a second to come up."""

Result = tuple["EventLog", "Reading | MetaplatError"]


@dataclass(frozen=True)
class _Task:
    """What another process is told: all of it can be sent there."""

    settings: Settings
    now: datetime
    path: Path | None
    url: str | None
    user: str | None
    name: str | None
    tags: Mapping[str, str]

    def request(self) -> CollectRequest:
        return CollectRequest(
            self.settings,
            self.now,
            _silent,
            self.path,
            self.url,
            user=self.user,
            name=self.name,
            tags=self.tags,
        )


def read_logs(
    request: CollectRequest, logs: Sequence[EventLog], remembered: Callable[[EventLog], bytes | None]
) -> Iterator[Result]:
    """Yield each log with what came of reading it, in the order given; one that fails does not stop the rest.

    Parameters
    ----------
    request : CollectRequest
        Where the logs lie, and the filters.
    logs : sequence of EventLog
        What is read.
    remembered : callable
        Log -> ``Reading.progress`` of the last time, or None.
    """
    task = _Task(
        request.settings, request.now, request.path, request.url, request.user, request.name, request.tags
    )
    size = sum(file.size for log in logs for file in log.files)
    processes = min(request.settings.spark.processes or os.cpu_count() or 1, len(logs))
    if processes == 1 or size < WORTH_BYTES:
        for log in logs:
            yield log, _read(task, log, remembered(log))
        return
    with ProcessPoolExecutor(processes, get_context("spawn"), _leave_interrupts) as pool:
        yield from _in_order(pool, task, logs, remembered, processes)


def _in_order(
    pool: ProcessPoolExecutor,
    task: _Task,
    logs: Sequence[EventLog],
    remembered: Callable[[EventLog], bytes | None],
    processes: int,
) -> Iterator[Result]:
    """Keep a few logs ahead: so many results are held at most."""
    coming, waiting = iter(logs), deque[tuple["EventLog", Future[Reading | MetaplatError]]]()
    try:
        while True:
            for log in islice(coming, 2 * processes - len(waiting)):
                waiting.append((log, pool.submit(_read, task, log, remembered(log))))
            if not waiting:
                return
            log, result = waiting.popleft()
            yield log, result.result()
    finally:
        for _, result in waiting:
            result.cancel()


def _read(task: _Task, log: EventLog, remembered: bytes | None) -> Reading | MetaplatError:
    request = task.request()
    filtered = request.user is not None or request.name is not None or bool(request.tags)

    def wanted(attempt: ApplicationAttempt) -> bool:
        return request.wants(attempt.user, attempt.app_name, attempt.tags)

    try:
        reading = read_log(
            open_place(request),
            log,
            request.settings.spark,
            request.now,
            source=SOURCE,
            remembered=remembered,
            wanted=wanted if filtered else None,
        )
    except MetaplatError as error:
        return error
    if filtered and not wanted(reading.attempt):
        return replace(reading, whole=False)
    return reading


def _leave_interrupts() -> None:
    """Let the first process end the others, where somebody interrupts."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _silent(line: str) -> None:
    del line
