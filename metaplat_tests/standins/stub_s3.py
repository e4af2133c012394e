"""An S3 that takes any upload and keeps none of it, and lists many hours of files that nobody ever wrote.

Here: uploads whole and in parts, counted and thrown away as they come in, faults at a chosen moment, and the
pages of ``stub_s3_pages``; run as ``python -m metaplat_tests.standins.stub_s3``, it prints its port.
``GET /counts`` tells what it was asked and what became visible.
Not here: reading back what was written (moto keeps it), counting what is in flight (``counting_s3``).
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, unquote, urlsplit
from urllib.request import urlopen

from metaplat_tests.standins.stub_s3_pages import HourPages

if TYPE_CHECKING:
    from collections.abc import Iterator

BUFFER_BYTES = 2**18
DENIED = b"<Error><Code>AccessDenied</Code></Error>"
BROKEN = b'<?xml version="1.0" encoding="UTF-8"?><Error><Code>InternalError</Code></Error>'

Answer = tuple[int, dict[str, str], bytes]


@dataclass
class Uploads:
    """What is being uploaded, what was, and which request is refused.

    Parameters
    ----------
    refused_part : int
        Number of the part that is answered with HTTP 403; 0 for none.
    refused_completion : str
        ``403``, or ``200`` for an answer that is an error all the same; empty for none.
    """

    refused_part: int = 0
    refused_completion: str = ""
    visible: dict[str, int] = field(default_factory=dict)
    open: dict[str, dict[int, int]] = field(default_factory=dict)
    asked: dict[str, int] = field(default_factory=dict)
    received: int = 0

    def answer(self, method: str, key: str, query: dict[str, str], size: int) -> Answer:
        """Answer a request whose body of ``size`` bytes has come in."""
        upload = query.get("uploadId", "")
        if method == "POST":
            return self._complete(key, upload) if upload else self._begin()
        if method == "DELETE":
            self._count("abort")
            self.open.pop(upload, None)
            return 204, {}, b""
        self.received += size
        return self._part(upload, int(query["partNumber"]), size) if upload else self._whole(key, size)

    def _begin(self) -> Answer:
        self._count("begin")
        name = f"upload-{self.asked['begin']}"
        self.open[name] = {}
        answer = f"<InitiateMultipartUploadResult><UploadId>{name}</UploadId></InitiateMultipartUploadResult>"
        return 200, {}, answer.encode()

    def _part(self, upload: str, number: int, size: int) -> Answer:
        self._count("part")
        if number == self.refused_part:
            return 403, {}, DENIED
        self.open[upload][number] = size
        return 200, {"ETag": '"part"'}, b""

    def _complete(self, key: str, upload: str) -> Answer:
        self._count("complete")
        if self.refused_completion:
            return int(self.refused_completion), {}, BROKEN if self.refused_completion == "200" else DENIED
        self.visible[key] = sum(self.open.pop(upload).values())
        return 200, {}, b'<CompleteMultipartUploadResult><ETag>"e"</ETag></CompleteMultipartUploadResult>'

    def _whole(self, key: str, size: int) -> Answer:
        self._count("put")
        self.visible[key] = size
        return 200, {"ETag": '"e"'}, b""

    def _count(self, kind: str) -> None:
        self.asked[kind] = self.asked.get(kind, 0) + 1


@dataclass
class Stub:
    """All that one server answers from."""

    uploads: Uploads
    pages: HourPages
    latency: float
    identities: set[str] = field(default_factory=set)

    def counts(self) -> bytes:
        """Return what ``GET /counts`` tells."""
        told = {
            "asked": {**self.uploads.asked, **self.pages.asked},
            "visible": self.uploads.visible,
            "open": sorted(self.uploads.open),
            "received": self.uploads.received,
            "identities": sorted(self.identities),
        }
        return json.dumps(told).encode()

    def signed_by(self, headers: dict[str, str]) -> None:
        """Note whose key signed a request, and a token that came with it."""
        found = re.search(r"credential=([^/]+)/", headers.get("authorization", ""), re.IGNORECASE)
        if found:
            token = headers.get("x-amz-security-token", "")
            self.identities.add(f"{found[1]} {token}".strip())

    def answer(self, method: str, target: str, size: int) -> Answer:
        """Answer a request."""
        parts = urlsplit(target)
        if parts.path == "/counts":
            return 200, {}, self.counts()
        query = {name: values[0] for name, values in parse_qs(parts.query, keep_blank_values=True).items()}
        key = unquote(parts.path).removeprefix("/bucket").removeprefix("/")
        if method in {"GET", "HEAD"}:
            return self.pages.object(key) if key else self.pages.page(query)
        return self.uploads.answer(method, key, query, size)


class _Connection(asyncio.BufferedProtocol):
    """One connection: bodies are counted as they come in, in one buffer that is used again and again."""

    def __init__(self, stub: Stub) -> None:
        self._stub = stub
        self._buffer = bytearray(BUFFER_BYTES)
        self._view = memoryview(self._buffer)
        self._head = b""
        self._left = self._size = 0
        self._request: tuple[str, str] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the way back."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def get_buffer(self, sizehint: int) -> memoryview:
        """Return where the next bytes go."""
        del sizehint
        return self._view

    def buffer_updated(self, count: int) -> None:
        """Take ``count`` bytes: of a body mostly."""
        if self._request is not None and count < self._left:
            self._left -= count
            return
        self._take(bytes(self._view[:count]))

    def _take(self, data: bytes) -> None:
        while data:
            if self._request is None:
                self._head += data
                end = self._head.find(b"\r\n\r\n")
                if end < 0:
                    return
                data, head, self._head = self._head[end + 4 :], self._head[:end], b""
                self._begin(head.decode("latin-1"))
            took = min(self._left, len(data))
            self._left -= took
            data = data[took:]
            if self._left:
                return
            self._answer()

    def _begin(self, head: str) -> None:
        lines = head.split("\r\n")
        method, target, _ = lines[0].split(" ", 2)
        pairs = (line.split(":", 1) for line in lines[1:])
        headers = {name.lower(): value.strip() for name, value in pairs}
        self._left = self._size = int(headers.get("content-length", "0"))
        if "100-continue" in headers.get("expect", ""):
            self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        self._stub.signed_by(headers)
        self._request = method, target

    def _answer(self) -> None:
        assert self._request is not None
        (method, target), self._request = self._request, None
        status, headers, body = self._stub.answer(method, target, self._size)
        headers = {"Content-Length": str(len(body)), **headers}
        told = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        answer = f"HTTP/1.1 {status} -\r\n{told}\r\n".encode() + (b"" if method == "HEAD" else body)
        asyncio.get_running_loop().call_later(self._stub.latency, self._transport.write, answer)


@dataclass(frozen=True)
class StubS3:
    """A server that runs.

    Parameters
    ----------
    endpoint : str
        Its address; its only bucket is called ``bucket``.
    """

    endpoint: str

    def counts(self) -> dict[str, Any]:
        """Return what was ``asked`` by kind and by which ``identities``, and bytes ``received``.

        Also what became ``visible``, with its size, and which uploads are ``open``.
        """
        with urlopen(f"{self.endpoint}/counts", timeout=60) as answer:
            told: dict[str, Any] = json.load(answer)
            return told


@contextmanager
def stub_s3(**options: float | str) -> Iterator[StubS3]:
    """Run the server in a process of its own; the options are those of its command line."""
    given = [f"--{name.replace('_', '-')}={value}" for name, value in options.items()]
    command = [sys.executable, "-m", "metaplat_tests.standins.stub_s3", *given]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield StubS3(f"http://127.0.0.1:{int(process.stdout.readline())}")
        finally:
            process.terminate()


async def _serve(stub: Stub) -> None:
    server = await asyncio.get_running_loop().create_server(lambda: _Connection(stub), "127.0.0.1", 0)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    async with server:
        await server.serve_forever()


def _main() -> None:
    options = argparse.ArgumentParser(description="An S3 that keeps nothing.")
    options.add_argument("--latency", type=float, default=0.0, help="seconds until an answer")
    options.add_argument("--first", default="2022-02-08T08", help="first hour that is listed")
    options.add_argument("--hours", type=int, default=0, help="hours that are listed")
    options.add_argument("--files", type=int, default=450, help="files of each hour")
    options.add_argument("--prefix", default="DEV/IMOSDL/Hourly/", help="before YYYYMMDD/HH/")
    options.add_argument("--refused-part", type=int, default=0, help="number of a part that is refused")
    options.add_argument("--refused-completion", default="", choices=["", "200", "403"])
    given = options.parse_args()
    pages = HourPages(given.prefix, given.first, given.hours, given.files)
    asyncio.run(_serve(Stub(Uploads(given.refused_part, given.refused_completion), pages, given.latency)))


if __name__ == "__main__":
    _main()
