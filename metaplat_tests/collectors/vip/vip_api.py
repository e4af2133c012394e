"""An API of the lake that answers what a test says, however sick that is.

Here: serving replies by path, in order, and recording what was asked.
Not here: a job that goes on by itself, files (the stand-in server of the lake).
"""

from __future__ import annotations

import json
import socket
import threading
from collections import defaultdict
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

from pydantic import SecretStr

from metaplat.settings import VipSettings

if TYPE_CHECKING:
    import ssl
    from collections.abc import Mapping
    from types import TracebackType

TOKEN, EXPORT, STATUS = "/connect/token", "/api/datalake/v1/export", "/api/datalake/v1/CheckJobStatus"
FILES = "/v1/datalake/presignedUrls/acme"
CLIENT_ID, CLIENT_SECRET = "canary-client-id", "canary+secret/with=odd&signs %"
ACCESS_TOKEN = "canary.access-token"


@dataclass(frozen=True)
class Reply:
    """What is answered; ``fault``: ``dropped`` (no answer), ``cut`` (half of it), ``silent``, ``garbage``."""

    status: int = 200
    body: object = None
    headers: Mapping[str, str] = field(default_factory=dict)
    fault: str = ""


@dataclass(frozen=True)
class Asked:
    """One request."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes

    @property
    def form(self) -> dict[str, str]:
        """Fields of a form."""
        return {name: values[0] for name, values in parse_qs(self.body.decode()).items()}


def token_reply(token: str = ACCESS_TOKEN, **more: Any) -> Reply:
    return Reply(body={"access_token": token, "expires_in": 3600, "token_type": "Bearer", **more})


class VipApi:
    """A server on a free port, until the ``with`` block ends; the last reply to a path is repeated."""

    def __init__(self, **replies: list[Reply] | Reply) -> None:
        self.asked: list[Asked] = []
        self.closing = threading.Event()
        self._replies: defaultdict[str, list[Reply]] = defaultdict(list)
        self._replies[TOKEN] = [token_reply()]
        for name, given in replies.items():
            path = {"token": TOKEN, "export": EXPORT, "status": STATUS, "files": FILES, "tunnel": "CONNECT"}[
                name
            ]
            self._replies[path] = [given] if isinstance(given, Reply) else list(given)
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.api = self
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    @property
    def url(self) -> str:
        """Address of the server."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def settings(self, **changes: Any) -> VipSettings:
        """Return settings for this server, with credentials and without pauses."""
        given: dict[str, Any] = {
            "auth_url": self.url, "api_url": self.url, "files_url": self.url, "company": "acme",
            "client_id": SecretStr(CLIENT_ID), "client_secret": SecretStr(CLIENT_SECRET),
            "allow_insecure": True,
            "backoff_seconds": 0, "max_backoff_seconds": 0, "retries": 2,
        }  # fmt: skip
        return VipSettings(**given | changes)

    def wrap(self, context: ssl.SSLContext) -> None:
        """Speak TLS from now on."""
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)

    def calls(self, path: str) -> list[Asked]:
        """Return what was asked at ``path``."""
        return [each for each in self.asked if each.path == path]

    def reply(self, path: str) -> Reply:
        """Return what is answered at ``path`` next."""
        replies = self._replies[path]
        if not replies:
            return Reply(404, {"Message": f"nothing is served at {path}"})
        return replies.pop(0) if len(replies) > 1 else replies[0]

    def __enter__(self) -> VipApi:
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
    api: VipApi

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: a client that went away is no news."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # the base class names it so
        """Stay silent."""

    def _serve(self) -> None:
        parts = urlsplit(self.path if self.command != "CONNECT" else "CONNECT")
        query = {name: values[0] for name, values in parse_qs(parts.query, keep_blank_values=True).items()}
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        api = self.server.api
        api.asked.append(Asked(self.command, parts.path, query, dict(self.headers), body))
        self._answer(api.reply(parts.path))

    do_GET = do_POST = do_CONNECT = _serve  # noqa: N815  # the base class names them so

    def _answer(self, reply: Reply) -> None:
        if reply.fault == "silent":
            self.server.api.closing.wait(60)
        if reply.fault == "garbage":
            self.wfile.write(b"SSH-2.0-OpenSSH_9.6\r\n")
        if reply.fault in {"silent", "dropped", "garbage"}:
            with suppress(OSError):
                self.connection.shutdown(socket.SHUT_RDWR)
            return
        body = reply.body if isinstance(reply.body, bytes) else json.dumps(reply.body).encode()
        self.send_response(reply.status)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[: len(body) // 2] if reply.fault == "cut" else body)
