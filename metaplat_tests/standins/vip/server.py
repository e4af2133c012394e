"""The stand-in vendor on a port of 127.0.0.1: token service, API and file host in one.

Here: which part answers what, counters, what tests and the program ask of it.
Not here: what is answered (``vendor``, ``file_host``), HTTP (``wire``).
"""

from __future__ import annotations

import json
import threading
from collections import deque
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from metaplat_tests.standins.vip.answers import DROPPED, Answer, Request, answer_json, answer_xml
from metaplat_tests.standins.vip.file_host import FileHost
from metaplat_tests.standins.vip.scenario import Scenario, VirtualClock
from metaplat_tests.standins.vip.signing import BUCKET
from metaplat_tests.standins.vip.vendor import Vendor, form_fields
from metaplat_tests.standins.vip.wire import Listener

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime
    from types import TracebackType

TOKEN_PATH = "/connect/token"
EXPORT_PATH = "/api/datalake/v1/export"
STATUS_PATH = "/api/datalake/v1/CheckJobStatus"
FILES_PATH = "/v1/datalake/presignedUrls/"
CONTROL_PATH = "/_standin"
REMEMBERED_REQUESTS = 10_000


class VipServer:
    """The vendor, until the ``with`` block ends.

    Parameters
    ----------
    scenario : Scenario, optional
        How it is.
    clock : callable, optional
        Gives an aware UTC time; its own virtual clock follows it. None: the real one.
    port : int
        To listen on; 0: a free one.
    """

    def __init__(
        self,
        scenario: Scenario | None = None,
        clock: Callable[[], datetime] | VirtualClock | None = None,
        port: int = 0,
    ) -> None:
        self.scenario = scenario or Scenario()
        if not isinstance(clock, VirtualClock):
            clock = VirtualClock() if clock is None else VirtualClock(clock)
        self.clock = clock
        self.vendor = Vendor(self.scenario, clock)
        self.file_host = FileHost(self.vendor)
        self.requests: deque[Request] = deque(maxlen=REMEMBERED_REQUESTS)
        self.bytes_sent = 0
        self.strayed = 0
        self.most_at_once = 0
        self._at_once = 0
        self._lock = threading.Lock()
        self.closing = threading.Event()
        self._server = Listener(port, self)
        self.vendor.host = f"127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    def __enter__(self) -> VipServer:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.closing.set()
        self._server.shutdown()
        self._server.hang_up()
        self._server.server_close()
        self._thread.join()

    @property
    def url(self) -> str:
        """Base address of everything."""
        return f"http://{self.vendor.host}"

    @property
    def auth_url(self) -> str:
        """Base address of the token service."""
        return self.url

    @property
    def api_url(self) -> str:
        """Base address of export and status."""
        return self.url

    @property
    def files_url(self) -> str:
        """Base address of the list of files."""
        return self.url

    @property
    def settings(self) -> dict[str, Any]:
        """What section ``[vip]`` of the settings needs to reach it."""
        return {
            "auth_url": self.auth_url,
            "api_url": self.api_url,
            "files_url": self.files_url,
            "company": self.scenario.company,
            "client_id": self.vendor.client_id,
            "client_secret": self.vendor.client_secret,
            "allow_insecure": True,
            "allowed_hosts": ["*.amazonaws.com", "127.0.0.1"],
            "poll_seconds": 0.05,
            "backoff_seconds": 0.01,
        }

    @property
    def environment(self) -> dict[str, str]:
        """Return the same as environment variables."""
        plain = {name: value for name, value in self.settings.items() if not isinstance(value, list | bool)}
        lists = {name: ",".join(value) for name, value in self.settings.items() if isinstance(value, list)}
        values = {**plain, **lists, "allow_insecure": "true"}
        return {f"METAPLAT_VIP__{name.upper()}": str(value) for name, value in values.items()}

    @property
    def export_calls(self) -> int:
        """Export calls that came, refused ones included."""
        return self.vendor.calls["export"]

    @property
    def accepted_exports(self) -> int:
        """Export calls that made a job."""
        return len(self.vendor.jobs)

    @property
    def token_calls(self) -> int:
        """Calls of the token service."""
        return self.vendor.calls["token"]

    @property
    def status_calls(self) -> int:
        """Questions for the status of a job."""
        return self.vendor.calls["status"]

    @property
    def list_calls(self) -> int:
        """Questions for a list of files."""
        return self.vendor.calls["list"]

    @property
    def downloads(self) -> dict[str, int]:
        """Downloads that were begun with a right signature, by key."""
        return dict(self.file_host.downloads)

    @property
    def jobs(self) -> list[str]:
        """Identifiers of the accepted jobs, in order."""
        return list(self.vendor.jobs)

    def set_faults(self, *names: str) -> None:
        """Play these faults from now on."""
        self.vendor.faults.set(names)

    def advance(self, seconds: float = 0.0, *, minutes: float = 0.0) -> None:
        """Move the clock of slots, tokens, jobs and addresses on."""
        self.clock.advance(seconds + 60 * minutes)

    def complete(self, job_guid: str) -> None:
        """Let a job be done now."""
        self.vendor.jobs[job_guid].polls = 1_000_000

    def sizes(self, job_guid: str) -> dict[str, int]:
        """Return the true size of each file of a job by key, as nothing is wrong."""
        return {each.key: each.size for each in self.vendor.jobs[job_guid].files}

    def expected_bytes(self, job_guid: str, key: str) -> bytes:
        """Return what the file ``key`` of a job holds; files that only a fault lists included."""
        return self.vendor.hosted(job_guid)[key].bytes()

    def expected_sha256(self, job_guid: str, key: str) -> str:
        """Return the SHA-256 of that, hexadecimal; needs no memory."""
        return self.vendor.hosted(job_guid)[key].sha256()

    def counters(self) -> dict[str, Any]:
        """Return how it stands, for ``GET /_standin``; nothing secret."""
        return {
            "virtual_time": self.vendor.now().isoformat(),
            "faults": sorted(self.vendor.faults.names),
            "token_calls": self.token_calls,
            "export_calls": self.export_calls,
            "accepted_exports": self.accepted_exports,
            "status_calls": self.status_calls,
            "list_calls": self.list_calls,
            "jobs": self.jobs,
            "downloads": self.downloads,
            "bytes_sent": self.bytes_sent,
            "strayed": self.strayed,
            "most_at_once": self.most_at_once,
            "requests": [{**asdict(each), "at": each.at.isoformat()} for each in list(self.requests)[-100:]],
        }

    def get(self, target: str, headers: Mapping[str, str]) -> Answer:
        """Answer a GET of ``target``, path and query."""
        path, _, query = target.partition("?")
        if path == CONTROL_PATH:
            return answer_json(200, self.counters())
        if path.startswith(FILES_PATH):
            dropped = self.vendor.faults.has("api_dropped")
            return DROPPED if dropped else self.vendor.files(path[len(FILES_PATH) :], form_fields(query))
        if path.startswith(f"/{BUCKET}/"):
            return self.file_host.answer(target, headers)
        if path.startswith("/elsewhere"):
            with self._lock:
                self.strayed += 1
        return answer_xml(404, "NoSuchBucket", "The specified bucket does not exist")

    def post(self, target: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """Answer a POST."""
        authorization = headers.get("Authorization")
        if target.startswith(CONTROL_PATH):
            return self._control(target, body)
        if self.vendor.faults.has("api_dropped"):
            return DROPPED
        if target == TOKEN_PATH:
            return self.vendor.token(form_fields(body.decode(errors="replace")))
        if target == EXPORT_PATH:
            return self.vendor.export(authorization, body)
        if target == STATUS_PATH:
            return self.vendor.status(authorization, body)
        return answer_json(404, {"Message": "No such resource."})

    def _control(self, target: str, body: bytes) -> Answer:
        try:
            content = json.loads(body or b"{}")
            if target == f"{CONTROL_PATH}/clock":
                self.advance(float(content["advance_seconds"]))
            elif target == f"{CONTROL_PATH}/faults":
                self.set_faults(*content["faults"])
            else:
                return answer_json(404, {"Message": "There are /_standin/clock and /_standin/faults."})
        except (ValueError, KeyError, TypeError) as error:
            return answer_json(400, {"Message": str(error)})
        return answer_json(200, self.counters())

    def note(self, request: Request) -> None:
        """Remember a request."""
        self.requests.append(request)

    def sending(self, step: int) -> None:
        """Count one more (1) or one less (-1) file that is being sent."""
        with self._lock:
            self._at_once += step
            self.most_at_once = max(self.most_at_once, self._at_once)

    def sent(self, count: int) -> None:
        """Count bytes of files."""
        with self._lock:
            self.bytes_sent += count
