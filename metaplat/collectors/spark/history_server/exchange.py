"""One HTTP exchange with a deadline for all of it: headers and body, however slowly they drip.

Here: a request, its answer, and how much time the answer has.
Not here: what an answer means, trying again (``server``).

It is built on the standard library because a deadline must bound every single read of the socket; libraries
bound the wait for the next bytes only, so that a server sending a byte a second holds them for ever.
"""

from __future__ import annotations

import io
import ssl
import time
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from http.client import HTTPConnection, HTTPResponse, HTTPSConnection, IncompleteRead
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterator, Mapping
    from http.client import HTTPMessage
    from urllib.parse import SplitResult

STRETCH_BYTES = 16 << 20
"""Each further stretch of an answer has as much time again: a big log takes long, but never stands still."""
CHUNK_BYTES = 1 << 20
CONNECT_SECONDS = 30.0


class OverdueError(TimeoutError):
    """The answer was not complete in time."""


@dataclass(frozen=True)
class Answer:
    """What came back; its body is read while the exchange is open."""

    status: int
    headers: HTTPMessage
    response: HTTPResponse

    def chunks(self) -> Iterator[bytes]:
        """Yield the body.

        Raises
        ------
        OverdueError, OSError, http.client.HTTPException
            It does not come in time, or not to its end.
        """
        while chunk := self.response.read1(CHUNK_BYTES):
            yield chunk
        if self.response.length:  # as many bytes were promised and never came
            raise IncompleteRead(b"", self.response.length)


@contextmanager
def exchange(
    address: SplitResult, target: str, headers: Mapping[str, str], seconds: float
) -> Iterator[Answer]:
    """Send one GET and open its answer.

    Parameters
    ----------
    address : SplitResult
        Scheme and host of the server.
    target : str
        Path and query, quoted.
    headers : mapping of str to str
        Of the request.
    seconds : float
        Time for the whole answer, once more for each further ``STRETCH_BYTES`` of it.

    Raises
    ------
    OverdueError, OSError, http.client.HTTPException
        Nothing that is HTTP came back, or not in time.
    """
    connection = _connection(address, seconds)
    try:
        connection.connect()
        connection.sock.settimeout(seconds)
        connection.request("GET", target, headers={**headers, "Connection": "close"})
        with connection.getresponse() as response:
            yield Answer(response.status, response.headers, response)
    finally:
        connection.close()


def _connection(address: SplitResult, seconds: float) -> HTTPConnection:
    host, seconds = address.hostname or "", min(seconds, CONNECT_SECONDS)
    connection: HTTPConnection
    if address.scheme == "https":
        connection = HTTPSConnection(host, address.port, timeout=seconds, context=certificates())
    else:
        connection = HTTPConnection(host, address.port, timeout=seconds)
    connection.response_class = _TimedResponse
    return connection


@cache
def certificates() -> ssl.SSLContext:
    """Return the authorities that are trusted; to load them takes longer than to ask."""
    return ssl.create_default_context()


class _TimedResponse(HTTPResponse):
    """A response whose reads share one deadline: the time-out that its socket had when it was made."""

    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        self.fp.close()  # never read from
        self.fp = io.BufferedReader(_TimedReads(sock), CHUNK_BYTES // 4)


class _TimedReads(io.RawIOBase):
    """Reads of a socket until a deadline, which each stretch of bytes that arrived puts off."""

    def __init__(self, sock: socket.socket) -> None:
        super().__init__()
        self._socket, self._raw = sock, sock.makefile("rb", buffering=0)
        self._seconds = sock.gettimeout() or 0.0
        self._deadline = time.monotonic() + self._seconds
        self._stretch = STRETCH_BYTES

    def readable(self) -> bool:
        """Return True."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Read what is there, or wait for it until the deadline."""
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise OverdueError
        self._socket.settimeout(left)
        try:
            count = self._raw.readinto(buffer) or 0
        except TimeoutError:
            raise OverdueError from None
        self._stretch -= count
        if self._stretch <= 0:
            self._stretch += STRETCH_BYTES
            self._deadline = time.monotonic() + self._seconds
        return count

    def close(self) -> None:
        """Let go of the socket."""
        self._raw.close()
        super().close()
