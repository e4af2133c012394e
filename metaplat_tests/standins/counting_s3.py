"""An S3 that keeps objects in memory, answers as slowly as a network, and counts what it was asked.

Here: GET (ranges, If-Match), HEAD and ListObjectsV2 of one bucket named ``bucket``, in a thread of the test.
Not here: writing over HTTP (a test changes ``objects``), any other request of S3 (moto answers those).
"""

from __future__ import annotations

import asyncio
import hashlib
import re
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape

if TYPE_CHECKING:
    from collections.abc import Iterator

PAGE = 1000
MODIFIED = "Wed, 21 Oct 2026 07:28:00 GMT"

Answer = tuple[int, dict[str, str], bytes]


@dataclass
class CountingS3:
    """What is stored, and what was asked for.

    Parameters
    ----------
    objects : dict of str to bytes
        Content by key; may be changed at any time.
    latency : float
        Seconds until an answer begins.
    asked : list of str
        Each request: method, kind (``list`` or the key) and range, as in ``GET a/b bytes=0-7``.
    most_in_flight : int
        Most requests that waited for their answer at the same time.
    endpoint : str
        Address of the service.
    """

    objects: dict[str, bytes]
    latency: float = 0.0
    asked: list[str] = field(default_factory=list)
    most_in_flight: int = 0
    endpoint: str = ""
    _in_flight: int = 0

    def requests_of(self, key: str) -> list[str]:
        """Return the requests for one object."""
        return [line for line in self.asked if line.split(" ")[1] == key]

    @property
    def listings(self) -> int:
        """Listing requests."""
        return sum(line.startswith("GET list") for line in self.asked)

    def forget(self) -> None:
        """Begin to count anew."""
        self.asked.clear()
        self.most_in_flight = 0

    async def answer(self, method: str, target: str, headers: dict[str, str]) -> Answer:
        """Status, headers and body for a request, after the time it takes."""
        parts = urlsplit(target)
        key = unquote(parts.path).removeprefix("/bucket").removeprefix("/")
        wanted = headers.get("range", "")
        self.asked.append(f"{method} {key or 'list'} {wanted}".rstrip())
        self._in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self._in_flight)
        await asyncio.sleep(self.latency)
        self._in_flight -= 1
        return self._object(key, wanted, headers.get("if-match")) if key else self._list(parts.query)

    def _object(self, key: str, wanted: str, if_match: str | None) -> Answer:
        content = self.objects.get(key)
        if content is None:
            return 404, {}, b"<Error><Code>NoSuchKey</Code></Error>"
        headers = {"ETag": _etag(content), "Last-Modified": MODIFIED}
        if if_match and if_match != _etag(content):
            return 412, {}, b"<Error><Code>PreconditionFailed</Code></Error>"
        if not (found := re.fullmatch(r"bytes=(\d+)-(\d+)", wanted)):
            return 200, headers, content
        start, end = int(found[1]), min(int(found[2]) + 1, len(content))
        headers["Content-Range"] = f"bytes {start}-{end - 1}/{len(content)}"
        return 206, headers, content[start:end]

    def _list(self, query: str) -> Answer:
        asked = {name: values[0] for name, values in parse_qs(query).items()}
        prefix, delimiter = asked.get("prefix", ""), asked.get("delimiter", "")
        after = asked.get("continuation-token", "")
        entries: dict[str, str] = {}  # by the last key that each stands for
        keys = sorted(key for key in self.objects if key.startswith(prefix) and key > after)
        names: dict[str, None] = {}
        for key in keys:
            cut = key.find(delimiter, len(prefix)) + 1 if delimiter else 0
            name = key[:cut] if cut else key
            if name not in names and len(names) == PAGE:
                break
            names[name] = None
            entries[name] = key
        last = entries[list(names)[-1]] if names else ""
        more = bool(keys) and last != keys[-1]
        shown = "".join(map(self._entry, names))
        token = f"<NextContinuationToken>{escape(last)}</NextContinuationToken>" if more else ""
        return (
            200,
            {"Content-Type": "application/xml"},
            (
                '<?xml version="1.0" encoding="UTF-8"?><ListBucketResult><Name>bucket</Name>'
                f"<Prefix>{escape(prefix)}</Prefix><KeyCount>{len(names)}</KeyCount><MaxKeys>{PAGE}</MaxKeys>"
                f"<IsTruncated>{str(more).lower()}</IsTruncated>{token}{shown}</ListBucketResult>"
            ).encode(),
        )

    def _entry(self, name: str) -> str:
        if name not in self.objects:
            return f"<CommonPrefixes><Prefix>{escape(name)}</Prefix></CommonPrefixes>"
        content = self.objects[name]
        return (
            f"<Contents><Key>{escape(name)}</Key><LastModified>2026-10-21T07:28:00.000Z</LastModified>"
            f"<ETag>{escape(_etag(content))}</ETag><Size>{len(content)}</Size></Contents>"
        )


def _etag(content: bytes) -> str:
    return f'"{hashlib.md5(content, usedforsecurity=False).hexdigest()}"'


async def _talk(store: CountingS3, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer the requests of one connection, which stays open."""
    try:
        while request := await reader.readline():
            method, target, _ = request.decode().split(" ", 2)
            headers = {}
            while line := (await reader.readline()).decode("latin-1").strip():
                name, _, value = line.partition(":")
                headers[name.lower()] = value.strip()
            status, answered, body = await store.answer(method, target, headers)
            answered = {"Content-Length": str(len(body)), **answered}
            head = "".join(f"{name}: {value}\r\n" for name, value in answered.items())
            writer.write(f"HTTP/1.1 {status} -\r\n{head}\r\n".encode() + (b"" if method == "HEAD" else body))
            await writer.drain()
    except (ConnectionError, asyncio.IncompleteReadError):
        pass  # the client has gone
    finally:
        writer.close()


@contextmanager
def counting_s3(objects: dict[str, bytes], latency: float = 0.0) -> Iterator[CountingS3]:
    """Serve ``objects`` on a free port."""
    store = CountingS3(objects, latency)
    loop = asyncio.new_event_loop()
    talks: set[asyncio.Task[None]] = set()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        talks.add(task)
        try:
            await _talk(store, reader, writer)
        except asyncio.CancelledError:
            pass  # the test is over
        finally:
            talks.discard(task)

    server = loop.run_until_complete(asyncio.start_server(talk, "127.0.0.1", 0))
    store.endpoint = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    thread = threading.Thread(target=loop.run_forever)
    thread.start()

    async def close() -> None:
        server.close()
        for task in tuple(talks):
            task.cancel()
        await asyncio.gather(*talks, return_exceptions=True)

    try:
        yield store
    finally:
        asyncio.run_coroutine_threadsafe(close(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
