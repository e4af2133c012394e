"""The body of one answer, in pieces of at most 1 MiB, with an eye on how fast they come.

Here: reading, and looking at its start without losing it.
Not here: what is done when it ends too soon (``file_stream``), how connections fail (``file_connections``).
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from metaplat.collectors.vip.error_documents import LONGEST_START, MOST_BYTES, may_be_error, read_error
from metaplat.collectors.vip.file_answers import AskAgainError
from metaplat.collectors.vip.file_patience import Pace

if TYPE_CHECKING:
    from aiohttp import ClientResponse

    from metaplat.collectors.vip.error_documents import ErrorDocument
    from metaplat.settings.vip import VipSettings

PIECE_BYTES = 1 << 20


class FileBody:
    """One answer as a stream.

    Parameters
    ----------
    response : aiohttp.ClientResponse
        Its head has come.
    settings : VipSettings
        What is too slow.
    """

    def __init__(self, response: ClientResponse, settings: VipSettings) -> None:
        self._response, self._held = response, b""
        self._pace = Pace(settings)

    @property
    def progressed(self) -> bool:
        """Whether it brought bytes, and not too slowly."""
        return self._pace.progressed

    async def read(self) -> bytes:
        """Return the next piece, at most 1 MiB; empty at the end."""
        if self._held:
            held, self._held = self._held, b""
            return held
        return await self._receive()

    async def error_document(self, size: int | None) -> ErrorDocument | None:
        """Return the error that comes in place of a file, None where it is not one.

        Parameters
        ----------
        size : int or None
            Bytes that the file has. A file of XML that looks like an error and has this size is the file.
        """
        if not may_be_error(await self._hold(LONGEST_START)):
            return None
        whole = await self._hold(MOST_BYTES + 1)
        return None if len(whole) in {size, MOST_BYTES + 1} else read_error(whole)

    async def error_text(self) -> bytes:
        """Return the start of what explains an error."""
        return await self._hold(MOST_BYTES)

    def close(self) -> None:
        """Drop the connection unless the whole body has come; twice is allowed."""
        self._response.close()

    async def _hold(self, count: int) -> bytes:
        """Return up to ``count`` bytes, and keep them for ``read``."""
        while len(self._held) < count and (piece := await self._receive(count - len(self._held))):
            self._held += piece
        return self._held

    async def _receive(self, most: int = PIECE_BYTES) -> bytes:
        begun = time.monotonic()
        piece = await self._response.content.read(most)
        self._pace.add(len(piece), time.monotonic() - begun)
        if piece and self._pace.too_slow:
            raise AskAgainError("slower than vip.min_kb_per_second")
        return piece
