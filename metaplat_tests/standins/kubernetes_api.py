"""A small Kubernetes API server: list calls with pages, and faults on request.

Here: jobs, pods and events of a folder or of a test, served as a real server answers list calls.
Not here: watches, writes, authentication beyond one bearer token.
A person starts it with ``python -m metaplat_tests.standins.kubernetes_api FOLDER --port 8001`` and then runs
``metaplat collect job_executions --source cluster --url http://127.0.0.1:8001``.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import threading
from collections import deque
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import TracebackType

ROUTE = re.compile(r"/(?:api/v1|apis/batch/v1)(?:/namespaces/(?P<namespace>[^/]+))?/(?P<plural>\w+)")
GROUPS = {"jobs": "/apis/batch/v1/", "pods": "/api/v1/", "events": "/api/v1/"}
LIST_KINDS = {"jobs": "JobList", "pods": "PodList", "events": "EventList"}

Fault = int | str
"""An HTTP status, or ``slow`` (no answer in time), ``cut`` (half a body), ``dropped`` (no answer at all),
``html`` (another server's page), ``binary 400`` (a refusal that is no text) or ``expired`` (410)."""


class KubernetesApi:
    """A server on a free port of 127.0.0.1, until the ``with`` block ends.

    Parameters
    ----------
    jobs, pods, events : iterable of dict
        What it serves, as items of a list.
    faults : iterable of Fault
        Played one a request, before anything is served rightly.
    denied : iterable of str
        What may not be listed: ``pods``, or ``pods/NAMESPACE``.
    failing : iterable of str
        What answers 500 whenever it is listed: ``pods``.
    token : str or None
        The bearer token asked for; None lets everybody in.
    expiring : int
        How many continued pages answer that their list expired (410).
    port : int
        0 takes a free one.
    """

    def __init__(
        self,
        jobs: Iterable[Any] = (),
        pods: Iterable[Any] = (),
        events: Iterable[Any] = (),
        *,
        faults: Iterable[Fault] = (),
        denied: Iterable[str] = (),
        failing: Iterable[str] = (),
        token: str | None = None,
        expiring: int = 0,
        port: int = 0,
    ) -> None:
        self.objects = {"jobs": list(jobs), "pods": list(pods), "events": list(events)}
        self.faults = deque(faults)
        self.denied = frozenset(denied)
        self.failing = frozenset(failing)
        self.token = token
        self.expiring = expiring
        self.requests: list[str] = []
        self.closing = threading.Event()
        self._server = _Server(("127.0.0.1", port), _Handler)
        self._server.api = self
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    @property
    def url(self) -> str:
        """Address of the server."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> KubernetesApi:
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
    api: KubernetesApi

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Stay quiet about clients that left; everything else is shown."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # head and body are two writes: 40 ms an answer otherwise
    server: _Server

    def do_GET(self) -> None:
        """Answer a list call, or play the next fault."""
        api = self.server.api
        api.requests.append(self.path)
        if api.faults:
            self._play(api.faults.popleft())
            return
        if api.token is not None and self.headers.get("Authorization") != f"Bearer {api.token}":
            self._refuse(401, "Unauthorized")
            return
        parts = urlsplit(self.path)
        route = ROUTE.fullmatch(parts.path)
        if route is None or not parts.path.startswith(GROUPS.get(route["plural"], "nowhere")):
            self._refuse(404, "NotFound")
            return
        self._list(
            route["plural"],
            route["namespace"],
            {key: values[0] for key, values in parse_qs(parts.query).items()},
        )

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # as http.server calls it
        """Keep the terminal free."""

    def _play(self, fault: Fault) -> None:
        if isinstance(fault, int):
            self._refuse(fault, HTTPStatus(fault).phrase)
        elif fault == "expired":
            self._refuse(410, "Expired")
        elif fault == "html":
            self._send(200, b"<html>sign in</html>")
        elif fault == "binary 400":
            self._send(400, b"\xff\xfe\xfd")
        elif fault == "cut":
            self._send(200, b'{"kind": "JobList", "items": [{"metadata"', promised=9999)
        elif fault == "slow":
            self.server.api.closing.wait(10)
            self.close_connection = True
        elif fault == "dropped":
            self.close_connection = True
        else:
            raise ValueError(fault)

    def _list(self, plural: str, namespace: str | None, query: dict[str, str]) -> None:
        api = self.server.api
        if {plural, f"{plural}/{namespace}"} & api.denied:
            self._refuse(403, "Forbidden")
            return
        if plural in api.failing:
            self._refuse(500, "InternalError")
            return
        if "continue" in query and api.expiring > 0:
            api.expiring -= 1
            self._refuse(410, "Expired")
            return
        chosen = [item for item in api.objects[plural] if _is_chosen(item, namespace, query)]
        first = int(query.get("continue", "0"))
        after = first + int(query.get("limit", len(chosen) or 1))
        metadata: dict[str, Any] = {"resourceVersion": "282"}
        if after < len(chosen):
            metadata |= {"continue": str(after), "remainingItemCount": len(chosen) - after}
        version = GROUPS[plural].strip("/").partition("/")[2]
        page = {"kind": LIST_KINDS[plural], "apiVersion": version, "metadata": metadata}
        self._send(200, json.dumps({**page, "items": chosen[first:after]}).encode())

    def _refuse(self, status: int, reason: str) -> None:
        answer = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": reason, "code": status}
        self._send(status, json.dumps(answer).encode())

    def _send(self, status: int, body: bytes, promised: int | None = None) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(promised or len(body)))
        self.end_headers()
        self.wfile.write(body)
        self.close_connection = self.close_connection or promised is not None


def _is_chosen(item: Any, namespace: str | None, query: dict[str, str]) -> bool:
    """Apply namespace and field selector; what is too malformed to judge is served."""
    if not isinstance(item, dict):
        return True
    metadata = item.get("metadata")
    if namespace is not None and isinstance(metadata, dict) and metadata.get("namespace") != namespace:
        return False
    about = item.get("involvedObject")
    if "fieldSelector" not in query or not isinstance(about, dict):
        return True
    key, _, value = query["fieldSelector"].partition("=")
    return key != "involvedObject.kind" or about.get("kind") == value


def items_of(file: Path) -> list[Any]:
    """Read the items of a recorded list."""
    found: list[Any] = json.loads(file.read_text(encoding="utf-8"))["items"]
    return found


def main() -> None:
    """Serve the lists of a folder until interrupted."""
    parser = argparse.ArgumentParser(description="A small Kubernetes API server.")
    parser.add_argument("folder", type=Path, help="holds jobs.json, pods.json and events.json")
    parser.add_argument("--port", type=int, default=8001)
    arguments = parser.parse_args()
    lists = {plural: items_of(arguments.folder / f"{plural}.json") for plural in GROUPS}
    with KubernetesApi(lists["jobs"], lists["pods"], lists["events"], port=arguments.port) as api:
        sys.stdout.write(f"serving {arguments.folder} at {api.url}; Ctrl+C ends it\n")
        sys.stdout.flush()
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            return


if __name__ == "__main__":
    main()
