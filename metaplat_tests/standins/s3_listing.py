"""An S3 that only lists: each page takes as long as over a network, and nothing is computed meanwhile.

Here: a server of ListObjectsV2 (prefix, delimiter, continuation token, start-after) over keys in memory, run
as ``python -m metaplat_tests.standins.s3_listing``; it prints its port. ``GET /requests`` tells how many
pages it served since the last time it was asked, ``GET /side-by-side`` how many at most at the same time.
Not here: any other request of S3 (moto answers those).
"""

from __future__ import annotations

import asyncio
import bisect
import subprocess
import sys
from contextlib import contextmanager
from datetime import date, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit
from xml.sax.saxutils import escape

if TYPE_CHECKING:
    from collections.abc import Iterator

PAGE = 1000
LATENCY_SECONDS = 0.06


def landed_keys(count: int, days: int) -> list[str]:
    """Return ``count`` sorted keys ``landing/job-executions/YYYY/MM/DD/<name>`` over ``days`` days."""
    first = date(2025, 1, 1)
    return sorted(
        f"landing/job-executions/{first + timedelta(number % days):%Y/%m/%d}/run-{number:07d}.json"
        for number in range(count)
    )


class Pages:
    """The keys, and the pages that were already written out."""

    def __init__(self, keys: list[str]) -> None:
        self.keys = keys
        self.served = self.open = self.most_open = 0
        self.page = lru_cache(maxsize=4096)(self._page)

    def _page(self, prefix: str, delimiter: str, after: str) -> bytes:
        position = bisect.bisect_left(self.keys, prefix)
        if after:
            position = max(position, bisect.bisect_left(self.keys, after))
        entries: list[str] = []
        while position < len(self.keys) and len(entries) < PAGE and self.keys[position].startswith(prefix):
            key = self.keys[position]
            cut = key.find(delimiter, len(prefix)) if delimiter else -1
            if cut >= 0:
                folder = key[: cut + 1]
                entries.append(f"<CommonPrefixes><Prefix>{escape(folder)}</Prefix></CommonPrefixes>")
                position = bisect.bisect_left(self.keys, folder[:-1] + chr(ord("/") + 1))
            else:
                entries.append(_entry(key))
                position += 1
        more = position < len(self.keys) and self.keys[position].startswith(prefix)
        token = (
            f"<NextContinuationToken>{escape(self.keys[position])}</NextContinuationToken>" if more else ""
        )
        return (
            '<?xml version="1.0" encoding="UTF-8"?>'
            '<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>bucket</Name>'
            f"<Prefix>{escape(prefix)}</Prefix><KeyCount>{len(entries)}</KeyCount><MaxKeys>{PAGE}</MaxKeys>"
            f"<IsTruncated>{str(more).lower()}</IsTruncated>{token}{''.join(entries)}</ListBucketResult>"
        ).encode()

    async def answer(self, target: str) -> tuple[int, bytes]:
        """Status and body for a request target."""
        parts = urlsplit(target)
        if parts.path == "/requests":
            served, self.served = self.served, 0
            return 200, str(served).encode()
        if parts.path == "/side-by-side":
            most, self.most_open = self.most_open, 0
            return 200, str(most).encode()
        asked = {name: values[0] for name, values in parse_qs(parts.query).items()}
        if asked.get("list-type") != "2":
            return 404, b"<Error><Code>NoSuchKey</Code></Error>"
        self.served += 1
        after = asked.get("continuation-token") or asked.get("start-after", "")
        body = self.page(asked.get("prefix", ""), asked.get("delimiter", ""), after)
        self.open += 1
        self.most_open = max(self.most_open, self.open)
        await asyncio.sleep(LATENCY_SECONDS)
        self.open -= 1
        return 200, body


def _entry(key: str) -> str:
    return (
        f"<Contents><Key>{escape(key)}</Key><LastModified>2025-11-29T01:02:03.000Z</LastModified>"
        "<ETag>&quot;d41d8cd98f00b204e9800998ecf8427e&quot;</ETag><Size>700</Size>"
        "<StorageClass>STANDARD</StorageClass></Contents>"
    )


async def _talk(pages: Pages, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer the requests of one connection, which stays open."""
    try:
        while request := await reader.readline():
            while (await reader.readline()).strip():
                pass  # headers are not looked at
            method, target, _ = request.decode().split(" ", 2)
            status, body = await pages.answer(target)
            head = (
                f"HTTP/1.1 {status} -\r\nContent-Type: application/xml\r\nContent-Length: {len(body)}\r\n\r\n"
            )
            writer.write(head.encode() + (b"" if method == "HEAD" else body))
            await writer.drain()
    except (ConnectionError, asyncio.IncompleteReadError):
        pass  # the client has gone
    finally:
        writer.close()


async def _serve(count: int, days: int) -> None:
    pages = Pages(landed_keys(count, days))
    server = await asyncio.start_server(lambda *ends: _talk(pages, *ends), "127.0.0.1", 0)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    async with server:
        await server.serve_forever()


@contextmanager
def listing_server(count: int, days: int) -> Iterator[str]:
    """Run the server in a process of its own and yield its address."""
    command = [sys.executable, "-m", "metaplat_tests.standins.s3_listing", str(count), str(days)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield f"http://127.0.0.1:{int(process.stdout.readline())}"
        finally:
            process.terminate()


if __name__ == "__main__":
    asyncio.run(_serve(int(sys.argv[1]), int(sys.argv[2])))
