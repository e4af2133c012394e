"""Source ``event-logs``: every event log below a folder or an S3 prefix.

Here: which logs are read, and in which order their records come out: one per attempt.
Not here: finding logs (``log_files``), reading one (``log_reading``), doing so in several processes
(``log_workers``), landing.

A log is known by its address and the fingerprint of its files. What is remembered with the fingerprint
decides without opening anything whether a log is read again: its files changed, it runs and has become silent
since, or it was left out by filters that were others.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from itertools import groupby, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from metaplat.collectors.spark.attempt import RUNNING
from metaplat.collectors.spark.log_files.place import open_place
from metaplat.collectors.spark.log_progress import IN_PROGRESS, Progress, rolled_number
from metaplat.collectors.spark.log_workers import read_logs
from metaplat.collectors.spark.record_settings import record_settings
from metaplat.model.errors import InvalidInputError, MetaplatError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from metaplat.collectors.collector import CollectRequest
    from metaplat.collectors.spark.attempt import ApplicationAttempt
    from metaplat.collectors.spark.log_files.log import EventLog
    from metaplat.collectors.spark.log_reading import Reading

SOURCE = "event-logs"
VERSION = "1"
"""Changes where a log that did not change would give another record; then all are read again."""
WINDOW = 500
"""Logs looked at together: two of one application in one window give one record."""
REASONS = 100
"""Known rejections told with their reason: each is an object to open, and a folder may hold a million."""
NO_LOG = b"it was no event log when it was read"


def collect(request: CollectRequest) -> Iterator[Mapping[str, Any]]:
    """Yield one record per application attempt.

    Parameters
    ----------
    request : CollectRequest
        ``path`` is a folder or one log, ``url`` an ``s3://bucket/prefix``; without either,
        ``spark.event_logs`` of the settings. What cannot be read is rejected, and the others are read.

    Raises
    ------
    UsageError
        No place is named, or it does not exist.
    SourceError, StoreError
        The place cannot be listed.
    """
    return _Collection(with_place(request)).records()


def waiting(request: CollectRequest) -> Iterator[EventLog]:
    """Yield the logs that a collection would read, and tell of no other; raises as ``collect`` does."""
    return _Collection(with_place(request)).waiting(tell=False)


def is_growing(request: CollectRequest, log: EventLog) -> bool:
    """Whether only the last file of a log was written to since it was read, while its application ran.

    A file of a rolling log that was closed since is to be read soon: before a History Server compacts it.
    """
    known = _Known.read(request.memory.fingerprint(log.address))
    if known is None or known.state != "running":
        return False
    if not log.in_progress and log.layout != "databricks":  # whose names never say that it runs
        return False
    read = Progress.decoded(request.memory.note(log.address)).closed if log.layout == "rolling" else ()
    closed = [rolled_number(file.name) for file in log.files[:-1]]
    return max(closed, default=0) <= max(map(rolled_number, read), default=0)


def with_place(request: CollectRequest) -> CollectRequest:
    """Return the request with the place of the settings, where it names none."""
    if request.path is not None and request.url is not None:
        raise UsageError("--path and --url both name a place of event logs: say one of them")
    if request.path is not None or request.url is not None:
        return request
    watched = request.settings.spark.event_logs
    if watched is None:
        raise UsageError("say --path: a folder, a log, or s3://bucket/prefix; or set spark.event_logs")
    if "://" in watched:
        return replace(request, url=watched)
    return replace(request, path=Path(watched).expanduser())


@dataclass(frozen=True)
class _Known:
    """What a remembered fingerprint says of a log.

    Parameters
    ----------
    files : str
        Digest of its files and of the settings it was read by.
    state : str
        ``ended``, ``running``, ``silent``, ``rejected``, ``early`` (it ended before ``since``), or the digest
        of the filters that left it out.
    last_event : int
        Unix time of its last event; 0 where it has none.
    """

    files: str
    state: str
    last_event: int = 0

    def text(self) -> str:
        """Return it as it is remembered."""
        return f"{self.files}.{self.state}.{self.last_event}"

    @classmethod
    def read(cls, text: str | None) -> _Known | None:
        """Read what was remembered; None where nothing was, or by another version."""
        try:
            files, state, last = (text or "").split(".")
            return cls(files, state, int(last))
        except ValueError:
            return None


class _Collection:
    """One collection of event logs."""

    def __init__(self, request: CollectRequest) -> None:
        self._request, self._memory = request, request.memory
        self._place = open_place(request)
        self._how = _digest(VERSION, record_settings(request.settings.spark))
        self._filters = _digest(request.user, request.name, sorted(request.tags.items()))
        self._seen: dict[tuple[str, str | None], tuple[tuple[bool, int, int], str]] = {}

    def waiting(self, *, tell: bool = True) -> Iterator[EventLog]:
        """Yield the logs that are not known as they are; a rejected one is told again, not read."""
        told = 0
        for log in self._place.logs():
            known = _Known.read(self._memory.fingerprint(log.address))
            if known is None or known.files != self._files(log):
                yield log
            elif known.state == "rejected":
                if tell:
                    reason = self._memory.note(log.address) if told < REASONS else None
                    self._request.reject(log.address, (reason or NO_LOG).decode(errors="replace"))
                    told += 1
            elif not self._is_settled(known):
                yield log

    def records(self) -> Iterator[Mapping[str, Any]]:
        """Yield the records, window by window."""
        logs = self.waiting()
        while window := sorted(islice(logs, WINDOW), key=_application):
            read = read_logs(self._request, window, self._remembered)
            for _, results in groupby(read, key=lambda result: _application(result[0])):
                yield from self._of_one_application(list(results))

    def _of_one_application(
        self, results: Sequence[tuple[EventLog, Reading | MetaplatError]]
    ) -> Iterator[Mapping[str, Any]]:
        """Yield the best record of each attempt among logs that may be of one application."""
        read: list[tuple[EventLog, Reading]] = []
        for log, result in results:
            if isinstance(result, MetaplatError):
                self._request.reject(log.address, str(result))
                if isinstance(result, InvalidInputError):  # what cannot be reached is tried again instead
                    known = _Known(self._files(log), "rejected")
                    self._memory.remember(log.address, known.text(), str(result).encode())
            elif result.whole and self._is_recent(result.attempt):
                read.append((log, result))
            else:
                self._remember(log, result, "early" if result.whole else self._filters)
        for log, reading in sorted(read, key=lambda item: _worth(item[1].attempt), reverse=True):
            if self._is_better(log, reading.attempt):
                yield reading.attempt.record()
            self._remember(log, reading, _state(reading.attempt))

    def _is_better(self, log: EventLog, attempt: ApplicationAttempt) -> bool:
        """Whether this is the best log of the attempt so far."""
        key, worth = (attempt.app_id, attempt.attempt_id), _worth(attempt)
        before = self._seen.get(key)
        if before is None or worth > before[0]:
            self._seen[key] = (worth, log.address)
        if before is None:
            return True
        left, kept = (before[1], log.address) if worth > before[0] else (log.address, before[1])
        self._request.warn(f"{left}: left out, since {kept} is a log of the same attempt, and as full")
        return worth > before[0]

    def _is_settled(self, known: _Known) -> bool:
        """Whether a log whose files did not change would give what it gave before."""
        since, now = self._request.since, self._request.now.timestamp()
        if known.state == "early":
            return since is not None and known.last_event < since.timestamp()
        if known.state == "running" and known.last_event:
            return now - known.last_event <= self._request.settings.spark.silent_hours * 3600
        return known.state in ("running", "ended", "silent", self._filters)

    def _is_recent(self, attempt: ApplicationAttempt) -> bool:
        since = self._request.since
        return since is None or attempt.end_time is None or attempt.end_time >= since

    def _remembered(self, log: EventLog) -> bytes | None:
        """Return how far a log was read, also under the name it had while it was written."""
        return self._memory.note(log.address) or self._memory.note(log.address + IN_PROGRESS)

    def _remember(self, log: EventLog, reading: Reading, state: str) -> None:
        last = reading.attempt.observed_end
        known = _Known(self._files(log), state, int(last.timestamp()) if last else 0)
        self._memory.remember(log.address, known.text(), reading.progress)

    def _files(self, log: EventLog) -> str:
        return _digest(self._how, log.fingerprint)


def _application(log: EventLog) -> str:
    """Return what logs of one application have in common, as far as their names say; else the address."""
    return log.app_id or log.address


def _state(attempt: ApplicationAttempt) -> str:
    if attempt.status != RUNNING:
        return "ended"
    return "silent" if "silent" in attempt.data_quality else "running"


def _worth(attempt: ApplicationAttempt) -> tuple[bool, int, int]:
    """Order of two records of one attempt: the ended one, then more tasks counted, then fewer flags."""
    return attempt.status != RUNNING, attempt.total_tasks or 0, -len(attempt.data_quality)


def _digest(*parts: object) -> str:
    return hashlib.sha256(repr(parts).encode("utf-8", "surrogateescape")).hexdigest()[:16]
