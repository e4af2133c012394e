"""The attempts that a History Server lists, all of them, though it has a limit and no pages.

Here: the queries that together miss nothing, and one attempt as the list has it.
Not here: what is read of each attempt (``zipped_logs``, ``rest``).

The server gives at most ``limit`` applications of a window of ends. A full answer is followed by two
questions: what ended up to the earliest end in it, and what ended after. As the server gives the newest
first, the latter has no more than was given already; that it is asked all the same makes nothing depend on
the order. Where a window cannot be divided (an old server that knows no such dates, too many ends in one
millisecond), the limit is doubled.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import chain
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from metaplat.collectors.spark.history_server.values import moment, server_date, text, whole
from metaplat.model.errors import PermanentSourceError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from metaplat.collectors.spark.history_server.server import HistoryServer

ATTEMPTED = "list the applications"
EVER = datetime(1970, 1, 1, tzinfo=UTC)
"""The server's own default leaves out what ran before 2010."""
MILLISECOND = timedelta(milliseconds=1)


@dataclass(frozen=True)
class ListedAttempt:
    """One attempt, as the list has it.

    Parameters
    ----------
    app_id : str
        Application.
    attempt_id : str or None
        None in client mode.
    name, user : str or None
        Of the application.
    start, end : datetime or None
        End is None while it runs.
    completed : bool
        Whether it ended.
    duration_ms : int or None
        None while it runs; the server says 0.
    spark_version : str or None
        Since Spark 2.2.
    exit_code : int or None
        Since Spark 4.
    last_updated : datetime or None
        When the server last saw its log change.
    state : tuple of str
        All of the attempt that changes when its log does.
    """

    app_id: str
    attempt_id: str | None
    name: str | None
    user: str | None
    start: datetime | None
    end: datetime | None
    completed: bool
    duration_ms: int | None
    spark_version: str | None
    exit_code: int | None
    last_updated: datetime | None
    state: tuple[str, ...]

    @property
    def shown(self) -> str:
        """How messages name it."""
        return f"{self.app_id}/{self.attempt_id}" if self.attempt_id else self.app_id

    @property
    def path(self) -> str:
        """Return its path below ``/api/v1``: with the attempt exactly where there is one."""
        path = f"/applications/{quote(self.app_id, safe='')}"
        return f"{path}/{quote(self.attempt_id, safe='')}" if self.attempt_id else path


def listed_attempts(
    server: HistoryServer, limit: int, since: datetime | None, reject: Callable[[str, str], None]
) -> Iterator[ListedAttempt]:
    """Yield every attempt once: those of running applications first, then the newest end first.

    An application that ends between the two questions is in both answers, and counts as ended next time.

    Parameters
    ----------
    server : HistoryServer
        Whom to ask.
    limit : int
        Applications asked for at once.
    since : datetime or None
        Leave out attempts that ended before.
    reject : callable
        Called with a name and a reason for what is listed and cannot be understood.

    Raises
    ------
    TransientSourceError, PermanentSourceError
        There is no list.
    """
    seen: set[tuple[str, str | None]] = set()
    for application in _applications(server, limit, since, reject):
        for attempt in _attempts(application, reject):
            key = (attempt.app_id, attempt.attempt_id)
            if key not in seen and (since is None or attempt.end is None or attempt.end >= since):
                seen.add(key)
                yield attempt


def _applications(
    server: HistoryServer, limit: int, since: datetime | None, reject: Callable[[str, str], None]
) -> Iterator[dict[str, Any]]:
    """Yield all applications, some more than once."""
    for answer in chain(_running(server, limit), _completed(server, limit, since or EVER)):
        yield from _objects(server, answer, reject)


def _running(server: HistoryServer, limit: int) -> Iterator[list[Any]]:
    """Yield the applications that run; they have no end to divide them by."""
    while True:
        answer = _ask(server, limit, {"status": "running"})
        yield answer
        if len(answer) < limit:
            return
        limit *= 2


