"""The bytes of an object on S3, by two range requests at most.

Here: the first block, one further stretch, and what failures mean for the file or for S3 as a whole.
Not here: files on this machine (``local_source``), listing, formats.
The second request names the ETag of the first, so that nothing is pieced together from two contents
(https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html, Range and If-Match).
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from metaplat.collectors.headers.header import FIRST_BLOCK, HeaderError
from metaplat.collectors.spark.log_files.failures import as_source_error
from metaplat.stores.s3_errors import is_missing_object, obstore_failures, s3_error
from metaplat.stores.s3_odd_keys import OddKeys, is_odd

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from obstore import GetOptions
    from obstore.store import S3Store

    from metaplat.settings.sections import S3Settings

JUMP_BYTES = 1 << 20
"""Read by a second request that leaves out what lies between: the header of a further part."""

_PART = 1 << 20
_DENIED = frozenset({"HTTP 403", "HTTP 403 AccessDenied", "HTTP 401", "HTTP 401 AccessDenied"})
_ARCHIVED = "HTTP 403 InvalidObjectState"
_EMPTY = "HTTP 416"


class S3Objects:
    """The objects of one bucket, to read headers from; used by many threads.

    Parameters
    ----------
    bucket : str
        Its name.
    settings : S3Settings
        How S3 is reached.
    far_bytes : int
        Most that a second request reads.

    Raises
    ------
    SourceError
        No credentials are found.
    """

    def __init__(self, bucket: str, settings: S3Settings, far_bytes: int) -> None:
        from metaplat.model.errors import StoreError
        from metaplat.stores.s3_client import open_s3, shown_endpoint

        root = f"s3://{bucket}"
        self.root, self.far_bytes = root, far_bytes
        self._system = f"{root} at {shown_endpoint(settings)}"
        self._odd = OddKeys(root, self._system, settings)
        try:
            self._client: S3Store = open_s3(root, settings)
        except StoreError as error:
            raise as_source_error(error) from None

    def open(self, key: str, size: int, etag: str | None, modified: datetime) -> S3Source:
        """Return the object under ``key``, its first block read.

        Parameters
        ----------
        key : str
            Its key.
        size, etag, modified
            As listed; what the first answer says stands instead.

        Raises
        ------
        HeaderError
            It is gone, or may not be read.
        SourceError
            S3 as a whole does not answer, or refuses this identity.
        """
        return S3Source(self, key, size, etag, modified)

    def get(self, key: str, start: int, length: int, etag: str | None) -> tuple[bytes, int, str, datetime]:
        """Return bytes of an object, and its size, ETag and time; raises as ``open``."""
        options: GetOptions = {"range": (start, start + length)}
        if etag:
            options["if_match"] = f'"{etag}"'
        try:
            answer = self._client.get(key, options=options)
            part, meta = bytes(answer.bytes()), answer.meta
        except obstore_failures() as error:
            raise self.failure(key, error) from None
        return part, meta["size"], (meta["e_tag"] or "").strip('"'), meta["last_modified"]

    def stream(self, key: str, etag: str) -> Iterator[bytes]:
        """Yield all bytes of an object, as long as it is the writing of this ETag; raises as ``open``."""
        if is_odd(key):
            yield self.whole(key)
            return
        try:
            for part in self._client.get(key, options={"if_match": f'"{etag}"'}).stream(_PART):
                yield bytes(part)
        except obstore_failures() as error:
            raise self.failure(key, error) from None

    def whole(self, key: str) -> bytes:
        """Return an object whose key obstore does not accept: rare, and therefore read whole."""
        from metaplat.model.errors import StoreError

        try:
            content = self._odd.get(key, self.far_bytes)
            there = content is not None or self._odd.info(key) is not None
        except StoreError as error:
            if error.answer in _DENIED:
                raise HeaderError("not_allowed", "permission denied") from None
            raise as_source_error(error) from None
        if content is None:
            code, text = ("out_of_reach", "its key must be read whole, and it is too long for that")
            raise HeaderError(code, text) if there else HeaderError("gone", "it is no longer there")
        return content

    def failure(self, key: str, error: Exception) -> Exception:
        """Return what a failure means: of this object, or of S3 as a whole."""
        from obstore.exceptions import PreconditionError

        if is_missing_object(error):
            return HeaderError("gone", "it is no longer there")
        if isinstance(error, PreconditionError):
            return HeaderError("changed", "it was written anew while it was read")
        failed = s3_error(self._system, f"read {key!r}", error)
        if failed.answer in _DENIED:
            return HeaderError("not_allowed", "permission denied")
        if failed.answer == _ARCHIVED:
            return HeaderError("not_allowed", "it is in an archive tier; restore it first")
        if failed.answer.startswith(_EMPTY):
            return HeaderError("empty", "the file has no bytes")
        return as_source_error(failed)


class S3Source:
    """One object; opened by ``S3Objects.open``.

    Attributes
    ----------
    size, etag, modified
        Of the content that is read.
    first : bytes
        The first block.
    """

    __slots__ = ("_far", "_far_start", "_key", "_objects", "etag", "first", "modified", "size")

    def __init__(self, objects: S3Objects, key: str, size: int, etag: str | None, modified: datetime) -> None:
        self._objects, self._key = objects, key
        self.size, self.etag, self.modified = size, etag, modified.astimezone(UTC)
        self.first, self._far, self._far_start = b"", b"", 0
        if is_odd(key):
            self.first = objects.whole(key)
            self.size = len(self.first)
        elif size:
            self.first, self.size, self.etag, self.modified = objects.get(key, 0, FIRST_BLOCK, None)

    @property
    def path(self) -> Path | None:
        """None: it is nowhere on this machine."""
        return None

    def read(self, offset: int, length: int) -> bytes:
        """Return up to ``length`` bytes from ``offset``; the second request is made once.

        Raises
        ------
        HeaderError
            ``out_of_reach`` (a third request, or one too long, would be needed), ``changed``, ``gone``.
        """
        end = min(offset + length, self.size)
        if offset >= end:
            return b""
        if end <= len(self.first):
            return self.first[offset:end]
        if not self._far:
            self._fetch(offset, end)
        start = self._far_start
        near = self.first[offset:start]
        if offset + len(near) < start or end > start + len(self._far):
            raise self._out_of_reach(offset)
        return near + self._far[max(offset, start) - start : end - start]

    def _fetch(self, offset: int, end: int) -> None:
        """Read the second stretch: on from the first block where that is what is wanted, else a jump."""
        start = max(offset, len(self.first))
        goes_on = offset <= len(self.first)
        wanted = self._objects.far_bytes if goes_on else max(end - start, JUMP_BYTES)
        if end - start > self._objects.far_bytes:
            raise self._out_of_reach(offset)
        wanted = min(wanted, self._objects.far_bytes, self.size - start)
        self._far = self._objects.get(self._key, start, wanted, self.etag)[0]
        self._far_start = start

    def _out_of_reach(self, offset: int) -> HeaderError:
        return HeaderError(
            "out_of_reach", f"what is needed at byte {offset:,} would take a third request to S3"
        )
