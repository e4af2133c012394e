"""Write a file below a folder while its bytes are still coming in.

Here: writing beside the place, to the disk, and renaming; one thread a file, so that its steps keep their
order also where the task that waits for them is cancelled.
Not here: small objects (``local_objects``), names of temporary files (``local_writing``), what failures mean
(``local_errors``).
A file is flushed to the disk before it gets its name: what is told to be delivered is not fetched again.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, BinaryIO

from metaplat.stores.chunk_source import BLOCK_BYTES, ChunkSource
from metaplat.stores.local_errors import writing_error
from metaplat.stores.local_writing import TEMPORARY, sweep
from metaplat.stores.objects import check_key

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

SUFFIX = ".part"
YOUNG_SECONDS = 0.2
"""A file that young may have a writer who is just about to lock it."""


@dataclass(frozen=True)
class LocalStreams:
    """Streams into files below ``root``.

    Parameters
    ----------
    root : Path
        The folder.
    """

    root: Path
    _swept: set[str] = field(default_factory=set, repr=False, compare=False)

    async def write(self, key: str, chunks: AsyncIterator[bytes], size: int | None) -> int:
        """Write ``key``; as ``S3Streams.write``."""
        del size  # a disk takes any size in the same way
        source = ChunkSource(chunks)
        try:
            await _follow(_Draft(self.root, check_key(key), self._swept), source)
        finally:
            await source.close()
        return source.taken


async def _follow(draft: _Draft, source: ChunkSource) -> None:
    loop = asyncio.get_running_loop()
    with ThreadPoolExecutor(1, thread_name_prefix="deliver") as hand:
        try:
            await loop.run_in_executor(hand, draft.begin)
            while not source.ended:
                block = await source.gather(BLOCK_BYTES)
                await loop.run_in_executor(hand, draft.write, block)
            await loop.run_in_executor(hand, draft.publish)
        finally:
            hand.submit(draft.discard)


class _Draft:
    """A file on its way: written under a name that is never listed, then renamed."""

    def __init__(self, root: Path, key: str, swept: set[str]) -> None:
        self._root, self._key, self._swept = root, key, swept
        self._path = f"{root}/{key}"
        self._folder = self._path[: self._path.rfind("/")]
        self._temporary = f"{self._folder}/.{uuid.uuid4().hex}{SUFFIX}"
        self._file: BinaryIO | None = None

    def begin(self) -> None:
        """Create the folder and the temporary file, and remove what killed writers left beside it."""
        try:
            os.makedirs(self._folder, exist_ok=True)  # noqa: PTH103
            if self._folder not in self._swept:
                self._swept.add(self._folder)
                sweep(self._folder)
                _sweep_dead(self._folder)
            self._file = open(self._temporary, "xb")  # noqa: PTH123, SIM115  # closed by publish or discard
            fcntl.flock(self._file, fcntl.LOCK_EX)  # for as long as its writer lives
        except OSError as error:
            raise writing_error(self._root, f"write {self._key!r}", error) from None

    def write(self, block: list[bytes]) -> None:
        """Append a block."""
        assert self._file is not None  # noqa: S101  # begun
        try:
            self._file.writelines(block)
        except OSError as error:
            raise writing_error(self._root, f"write {self._key!r}", error) from None

    def publish(self) -> None:
        """Give the file its name, once the disk holds all of it."""
        assert self._file is not None  # noqa: S101  # begun
        try:
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()
            os.replace(self._temporary, self._path)  # noqa: PTH105
        except OSError as error:
            raise writing_error(self._root, f"write {self._key!r}", error) from None

    def discard(self) -> None:
        """Remove what was not published."""
        with suppress(OSError):
            if self._file is not None:
                self._file.close()
        with suppress(OSError):
            os.unlink(self._temporary)  # noqa: PTH108


def _sweep_dead(folder: str) -> None:
    """Remove the unfinished files of killed writers: nobody holds their lock."""
    oldest = time.time() - YOUNG_SECONDS
    with os.scandir(folder) as entries:
        names = [entry.path for entry in entries if TEMPORARY.fullmatch(entry.name)]
    for path in names:
        if not path.endswith(SUFFIX):
            continue
        with suppress(OSError), open(path, "rb") as file:  # noqa: PTH123  # its writer lives, or it is gone
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.fstat(file.fileno()).st_mtime < oldest:
                os.unlink(path)  # noqa: PTH108
