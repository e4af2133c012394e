"""One file is read into the row of its observation, or into the reason why not.

Here: local files and objects on S3; a file that changes while it is read; what a file may break, broken here.
Not here: formats and columns (``collectors.headers``), processes (``extracting``).
Rows travel between processes as tuples in the order of ``COLUMNS``: a third less to pack than dicts.
"""

from __future__ import annotations

import os
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from operator import itemgetter
from typing import TYPE_CHECKING, Any, NamedTuple

from metaplat.catalog.ingesting.listing import FileEntry
from metaplat.collectors.headers.header import EXTRACTOR_VERSION, HeaderError
from metaplat.collectors.headers.local_source import open_local
from metaplat.collectors.headers.observation import FileFacts, observe
from metaplat.collectors.headers.reading import read_header
from metaplat.collectors.headers.sniff import sniff
from metaplat.model.errors import SourceError
from metaplat.model.observation import OBSERVATION_FIELDS, SET_BY_INDEX

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from metaplat.collectors.headers.header import ByteSource
    from metaplat.collectors.headers.mappings import Mappings
    from metaplat.collectors.headers.s3_source import S3Objects

COLUMNS = tuple(field.name for field in OBSERVATION_FIELDS if field.name not in SET_BY_INDEX)
"""Columns of what is read, in the order of the tuples."""

GZIP_UNREAD = "gzip_unread"
"""Flag of a gzip file that was inflated no further than its header; ``reconciling`` reads on."""

_PIECE = 1 << 20
_GZIP = b"\x1f\x8b"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_values = itemgetter(*COLUMNS)


class Refusal(NamedTuple):
    """A file that could not be read: as it was then, and why.

    Parameters
    ----------
    entry : FileEntry
        Size and time when it was tried.
    code, text : str
        Of the ``HeaderError``.
    """

    entry: FileEntry
    code: str
    text: str

    @property
    def is_gone(self) -> bool:
        """Whether nothing is left of it that the catalog could speak of."""
        return self.code == "gone"


Reading = tuple[Any, ...] | Refusal
"""A row in the order of ``COLUMNS``, or why there is none."""


@dataclass(frozen=True)
class ReaderSettings:
    """What a reader needs to know; all of it can be sent to another process.

    Parameters
    ----------
    mappings : Mappings
        From keywords to columns.
    max_header_bytes : int
        Longer headers are refused.
    far_bytes : int
        Most that a second request to S3 reads.
    threads : int
        Objects of S3 read at once by one process.
    s3 : str
        How S3 is reached: ``S3Settings`` as JSON, since its library is slow to load and seldom needed.
    """

    mappings: Mappings
    max_header_bytes: int
    far_bytes: int
    threads: int
    s3: str


