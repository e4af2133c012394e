"""Fresh addresses for files whose old ones have expired, from the list of the same job.

Here: one question for all files that need it at the same time.
Not here: noticing that an address has expired (``collectors.vip.download``).
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from metaplat.collectors.vip.safe_files import sort_out

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from metaplat.collectors.vip.signed_file import SignedFile
    from metaplat.model.extract import Extract, PromisedFile
    from metaplat.vip.pulling.bench import Bench


class Addresses:
    """The newest addresses of the files of one job.

    Parameters
    ----------
    bench : Bench
        Its client is asked.
    extract : Extract
        Whose job.
    safe : sequence of SignedFile
        What was listed and is safe to fetch.
    """

    def __init__(self, bench: Bench, extract: Extract, safe: Sequence[SignedFile]) -> None:
        self._bench, self._extract = bench, extract
        self._newest: dict[PromisedFile, SignedFile] = {each.promised: each for each in safe}
        self._asking = asyncio.Lock()

    def newest(self, promised: PromisedFile) -> SignedFile | None:
        """Return a file with its newest address; None where it is not listed."""
        return self._newest.get(promised)

    def renewer(self, file: SignedFile) -> Callable[[], Awaitable[SignedFile | None]]:
        """Return what gives ``file`` another address than the one it has had last.

        That is None where the job lists it no more, or otherwise. What it raises is what the client raises.
        """
        held = file

        async def renew() -> SignedFile | None:
            nonlocal held
            async with self._asking:
                newest = self._newest.get(file.promised)
                if newest is not None and newest.url == held.url:  # nobody has asked since
                    await self._ask()
                    newest = self._newest.get(file.promised)
            held = newest or held
            return newest

        return renew

    async def _ask(self) -> None:
        self._bench.about(self._extract, "addresses of files have expired; asking for new ones")
        listed = await self._bench.client.files(str(self._extract.job_guid))
        if listed:
            safe = sort_out(listed, self._bench.settings).safe
            self._newest = {each.promised: each for each in safe}
