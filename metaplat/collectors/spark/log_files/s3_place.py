"""Event logs below a prefix of an S3 bucket, or one that is an object.

Here: listing page by page in the order of the keys, and reading objects in parts.
Not here: which objects make up a log (``layout``), what a failure of S3 means (``stores.s3_errors``).

Keys come in order, so that a folder is complete once a key outside of it comes: only the parts of logs in
folders that are still open are kept, and at most ``FEW_TEXTS`` text files of each.
"""

from __future__ import annotations

from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING

from metaplat.collectors.spark.log_files.failures import as_source_error, gone
from metaplat.collectors.spark.log_files.layout import Folder, single_log
from metaplat.collectors.spark.log_files.log import LogFile
from metaplat.collectors.spark.log_files.names import FEW_TEXTS, ROLLING_FOLDER, Kind, is_hidden, kind_of
from metaplat.model.errors import PermanentSourceError, PermanentStoreError, StoreError
from metaplat.settings.sections import S3Settings
from metaplat.stores.s3_client import endpoint_of, open_s3, region_of, shown_endpoint
from metaplat.stores.s3_errors import is_missing_object, obstore_failures, s3_error
from metaplat.stores.s3_listing import S3Listing, info_of
from metaplat.stores.s3_odd_keys import OddKeys, is_odd

if TYPE_CHECKING:
    from collections.abc import Iterator

    from obstore.store import S3Store

    from metaplat.collectors.collector import CollectRequest
    from metaplat.collectors.spark.log_files.log import EventLog
    from metaplat.model.landed import ObjectInfo

PART_BYTES = 4 << 20
"""Asked for at once; an answer must come whole within the time limit."""

AHEAD = 2
"""Parts fetched while one is unpacked and read."""

ODD_BYTES = 256 << 20
"""Largest object that is read whole, where its key leaves no other way."""


@dataclass
class _Open:
    """A folder of which more keys may come: parts of logs, and text files as long as they are few."""

    prefix: str
    folder: Folder
    texts: list[LogFile] = field(default_factory=list)
    text_count: int = 0


