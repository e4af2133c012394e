"""A History Server that misbehaves: its REST interface over planted applications, with faults on request.

Here: the list as a real server answers it (limit, states, dates), whatever is planted below an application,
and answers that are late, cut, foreign or refused.
Not here: the real server (``history_server``), what is planted (``spark_rest_parts``).
"""

from __future__ import annotations

import json
import ssl
import sys
import threading
from collections import deque
from datetime import UTC, datetime
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, unquote, urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path
    from types import TracebackType

API = "/api/v1"
LOGIN = b"<!DOCTYPE html><html><body>Please sign in</body></html>"

Fault = int | str | tuple[int, dict[str, str]]
"""A status, also with headers, or ``html``, ``not json``, ``empty``, ``object`` (no list), ``no zip``,
``cut``, ``cut chunks``, ``slow`` (no answer while the server runs), ``drip`` (a byte at a time),
``drip headers``, ``dropped``, ``no http``."""


class SparkRest:
    """A server on a free port of 127.0.0.1, until the ``with`` block ends.

    Parameters
    ----------
    applications : iterable of dict
        As the list has them.
    parts : mapping of str to any
        By path below ``/applications/``: JSON, or bytes of a zip.
    faults : mapping of str to iterable of Fault
        By the same paths (``applications`` for the list): played one a request, before right answers.
    sorts, knows_dates, keeps_limit : bool
        Whether it sorts the list by end, chooses by dates, and heeds the limit.
    login : str or None
        ``user:password`` asked for.
    prefix : str
        Path in front of ``/api/v1``.
    certificate : Path or None
        File of a key and its certificate; with one it speaks TLS.
    """

    def __init__(
        self,
        applications: Iterable[Any] = (),
        parts: Mapping[str, Any] | None = None,
        faults: Mapping[str, Iterable[Fault]] | None = None,
        *,
        sorts: bool = True,
        knows_dates: bool = True,
        keeps_limit: bool = True,
        login: str | None = None,
        prefix: str = "",
        certificate: Path | None = None,
    ) -> None:
        self.applications = list(applications)
        self.parts = dict(parts or {})
        self.faults = {path: deque(planned) for path, planned in (faults or {}).items()}
        self.sorts, self.knows_dates, self.keeps_limit = sorts, knows_dates, keeps_limit
        self.login, self.prefix = login, prefix
        self.requests: list[str] = []
        self.closing = threading.Event()
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.rest = self
        self._scheme = "http"
        if certificate is not None:
            self._scheme = "https"
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            self._server.socket = context.wrap_socket(
                self._server.socket, server_side=True, do_handshake_on_connect=False
            )
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    @property
    def url(self) -> str:
        """Address of the server, with the login where it asks for one."""
        user = f"{self.login}@" if self.login else ""
        return f"{self._scheme}://{user}127.0.0.1:{self._server.server_address[1]}{self.prefix}"

    def asked(self, part: str) -> int:
        """Count the requests whose path holds ``part``."""
        return sum(part in request for request in self.requests)

    def __enter__(self) -> SparkRest:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.closing.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def listed(self, query: Mapping[str, str]) -> list[Any]:
        """Return the list as the real server answers it."""
        chosen = [each for each in self.applications if _is_chosen(each, query, self.knows_dates)]
        if self.sorts:
            chosen.sort(key=_newest_end, reverse=True)
        return chosen[: int(query["limit"])] if self.keeps_limit and "limit" in query else chosen


