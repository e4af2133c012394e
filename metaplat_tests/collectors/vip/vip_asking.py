"""Asking a lake's API in a test: one client for one call."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING, TypeVar

from metaplat.collectors.vip.client import VipClient
from metaplat.collectors.vip.credentials import VipCredentials

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from metaplat.settings import VipSettings

Result = TypeVar("Result")
NOW = datetime(2022, 2, 8, 8, 30, tzinfo=UTC)


def ask(
    settings: VipSettings,
    call: Callable[[VipClient], Awaitable[Result]],
    clock: Callable[[], datetime] = lambda: NOW,
    credentials: VipCredentials | None = None,
) -> Result:
    """Return what ``call`` gets from a client that is opened for it."""

    async def asking() -> Result:
        async with VipClient(settings, credentials or VipCredentials(settings), clock) as client:
            return await call(client)

    return asyncio.run(asking())
