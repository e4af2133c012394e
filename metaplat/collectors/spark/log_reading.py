"""One event log is read as far as it goes, from where it was left the last time.

Here: the bytes of its files into a replay, and what limits the record that comes out.
Not here: which logs there are (``log_files``), what events mean (``events``), where reading goes on
(``log_progress``), which logs are read at all (``event_logs``).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from metaplat.collectors.spark.conclusions import conclude
from metaplat.collectors.spark.events.replay import LogReplay
from metaplat.collectors.spark.log_files.unpack import unpack
from metaplat.collectors.spark.log_progress import (
    IN_PROGRESS,
    NOTHING,
    Progress,
    base_name,
    lacks_a_file,
    left_to_read,
)
from metaplat.model.errors import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from metaplat.collectors.spark.attempt import ApplicationAttempt
    from metaplat.collectors.spark.log_files.log import EventLog, LogFile
    from metaplat.collectors.spark.log_files.place import LogPlace
    from metaplat.settings import SparkSettings

HEAD_BYTES = 4096
"""So much of the start of a growing file must be as it was, for reading to go on in its middle."""
SNIFFED_BYTES = 8 << 20
"""A file without the word Event in so many bytes is no event log."""


@dataclass(frozen=True)
class Reading:
    """What came of reading one log.

    Parameters
    ----------
    attempt : ApplicationAttempt
        What is known of it; with ``whole`` false as much as showed that it is not wanted.
    progress : bytes
        What to remember, for reading on later; empty where nothing is.
    whole : bool
        Whether it was read to its end.
    """

    attempt: ApplicationAttempt
    progress: bytes = b""
    whole: bool = True


class _ChangedError(Exception):
    """A file that grew is not the file it was."""


def read_log(  # noqa: PLR0913, RUF100  # the parts of one reading
    place: LogPlace,
    log: EventLog,
    settings: SparkSettings,
    now: datetime,
    *,
    source: str,
    remembered: bytes | None = None,
    wanted: Callable[[ApplicationAttempt], bool] | None = None,
) -> Reading:
    """Read one event log, and conclude what can be concluded from it.

    Parameters
    ----------
    place : LogPlace
        Where it lies.
    log : EventLog
        Its files.
    settings : SparkSettings
        For what is concluded.
    now : datetime
        Aware UTC.
    source : str
        Of the record.
    remembered : bytes or None
        ``Reading.progress`` of the last time.
    wanted : callable or None
        Asked once its user is known; reading ends where the answer is no.

    Raises
    ------
    InvalidInputError
        It is no event log.
    SourceError
        It cannot be read.
    """
    reader = _LogReader(place, log, settings, now, source, wanted)
    try:
        return reader.read(Progress.decoded(remembered))
    except _ChangedError:
        return reader.read(NOTHING)


@dataclass(frozen=True)
class _LogReader:
    place: LogPlace
    log: EventLog
    settings: SparkSettings
    now: datetime
    source: str
    wanted: Callable[[ApplicationAttempt], bool] | None

    def read(self, remembered: Progress) -> Reading:
        if not any(file.size for file in self.log.files):
            raise InvalidInputError("is empty, so it is no event log")
        before, files = left_to_read(self.log, remembered)
        try:
            replay = LogReplay.restore(before.replay) if before.replay else LogReplay()
        except InvalidInputError:  # of another version: from the start
            return self.read(NOTHING)
        flags = {"compacted"} if any(file.compacted for file in files) else set()
        if lacks_a_file(self.log, before):
            flags.add("event_loss")
        closed, after = before.closed, before
        for file in files:
            growing = file is files[-1] and (self.log.in_progress or self.log.layout == "databricks")
            going_on = before if before.growing and base_name(file) == before.growing else NOTHING
            if growing and closed and not going_on.growing:
                after = Progress(closed, replay=replay.snapshot())
            feed = _Feed(self.place, file, going_on)
            if not self._is_wanted(replay, feed):
                return Reading(self._attempt(replay, flags), whole=False)
            if growing and feed.plain and self.log.layout != "databricks":
                after = Progress(closed, base_name(file), feed.position, feed.head, replay.snapshot())
            if feed.damaged and not growing:
                flags.add("truncated")
            replay.end_file(cut=growing or feed.damaged)
            closed = (*closed, file.name)
        if self.log.layout == "rolling" and not self.log.in_progress:
            after = Progress(closed, replay=replay.snapshot())
        return Reading(self._attempt(replay, flags), after.encoded())

    def _is_wanted(self, replay: LogReplay, feed: _Feed) -> bool:
        """Feed a file to its end, or until its start has shown that nobody asked for it."""
        wanted = self.wanted
        for chunk in feed.chunks():
            replay.feed(chunk)
            if wanted is not None and (start := self._start_of(replay)):
                if not wanted(start):
                    return False
                wanted = None
        return True

    def _attempt(self, replay: LogReplay, flags: set[str]) -> ApplicationAttempt:
        attempt = replay.attempt(self.source)
        if not attempt.app_id:
            attempt.app_id = self.log.app_id or _stem(self.log)
            attempt.flag("app_id_from_file_name")
        if attempt.attempt_id is None and "application_start_missing" in attempt.data_quality:
            attempt.attempt_id = self.log.attempt_id
        for flag in flags:
            attempt.flag(flag)
        attempt.log_address = self.log.address
        conclude(attempt, self.settings, self.now)
        return attempt

    def _start_of(self, replay: LogReplay) -> ApplicationAttempt | None:
        """Return the attempt once its user and its properties are known; asking for it is not cheap."""
        try:
            attempt = replay.attempt(self.source)
        except InvalidInputError:  # not one line is whole yet
            return None
        if attempt.user is None or not attempt.environment:
            return None
        conclude(attempt, self.settings, self.now)  # it finds the tags
        return attempt


class _Feed:
    """The unpacked bytes of one file, and what was seen of them."""

    def __init__(self, place: LogPlace, file: LogFile, before: Progress) -> None:
        self._place, self._file, self._before = place, file, before
        self.position, self.head = before.position, before.head
        self.plain, self.damaged = True, False

    def chunks(self) -> Iterator[bytes]:
        """Yield them from where reading was left.

        Raises
        ------
        InvalidInputError
            It is no event log.
        """
        if self._before.growing:
            yield from self._following()
            return
        unpacked, seen, sniffed = unpack(self._place.read(self._file)), 0, False
        for chunk in unpacked:
            if not seen:
                self.head = _digest(chunk)
            sniffed = sniffed or b"Event" in chunk
            seen += len(chunk)
            if not sniffed and seen > SNIFFED_BYTES:
                raise InvalidInputError("is no event log: nothing in it looks like an event")
            yield chunk
        self.position, self.plain = seen, unpacked.codec == "none"
        self.damaged = unpacked.truncated

    def _following(self) -> Iterator[bytes]:
        """Yield what was written since; the start must be as it was."""
        start = next(iter(self._place.read(self._file)), b"")
        if _digest(start) != self.head or self._file.size < self.position:
            raise _ChangedError
        for chunk in self._place.read(self._file, self.position):
            self.position += len(chunk)
            yield chunk


def _digest(start: bytes) -> str:
    return hashlib.sha256(start[:HEAD_BYTES]).hexdigest()[:16]


def _stem(log: EventLog) -> str:
    """Return the name of a log without what says how it is packed."""
    return log.name.removesuffix(IN_PROGRESS).partition(".")[0] or log.name
