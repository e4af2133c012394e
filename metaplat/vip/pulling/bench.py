"""What every step of a pull works with.

Here: the parts, and saving what a step found out.
Not here: opening them (``pull``), the steps.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from metaplat.collectors.vip.client import VipClient
    from metaplat.collectors.vip.download import Downloads
    from metaplat.model.extract import Extract
    from metaplat.settings import Settings, VipSettings
    from metaplat.stores.deliveries import Deliveries
    from metaplat.vip.pulling.remembered import ExtractMemory

    Clock = Callable[[], datetime]
    Progress = Callable[[str, int, int], None]
    Tell = Callable[[str], None]
    Saved = Callable[[Extract], None]


@dataclass(frozen=True)
class Bench:
    """The parts of one pull; all its extracts share them.

    Parameters
    ----------
    installation : Settings
        All of them.
    settings : VipSettings
        Their section: limits, words, folders.
    memory : ExtractMemory
        What is remembered.
    deliveries : Deliveries
        Where files go.
    client : VipClient
        The API.
    downloads : Downloads
        The hosts of files.
    slots : asyncio.Semaphore
        ``parallel_files`` of them: files in flight, all extracts together.
    clock : callable
        Gives the time, aware UTC.
    progress : callable
        ``progress(what, done, total)`` in bytes.
    tell : callable
        Takes a sentence for whoever watches.
    saved : callable
        Takes the final state of every extract that is touched.
    """

    installation: Settings
    settings: VipSettings
    memory: ExtractMemory
    deliveries: Deliveries
    client: VipClient
    downloads: Downloads
    slots: asyncio.Semaphore
    clock: Clock
    progress: Progress
    tell: Tell
    saved: Saved

    async def save(self, extract: Extract) -> Extract:
        """Remember an extract before the next step begins, and return it."""
        await asyncio.to_thread(self.memory.save, extract)
        return extract

    def about(self, extract: Extract, sentence: str) -> None:
        """Tell a sentence about an extract."""
        self.tell(f"{extract.config_name} {extract.hour:%Y-%m-%d %H}:00: {sentence}")


def unheard(sentence: str) -> None:
    """Take a sentence that nobody wants to hear."""
    del sentence


def unseen(what: str, done: int, total: int) -> None:
    """Take a progress that nobody watches."""
    del what, done, total


def unkept(extract: Extract) -> None:
    """Take an extract that nobody wants to keep elsewhere."""
    del extract
