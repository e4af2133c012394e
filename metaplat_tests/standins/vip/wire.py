"""HTTP of the stand-in: reading requests, sending answers whole, cut, slowly or not at all.

Here: connections, and ending them with the server.
Not here: what is answered (``server``).
"""

from __future__ import annotations

import socket
import sys
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

from metaplat_tests.standins.vip.answers import Answer, Request
from metaplat_tests.standins.vip.signing import BUCKET

if TYPE_CHECKING:
    import threading
    from collections.abc import Iterator

    from metaplat_tests.standins.vip.server import VipServer


class Listener(ThreadingHTTPServer):
    """Accepts connections, one thread each, until ``hang_up``.

    Parameters
    ----------
    port : int
        To listen on; 0: a free one.
    vip : VipServer
        Who answers.
    """

    daemon_threads = False
    request_queue_size = 128

    def __init__(self, port: int, vip: VipServer) -> None:
        self.vip = vip
        self._open: set[socket.socket] = set()
        super().__init__(("127.0.0.1", port), _Handler)

    def get_request(self) -> tuple[socket.socket, Any]:
        """Remember the connection, so that it can be ended."""
        connection, address = super().get_request()
        self._open.add(connection)
        return connection, address

    def shutdown_request(self, request: Any) -> None:
        """Forget it."""
        self._open.discard(request)
        super().shutdown_request(request)

    def hang_up(self) -> None:
        """End every connection that a client keeps open."""
        for connection in list(self._open):
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue  # it ended by itself

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Stay quiet about clients that left; everything else is shown."""
        if not isinstance(sys.exc_info()[1], ConnectionError | TimeoutError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Listener

    def do_GET(self) -> None:
        self._send(self.server.vip.get(self.path, self._asked()))

    def do_HEAD(self) -> None:
        """Refuse: a signature holds for the method that it was made for."""
        self._send(Answer(403, {"Content-Type": "application/xml", "Content-Length": "0"}))

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self._send(self.server.vip.post(self.path, self._asked(), body))

    def _asked(self) -> dict[str, str]:
        return {name.title(): value for name, value in self.headers.items()}

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # as http.server calls it
        """Keep the terminal free."""

    def date_time_string(self, timestamp: float | None = None) -> str:
        """Return the vendor's time for the header Date."""
        del timestamp
        return format_datetime(self.server.vip.vendor.now(), usegmt=True)

    def _send(self, answer: Answer) -> None:
        vip = self.server.vip
        path = self.path.partition("?")[0]
        vip.note(Request(vip.vendor.now(), self.command, path, answer.status, self.headers.get("Range")))
        if answer.status:
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.end_headers()
            self._send_body(answer, is_file=path.startswith(f"/{BUCKET}/"))
        if answer.ending == "silent":
            vip.closing.wait()
        self.close_connection = self.close_connection or answer.ending != "whole"

    def _send_body(self, answer: Answer, *, is_file: bool) -> None:
        vip = self.server.vip
        vip.sending(is_file)
        try:
            for chunk in answer.body:
                for piece in _paced(chunk, answer.bytes_per_second, vip.closing):
                    self.wfile.write(piece)
                    vip.sent(len(piece) * is_file)
        finally:
            vip.sending(-is_file)


def _paced(chunk: bytes, bytes_per_second: int | None, closing: threading.Event) -> Iterator[bytes]:
    """Yield a chunk at once, or ten pieces a second."""
    if bytes_per_second is None:
        yield chunk
        return
    step = max(bytes_per_second // 10, 1)
    for start in range(0, len(chunk), step):
        if closing.wait(0.1):
            return
        yield chunk[start : start + step]
