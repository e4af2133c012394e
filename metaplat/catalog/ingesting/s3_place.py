"""The objects below a prefix of an S3 bucket, or one object.

Here: listing page by page, 1,000 objects each, in the order of the keys.
Not here: reading objects (``collectors.headers.s3_source``), what failures mean (``stores.s3_errors``).
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from metaplat.catalog.ingesting.listing import FileEntry, Unlisted, is_left_out
from metaplat.collectors.spark.log_files.failures import as_source_error
from metaplat.model.errors import PermanentSourceError, PermanentStoreError, StoreError, UsageError
from metaplat.stores.s3_client import open_s3, shown_endpoint
from metaplat.stores.s3_errors import obstore_failures, s3_error
from metaplat.stores.s3_listing import S3Listing, info_of
from metaplat.stores.s3_odd_keys import OddKeys, is_odd

if TYPE_CHECKING:
    from collections.abc import Iterator

    from obstore.store import S3Store

    from metaplat.model.landed import ObjectInfo
    from metaplat.settings import Settings

PAGE = 1000
"""Keys that S3 gives at once."""


class S3Place:
    """Objects below ``s3://bucket/prefix``, or the one that this is.

    Parameters
    ----------
    bucket, prefix : str
        Where.
    settings : Settings
        How S3 is reached.
    """

    def __init__(self, bucket: str, prefix: str, settings: Settings) -> None:
        self._root, self._prefix, self._settings = f"s3://{bucket}", prefix.strip("/"), settings.s3
        self._done_suffix = settings.catalog.done_suffix
        self.unlisted: list[Unlisted] = []
        self.left_out = 0

    @property
    def address(self) -> str:
        """Bucket and prefix."""
        return f"{self._root}/{self._prefix}".rstrip("/")

    @cached_property
    def below(self) -> str | None:
        """The address with a slash; None where it is the address of an object and of no folder."""
        try:
            if self._prefix and not any(True for _ in self._listed()) and self._object() is not None:
                return None
        except StoreError as error:
            if isinstance(error, PermanentStoreError) and self._object() is not None:
                return None  # who may not list may read one object
            raise as_source_error(error) from None
        return f"{self.address}/"

    def is_there(self, path: str) -> bool:
        """Whether the object exists: S3 lists completely, so only names that were left out may be there."""
        below = path.removeprefix(f"{self.address}/")
        return any(is_left_out(part) for part in below.split("/"))

    def __iter__(self) -> Iterator[FileEntry]:
        """Yield the objects in the order of their keys."""
        self.unlisted, self.left_out = [], 0
        if self.below is None:
            only = self._object()
            if only is None:
                raise UsageError(f"{self.address}: there is no such object any more")
            yield self._entry(only)
            return
        last, found = "", False
        try:
            for info in self._listed():
                found = True
                if info.key <= last:
                    raise self._disordered()
                last = info.key
                if not self._is_passed_over(info):
                    yield self._entry(info)
            if not found:  # make sure that it is S3 that says so
                S3Listing(self._client, self._system, 1, self._odd).plain([self._folder])
        except StoreError as error:
            raise as_source_error(error) from None

    @property
    def _folder(self) -> str:
        return f"{self._prefix}/" if self._prefix else ""

    @property
    def _system(self) -> str:
        return f"{self.address} at {shown_endpoint(self._settings)}"

    @cached_property
    def _client(self) -> S3Store:
        try:
            return open_s3(self._root, self._settings)
        except StoreError as error:
            raise as_source_error(error) from None

    @cached_property
    def _odd(self) -> OddKeys:
        return OddKeys(self._root, self._system, self._settings)

    def _entry(self, info: ObjectInfo) -> FileEntry:
        mtime_ns = int(info.modified.timestamp()) * 10**9 + info.modified.microsecond * 1000
        return FileEntry(f"{self._root}/{info.key}", info.size, mtime_ns, info.etag or None)

    def _listed(self) -> Iterator[ObjectInfo]:
        from obstore.exceptions import InvalidPathError

        last = ""
        try:
            for page in self._client.list(self._folder or None, chunk_size=PAGE):
                for meta in page:
                    last = meta["path"]
                    yield info_of(meta)
        except InvalidPathError:  # a key that obstore does not accept ends its listing
            yield from (info for info in self._odd.list_objects(self._folder) if info.key > last)
        except obstore_failures() as error:
            raise s3_error(self._system, f"list {self._folder!r}", error) from None

    def _object(self) -> ObjectInfo | None:
        """Return the object that the address itself is; None where there is none."""
        if not self._prefix:
            return None
        try:
            return (
                self._odd.info(self._prefix)
                if is_odd(self._prefix)
                else info_of(self._client.head(self._prefix))
            )
        except FileNotFoundError:
            return None
        except obstore_failures() as error:
            raise as_source_error(s3_error(self._system, f"look up {self._prefix!r}", error)) from None

    def _is_passed_over(self, info: ObjectInfo) -> bool:
        """Whether an object is hidden, on delivery, or no object but the mark of a folder."""
        below = info.key[len(self._folder) :]
        if any(is_left_out(part) for part in below.split("/") if part):
            self.left_out += 1
            return True
        is_done_mark = self._done_suffix is not None and info.key.endswith(self._done_suffix)
        return info.size == 0 and not is_done_mark and self._is_marker(info.key)

    def _is_marker(self, key: str) -> bool:
        """Whether there is no such object: an empty one ``folder/`` is listed as ``folder``."""
        if is_odd(key):
            return key.endswith("/")
        try:
            self._client.head(key)
        except FileNotFoundError:
            return True
        except obstore_failures() as error:
            raise s3_error(self._system, f"look up {key!r}", error) from None
        return False

    def _disordered(self) -> PermanentSourceError:
        return PermanentSourceError(
            self._system,
            "list it",
            "the keys do not come in their order",
            "Use a general purpose bucket, or an S3 service that lists in order.",
        )