class _Server(ThreadingHTTPServer):
    rest: SparkRest
    daemon_threads = False
    request_queue_size = 64

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Stay quiet about clients that left; everything else is shown."""
        if not isinstance(sys.exc_info()[1], ConnectionError | ssl.SSLError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def do_GET(self) -> None:
        """Answer, or play the next fault of what is asked for."""
        rest = self.server.rest
        rest.requests.append(self.path)
        parts = urlsplit(self.path)
        base = f"{rest.prefix}{API}/"
        path = unquote(parts.path.removeprefix(base)) if parts.path.startswith(base) else "elsewhere"
        path = path.removeprefix("applications/")
        if rest.faults.get(path):
            self._play(rest.faults[path].popleft())
        elif rest.login and self.headers.get("Authorization") != _basic(rest.login):
            self._send(401, LOGIN, "text/html")
        elif path == "version":
            self._json({"spark": "4.1.0"})
        elif path == "applications":
            self._json(rest.listed({key: values[0] for key, values in parse_qs(parts.query).items()}))
        elif path not in rest.parts:
            self._send(404, b"no such app: unknown", "text/plain")
        elif isinstance(rest.parts[path], bytes):
            self._chunks(rest.parts[path])
        else:
            self._json(rest.parts[path])

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # as http.server calls it
        """Keep the terminal free."""

    def _play(self, fault: Fault) -> None:
        self.close_connection = True
        if isinstance(fault, tuple):
            self._send(fault[0], b"busy", "text/plain", fault[1])
        elif isinstance(fault, int):
            self._send(fault, HTTPStatus(fault).phrase.encode(), "text/plain")
        elif fault in BODIES:
            self._send(200, BODIES[fault], "text/html")
        elif fault == "cut":
            self._send(200, b'[{"id": "a', promised=9999)
        elif fault == "cut chunks":
            self._chunks(b"PK\x03\x04" * 100, whole=False)
        elif fault == "slow":
            self.server.rest.closing.wait(60)
        elif fault in ("drip", "drip headers"):
            self._drip(
                b"" if fault == "drip headers" else b"HTTP/1.1 200 OK\r\nContent-Length: 99999\r\n\r\nPK"
            )
        elif fault == "no http":
            self.wfile.write(b"220 mail.example.com ESMTP\r\n")
        elif fault != "dropped":
            raise ValueError(fault)

    def _drip(self, start: bytes) -> None:
        self.wfile.write(start or b"HTTP/1.1 200 OK\r\nX-Long: ")
        while not self.server.rest.closing.wait(0.02):
            self.wfile.write(b" ")

    def _json(self, content: Any) -> None:
        self._send(200, json.dumps(content).encode())

    def _send(
        self,
        status: int,
        body: bytes,
        kind: str = "application/json",
        headers: Mapping[str, str] | None = None,
        promised: int | None = None,
    ) -> None:
        self.send_response_only(status)  # without a date of its own
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(promised or len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _chunks(self, body: bytes, *, whole: bool = True) -> None:
        """Send a body of unknown length, as the real server sends a zip."""
        self.send_response(200)
        self.send_header("Content-Type", "application/octet-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for start in range(0, len(body), 5000):
            chunk = body[start : start + 5000]
            self.wfile.write(f"{len(chunk):x}\r\n".encode() + chunk + b"\r\n")
        if whole:
            self.wfile.write(b"0\r\n\r\n")


BODIES = {"html": LOGIN, "not json": b"OK", "empty": b"", "object": b"{}", "no zip": b"Rar!\x1a\x07"}


def _basic(login: str) -> str:
    from base64 import b64encode

    return f"Basic {b64encode(unquote(login).encode()).decode()}"


def _is_chosen(application: Any, query: Mapping[str, str], knows_dates: bool) -> bool:
    """Choose as the server does: by the newest attempt's state, and the dates of any attempt."""
    attempts = application.get("attempts") if isinstance(application, dict) else None
    if not attempts or not isinstance(attempts[0], dict):
        return query.get("status") != "running"
    running = not attempts[0].get("completed", True)
    if query.get("status") not in (None, "running" if running else "completed"):
        return False
    if not knows_dates or running:
        return True
    first, last = _date(query.get("minEndDate", "2010-01-01")), _date(query.get("maxEndDate", "3000-01-01"))
    return any(first <= each.get("endTimeEpoch", 0) <= last for each in attempts)


def _date(text: str) -> float:
    moment = datetime.fromisoformat(text.removesuffix("GMT"))
    return moment.replace(tzinfo=UTC).timestamp() * 1000


def _newest_end(application: Any) -> int:
    attempts = application.get("attempts") if isinstance(application, dict) else None
    found = attempts[0].get("endTimeEpoch", 0) if attempts and isinstance(attempts[0], dict) else 0
    return found if isinstance(found, int) else 0
