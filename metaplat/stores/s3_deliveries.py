"""Delivered files in an S3 bucket.

Here: the store of deliveries on S3.
Not here: streaming (``streamed_s3``), listing many folders (``s3_frames``), what is promised
(``deliveries``).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from metaplat.stores.folder_contents import days_among, direct_children
from metaplat.stores.s3_errors import is_missing_object, obstore_failures, s3_error
from metaplat.stores.s3_frames import S3Frames
from metaplat.stores.s3_odd_keys import is_odd
from metaplat.stores.streamed_s3 import S3Streams

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    import polars as pl

    from metaplat.model.landed import ObjectInfo
    from metaplat.settings import VipSettings
    from metaplat.stores.s3_objects import S3Objects

_PAST_THE_END = re.compile(r"status code: 416")


@dataclass(frozen=True)
class S3Deliveries:
    """Files below ``s3://bucket/prefix``.

    Parameters
    ----------
    objects : S3Objects
        The same place as a store of small objects.
    settings : VipSettings
        Section ``[vip]``: sizes of parts, and how many requests at a time.
    """

    objects: S3Objects
    settings: VipSettings

    @property
    def address(self) -> str:
        """The address, without a slash at the end."""
        return self.objects.address

    @cached_property
    def _streams(self) -> S3Streams:
        limits = self.settings
        largest = int(limits.max_file_gb * 2**30)
        return S3Streams(self.objects, limits.part_mb * 2**20, limits.parallel_parts, largest)

    def folder(self, folder: str) -> dict[str, ObjectInfo]:
        """Return what lies directly in a folder, by base name."""
        return direct_children(folder, self.objects.list_objects(folder))

    async def write(self, key: str, chunks: AsyncIterator[bytes], size: int | None) -> int:
        """Stream ``chunks`` into ``key`` and return how many bytes that were."""
        return await self._streams.write(key, chunks, size)

    def read_range(self, key: str, start: int, length: int) -> bytes:
        """Return up to ``length`` bytes from ``start``; KeyError without such a file."""
        if is_odd(key) or length == 0:
            return self.objects.get(key)[start : start + length]
        try:
            return bytes(self.objects.client.get_range(key, start=start, length=length))
        except obstore_failures() as error:
            if is_missing_object(error):
                raise KeyError(key) from None
            if _PAST_THE_END.search(str(error)):
                return b""
            raise s3_error(self.objects.system, f"read {key!r}", error) from None

    def day_folders(self, prefix: str) -> list[str]:
        """Return the folders YYYYMMDD directly below a prefix, sorted."""
        return days_among(self.objects.list_folders(prefix, 1))

    def listing(self, folders: Sequence[str]) -> pl.DataFrame:
        """Return every file in and below ``folders``."""
        return S3Frames(self.objects, self.settings.parallel_listings).listing(folders)
