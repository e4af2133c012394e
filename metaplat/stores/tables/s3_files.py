"""The files of a table on S3.

Here: listing, and reading parts of objects, of the listed writing only.
Not here: how the client is opened (``s3_client``), listing page by page (``s3_listing``), what failures mean
(``s3_errors``).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC
from functools import cached_property
from typing import TYPE_CHECKING

from metaplat.model.errors import PermanentStoreError, TransientStoreError
from metaplat.stores.s3_client import open_s3, shown_endpoint
from metaplat.stores.s3_errors import is_missing_object, obstore_failures, s3_error
from metaplat.stores.s3_listing import S3Listing
from metaplat.stores.s3_odd_keys import OddKeys, is_odd

if TYPE_CHECKING:
    from collections.abc import Sequence

    from obstore.store import S3Store

    from metaplat.model.landed import ObjectInfo
    from metaplat.settings import S3Settings

NEAR_BYTES = 8 * 2**20
"""Bytes between two ranges that cost less to fetch than another request."""

ONE_REQUEST_BYTES = 64 * 2**20
"""What one request may bring at most, where several ranges would be merged into it."""


@dataclass(frozen=True)
class S3TableFiles:
    """Objects below ``address``, ``s3://bucket/prefix``; one rewritten since it was listed counts as gone."""

    address: str
    settings: S3Settings

    @property
    def parallel(self) -> int:
        """As many requests as the settings allow."""
        return self.settings.parallel_requests

    @property
    def _system(self) -> str:
        return f"{self.address} at {shown_endpoint(self.settings)}"

    @cached_property
    def _client(self) -> S3Store:
        return open_s3(self.address, self.settings)

    @cached_property
    def _odd(self) -> OddKeys:
        return OddKeys(self.address, self._system, self.settings)

    @cached_property
    def _listing(self) -> S3Listing:
        return S3Listing(self._client, self._system, self.settings.parallel_requests, self._odd)

    def list_objects(self) -> list[ObjectInfo]:
        """Return every object on any level, by key."""
        found = self._list("")
        if not found:
            raise PermanentStoreError(
                self._system,
                "list a table's files",
                "there is no object below it",
                "Correct the location of the table.",
            )
        return found

    def list_folder(self, folder: str) -> list[ObjectInfo]:
        """Return the objects below one folder of the location; may be empty."""
        return self._list(f"{folder.rstrip('/')}/")

    def _list(self, prefix: str) -> list[ObjectInfo]:
        """List a prefix; the times of odd keys come in the zone of this machine."""
        return [
            info if info.modified.tzinfo is UTC else info._replace(modified=info.modified.astimezone(UTC))
            for info in self._listing.plain([prefix])[prefix]
        ]

    def local_path(self, info: ObjectInfo) -> None:
        """None: the object is not a local file."""
        del info

    def read_tail(self, info: ObjectInfo, size: int) -> bytes:
        """Return the last ``size`` bytes."""
        return self._read(info, max(0, info.size - size), info.size)

    def read_ranges(self, info: ObjectInfo, ranges: Sequence[tuple[int, int]]) -> list[bytes]:
        """Return the bytes of each range (start, end), near ones in one request."""
        found: dict[tuple[int, int], bytes] = {}
        for near in merge_ranges(ranges):
            first, last = near[0][0], max(end for _, end in near)
            content = self._read(info, first, last)
            found.update({(start, end): content[start - first : end - first] for start, end in near})
        return [found[wanted] for wanted in ranges]

    def _read(self, info: ObjectInfo, start: int, end: int) -> bytes:
        if start == end:
            return b""  # S3 refuses a range without bytes
        if is_odd(info.key):
            return self._read_odd(info)[start:end]
        from obstore.exceptions import PreconditionError

        try:
            answer = self._client.get(info.key, options={"range": (start, end), "if_match": f'"{info.etag}"'})
            content = bytes(answer.bytes())
        except PreconditionError:
            raise KeyError(info.key) from None
        except obstore_failures() as error:
            if is_missing_object(error):
                raise KeyError(info.key) from None
            raise s3_error(self._system, f"read {info.key!r}", error) from None
        if len(content) != end - start:
            raise TransientStoreError(
                self._system,
                f"read {info.key!r}",
                f"{len(content)} bytes came instead of {end - start}",
                "Check any proxy between here and S3.",
            )
        return content

    def _read_odd(self, info: ObjectInfo) -> bytes:
        """Read an object whose key obstore does not accept: rare, and therefore whole."""
        now = self._odd.info(info.key)
        content = self._odd.get(info.key, None) if now and now.identity == info.identity else None
        if content is None or len(content) != info.size:
            raise KeyError(info.key)
        return content


def merge_ranges(ranges: Sequence[tuple[int, int]]) -> list[list[tuple[int, int]]]:
    """Return ranges in groups, each to be read in one request; by start."""
    groups: list[list[tuple[int, int]]] = []
    reached = 0
    for start, end in sorted(set(ranges)):
        if groups and start - reached < NEAR_BYTES and end - groups[-1][0][0] <= ONE_REQUEST_BYTES:
            groups[-1].append((start, end))
        else:
            groups.append([(start, end)])
            reached = end
        reached = max(reached, end)
    return groups
