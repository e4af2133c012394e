"""An S3 in front of moto that forbids writing after a while, as where a policy changes during a pull."""

from __future__ import annotations

import http.client
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterator

DENIED = b"<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>"
KEPT = {"content-length", "transfer-encoding", "connection", "date", "server"}
"""Headers of an answer that are not passed on."""


@contextmanager
def refusing_s3(endpoint: str, writes: int, beginning: str, refusals: int = 10**9) -> Iterator[str]:
    """Pass everything on to ``endpoint``, but no write after so many of keys with ``beginning`` in them.

    After so many ``refusals`` it passes everything on again.
    """
    left, refused = threading.Semaphore(writes), threading.Semaphore(refusals)
    host = urlsplit(endpoint).netloc

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            body = self.rfile.read(length)
            if len(body) < length:  # who asked has left
                self.close_connection = True
                return
            writing = self.command in {"PUT", "POST"} and beginning in self.path
            if writing and not left.acquire(blocking=False) and refused.acquire(blocking=False):
                self.reply(403, {"Content-Type": "application/xml"}, DENIED)
                return
            connection = http.client.HTTPConnection(host, timeout=60)
            try:
                connection.request(self.command, self.path, body, dict(self.headers))
                answer = connection.getresponse()
                headers = {name: value for name, value in answer.getheaders() if name.lower() not in KEPT}
                self.reply(answer.status, headers, answer.read())
            finally:
                connection.close()

        def reply(self, status: int, headers: dict[str, str], body: bytes) -> None:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Connection", "close")
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        do_GET = do_HEAD = do_PUT = do_DELETE = do_POST = answer  # noqa: N815  # names of the base class

        def log_message(self, *_: object) -> None:
            """Keep the output of the tests clean."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
