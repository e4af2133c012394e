"""Delivered files below a local folder.

Here: the store of deliveries on a disk.
Not here: streaming (``streamed_files``), listing many folders (``local_frames``), what is promised
(``deliveries``).
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from metaplat.stores.folder_contents import days_among, direct_children
from metaplat.stores.local_errors import MISSING, reading_error
from metaplat.stores.local_frames import local_listing
from metaplat.stores.local_objects import LocalObjects
from metaplat.stores.objects import check_inside
from metaplat.stores.streamed_files import LocalStreams

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from pathlib import Path

    import polars as pl

    from metaplat.model.landed import ObjectInfo


@dataclass(frozen=True)
class LocalDeliveries:
    """Files below ``root``, a folder that the first write creates.

    Parameters
    ----------
    root : Path
        The folder.
    """

    root: Path

    @property
    def address(self) -> str:
        """The folder."""
        return str(self.root)

    @cached_property
    def objects(self) -> LocalObjects:
        """The same folder as a store of small objects."""
        return LocalObjects(self.root)

    @cached_property
    def _streams(self) -> LocalStreams:
        return LocalStreams(self.root)

    def folder(self, folder: str) -> dict[str, ObjectInfo]:
        """Return what lies directly in a folder, by base name."""
        return direct_children(folder, self.objects.list_objects(folder))

    async def write(self, key: str, chunks: AsyncIterator[bytes], size: int | None) -> int:
        """Stream ``chunks`` into ``key`` and return how many bytes that were."""
        return await self._streams.write(key, chunks, size)

    def read_range(self, key: str, start: int, length: int) -> bytes:
        """Return up to ``length`` bytes from ``start``; KeyError without such a file."""
        try:
            with open(f"{self.root}/{check_inside(key)}", "rb") as file:  # noqa: PTH123
                return os.pread(file.fileno(), length, start)
        except OSError as error:
            if error.errno in MISSING:
                raise KeyError(key) from None
            raise reading_error(self.root, f"read {key!r}", error) from None

    def day_folders(self, prefix: str) -> list[str]:
        """Return the folders YYYYMMDD directly below a prefix, sorted."""
        return days_among(self.objects.list_folders(prefix, 1))

    def listing(self, folders: Sequence[str]) -> pl.DataFrame:
        """Return every file in and below ``folders``."""
        return local_listing(self.objects, folders)