class FileReader:
    """Reads files one by one, or a chunk of them.

    Parameters
    ----------
    settings : ReaderSettings
        Limits and mappings.
    """

    def __init__(self, settings: ReaderSettings) -> None:
        self._settings = settings
        self._buckets: dict[str, S3Objects] = {}
        self._one_at_a_time = threading.Lock()

    def read_chunk(self, entries: Sequence[FileEntry]) -> list[Reading]:
        """Return what came of each file, in order.

        Raises
        ------
        SourceError
            S3 as a whole fails: no file is to blame.
        """
        if not entries or not entries[0].path.startswith("s3://"):
            return [self.read(entry) for entry in entries]
        for bucket in {_split(entry.path)[0] for entry in entries}:
            self._open(bucket)
        with ThreadPoolExecutor(min(self._settings.threads, len(entries)), "s3-header") as pool:
            return list(pool.map(self.read, entries))

    def read(self, entry: FileEntry) -> Reading:
        """Return what came of one file; raises as ``read_chunk``."""
        try:
            return self._read_object(entry) if entry.path.startswith("s3://") else self._read_local(entry)
        except HeaderError as error:
            return Refusal(entry, error.code, error.text)
        except SourceError:
            raise
        except Exception as error:  # noqa: BLE001  # the boundary: what one file breaks must not stop the others
            text = f"the reader failed on it: {type(error).__name__}: {error}"
            return Refusal(entry, "broken", " ".join(text.split())[:300])

    def pieces(self, path: str, content_tag: str) -> Iterator[bytes]:
        """Yield the whole content of a file, as it was cataloged.

        Parameters
        ----------
        path : str
            Its path or address.
        content_tag : str
            Of the content that is meant.

        Raises
        ------
        HeaderError
            It cannot be read, or is not that content any more.
        SourceError
            S3 as a whole fails.
        """
        if path.startswith("s3://"):
            bucket, key = _split(path)
            yield from self._open(bucket).stream(key, content_tag)
            return
        if _tag(path) != content_tag:
            raise HeaderError("changed", "it was written anew since it was cataloged")
        with open_local(path) as source:
            for offset in range(0, source.size, _PIECE):
                yield source.read(offset, _PIECE)
        if _tag(path) != content_tag:
            raise HeaderError("changed", "it was changed while it was read")

    def _read_local(self, entry: FileEntry) -> Reading:
        """Read a file that stays as it is meanwhile: twice where it did not, then it is refused."""
        for _ in range(2):
            before = _identity(entry.path)
            reading = self._read_once(entry, before)
            if _identity(entry.path) == before:
                return reading
        raise HeaderError("changed", "it was changed or replaced while it was read; it is tried again soon")

    def _read_once(self, entry: FileEntry, before: tuple[int, ...] | None) -> Reading:
        if before is not None:
            entry = FileEntry(entry.path, before[2], before[3])
        try:
            with open_local(entry.path) as source:
                return self._row(source, entry)
        except HeaderError as error:
            if error.code == "gone" and os.path.islink(entry.path):  # noqa: PTH114
                return Refusal(entry, "unreadable", "it is a link that leads nowhere")
            return Refusal(entry, error.code, error.text)

    def _read_object(self, entry: FileEntry) -> Reading:
        bucket, key = _split(entry.path)
        modified = _time_of(entry.mtime_ns)
        source = self._open(bucket).open(key, entry.size, entry.etag, modified)
        mtime_ns = (source.modified - _EPOCH) // timedelta(microseconds=1) * 1000
        entry = FileEntry(entry.path, source.size, mtime_ns, source.etag)
        try:
            if sniff(source.first, source.size) == "hdf5":  # the libraries of HDF5 take no threads
                with self._one_at_a_time:
                    return self._row(source, entry)
            return self._row(source, entry)
        except HeaderError as error:
            return Refusal(entry, error.code, error.text)

    def _open(self, bucket: str) -> S3Objects:
        if bucket not in self._buckets:
            from metaplat.collectors.headers.s3_source import S3Objects
            from metaplat.settings.sections import S3Settings

            s3 = S3Settings.model_validate_json(self._settings.s3)
            self._buckets[bucket] = S3Objects(bucket, s3, self._settings.far_bytes)
        return self._buckets[bucket]

    def _row(self, source: ByteSource, entry: FileEntry) -> tuple[Any, ...]:
        header = read_header(source, self._settings.max_header_bytes)
        if source.first[:2] == _GZIP and header.truncated is None:
            header.flags.append(GZIP_UNREAD)
        facts = FileFacts(entry.path, entry.size, _time_of(entry.mtime_ns), entry.content_tag)
        values: tuple[Any, ...] = _values(observe(header, facts, self._settings.mappings, source.first))
        return values


def version_of(mappings: Mappings) -> str:
    """Return the version of the extractors with these mappings, as ``extractor_version`` has it."""
    return f"{EXTRACTOR_VERSION}-{mappings.digest}"


def modified_time(entry: FileEntry) -> datetime:
    """Return the modification time of a file, UTC; the nearest that a datetime can hold."""
    return _time_of(entry.mtime_ns)


def _time_of(mtime_ns: int) -> datetime:
    try:
        return _EPOCH + timedelta(microseconds=mtime_ns // 1000)
    except OverflowError:  # file systems hold any 64-bit time
        return datetime.max.replace(tzinfo=UTC) if mtime_ns > 0 else datetime.min.replace(tzinfo=UTC)


def _identity(path: str) -> tuple[int, ...] | None:
    """Return what tells one content of one file from another; None where nothing can be told."""
    try:
        found = os.stat(path)  # noqa: PTH116
    except OSError:
        return None
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns


def _tag(path: str) -> str | None:
    found = _identity(path)
    return None if found is None else FileEntry(path, found[2], found[3]).content_tag


def _split(address: str) -> tuple[str, str]:
    bucket, _, key = address.removeprefix("s3://").partition("/")
    return bucket, key
