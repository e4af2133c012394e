"""A History Server that is asked with patience: again where that helps, and never elsewhere than told.

Here: which answers are tried again and when, and what a refusal means.
Not here: addresses (``address``), one exchange (``exchange``), what is asked (``listing``, ``zipped_logs``,
``rest``).
"""

from __future__ import annotations

import json
import random
import ssl
import time
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from http.client import HTTPException, HTTPMessage
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlencode

from metaplat.collectors.spark.history_server.address import API, ServerAddress, redirected
from metaplat.collectors.spark.history_server.exchange import OverdueError, exchange
from metaplat.model.errors import PermanentSourceError, TransientSourceError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from metaplat.collectors.spark.history_server.exchange import Answer
    from metaplat.settings import SparkSettings

FIRST_PAUSE, LONGEST_PAUSE = 0.25, 20.0
"""Seconds before the second attempt, doubled before each further one."""
LONGEST_ASKED_PAUSE = 120.0
"""A server that asks to be left alone for longer is given up."""
LONGEST_JSON_BYTES = 512 << 20
REDIRECTS = 5
REDIRECTING = frozenset({301, 302, 303, 307, 308})
RETRIED = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS})
UP = "Check that the History Server is up and reachable."
NO_SERVER = "Check that the address is that of a History Server."
ADVICE: Mapping[int, str] = {
    400: NO_SERVER,
    401: "Give credentials that it accepts: http://user:password@host.",
    403: "Grant this user the view of it (spark.history.ui.admin.acls, spark.ui.view.acls).",
    404: f"It may be gone by now. {NO_SERVER}",
}

Read = TypeVar("Read")


class DeniedError(PermanentSourceError):
    """The credentials are not accepted (401)."""


class MissingError(PermanentSourceError):
    """There is no such thing (404)."""


REFUSALS: Mapping[int, type[PermanentSourceError]] = {401: DeniedError, 404: MissingError}


class RefusedContentError(Exception):
    """What came is not what was asked for; takes what it is and what to do, without a retry."""


class _StumbleError(Exception):
    """One attempt failed in a way that may pass."""

    def __init__(self, answer: str, advice: str = UP, pause: float = 0.0, *, final: bool = False) -> None:
        super().__init__(answer, advice, pause, final)
        self.answer, self.advice, self.pause, self.final = answer, advice, pause, final