class S3Place:
    """Event logs below ``s3://bucket/prefix``.

    Parameters
    ----------
    bucket, prefix : str
        The prefix is a folder, or the key of one object.
    request : CollectRequest
        Its settings say how S3 is reached; it is told what cannot be read.
    """

    def __init__(self, bucket: str, prefix: str, request: CollectRequest) -> None:
        self._root, self._prefix = f"s3://{bucket}", prefix.strip("/")
        self._request, self._settings = request, request.settings.s3
        self._unopened = 0

    @property
    def address(self) -> str:
        """Bucket and prefix."""
        return f"{self._root}/{self._prefix}".rstrip("/")

    def logs(self) -> Iterator[EventLog]:
        """Yield the logs in the order of their keys, a rolling one at the end of its folder."""
        self._unopened, is_empty = 0, True
        for log in self._grouped(self._entries()):
            is_empty = False
            yield log
        if self._unopened:
            self._request.warn(
                f"{self.address}: {self._unopened:,} objects named like .json, .log or .txt were not opened; "
                "name one by its own address if it is an event log"
            )
        elif is_empty:
            self._request.warn(f"{self.address}: no event logs there")

    def read(self, file: LogFile, offset: int = 0) -> Iterator[bytes]:
        """Yield the bytes of the object from ``offset``, of the writing that was listed."""
        key = file.address.removeprefix(f"{self._root}/")
        if is_odd(key):
            yield from self._read_odd(key, file, offset)
            return
        starts = iter(range(offset, file.size, PART_BYTES))
        waiting: deque[Future[bytes]] = deque()
        pool = ThreadPoolExecutor(AHEAD, thread_name_prefix="s3-read")
        try:
            for start in starts:
                waiting.append(pool.submit(self._part, key, file, start))
                if len(waiting) > AHEAD:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            pool.shutdown(cancel_futures=True)

    @property
    def _system(self) -> str:
        return f"{self.address} at {shown_endpoint(self._settings)}"

    @cached_property
    def _client(self) -> S3Store:
        settings = self._settings
        try:
            return _open(self._root, settings.model_dump_json(), endpoint_of(settings), region_of(settings))
        except StoreError as error:
            raise as_source_error(error) from None

    @cached_property
    def _odd(self) -> OddKeys:
        return OddKeys(self._root, self._system, self._settings)

    def _entries(self) -> Iterator[ObjectInfo]:
        """Yield everything below the prefix that may be looked at; else the object that it is."""
        folder, found, only = f"{self._prefix}/" if self._prefix else "", False, None
        try:
            for info in self._listed(folder):
                found = True
                if info.key != self._prefix:  # not the mark of the folder itself
                    yield info
            if not found:  # make sure that it is S3 that says so
                S3Listing(self._client, self._system, 1, self._odd).plain([folder])
                only = self._object()
        except StoreError as error:
            if not found and isinstance(error, PermanentStoreError):
                only = self._object()  # who may not list may read one object
            if only is None:
                raise as_source_error(error) from None
        if only is not None:
            yield only

    def _listed(self, folder: str) -> Iterator[ObjectInfo]:
        if self._request.settings.spark.recursive:
            yield from self._tree(folder)
            return
        try:
            level = self._client.list_with_delimiter(folder or None)
        except obstore_failures() as error:
            raise s3_error(self._system, f"list {folder!r}", error) from None
        yield from map(info_of, level["objects"])
        for name in level["common_prefixes"]:
            if name.rpartition("/")[2].startswith(ROLLING_FOLDER):
                yield from self._tree(f"{name}/")

    def _tree(self, folder: str) -> Iterator[ObjectInfo]:
        from obstore.exceptions import InvalidPathError

        last = ""
        try:
            for page in self._client.list(folder or None, chunk_size=1000):
                for meta in page:
                    last = meta["path"]
                    yield info_of(meta)
        except InvalidPathError:  # a key that obstore does not accept ends its listing
            yield from (info for info in self._odd.list_objects(folder) if info.key > last)
        except obstore_failures() as error:
            raise s3_error(self._system, f"list {folder!r}", error) from None

    def _object(self) -> ObjectInfo | None:
        """Return the object that the address itself is; None where it is none, or not for this identity."""
        if not self._prefix or is_odd(self._prefix):
            return None
        try:
            return info_of(self._client.head(self._prefix))
        except obstore_failures():
            return None

    def _grouped(self, entries: Iterator[ObjectInfo]) -> Iterator[EventLog]:
        folders: list[_Open] = []
        for info in entries:
            if info.key == self._prefix:
                yield single_log(self._file(info))
                continue
            folder, _, name = info.key.rpartition("/")
            while folders and not f"{folder}/".startswith(folders[-1].prefix):
                yield from self._closed(folders.pop())
            kind = self._kind(folder, name)
            if kind is Kind.SINGLE and not self._is_marker(info):
                yield single_log(self._file(info))
            elif kind not in (Kind.SINGLE, Kind.OTHER):
                if not folders or folders[-1].prefix != f"{folder}/":
                    folders.append(_Open(f"{folder}/", Folder(f"{self._root}/{folder}".rstrip("/"))))
                self._put(folders[-1], kind, info)
        while folders:
            yield from self._closed(folders.pop())

    def _put(self, open_: _Open, kind: Kind, info: ObjectInfo) -> None:
        if kind is not Kind.TEXT:
            open_.folder.parts.append(self._file(info))
            return
        open_.text_count += 1
        if open_.text_count <= FEW_TEXTS:
            open_.texts.append(self._file(info))

    def _closed(self, open_: _Open) -> Iterator[EventLog]:
        if open_.folder.parts:
            yield from open_.folder.logs(self._request.warn, self._request.reject)
        if open_.text_count <= FEW_TEXTS:
            yield from map(single_log, open_.texts)
        else:
            self._unopened += open_.text_count

    def _kind(self, folder: str, name: str) -> Kind:
        below = folder[len(self._prefix) :].strip("/")
        if any(is_hidden(part) for part in below.split("/") if part.strip(".")):
            return Kind.OTHER
        return kind_of(name)

    def _is_marker(self, info: ObjectInfo) -> bool:
        """Whether there is no such object: an empty one ``folder/`` is listed as ``folder``."""
        if info.size:
            return False
        if info.key.rpartition("/")[2].startswith(ROLLING_FOLDER):
            return True
        try:
            if is_odd(info.key):
                return info.key.endswith("/")
            self._client.head(info.key)
        except FileNotFoundError:
            return True
        except obstore_failures():  # reading it will tell
            return False
        return False

    def _file(self, info: ObjectInfo) -> LogFile:
        return LogFile(f"{self._root}/{info.key}", info.key.rpartition("/")[2], info.size, info.etag)

    def _part(self, key: str, file: LogFile, start: int) -> bytes:
        from obstore.exceptions import PreconditionError

        end = min(start + PART_BYTES, file.size)
        try:
            answer = self._client.get(key, options={"range": (start, end), "if_match": f'"{file.etag}"'})
            part = bytes(answer.bytes())
        except PreconditionError:
            raise gone(self._system, file.address, "it was written anew since it was listed") from None
        except obstore_failures() as error:
            if is_missing_object(error):
                raise gone(self._system, file.address, "it is gone") from None
            raise as_source_error(s3_error(self._system, f"read {key!r}", error)) from None
        if len(part) != end - start:
            raise gone(self._system, file.address, f"{len(part)} bytes came instead of {end - start}")
        return part

    def _read_odd(self, key: str, file: LogFile, offset: int) -> Iterator[bytes]:
        """Yield an object whose key obstore does not accept: rare, and therefore read whole."""
        if file.size > ODD_BYTES:
            advice = "Copy it to a key without '//', '.' and control characters."
            answer = f"{file.size:,} bytes under such a key are too many"
            raise PermanentSourceError(self._system, f"read {key!r}", answer, advice)
        try:
            content = self._odd.get(key, None)
        except StoreError as error:
            raise as_source_error(error) from None
        if content is None or len(content) != file.size:
            raise gone(self._system, file.address, "it is not what was listed")
        for start in range(offset, file.size, PART_BYTES):
            yield content[start : start + PART_BYTES]


@lru_cache(maxsize=4)
def _open(root: str, settings: str, endpoint: str | None, region: str) -> S3Store:
    """Open a bucket once for all logs that one process reads from it."""
    del endpoint, region  # they may come from the environment
    return open_s3(root, S3Settings.model_validate_json(settings))
