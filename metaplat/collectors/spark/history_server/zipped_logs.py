"""``--via logs``: the event log itself, downloaded as a zip and read as any other event log.

Here: having the log, and making sure that it is the one of the attempt.
Not here: unpacking (``archive``), finding the log among the files (``log_files``), reading it
(``log_reading``).

The server zips a log as it lies there: no replay, no cut lists, no wrong counts, and a running one too. Where
it cannot be had, the attempt is rejected and not quietly read in another way, since the numbers of REST are
others.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, TYPE_CHECKING

from metaplat.collectors.spark.history_server.archive import room, unpack_archive
from metaplat.collectors.spark.history_server.server import RefusedContentError, no_page
from metaplat.collectors.spark.log_files.place import open_place
from metaplat.collectors.spark.log_reading import read_log
from metaplat.model.errors import InvalidInputError, PermanentSourceError

if TYPE_CHECKING:
    from metaplat.collectors.collector import CollectRequest
    from metaplat.collectors.spark.attempt import ApplicationAttempt
    from metaplat.collectors.spark.history_server.exchange import Answer
    from metaplat.collectors.spark.history_server.listing import ListedAttempt
    from metaplat.collectors.spark.history_server.server import HistoryServer
    from metaplat.collectors.spark.log_files.log import EventLog

SOURCE = "history-server"
MOST_LOGS = 100
"""In one zip; the server puts in one."""
ROOM_EVERY = 64 << 20
"""Bytes between two looks at the room that is left."""
ZIP_START = b"PK"
TRY_REST = "Try --via rest."


def read_zipped_log(
    server: HistoryServer, listed: ListedAttempt, request: CollectRequest
) -> ApplicationAttempt | None:
    """Return the attempt as its event log tells it; None where filters leave it out.

    Parameters
    ----------
    server : HistoryServer
        Has the log.
    listed : ListedAttempt
        What to read.
    request : CollectRequest
        Filters, settings and time.

    Raises
    ------
    InvalidInputError
        The zip or the log in it cannot be used.
    TransientSourceError, PermanentSourceError
        The server does not give it.
    """
    with TemporaryDirectory(prefix="metaplat-", ignore_cleanup_errors=True) as temporary:
        archive, folder = Path(temporary) / "log.zip", Path(temporary) / "log"
        try:
            server.download(
                f"{listed.path}/logs",
                f"download the event log of {listed.shown}",
                lambda a: _keep(a, archive),
            )
        except PermanentSourceError as refusal:
            if refusal.advice.endswith(TRY_REST):
                raise
            raise type(refusal)(
                refusal.system, refusal.attempted, refusal.answer, f"{refusal.advice} {TRY_REST}"
            ) from None
        unpack_archive(archive, folder)
        archive.unlink()
        return _read(server, listed, request, folder)


def _keep(answer: Answer, archive: Path) -> None:
    """Write the zip to a file, as far as there is room."""
    size, next_look, start = 0, 0, b""
    with archive.open("wb") as file:
        for chunk in answer.chunks():
            if len(start) < len(ZIP_START):
                start += chunk[:64]
                _must_be_zip(start)
            size += len(chunk)
            if size > next_look:
                _must_have_room(archive.parent)
                next_look = size + ROOM_EVERY
            _write(file, chunk)
    if not size:
        raise RefusedContentError("an empty answer", TRY_REST)


def _write(file: IO[bytes], chunk: bytes) -> None:
    """Write to the file; its errors are not those of the connection, and asking again does not help."""
    try:
        file.write(chunk)
    except OSError as error:
        raise RefusedContentError(
            f"a zip that cannot be written to the temporary folder ({error.strerror})",
            "Name another one by TMPDIR.",
        ) from None


def _must_be_zip(start: bytes) -> None:
    no_page(start)
    if not ZIP_START.startswith(start[: len(ZIP_START)]):
        raise RefusedContentError("what is no zip file", TRY_REST)


def _must_have_room(folder: Path) -> None:
    if room(folder) < ROOM_EVERY:
        raise RefusedContentError(
            "more than the temporary folder has room for", f"Name another one by TMPDIR. {TRY_REST}"
        )


def _read(
    server: HistoryServer, listed: ListedAttempt, request: CollectRequest, folder: Path
) -> ApplicationAttempt | None:
    unreadable: dict[str, str] = {}
    inside = replace(request, path=folder, url=None, reject=unreadable.__setitem__)
    place = open_place(inside)
    log = _log_of(listed, list(islice(place.logs(), MOST_LOGS)))
    if log is None or unreadable:
        raise InvalidInputError("; ".join(["its zip does not hold one event log", *unreadable.values()]))
    reading = read_log(
        place,
        log,
        request.settings.spark,
        request.now,
        source=SOURCE,
        wanted=lambda attempt: request.wants(attempt.user, attempt.app_name, attempt.tags),
    )
    if not reading.whole:
        return None
    attempt = reading.attempt
    _identify(attempt, listed)
    attempt.log_address = server.shown(f"{listed.path}/logs")
    return attempt


def _log_of(listed: ListedAttempt, logs: list[EventLog]) -> EventLog | None:
    """Return the log of the attempt: the only one, else the one whose name says so."""
    if len(logs) > 1:
        named = (listed.app_id.lower(), listed.attempt_id)  # names of logs are in lower case
        logs = [log for log in logs if (log.app_id, log.attempt_id) == named]
    return logs[0] if len(logs) == 1 else None


def _identify(attempt: ApplicationAttempt, listed: ListedAttempt) -> None:
    """Say of the attempt what the list knows and a log without a start does not."""
    named_by_file = "app_id_from_file_name" in attempt.data_quality
    if not named_by_file and attempt.app_id != listed.app_id:
        raise InvalidInputError(f"its zip holds the event log of {attempt.app_id}")
    if named_by_file:
        attempt.app_id = listed.app_id
        attempt.data_quality.remove("app_id_from_file_name")
    attempt.attempt_id = attempt.attempt_id or listed.attempt_id
    attempt.app_name = attempt.app_name or listed.name
    attempt.user = attempt.user or listed.user
    attempt.start_time = attempt.start_time or listed.start
    attempt.spark_version = attempt.spark_version or listed.spark_version
