"""An Athena that runs SQL: DuckDB over local Parquet files, behind Athena's JSON protocol.

Here: a local HTTP server for queries, their states and paged results; the functions of Trino that are used.
Not here: Glue; a table has the partitions that a test gives it.
Functions: https://trino.io/docs/current/functions/binary.html
"""

from __future__ import annotations

import json
import threading
import uuid
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import duckdb

if TYPE_CHECKING:
    from collections.abc import Iterator

    Answer = tuple[int, dict[str, Any]]

TRINO_FUNCTIONS = """
CREATE MACRO to_utf8(text) AS encode(text);
CREATE MACRO md5(content) AS unhex(system.main.md5(content));
CREATE MACRO from_base(digits, radix) AS CAST('0x' || digits AS BIGINT);
CREATE MACRO crc32(content) AS CASE WHEN content IS NOT NULL THEN xor(4294967295, list_reduce(
    list_prepend(4294967295, list_transform(
        range(1, 2 * octet_length(content), 2), lambda i: from_base(substr(to_hex(content), i, 2), 16)
    )),
    lambda crc, byte: xor(crc >> 8, {crc_table}[xor(crc, byte) % 256 + 1])
)) END;
"""
"""As Trino defines them: ``md5`` gives bytes, ``from_base`` a bigint; ``to_hex`` is the same in DuckDB."""
NO_OUTPUT = (
    "No output location provided. An output location is required either through the Workgroup result "
    "configuration setting or as an API input."
)


@dataclass
class AthenaSql:
    """What the server knows, and what a test may change while it runs."""

    address: str = ""
    output_location: str | None = "s3://results/"
    """That of the workgroup."""
    page_rows: int = 7
    """Rows a page of results, however many are asked for."""
    states: tuple[str, ...] = ("QUEUED", "RUNNING")
    """What is answered at first, one a look."""
    throttled: int = 0
    """So many requests are refused first."""
    queries: dict[str, dict[str, Any]] = field(default_factory=dict)
    """By id: ``sql``, ``looks``, ``token``, ``stopped``, ``output``, and ``rows`` or ``reason``."""
    connection: duckdb.DuckDBPyConnection = field(default_factory=duckdb.connect)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        table = [_crc_of_byte(byte) for byte in range(256)]
        self.connection.execute(TRINO_FUNCTIONS.format(crc_table=table))

    def register(self, database: str, name: str, partitions: dict[int, list[str]]) -> None:
        """Create or replace a table over the Parquet files of each partition."""
        options = "hive_partitioning = false, union_by_name = true"
        read = f"SELECT *, {{}} AS id_bucket FROM read_parquet([{{}}], {options})"
        parts = [
            read.format(bucket, ", ".join(map(_literal, paths)))
            for bucket, paths in partitions.items()
            if paths
        ]
        self.connection.execute(f"CREATE SCHEMA IF NOT EXISTS {_quoted(database)}")
        view = f"{_quoted(database)}.{_quoted(name)}"
        self.connection.execute(f"CREATE OR REPLACE VIEW {view} AS {' UNION ALL BY NAME '.join(parts)}")

    def answer(self, action: str, request: dict[str, Any]) -> Answer:
        """Answer one request: status and body."""
        with self.lock:
            if self.throttled > 0:
                self.throttled -= 1
                return 400, {"__type": "ThrottlingException", "message": "Rate exceeded"}
            known = {
                "StartQueryExecution": self._start,
                "GetQueryExecution": self._look,
                "GetQueryResults": self._page,
                "StopQueryExecution": self._stop,
            }
            return known[action](request)

    def _start(self, request: dict[str, Any]) -> Answer:
        output = request.get("ResultConfiguration", {}).get("OutputLocation") or self.output_location
        if output is None:
            return 400, {"__type": "InvalidRequestException", "message": NO_OUTPUT}
        token = request["ClientRequestToken"]
        for identity, query in self.queries.items():
            if query["token"] == token:  # the same request again
                return 200, {"QueryExecutionId": identity}
        identity = str(uuid.uuid4())
        query = {
            "sql": request["QueryString"],
            "token": token,
            "output": output,
            "looks": 0,
            "stopped": False,
        }
        self.queries[identity] = query
        try:
            self.connection.execute(
                f"SET schema = {_literal(_quoted(request['QueryExecutionContext']['Database']))}"
            )
            answer = self.connection.execute(request["QueryString"])
            names = [column[0] for column in answer.description or ()]
            query["rows"] = [names, *([_text(value) for value in row] for row in answer.fetchall())]
        except duckdb.Error as error:
            query["reason"] = f"SYNTAX_ERROR: {error}"
        return 200, {"QueryExecutionId": identity}

    def _look(self, request: dict[str, Any]) -> Answer:
        identity = request["QueryExecutionId"]
        query = self.queries[identity]
        query["looks"] += 1
        status: dict[str, Any] = {"State": "SUCCEEDED"}
        if query["looks"] <= len(self.states):
            status = {"State": self.states[query["looks"] - 1]}
        elif "reason" in query:
            status = {"State": "FAILED", "StateChangeReason": query["reason"]}
        return 200, {"QueryExecution": {"QueryExecutionId": identity, "Status": status}}

    def _page(self, request: dict[str, Any]) -> Answer:
        rows = self.queries[request["QueryExecutionId"]]["rows"]
        start = int(request.get("NextToken", 0))
        end = start + min(self.page_rows, request.get("MaxResults", self.page_rows))
        cells = [
            [{} if value is None else {"VarCharValue": value} for value in row] for row in rows[start:end]
        ]
        page: dict[str, Any] = {"ResultSet": {"Rows": [{"Data": row} for row in cells]}}
        if end < len(rows):
            page["NextToken"] = str(end)
        return 200, page

    def _stop(self, request: dict[str, Any]) -> Answer:
        self.queries[request["QueryExecutionId"]]["stopped"] = True
        return 200, {}


@contextmanager
def athena_sql() -> Iterator[AthenaSql]:
    """Serve on a free port; ``address`` is what AWS_ENDPOINT_URL_ATHENA is to be."""
    athena = AthenaSql()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            status, answer = athena.answer(self.headers["X-Amz-Target"].rpartition(".")[2], request)
            body = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/x-amz-json-1.1")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            with suppress(BrokenPipeError, ConnectionResetError):  # the client has gone
                self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Keep the output of the tests clean."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    athena.address = f"http://127.0.0.1:{server.server_port}"
    try:
        yield athena
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
        athena.connection.close()


def _crc_of_byte(byte: int) -> int:
    for _ in range(8):
        byte = byte >> 1 ^ (0xEDB88320 if byte & 1 else 0)
    return byte


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _text(value: object) -> str | None:
    if value is None:
        return None
    if isinstance(value, bytes):
        return value.hex(" ")
    return str(value).lower() if isinstance(value, bool) else str(value)
