"""An S3 that answers each request after 30 ms, as one over a network does: listing, and reading by range.

Here: a server over FITS files in memory: ``python -m benchmarks.catalog_s3 COUNT`` prints its port.
Not here: any other request of S3, signatures (they are not looked at), and failures (the tests have those).
"""

from __future__ import annotations

import asyncio
import re
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

from benchmarks.catalog_files import fits_bytes

if TYPE_CHECKING:
    from collections.abc import Iterator

LATENCY_SECONDS = 0.03
PAGE = 1000
DISTINCT = 500
"""So many files differ; the objects are these, again and again."""

_RANGE = re.compile(rb"\r\nrange: bytes=(\d+)-(\d+)", re.IGNORECASE)
_MODIFIED = ("2026-03-01T00:00:00.000Z", "Sun, 01 Mar 2026 00:00:00 GMT")


class Bucket:
    """The objects ``archive/000000.fits`` and so on."""

    def __init__(self, count: int) -> None:
        self._keys = [f"archive/{number:06d}.fits" for number in range(count)]
        self._contents = [fits_bytes(number) for number in range(min(count, DISTINCT))]
        self._places = {key: place for place, key in enumerate(self._keys)}

    def answer(self, target: str, head: bytes) -> bytes:
        """Return the whole answer to a GET or HEAD."""
        parts = urlsplit(target)
        key = parts.path.removeprefix("/bucket/")
        if key in self._places:
            return self._object(key, head)
        if "list-type" in parts.query:
            return self._page(parse_qs(parts.query, keep_blank_values=True))
        return b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n"

    def _object(self, key: str, head: bytes) -> bytes:
        content = self._contents[self._places[key] % DISTINCT]
        found = _RANGE.search(head)
        begin, end = (int(found[1]), min(int(found[2]) + 1, len(content))) if found else (0, len(content))
        part = content[begin:end]
        status = (
            f"206 Partial Content\r\ncontent-range: bytes {begin}-{end - 1}/{len(content)}"
            if found
            else "200 OK"
        )
        lines = (
            f"HTTP/1.1 {status}\r\ncontent-length: {len(part)}\r\ncontent-type: binary/octet-stream\r\n"
            f'etag: "{key}"\r\nlast-modified: {_MODIFIED[1]}\r\naccept-ranges: bytes\r\n\r\n'
        )
        return lines.encode() + (b"" if head.startswith(b"HEAD") else part)

    def _page(self, query: dict[str, list[str]]) -> bytes:
        prefix = query.get("prefix", [""])[0]
        keys = [key for key in self._keys if key.startswith(prefix)]
        first = int(query["continuation-token"][0]) if "continuation-token" in query else 0
        page, following = keys[first : first + PAGE], first + PAGE
        more = following < len(keys)
        token = f"<NextContinuationToken>{following}</NextContinuationToken>" if more else ""
        size = len(self._contents[0])
        entries = "".join(
            f"<Contents><Key>{key}</Key><LastModified>{_MODIFIED[0]}</LastModified>"
            f'<ETag>"{key}"</ETag><Size>{size}</Size><StorageClass>STANDARD</StorageClass></Contents>'
            for key in page
        )
        body = (
            '<?xml version="1.0" encoding="UTF-8"?>'
            '<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>bucket</Name>'
            f"<Prefix>{prefix}</Prefix><KeyCount>{len(page)}</KeyCount><MaxKeys>{PAGE}</MaxKeys>"
            f"<IsTruncated>{str(more).lower()}</IsTruncated>{token}{entries}</ListBucketResult>"
        ).encode()
        return (
            b"HTTP/1.1 200 OK\r\ncontent-type: application/xml\r\ncontent-length: %d\r\n\r\n" % len(body)
            + body
        )


class Connection(asyncio.Protocol):
    """One connection: a request at a time, each answered after the latency."""

    def __init__(self, bucket: Bucket) -> None:
        self._bucket, self._waiting = bucket, b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep where answers go."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Answer a whole request later; none of them has a body."""
        self._waiting += data
        while b"\r\n\r\n" in self._waiting:
            head, _, self._waiting = self._waiting.partition(b"\r\n\r\n")
            asyncio.get_running_loop().call_later(LATENCY_SECONDS, self._answer, head)

    def _answer(self, head: bytes) -> None:
        if not self._transport.is_closing():
            self._transport.write(self._bucket.answer(head.split(b" ", 2)[1].decode(), head))


@contextmanager
def s3_of_files(count: int) -> Iterator[str]:
    """Run the server in a process of its own; yields its address."""
    command = [sys.executable, "-m", __spec__.name if __spec__ else "benchmarks.catalog_s3", str(count)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield f"http://127.0.0.1:{int(process.stdout.readline())}"
        finally:
            process.terminate()


async def _serve(count: int) -> None:
    bucket = Bucket(count)
    server = await asyncio.get_running_loop().create_server(lambda: Connection(bucket), "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_serve(int(sys.argv[1])))