class HistoryServer:
    """The REST interface of one History Server.

    Parameters
    ----------
    address : ServerAddress
        Where it is.
    settings : SparkSettings
        How often and how long it is asked.
    """

    def __init__(self, address: ServerAddress, settings: SparkSettings) -> None:
        self._address, self._settings = address, settings
        self.name = f"History Server at {address.shown}"
        self._headers = {"Accept-Encoding": "identity", "User-Agent": "metaplat"}
        if address.authorization is not None:
            self._headers["Authorization"] = address.authorization

    def shown(self, path: str) -> str:
        """Return the address of ``path`` as a record may hold it."""
        return f"{self._address.shown}{API}{path}"

    def json(
        self, path: str, attempted: str, query: Mapping[str, str] | None = None, *, replayed: bool = False
    ) -> Any:
        """Return the JSON at ``path``.

        Parameters
        ----------
        path : str
            Below ``/api/v1``, quoted.
        attempted : str
            What messages say was attempted.
        query : mapping of str to str or None
            Its query.
        replayed : bool
            Whether the server may have to replay a log first.

        Raises
        ------
        TransientSourceError
            No answer that can be used, however often it was asked.
        PermanentSourceError
            A refusal, or an answer that is a page for people.
        """
        seconds = self._settings.replay_seconds if replayed else self._settings.timeout_seconds
        target = f"{self._address.path}{API}{path}{'?' if query else ''}{urlencode(query or {})}"
        return self._patiently(target, attempted, seconds, _parsed)

    def download(self, path: str, attempted: str, read: Callable[[Answer], Read]) -> Read:
        """Return what ``read`` makes of the answer at ``path``; it is called anew where that broke off.

        Raises
        ------
        TransientSourceError, PermanentSourceError
            As ``json``; the latter also where ``read`` raised ``RefusedContentError``.
        """
        target = f"{self._address.path}{API}{path}"
        return self._patiently(target, attempted, self._settings.replay_seconds, read)

    def check(self) -> None:
        """Return if the server as a whole still answers, and still accepts the credentials.

        Raises
        ------
        TransientSourceError, DeniedError
            It does not.
        """
        try:
            self.json("/version", "ask for its version")
        except DeniedError:
            raise
        except PermanentSourceError:  # one that old has no version to tell
            return

    def _patiently(self, target: str, attempted: str, seconds: float, read: Callable[[Answer], Read]) -> Read:
        """Ask until an answer can be read, within the number of attempts."""
        tries, pause = 1 + self._settings.retries, FIRST_PAUSE
        for number in range(1, tries + 1):
            try:
                return self._once(target, attempted, seconds, read)
            except _StumbleError as stumble:
                if stumble.final or number == tries or stumble.pause > LONGEST_ASKED_PAUSE:
                    answer = stumble.answer + (f", {number} times" if number > 1 else "")
                    raise TransientSourceError(self.name, attempted, answer, stumble.advice) from None
                time.sleep(max(stumble.pause, pause * random.uniform(0.5, 1.0)))  # noqa: S311  # not a secret
                pause = min(2 * pause, LONGEST_PAUSE)
        raise AssertionError("the last attempt returns or raises")

    def _once(self, target: str, attempted: str, seconds: float, read: Callable[[Answer], Read]) -> Read:
        try:
            return self._followed(target, attempted, seconds, read)
        except OverdueError:
            raise self._overdue(seconds) from None
        except ssl.SSLCertVerificationError:
            advice = "Trust its authority: SSL_CERT_FILE names a file of certificates."
            raise self._refusal(attempted, "its certificate was not accepted", advice) from None
        except RefusedContentError as refused:
            raise self._refusal(attempted, *refused.args) from None
        except (HTTPException, OSError) as error:
            raise _StumbleError(f"no complete answer ({_kind(error)})") from None

    def _followed(self, target: str, attempted: str, seconds: float, read: Callable[[Answer], Read]) -> Read:
        origin = self._address.origin
        for _ in range(1 + REDIRECTS):
            with exchange(origin, target, self._headers, seconds) as answer:
                if answer.status not in REDIRECTING:
                    self._judge(answer, attempted)
                    return read(answer)
                there = redirected(origin, target, answer.headers.get("Location", ""))
            if there is None:
                raise RefusedContentError(
                    f"{_phrase(answer.status)} to another server",
                    "Is it a login page? Give the address of the History Server itself, or credentials.",
                )
            origin, target = there
        raise RefusedContentError(f"more than {REDIRECTS} redirects", NO_SERVER)

    def _judge(self, answer: Answer, attempted: str) -> None:
        """Return if the answer is one; bodies and headers of others stay out of the message."""
        status = answer.status
        if status == HTTPStatus.OK:
            return
        if status < HTTPStatus.INTERNAL_SERVER_ERROR and status not in RETRIED:
            raise self._refusal(attempted, _phrase(status), ADVICE.get(status, NO_SERVER), status)
        pause = asked_pause(answer.headers)
        asks = f" and asks to wait {pause:.0f} s" if pause > LONGEST_ASKED_PAUSE else ""
        raise _StumbleError(f"{_phrase(status)}{asks}", "See the log of the server.", pause)

    def _overdue(self, seconds: float) -> _StumbleError:
        """Return the stumble; to wait as long again for a replay would hold up everything else."""
        replay = seconds == self._settings.replay_seconds
        setting = "replay_seconds" if replay else "timeout_seconds"
        answer = f"no complete answer within {seconds:g} s"
        return _StumbleError(answer, f"{UP} Or raise the setting spark.{setting}.", final=replay)

    def _refusal(self, attempted: str, answer: str, advice: str, status: int = 0) -> PermanentSourceError:
        refusal = REFUSALS.get(status, PermanentSourceError)
        return refusal(self.name, attempted, answer, advice)


def no_page(first: bytes) -> None:
    """Return unless what begins with ``first`` is a page for people.

    Raises
    ------
    RefusedContentError
        It is.
    """
    if first.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
        raise RefusedContentError(
            "a page of HTML",
            "Is it the login page of a proxy? Give the address of the History Server itself, or credentials.",
        )


def asked_pause(headers: HTTPMessage) -> float:
    """Return the seconds that ``Retry-After`` asks to wait, given as a number or as a date; else 0."""
    asked = headers.get("Retry-After", "").strip()
    if asked.isascii() and asked.isdigit():
        return float(asked[:9])
    until = _http_date(asked)
    if until is None:
        return 0.0
    now = _http_date(headers.get("Date", "")) or datetime.now(UTC)  # its own clock, where it tells the time
    return max(0.0, (until - now).total_seconds())


def _http_date(text: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _parsed(answer: Answer) -> Any:
    body = bytearray()
    for chunk in answer.chunks():
        body += chunk
        if len(body) > LONGEST_JSON_BYTES:
            raise RefusedContentError(f"more than {LONGEST_JSON_BYTES >> 20} MiB of JSON", "Try --via logs.")
    no_page(bytes(body[:64]))
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        raise _StumbleError("an answer that is not JSON", NO_SERVER) from None


def _phrase(status: int) -> str:
    known = status in HTTPStatus.__members__.values()
    return f"HTTP {status} {HTTPStatus(status).phrase}" if known else f"HTTP {status}"


def _kind(error: Exception) -> str:
    """Name an error without its text, which may hold an address."""
    return (error.strerror if isinstance(error, OSError) else None) or type(error).__name__
