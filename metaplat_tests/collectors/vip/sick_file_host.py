"""A host of one file that answers each request as a test wants: whole, cut, silent, changed, with errors.

Here: the host, on a port of this machine, and the plain answers that S3 would give.
Not here: the stand-in of the whole vendor (``metaplat_tests.standins.vip``), fetching (``fetching``).
"""

from __future__ import annotations

import asyncio
import re
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal, Self

if TYPE_CHECKING:
    from collections.abc import Sequence

RANGE = re.compile(r"bytes=(\d+)-")
CANARY = "CANARYc0ffee"
QUERY = f"?X-Amz-Credential={CANARY}%2F20220208%2Feu&X-Amz-Signature={CANARY}%3D%3d&sp=%2B+x"
"""With spellings that a client which reads and writes addresses would change."""


@dataclass(frozen=True)
class Request:
    """What was asked."""

    target: str
    headers: dict[str, str]

    @property
    def offset(self) -> int:
        """First byte that was asked for."""
        found = RANGE.fullmatch(self.headers.get("range", ""))
        return int(found[1]) if found else 0


@dataclass(frozen=True)
class Reply:
    """What is answered: ``body`` after the head, then the ending; ``pause`` seconds between single bytes."""

    status: int
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    ending: Literal["kept", "cut", "silent"] = "kept"
    pause: float | None = None


Play = Callable[[Request], Reply]


def s3(content: bytes, etag: str | None = '"one"', **headers: str) -> Play:
    """Return a play that answers as S3 does, with Range and If-Range."""

    def play(request: Request) -> Reply:
        offset, told = request.offset, {**({"ETag": etag} if etag else {}), **headers}
        validator = etag or headers.get("Last-Modified")
        if request.headers.get("if-range", validator) != validator:
            offset = 0
        if offset and offset >= len(content):
            return Reply(416, {"Content-Range": f"bytes */{len(content)}", "Content-Length": "0"})
        body = content[offset:]
        told["Content-Length"] = str(len(body))
        if offset:
            told["Content-Range"] = f"bytes {offset}-{len(content) - 1}/{len(content)}"
        return Reply(206 if offset else 200, told, body)

    return play


def cut(play: Play, count: int, ending: Literal["cut", "silent"] = "cut") -> Play:
    """Return a play that sends so many bytes of the body, and then cuts the connection or falls silent."""

    def shortened(request: Request) -> Reply:
        reply = play(request)
        return replace(reply, body=reply.body[:count], ending=ending)

    return shortened


def fixed(status: int, body: bytes = b"", **headers: str) -> Play:
    """Return a play that always answers the same."""
    told = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda _: Reply(status, {"Content-Length": str(len(body)), **told}, body)


def error(status: int, code: str, message: str = "Please look it up.", **headers: str) -> Play:
    """Return a play that answers an error document of S3."""
    start = '<?xml version="1.0" encoding="UTF-8"?>\n'
    body = f"{start}<Error><Code>{code}</Code><Message>{message}</Message></Error>"
    return fixed(status, body.encode(), Content_Type="application/xml", **headers)


def chunked(body: bytes, *, ended: bool = True, **headers: str) -> Play:
    """Return a play that does not tell the length; without ``ended`` the body is cut."""
    coded = b"%x\r\n%s\r\n" % (len(body), body) if body else b""
    told = {
        "Transfer-Encoding": "chunked",
        **{name.replace("_", "-"): text for name, text in headers.items()},
    }
    if ended:
        return lambda _: Reply(200, told, coded + b"0\r\n\r\n")
    return lambda _: Reply(200, told, coded, ending="cut")


class SickFileHost:
    """The host: each request takes the next play; the last one stays.

    Parameters
    ----------
    plays
        In the order of requests.
    tls
        Its certificate, where it speaks https.
    """

    def __init__(self, *plays: Play, tls: ssl.SSLContext | None = None) -> None:
        self.plays: Sequence[Play] = plays
        self.requests: list[Request] = []
        self.most_at_once = 0
        self._at_once = 0
        self._tls = tls
        self._over = asyncio.Event()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=self._tls)
        self.port = self._server.sockets[0].getsockname()[1]
        self._tasks: set[asyncio.Task[None]] = set()
        return self

    async def __aexit__(self, *_: object) -> None:
        self._over.set()
        self._server.close()
        await asyncio.gather(*self._tasks)
        await self._server.wait_closed()

    def url(self, name: str = "Vessel_1.csv") -> str:
        """Return the signed address of a file."""
        return f"http{'s' if self._tls else ''}://127.0.0.1:{self.port}/job/{name}{QUERY}"

    @property
    def offsets(self) -> list[int]:
        """First byte of each request."""
        return [request.offset for request in self.requests]

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            while await self._answer(reader, writer):
                pass
        except (ConnectionError, asyncio.IncompleteReadError, ssl.SSLError):
            pass  # the client has what it wanted
        finally:
            writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = asyncio.ensure_future(reader.readuntil(b"\r\n\r\n"))
        over = asyncio.ensure_future(self._over.wait())
        await asyncio.wait({head, over}, return_when=asyncio.FIRST_COMPLETED)
        over.cancel()
        if not head.done():
            head.cancel()
            return False
        lines = (await head).decode("latin-1").split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines[1:])}
        request = Request(lines[0].split(" ")[1], headers)
        self.requests.append(request)
        self._at_once += 1
        self.most_at_once = max(self.most_at_once, self._at_once)
        try:
            return await self._reply(
                self.plays[min(len(self.requests), len(self.plays)) - 1](request), writer
            )
        finally:
            self._at_once -= 1

    async def _reply(self, reply: Reply, writer: asyncio.StreamWriter) -> bool:
        head = "".join(f"{name}: {value}\r\n" for name, value in reply.headers.items())
        writer.write(f"HTTP/1.1 {reply.status} Told\r\n{head}\r\n".encode("latin-1"))
        pieces = [reply.body] if reply.pause is None else [bytes([byte]) for byte in reply.body]
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(reply.pause or 0)
            if self._over.is_set():
                return False
        if reply.ending == "silent":
            await self._over.wait()
        return reply.ending == "kept"
