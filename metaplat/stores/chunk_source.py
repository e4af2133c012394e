"""Chunks of one file on their way into a store.

Here: joining small ones, counting, keeping aside what their source raised, stopping them from outside.
Not here: where they come from (``collectors``), where they go (``streamed_s3``, ``streamed_files``).
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable

BLOCK_BYTES = 2**20
"""Smaller chunks are joined: to be asked by another thread takes as long as copying a megabyte."""


class StoppedError(Exception):
    """Raised in place of the next chunk, so that whoever reads on gives up what it has begun."""


class ChunkSource:
    """An async iterator of blocks around another one of chunks.

    Parameters
    ----------
    chunks : async iterator of bytes
        The source.

    Attributes
    ----------
    taken : int
        Bytes taken from the source so far.
    ended : bool
        Whether the source came to its end without raising.
    problem : BaseException or None
        What the source raised.
    """

    def __init__(self, chunks: AsyncIterator[bytes]) -> None:
        self._chunks = chunks
        self._again: deque[bytes] = deque()
        self._reader: asyncio.Task[object] | None = None
        self._stopped = False
        self.taken, self.ended = 0, False
        self.problem: BaseException | None = None

    def __aiter__(self) -> ChunkSource:
        return self

    async def __anext__(self) -> bytes:
        """Return the next block, never an empty one; each may be asked for by another task."""
        held = await self.gather(BLOCK_BYTES)
        if not held:
            raise StopAsyncIteration
        return held[0] if len(held) == 1 else b"".join(held)

    async def gather(self, limit: int) -> list[bytes]:
        """Return the chunks up to the end, or as soon as they are ``limit`` bytes or more."""
        if self._stopped:
            raise StoppedError
        self._reader = asyncio.current_task()
        try:
            return await self._gather(limit)
        except asyncio.CancelledError as problem:
            if self._stopped:
                raise StoppedError from None
            self.problem = problem
            raise
        except BaseException as problem:
            self.problem = problem
            raise
        finally:
            self._reader = None

    async def _gather(self, limit: int) -> list[bytes]:
        held: list[bytes] = []
        size = 0
        while size < limit and (chunk := await self._next()) is not None:
            held.append(chunk)
            size += len(chunk)
        return held

    async def _next(self) -> bytes | None:
        if self._again:
            return self._again.popleft()
        while not self.ended:
            try:
                chunk = await anext(self._chunks)
            except StopAsyncIteration:
                self.ended = True
                break
            self.taken += len(chunk)
            if chunk:  # an empty one is not the end
                return chunk
        return None

    def put_back(self, chunks: Iterable[bytes]) -> None:
        """Give these once more, before all others."""
        self._again.extend(chunks)

    def stop(self) -> None:
        """End the reading: who waits for a block, or asks for one, gets ``StoppedError``."""
        self._stopped = True
        self._again.clear()
        if self._reader is not None:
            self._reader.cancel()

    async def close(self) -> None:
        """Close the source where it can be closed, so that it ends its requests: a generator, a download."""
        if hasattr(self._chunks, "aclose"):
            await self._chunks.aclose()
        elif hasattr(self._chunks, "close"):
            self._chunks.close()
