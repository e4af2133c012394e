"""A budget of bytes that all transfers of one store share.

Here: taking a share of it, first come first served, and giving it back.
Not here: how large a share has to be (``streamed_s3``).
"""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


class TransferBudget:
    """Bytes that may be held in memory at once, by the tasks of one event loop.

    Parameters
    ----------
    total : int
        The budget. Who wants more than all of it gets all of it.
    """

    def __init__(self, total: int) -> None:
        self._total = self._free = total
        self._waiting: deque[tuple[int, asyncio.Future[None]]] = deque()

    @asynccontextmanager
    async def share(self, wanted: int) -> AsyncIterator[None]:
        """Hold ``wanted`` bytes of it; whoever came earlier is served first, so a large one gets its turn."""
        amount = min(wanted, self._total)
        await self._take(amount)
        try:
            yield
        finally:
            self._free += amount
            self._serve()

    async def _take(self, amount: int) -> None:
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((amount, turn))
        self._serve()
        try:
            await turn
        except asyncio.CancelledError:
            if not turn.cancelled():  # served in the same moment
                self._free += amount
            else:
                self._waiting = deque(each for each in self._waiting if each[1] is not turn)
            self._serve()
            raise

    def _serve(self) -> None:
        while self._waiting and self._waiting[0][0] <= self._free:
            amount, turn = self._waiting.popleft()
            if not turn.cancelled():
                self._free -= amount
                turn.set_result(None)
