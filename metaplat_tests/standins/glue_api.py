"""A Glue Data Catalog over HTTP that pages, throttles, refuses, and is slow to list what was just written.

Here: the few operations that the monitor uses, by the Glue API model, with the habits that moto lacks.
"""

from __future__ import annotations

import json
import threading
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

from metaplat_tests.conftest import AWS_VARIABLES

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pytest

MOST_IN_BATCH = 100


class RefusedError(Exception):
    """An answer that is an error."""

    def __init__(self, code: str, message: str) -> None:
        self.code, self.message = code, message


@dataclass
class GlueApi:
    """The catalog, and how it misbehaves.

    Parameters
    ----------
    page_size : int
        Entries in one answer; a page without entries but with a token comes first, as Glue may do.
    throttled : Counter
        How many requests of an operation are still answered by ThrottlingException.
    denied : set of str
        Names of tables that nobody may read.
    reads_behind : int
        How many times GetPartitions answers as before each BatchCreatePartition.
    refused_values : dict of str to str
        Error code by partition value that BatchCreatePartition answers with.
    """

    page_size: int = 100
    databases: dict[str, dict[str, dict[str, Any]]] = field(default_factory=dict)
    partitions: dict[str, dict[tuple[str, ...], dict[str, Any]]] = field(default_factory=dict)
    throttled: Counter[str] = field(default_factory=Counter)
    denied: set[str] = field(default_factory=set)
    reads_behind: int = 0
    refused_values: dict[str, str] = field(default_factory=dict)
    requests: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    _unseen: list[dict[str, Any]] = field(default_factory=list)

    def add_table(self, database: str, name: str, location: str | None, **more: Any) -> None:
        """Create a bucketed external Parquet table; ``more`` are further members of Glue's Table."""
        descriptor = {
            "Columns": [{"Name": "customer_user_id", "Type": "string"}],
            "InputFormat": "org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat",
            "OutputFormat": "org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat",
            "SerdeInfo": {
                "SerializationLibrary": "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe"
            },
        }
        self.databases.setdefault(database, {})[name] = {
            "Name": name,
            "DatabaseName": database,
            "TableType": "EXTERNAL_TABLE",
            "PartitionKeys": [{"Name": "id_bucket", "Type": "int"}],
            "Parameters": {},
            "StorageDescriptor": descriptor | ({"Location": location} if location else {}),
        } | more
        self.partitions.setdefault(name, {})

    def operations(self) -> list[str]:
        """Return the names of the requests so far."""
        return [operation for operation, _ in self.requests]

    def answer(self, operation: str, body: dict[str, Any]) -> dict[str, Any]:
        """Answer one request; raises RefusedError."""
        self.requests.append((operation, body))
        if self.throttled[operation] > 0:
            self.throttled[operation] -= 1
            raise RefusedError("ThrottlingException", "Rate exceeded")
        name = body.get("TableName") or (body.get("Name") if operation == "GetTable" else None)
        if name in self.denied:
            raise RefusedError(
                "AccessDeniedException", f"User is not authorized to perform: glue:{operation}"
            )
        if body["DatabaseName"] not in self.databases:
            raise RefusedError("EntityNotFoundException", f"Database {body['DatabaseName']} not found.")
        tables = self.databases[body["DatabaseName"]]
        if name is not None and name not in tables:
            raise RefusedError("EntityNotFoundException", "Entity Not Found")
        match operation:
            case "GetTables":
                return self._page("TableList", list(tables.values()), body)
            case "GetTable":
                return {"Table": tables[name or ""]}
            case "GetPartitions":
                return self._partitions(name or "", body)
            case "BatchCreatePartition":
                return self._create(name or "", body)
        raise RefusedError("UnknownOperationException", operation)

    def _partitions(self, name: str, body: dict[str, Any]) -> dict[str, Any]:
        if not body.get("NextToken"):  # a new reading of the list
            for waiting in [item for item in self._unseen if item["table"] == name]:
                if waiting["reads"] <= 0:
                    self.partitions[name] |= waiting["created"]
                    self._unseen.remove(waiting)
                waiting["reads"] -= 1
        entries = [
            {"Values": list(values), "StorageDescriptor": _shown(descriptor, body)}
            for values, descriptor in self.partitions[name].items()
        ]
        return self._page("Partitions", entries, body)

    def _create(self, name: str, body: dict[str, Any]) -> dict[str, Any]:
        inputs = body["PartitionInputList"]
        if len(inputs) > MOST_IN_BATCH:
            raise RefusedError("InvalidInputException", f"at most {MOST_IN_BATCH} partitions")
        created, errors = {}, []
        for entry in inputs:
            values = tuple(entry["Values"])
            code = "AlreadyExistsException" if values in self.partitions[name] else None
            if code := self.refused_values.get(values[0], code):
                detail = {"ErrorCode": code, "ErrorMessage": "no."}
                errors.append({"PartitionValues": list(values), "ErrorDetail": detail})
            else:
                created[values] = entry["StorageDescriptor"]
        self._unseen.append({"table": name, "reads": self.reads_behind, "created": created})
        return {"Errors": errors}

    def _page(self, member: str, entries: list[Any], body: dict[str, Any]) -> dict[str, Any]:
        token = body.get("NextToken")
        if token is None and len(entries) > self.page_size:
            return {member: [], "NextToken": "0"}
        start = int(token or 0)
        end = start + self.page_size
        return {member: entries[start:end]} | ({"NextToken": str(end)} if end < len(entries) else {})


def _shown(descriptor: dict[str, Any], body: dict[str, Any]) -> dict[str, Any]:
    if not body.get("ExcludeColumnSchema"):
        return descriptor
    return {name: value for name, value in descriptor.items() if name != "Columns"}


class GlueServer(ThreadingHTTPServer):
    """Serves ``api``, which a test may replace: a client costs half a second, so tests share the address."""

    daemon_threads = True
    api: GlueApi

    @property
    def address(self) -> str:
        """Return the address."""
        return f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    """Speaks the JSON protocol of AWS."""

    protocol_version = "HTTP/1.1"
    server: GlueServer

    def do_POST(self) -> None:
        """Answer one request."""
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        try:
            status, answer = (
                200,
                self.server.api.answer(self.headers["X-Amz-Target"].rpartition(".")[2], body),
            )
        except RefusedError as error:
            status, answer = 400, {"__type": error.code, "Message": error.message}
        content = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/x-amz-json-1.1")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Keep the output of the tests clean."""


@contextmanager
def glue_server() -> Iterator[GlueServer]:
    """Serve a catalog on a free port."""
    server = GlueServer(("127.0.0.1", 0), Handler)
    server.api = GlueApi()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def new_catalog(server: GlueServer, monkeypatch: pytest.MonkeyPatch) -> GlueApi:
    """Give ``server`` an empty catalog, and let this process's Glue client speak to it."""
    for name, value in AWS_VARIABLES.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_ENDPOINT_URL_GLUE", server.address)
    server.api = GlueApi()
    return server.api