def _completed(server: HistoryServer, limit: int, since: datetime) -> Iterator[list[Any]]:
    """Yield the applications of which an attempt ended since then, in answers that together hold them all."""
    windows: list[tuple[datetime, datetime | None]] = [(since, None)]
    while windows:
        first, last = windows.pop()
        until = {} if last is None else {"maxEndDate": server_date(last)}
        answer = _ask(server, limit, {"status": "completed", "minEndDate": server_date(first), **until})
        yield answer
        if len(answer) < limit:
            continue
        earliest = _earliest_end(answer)
        if earliest is None or earliest < first or (last is not None and earliest >= last):
            limit *= 2
            windows.append((first, last))
        else:
            windows += [(first, earliest), (earliest + MILLISECOND, last)]


def _ask(server: HistoryServer, limit: int, query: dict[str, str]) -> list[Any]:
    answer = server.json(
        "/applications", ATTEMPTED, {**query, "minDate": server_date(EVER), "limit": str(limit)}
    )
    if isinstance(answer, list):
        return answer
    raise PermanentSourceError(
        server.name, ATTEMPTED, "JSON that is no list", "Check that the address is that of a History Server."
    )


def _objects(
    server: HistoryServer, answer: list[Any], reject: Callable[[str, str], None]
) -> Iterator[dict[str, Any]]:
    for application in answer:
        if isinstance(application, dict) and text(application.get("id")):
            yield application
        else:
            reject("an application of the list", f"{server.name}: it has no id")


def _earliest_end(answer: list[Any]) -> datetime | None:
    """Return the earliest end of the applications; None where one of them does not say."""
    ends = [_newest_end(application) for application in answer]
    known = [end for end in ends if end is not None]
    return min(known) if len(known) == len(ends) else None


def _newest_end(application: Any) -> datetime | None:
    """Return the end of its newest attempt, the first one: by it the server sorts."""
    attempts = application.get("attempts") if isinstance(application, dict) else None
    newest = attempts[0] if isinstance(attempts, list) and attempts else None
    return moment(newest.get("endTimeEpoch"), newest.get("endTime")) if isinstance(newest, dict) else None


def _attempts(application: dict[str, Any], reject: Callable[[str, str], None]) -> Iterator[ListedAttempt]:
    attempts = application.get("attempts")
    for attempt in attempts if isinstance(attempts, list) else ():
        if isinstance(attempt, dict):
            yield _attempt(application, attempt)
        else:
            reject(application["id"], "the History Server lists an attempt of it that is no object")
    if not isinstance(attempts, list) or not attempts:
        reject(application["id"], "the History Server lists it without any attempt")


def _attempt(application: dict[str, Any], attempt: dict[str, Any]) -> ListedAttempt:
    end = moment(attempt.get("endTimeEpoch"), attempt.get("endTime"))
    completed = attempt.get("completed")
    is_over = completed if isinstance(completed, bool) else end is not None
    exit_code = attempt.get("exitCode")
    return ListedAttempt(
        app_id=application["id"],
        attempt_id=text(attempt.get("attemptId")),
        name=text(application.get("name")),
        user=text(attempt.get("sparkUser")),
        start=moment(attempt.get("startTimeEpoch"), attempt.get("startTime")),
        end=end if is_over else None,
        completed=is_over,
        duration_ms=whole(attempt.get("duration")) if is_over else None,
        spark_version=text(attempt.get("appSparkVersion")),
        exit_code=exit_code if isinstance(exit_code, int) and not isinstance(exit_code, bool) else None,
        last_updated=moment(attempt.get("lastUpdatedEpoch"), attempt.get("lastUpdated")),
        state=tuple(
            str(attempt.get(name))
            for name in (
                "completed",
                "endTime",
                "endTimeEpoch",
                "duration",
                "lastUpdated",
                "lastUpdatedEpoch",
            )
        ),
    )
