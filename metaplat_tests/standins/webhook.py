"""A webhook that records what it is sent, and can be sick in several ways."""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass
class Webhook:
    """A local HTTP server: what arrived, and how it answers.

    Parameters
    ----------
    port : int
        Where it listens.
    status : int
        What it answers.
    silent : bool
        It takes the request and answers nothing until the test ends.
    cut : bool
        It closes the connection in place of an answer.
    """

    port: int
    status: int = 200
    silent: bool = False
    cut: bool = False
    received: list[dict[str, Any]] = field(default_factory=list)
    ended: threading.Event = field(default_factory=threading.Event)

    def url(self, path: str = "") -> str:
        """Return the address as an Apprise URL."""
        return f"json://127.0.0.1:{self.port}/{path}"

    @property
    def subjects(self) -> list[str]:
        """Subject of each message that was accepted."""
        return [message["title"] for message in self.received]

    @property
    def bodies(self) -> list[str]:
        """Body of each message that was accepted."""
        return [message["message"] for message in self.received]


@contextmanager
def webhook() -> Iterator[Webhook]:
    """Serve a webhook on a free port."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            content = self.rfile.read(int(self.headers["Content-Length"]))
            self.close_connection = True
            if hook.silent:
                hook.ended.wait(60)
                return
            if hook.cut:
                return
            if hook.status < 300:
                hook.received.append(json.loads(content))
            self.send_response(hook.status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Keep the output of the tests clean."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    hook = Webhook(server.server_port)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield hook
    finally:
        hook.ended.set()
        server.shutdown()
        thread.join()
        server.server_close()
