"""A small HTTP server that answers with JSON, and can be sick on request.

Here: serving, recording what was asked, playing faults.
Not here: what is served (``databricks_api``, ``dataproc_api``).
"""

from __future__ import annotations

import json
import sys
import threading
from collections import defaultdict, deque
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

if TYPE_CHECKING:
    from types import TracebackType

Fault = int | str
"""An HTTP status, or ``slow`` (no answer in time), ``cut`` (half a body), ``dropped`` (no answer at all),
``html`` (a login page), ``list`` (JSON that is no object)."""


class JsonApi:
    """A server on a free port of 127.0.0.1, until the ``with`` block ends; a subclass says what it serves.

    ``faults`` are played one a request, by the path they are for (``""``: any), before anything is served
    rightly; ``broken`` are played always.
    """

    def __init__(self) -> None:
        self.faults: defaultdict[str, deque[Fault]] = defaultdict(deque)
        self.broken: dict[str, Fault] = {}
        self.retry_after = "0"
        self.asked: list[tuple[str, dict[str, str]]] = []
        self.closing = threading.Event()
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.api = self
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    def answer(self, path: str, query: dict[str, str], authorization: str | None) -> tuple[int, Any]:
        """Return status and body."""
        raise NotImplementedError

    @property
    def url(self) -> str:
        """Address of the server."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def paths(self, ending: str = "") -> list[str]:
        """Return the paths that were asked for, in order."""
        return [path for path, _ in self.asked if path.endswith(ending)]

    def fault(self, path: str) -> Fault | None:
        """Return the next fault to play."""
        for part, found in self.faults.items():
            if part in path and found:
                return found.popleft()
        return next((fault for part, fault in self.broken.items() if part in path), None)

    def __enter__(self) -> Any:  # the subclass
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.closing.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Server(ThreadingHTTPServer):
    api: JsonApi
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Stay quiet about clients that left; everything else is shown."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # head and body are two writes: 40 ms an answer otherwise
    server: _Server

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        self._answer(parts.path, {key: values[0] for key, values in parse_qs(parts.query).items()})

    def do_POST(self) -> None:
        content = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self._answer(self.path, {key: values[0] for key, values in parse_qs(content).items()})

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # as http.server calls it
        """Keep the terminal free."""

    def _answer(self, path: str, query: dict[str, str]) -> None:
        api = self.server.api
        api.asked.append((path, query))
        fault = api.fault(path)
        if fault is not None:
            self._play(fault)
            return
        status, body = api.answer(path, query, self.headers.get("Authorization"))
        self._send(status, json.dumps(body).encode())

    def _play(self, fault: Fault) -> None:
        if isinstance(fault, int):
            self._send(fault, json.dumps({"message": HTTPStatus(fault).phrase}).encode())
        elif fault == "html":
            self._send(200, b"<html><title>Sign in</title></html>")
        elif fault == "list":
            self._send(200, b'["nothing"]')
        elif fault == "cut":
            self._send(200, b'{"runs": [{"run_id"', promised=9999)
        elif fault == "slow":
            self.server.api.closing.wait(30)
            self.close_connection = True
        elif fault == "dropped":
            self.close_connection = True
        else:
            raise ValueError(fault)

    def _send(self, status: int, body: bytes, promised: int | None = None) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(promised or len(body)))
        if status in (429, 503):
            self.send_header("Retry-After", self.server.api.retry_after)
        self.end_headers()
        self.wfile.write(body)
        self.close_connection = self.close_connection or promised is not None
