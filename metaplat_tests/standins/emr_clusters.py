"""Amazon EMR as a moto server plays it, behind a front that may answer in its place.

Here: the front, which gives each test an account of its own and counts what is asked; clusters with steps, in
states and at times of the test's choice.
Not here: event logs (``event_log_lines``), assertions.
"""

from __future__ import annotations

import json
import threading
import uuid
from collections import Counter
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

REGION = "us-east-1"
CREATED = datetime(2026, 3, 2, 6, 0, tzinfo=UTC)
READY = CREATED + timedelta(minutes=6)
MANAGER = CREATED + timedelta(minutes=4)
"""Start of the resource manager, which names the applications."""

Answer = tuple[int, dict[str, Any]]
DENIED: Answer = (
    400,
    {"__type": "AccessDeniedException", "Message": "User: role/reader is not authorized to perform this"},
)
THROTTLED: Answer = (400, {"__type": "ThrottlingException", "Message": "Rate exceeded"})


class EmrFront:
    """EMR of one account.

    Attributes
    ----------
    address : str
        Of the front.
    asked : Counter of str
        Requests by operation.
    instead : dict of str to callable
        Operation -> function of the request's body; where it returns an answer, moto is not asked.
    """

    def __init__(self, moto: str) -> None:
        self.moto, self.account = moto, str(uuid.uuid4().int)[:12]
        self.asked: Counter[str] = Counter()
        self.instead: dict[str, Callable[[dict[str, Any]], Answer | None]] = {}
        self.address = ""

    def answer(self, headers: dict[str, str], body: bytes) -> tuple[int, bytes]:
        """Answer one request."""
        operation = headers.get("X-Amz-Target", "").rpartition(".")[2]
        self.asked[operation] += 1
        chosen = self.instead.get(operation)
        if chosen is not None and (answer := chosen(json.loads(body))) is not None:
            return answer[0], json.dumps(answer[1]).encode()
        sent = {
            name: headers[name]
            for name in ("X-Amz-Target", "Authorization", "Content-Type")
            if name in headers
        }
        request = Request(self.moto, data=body, headers=sent | {"x-moto-account-id": self.account})
        try:
            with urlopen(request, timeout=60) as response:
                return response.status, response.read()
        except HTTPError as error:
            with error:
                return error.code, error.read()

    @property
    def clusters(self) -> dict[str, Any]:
        """Moto's own clusters by id, for what its API cannot set."""
        from moto.emr.models import emr_backends

        found: dict[str, Any] = emr_backends[self.account][REGION].clusters
        return found

    def start(self, name: str = "etl", *, created: datetime = CREATED, **more: Any) -> str:
        """Start a cluster and return its id; it was ready six minutes after ``created``."""
        import boto3

        tags = more.pop("tags", {})
        client = boto3.client("emr", endpoint_url=self.address)
        cluster_id: str = client.run_job_flow(
            Name=name,
            ReleaseLabel="emr-7.1.0",
            LogUri="s3://emr-logs/",
            Applications=[{"Name": "Hadoop", "Version": "3.3.6"}, {"Name": "Spark", "Version": "3.5.0"}],
            Instances={
                "InstanceGroups": [
                    _group("MASTER", "m5.xlarge", 1),
                    _group("CORE", "r5.2xlarge", 4),
                    _group("TASK", "c5.xlarge", 2),
                    _group("TASK", "c5.2xlarge", 3),
                ],
                "KeepJobFlowAliveWhenNoSteps": True,
            },
            Tags=[{"Key": key, "Value": value} for key, value in tags.items()],
            **more,
        )["JobFlowId"]
        client.close()
        cluster = self.clusters[cluster_id]
        cluster.creation_datetime = _motos(created)
        cluster.ready_datetime = _motos(created + (READY - CREATED))
        return cluster_id

    def end(self, cluster_id: str, at: datetime, state: str = "TERMINATED") -> None:
        """End a cluster."""
        self.clusters[cluster_id].state, self.clusters[cluster_id].end_datetime = state, _motos(at)

    def step(
        self,
        cluster_id: str,
        state: str,
        start: datetime | None = None,
        end: datetime | None = None,
        **config: Any,
    ) -> str:
        """Add a step and return its id."""
        import boto3

        client = boto3.client("emr", endpoint_url=self.address)
        jar = {"Jar": "command-runner.jar", "Args": config.get("args", ["spark-submit", "s3://code/job.py"])}
        listed: Any = {"Name": config.get("name", "Spark step"), "HadoopJarStep": jar}
        step_id: str = client.add_job_flow_steps(JobFlowId=cluster_id, Steps=[listed])["StepIds"][0]
        client.close()
        self.move(cluster_id, step_id, state, start, end)
        return step_id

    def move(
        self,
        cluster_id: str,
        step_id: str,
        state: str,
        start: datetime | None = None,
        end: datetime | None = None,
    ) -> None:
        """Put a step into another state; it was created five seconds before it started."""
        cluster = self.clusters[cluster_id]
        made = next(step for step in cluster.steps if step.id == step_id)
        made.state, made.start_date_time, made.end_date_time = state, _motos(start), _motos(end)
        made.creation_date_time = (made.start_date_time or cluster.creation_datetime) - timedelta(seconds=5)


def _motos(moment: datetime | None) -> datetime | None:
    """Return a time as moto keeps it: UTC without saying so."""
    return moment.astimezone(UTC).replace(tzinfo=None) if moment else None


def _group(role: str, kind: str, count: int) -> Any:
    return {"InstanceRole": role, "InstanceType": kind, "InstanceCount": count, "Market": "ON_DEMAND"}


@contextmanager
def emr_front(moto: str) -> Iterator[EmrFront]:
    """Serve a front before ``moto`` on a free port."""
    front = EmrFront(moto)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            status, content = front.answer(dict(self.headers.items()), body)
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.send_header("Content-Type", "application/x-amz-json-1.1")
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """Keep the output of the tests clean."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    front.address = f"http://127.0.0.1:{server.server_port}"
    try:
        yield front
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def yarn_id(number: int, manager: datetime = MANAGER) -> str:
    """Return the id that a resource manager gives its application of this number."""
    return f"application_{milliseconds(manager)}_{number:04d}"


def milliseconds(moment: datetime) -> int:
    """Return Unix time in ms, as event logs have it."""
    return int(moment.timestamp() * 1000)
