"""Write an object to S3 while its bytes are still coming in.

Here: one request for a small file, parts for a large one, how much memory all of them may take, and leaving
nothing behind where one fails.
Not here: how the client is opened (``s3_client``), what failures mean (``s3_errors``).

Memory: a file below ``part_mb`` is collected, and takes its size. A larger one has ``PARTS_OF_A_FILE`` parts
in memory: one is filled while another is sent. All files together stay below ``parallel_parts * part_mb``
(64 MiB), however many are written at once; those that do not fit wait before their first byte is asked for.
Only files above 160 GB take more, since their parts have to be larger.
A process that is killed leaves parts that nobody sees and AWS charges for: a lifecycle rule of the bucket
(AbortIncompleteMultipartUpload) removes them.
"""

from __future__ import annotations

import asyncio
import atexit
import time
from dataclasses import dataclass, field
from functools import cache, cached_property
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from weakref import WeakKeyDictionary

from metaplat.stores.chunk_source import ChunkSource
from metaplat.stores.objects import check_key
from metaplat.stores.s3_client import endpoint_of, open_s3
from metaplat.stores.s3_errors import obstore_failures, s3_error
from metaplat.stores.transfer_budget import TransferBudget

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from obstore.store import S3Store

    from metaplat.settings import S3Settings
    from metaplat.stores.s3_objects import S3Objects

MIB = 2**20
MOST_PARTS = 10_000
"""Of one upload: https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html"""

PARTS_OF_A_FILE = 2
"""Parts of one file in memory. More of them is no faster: what comes in comes over one connection."""

PART_SECONDS = 600.0
"""For one part, from its first byte to the answer."""

RETRY_SECONDS = 60.0
"""For so long a part is sent again; S3 that asks to slow down rarely means less than seconds."""

ABORT_SECONDS = 10.0
"""How long a cancelled upload may take to remove its parts."""

LAST_SECONDS = 0.1
"""What obstore's threads get to let go of the last chunks before Python ends."""


@dataclass(frozen=True)
class S3Streams:
    """Streams into the bucket of ``objects``.

    Parameters
    ----------
    objects : S3Objects
        The store.
    part_bytes : int
        Size of a part; smaller files go as one request.
    parallel_parts : int
        Parts in memory, all files together.
    largest : int
        Bytes that a file of unknown size may have at most.
    """

    objects: S3Objects
    part_bytes: int
    parallel_parts: int
    largest: int
    _budgets: WeakKeyDictionary[asyncio.AbstractEventLoop, TransferBudget] = field(
        default_factory=WeakKeyDictionary, repr=False, compare=False
    )

    @cached_property
    def client(self) -> S3Store:
        """The obstore client of uploads: patient, and without a digest of each part where that is safe."""
        settings = self.objects.settings
        return open_s3(
            self.objects.root,
            settings,
            keys=self.objects.keys,
            unsigned_payload=_may_go_unsigned(settings),
            timeout_seconds=PART_SECONDS,
            retry_seconds=RETRY_SECONDS,
        )

    async def write(self, key: str, chunks: AsyncIterator[bytes], size: int | None) -> int:
        """Write ``key``; it becomes visible with the end of ``chunks``, and never where they raise.

        Parameters
        ----------
        key : str
            Where to.
        chunks : async iterator of bytes
            The content; closed in any case. What it raises comes out unchanged.
        size : int or None
            How much it will be, as far as one knows.

        Returns
        -------
        int
            Bytes written.
        """
        source = ChunkSource(chunks)
        try:
            await self._write(check_key(key), source, size)
        finally:
            await source.close()
        return source.taken

    def part_for(self, size: int | None) -> int:
        """Return the size of the parts of a file: larger ones where it would need more than S3 takes."""
        least = -(-(self.largest if size is None else size) // MOST_PARTS)
        return max(self.part_bytes, -(-least // MIB) * MIB)

    async def _write(self, key: str, source: ChunkSource, size: int | None) -> None:
        part = self.part_for(size)
        small = size is not None and size < part
        async with self._budget().share(size if small and size is not None else part * self._width):
            if small or size is None:
                held = await source.gather(part)
                if source.ended:
                    await self._put_whole(key, held)
                    return
                source.put_back(held)
            await self._put_parts(key, source, part)

    @property
    def _width(self) -> int:
        return min(PARTS_OF_A_FILE, self.parallel_parts)

    async def _put_whole(self, key: str, held: list[bytes]) -> None:
        import obstore

        try:
            await obstore.put_async(self.client, key, held or b"", use_multipart=False)
        except obstore_failures() as error:
            raise s3_error(self.objects.system, f"write {key!r}", error) from None

    async def _put_parts(self, key: str, source: ChunkSource, part: int) -> None:
        """Send the parts; obstore removes them again where anything raises, but not where it is cancelled."""
        import obstore

        _end_gently()
        upload = asyncio.ensure_future(
            obstore.put_async(
                self.client, key, source, use_multipart=True, chunk_size=part, max_concurrency=self._width
            )
        )
        try:
            await asyncio.wait({upload})
        except asyncio.CancelledError:
            source.stop()
            await asyncio.wait({upload}, timeout=ABORT_SECONDS)
            if not upload.cancel():
                upload.exception()  # seen, so that asyncio does not complain that nobody looked
            raise
        failure = upload.exception()
        if source.problem is not None:
            raise source.problem
        if isinstance(failure, obstore_failures()):
            raise s3_error(self.objects.system, f"write {key!r}", failure) from None
        if failure is not None:
            raise failure

    def _budget(self) -> TransferBudget:
        loop = asyncio.get_running_loop()
        if loop not in self._budgets:
            self._budgets[loop] = TransferBudget(self.part_bytes * self.parallel_parts)
        return self._budgets[loop]


@cache
def _end_gently() -> None:
    """Make Python wait a moment before it ends.

    A thread of obstore that drops a chunk once Python is ending kills the process (SIGABRT), after all its
    work is done: https://github.com/PyO3/pyo3-async-runtimes/issues/40.
    """
    atexit.register(time.sleep, LAST_SECONDS)


def _may_go_unsigned(settings: S3Settings) -> bool:
    """Whether nobody between here and the store can change what is sent: TLS, or the same machine."""
    parts = urlsplit(endpoint_of(settings) or "https://amazonaws.com")
    return parts.scheme == "https" or parts.hostname in {"127.0.0.1", "::1", "localhost"}
