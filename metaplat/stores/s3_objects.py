"""Objects in an S3 bucket, by obstore.

Here: reading and writing, many requests at a time where there are many objects.
Not here: how the client is opened (``s3_client``), listing (``s3_listing``), what failures mean
(``s3_errors``), keys that obstore refuses (``s3_odd_keys``).
"""

from __future__ import annotations

from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from metaplat.stores.objects import check_key
from metaplat.stores.s3_client import open_s3, shown_endpoint
from metaplat.stores.s3_errors import is_missing_object, obstore_failures, s3_error
from metaplat.stores.s3_listing import S3Listing, info_of
from metaplat.stores.s3_odd_keys import OddKeys, is_odd

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from obstore.store import S3Store

    from metaplat.model.landed import ObjectInfo
    from metaplat.settings import S3Settings
    from metaplat.stores.s3_client import AccessKeys

AHEAD_BYTES = 256 * 2**20
"""What ``get_many`` may hold in objects fetched ahead, all together."""


@dataclass(frozen=True)
class S3Objects:
    """Objects below ``s3://bucket/prefix``. Nothing is opened before the first request.

    Parameters
    ----------
    root : str
        The address.
    settings : S3Settings
        Section ``[s3]``.
    keys : AccessKeys or None
        Used in place of the AWS chain.
    """

    root: str
    settings: S3Settings
    keys: AccessKeys | None = None

    @property
    def address(self) -> str:
        """The address, without a slash at the end."""
        return self.root.rstrip("/")

    @property
    def system(self) -> str:
        """Address and endpoint, as errors name them."""
        return f"{self.address} at {shown_endpoint(self.settings)}"

    @cached_property
    def client(self) -> S3Store:
        """The obstore client."""
        return open_s3(self.root, self.settings, keys=self.keys)

    @cached_property
    def odd(self) -> OddKeys:
        """Access to keys that obstore refuses."""
        return OddKeys(self.address, self.system, self.settings, self.keys)

    @cached_property
    def listing(self) -> S3Listing:
        """Listing, many requests at a time."""
        return S3Listing(self.client, self.system, self.settings.parallel_requests, self.odd)

    def get(self, key: str) -> bytes:
        """Return the content of ``key``; raises KeyError where there is no such object."""
        content = self._read(key, None)
        if content is None:
            raise KeyError(key)
        return content

    def get_many(
        self, keys: Sequence[str], max_bytes: int | None = None
    ) -> Iterator[tuple[str, bytes | None]]:
        """Yield contents in order, ``parallel_requests`` at a time.

        Objects too large to be held beside all others are read when their turn comes.
        """
        width = min(self.settings.parallel_requests, len(keys)) or 1
        share = AHEAD_BYTES // width
        waiting: deque[tuple[str, Future[bytes | int | None]]] = deque()
        pool = ThreadPoolExecutor(width, thread_name_prefix="s3-get")
        try:
            for key in keys:
                waiting.append((key, pool.submit(self._read_ahead, key, max_bytes, share)))
                if len(waiting) >= width:
                    yield self._arrived(*waiting.popleft(), max_bytes)
            while waiting:
                yield self._arrived(*waiting.popleft(), max_bytes)
        finally:
            pool.shutdown(cancel_futures=True)

    def put(self, key: str, content: bytes) -> ObjectInfo:
        """Replace ``key``; a large object is uploaded in parts and appears with the last of them."""
        check_key(key)
        try:
            self.client.put(key, content)
            return info_of(self.client.head(key))
        except obstore_failures() as error:
            raise s3_error(self.system, f"write {key!r}", error) from None

    def delete(self, key: str) -> None:
        """Remove ``key``."""
        if is_odd(key):
            self.odd.delete(key)
            return
        try:
            self.client.delete(key)
        except obstore_failures() as error:
            if not is_missing_object(error):
                raise s3_error(self.system, f"delete {key!r}", error) from None

    def info(self, key: str) -> ObjectInfo | None:
        """Return size, time and etag of ``key``, or None."""
        if is_odd(key):
            return self.odd.info(key)
        try:
            return info_of(self.client.head(key))
        except FileNotFoundError:  # without saying whether the object, the bucket or the service is missing
            self._read(key, 0)
            return None
        except obstore_failures() as error:
            raise s3_error(self.system, f"look up {key!r}", error) from None

    def list_objects(self, prefix: str = "") -> list[ObjectInfo]:
        """Return all objects whose key starts with ``prefix``, sorted by key."""
        return self.listing.plain([prefix])[prefix]

    def list_prefixes(self, prefixes: Sequence[str]) -> dict[str, list[ObjectInfo]]:
        """Return ``list_objects`` for many prefixes, ``parallel_requests`` at a time."""
        return self.listing.plain(prefixes)

    def list_tree(self, prefix: str) -> list[ObjectInfo]:
        """Return ``list_objects`` of a prefix ending in ``/``, its folders side by side."""
        return self.listing.tree(prefix)

    def list_folders(self, prefix: str, depth: int) -> list[str]:
        """Return the folders ``depth`` levels below ``prefix``, one request a folder above them."""
        return self.listing.folders(prefix, depth)

    def _read(self, key: str, max_bytes: int | None) -> bytes | None:
        content = self._read_ahead(key, max_bytes, None)
        assert not isinstance(content, int)  # noqa: S101  # only where a share is given
        return content

    def _read_ahead(self, key: str, max_bytes: int | None, share: int | None) -> bytes | int | None:
        """Content, or None where it is gone or too large, or the size where it exceeds ``share``."""
        if is_odd(key):
            return self.odd.get(key, max_bytes)
        try:
            answer = self.client.get(key)
            size = answer.meta["size"]
            if max_bytes is not None and size > max_bytes:
                return None
            return size if share is not None and size > share else bytes(answer.bytes())
        except obstore_failures() as error:
            if is_missing_object(error):
                return None
            raise s3_error(self.system, f"read {key!r}", error) from None

    def _arrived(
        self, key: str, content: Future[bytes | int | None], max_bytes: int | None
    ) -> tuple[str, bytes | None]:
        found = content.result()
        return key, self._read(key, max_bytes) if isinstance(found, int) else found
