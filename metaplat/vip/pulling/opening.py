"""The parts of a pull, opened together and closed in any case.

Here: which part gets what.
Not here: what is done with them (``pull``, ``repair``).
"""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from metaplat.collectors.vip.client import VipClient
from metaplat.collectors.vip.credentials import VipCredentials
from metaplat.collectors.vip.download import Downloads
from metaplat.stores.deliveries import open_deliveries
from metaplat.vip.pulling.bench import Bench, unseen
from metaplat.vip.pulling.remembered import ExtractMemory

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from metaplat.settings import Settings
    from metaplat.stores.objects import ObjectStore
    from metaplat.vip.pulling.bench import Clock, Progress, Saved, Tell


@asynccontextmanager
async def open_bench(
    settings: Settings,
    state: ObjectStore,
    clock: Clock,
    progress: Progress | None,
    tell: Tell,
    saved: Saved,
) -> AsyncIterator[Bench]:
    """Open client and downloads; nothing is asked for yet, but the secret where it says where files go.

    Raises
    ------
    SettingsError
        An address, the target or the secret is not usable.
    TransientStoreError, PermanentStoreError
        The secret cannot be read.
    """
    vip = settings.vip
    credentials = VipCredentials(vip)
    keys = await asyncio.to_thread(credentials.delivery_keys)
    async with VipClient(vip, credentials, clock) as client, Downloads(vip) as downloads:
        yield Bench(
            installation=settings,
            settings=vip,
            memory=ExtractMemory(state),
            deliveries=open_deliveries(settings, keys),
            client=client,
            downloads=downloads,
            slots=asyncio.Semaphore(vip.parallel_files),
            clock=clock,
            progress=progress or unseen,
            tell=tell,
            saved=saved,
        )
