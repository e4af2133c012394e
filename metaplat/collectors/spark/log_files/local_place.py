"""Event logs in a local folder, or one that is a file.

Here: walking through folders, and reading files.
Not here: which files make up a log (``layout``).

Folders are walked entry by entry, and what can be no log by its name costs nothing more than that. Of a
folder only the names are kept that may be logs.
"""

from __future__ import annotations

import os
import re
import stat
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from metaplat.collectors.spark.log_files.failures import as_source_error, gone
from metaplat.collectors.spark.log_files.layout import Folder, single_log
from metaplat.collectors.spark.log_files.log import IN_PROGRESS, EventLog, LogFile
from metaplat.collectors.spark.log_files.names import FEW_TEXTS, ROLLING_FOLDER, Kind, is_hidden, kind_of
from metaplat.model.errors import UsageError
from metaplat.stores.local_errors import reading_error

if TYPE_CHECKING:
    from collections.abc import Iterator

    from metaplat.collectors.collector import CollectRequest

CHUNK_BYTES = 1 << 20

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_SPECIAL = {0: "a link that leads nowhere", stat.S_IFIFO: "a pipe", stat.S_IFSOCK: "a socket"}
_ESCAPED = re.compile(rb"\\x([0-9a-f]{2})")


@dataclass
class _Scanned:
    """Names in one folder that may lead to logs."""

    singles: list[str] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    text_count: int = 0
    parts: list[str] = field(default_factory=list)
    folders: list[str] = field(default_factory=list)


class LocalPlace:
    """Event logs below ``path``, or the one that is the file ``path``, whatever its name."""

    def __init__(self, path: Path, request: CollectRequest) -> None:
        self._path, self._request = Path(os.path.abspath(path)), request  # noqa: PTH100  # links stay
        self._unopened = 0

    @property
    def address(self) -> str:
        """The path, absolute: what is remembered by it holds from any working folder."""
        return shown(str(self._path))

    def logs(self) -> Iterator[EventLog]:
        """Yield the logs in the order of their names, folder by folder."""
        try:
            found = os.stat(self._path)  # noqa: PTH116  # one call says what it is
        except (FileNotFoundError, NotADirectoryError):
            raise UsageError(f"{self.address}: there is no such folder or file") from None
        except OSError as error:
            raise self._error("look at", self.address, error) from None
        if stat.S_ISDIR(found.st_mode):
            yield from self._walk(str(self._path))
        elif stat.S_ISREG(found.st_mode):
            yield single_log(_log_file(str(self._path), found))
        else:
            raise UsageError(f"{self.address}: is neither a folder nor a file")

    def read(self, file: LogFile, offset: int = 0) -> Iterator[bytes]:
        """Yield the bytes from ``offset`` to where the file ends now."""
        try:
            with open(self._open(file), "rb", buffering=0) as stream:  # noqa: PTH123  # a descriptor
                left = os.fstat(stream.fileno()).st_size - offset
                if left + offset < file.size:
                    raise gone(self.address, file.address, "it is shorter than it was when listed")
                stream.seek(offset)
                while left > 0 and (chunk := stream.read(min(CHUNK_BYTES, left))):
                    left -= len(chunk)
                    yield chunk
                if left > 0:
                    raise gone(self.address, file.address, "it became shorter while it was read")
        except OSError as error:
            raise self._error("read", file.address, error) from None

    def _open(self, file: LogFile) -> int:
        """Open a file, also under the name it has since its application ended."""
        path = _path_of(file.address)
        for name in (path, path.removesuffix(IN_PROGRESS)):
            try:
                descriptor = os.open(name, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
            except FileNotFoundError:
                continue
            if stat.S_ISREG(os.fstat(descriptor).st_mode):
                return descriptor
            os.close(descriptor)
        raise gone(self.address, file.address, "it is gone")

    def _walk(self, root: str) -> Iterator[EventLog]:
        """Go through a tree; a folder that several links lead to is visited once."""
        visited: set[tuple[int, int]] = set()
        self._unopened = 0
        ways = [iter([root])]
        while ways:
            folder = next(ways[-1], None)
            if folder is None:
                ways.pop()
                continue
            scanned = self._scan(folder, visited)
            if scanned is None:
                continue
            yield from self._logs_in(folder, scanned)
            if self._request.settings.spark.recursive or len(ways) == 1:
                below = [f"{folder}/{name}" for name in sorted(scanned.folders) if self._is_wanted(name)]
                ways.append(iter(below))
        if self._unopened:
            self._request.warn(
                f"{self.address}: {self._unopened:,} files named like .json, .log or .txt were not opened; "
                "name one by its own path if it is an event log"
            )

    def _is_wanted(self, folder: str) -> bool:
        return self._request.settings.spark.recursive or folder.startswith(ROLLING_FOLDER)

    def _logs_in(self, folder: str, scanned: _Scanned) -> Iterator[EventLog]:
        if scanned.parts or folder.rpartition("/")[2].startswith(ROLLING_FOLDER):
            parts = [file for name in scanned.parts if (file := self._listed(folder, name))]
            yield from Folder(shown(folder), parts).logs(self._request.warn, self._request.reject)
        if scanned.text_count > FEW_TEXTS:
            self._unopened += scanned.text_count
            scanned.texts.clear()
        for name in sorted(scanned.singles + scanned.texts):
            if file := self._listed(folder, name):
                yield single_log(file)

    def _scan(self, folder: str, visited: set[tuple[int, int]]) -> _Scanned | None:
        """Return what may lead to logs; None where the folder was visited before, or cannot be listed."""
        scanned = _Scanned()
        try:
            found = os.stat(folder)  # noqa: PTH116
            if (found.st_dev, found.st_ino) in visited:
                return None
            visited.add((found.st_dev, found.st_ino))
            with os.scandir(folder) as entries:
                for entry in entries:
                    self._sort_in(entry, scanned)
        except OSError as error:
            if folder == str(self._path):
                raise self._error("list", self.address, error) from None
            self._request.reject(shown(folder), f"cannot be listed: {error.strerror}")
            return None
        return scanned

    def _sort_in(self, entry: os.DirEntry[str], scanned: _Scanned) -> None:
        """Put an entry where it belongs; only links cost a look at the disk."""
        name = entry.name
        if is_hidden(name):
            return
        type_ = _type_of(entry)
        kind = kind_of(name)
        if type_ == stat.S_IFDIR:
            scanned.folders.append(name)
        elif kind is Kind.OTHER:
            return
        elif type_ != stat.S_IFREG:
            what = _SPECIAL.get(type_, "a device")
            self._request.warn(f"{shown(entry.path)}: left out, since it is {what}")
        elif kind is Kind.TEXT:
            scanned.text_count += 1
            if scanned.text_count <= FEW_TEXTS:
                scanned.texts.append(name)
        elif kind is Kind.SINGLE:
            scanned.singles.append(name)
        else:
            scanned.parts.append(name)

    def _listed(self, folder: str, name: str) -> LogFile | None:
        path = f"{folder}/{name}"
        try:
            return _log_file(path, os.stat(path))  # noqa: PTH116
        except FileNotFoundError:  # its application ended just now
            ended = path.removesuffix(IN_PROGRESS)
            return self._listed(folder, ended.rpartition("/")[2]) if ended != path else None
        except OSError as error:
            self._request.reject(shown(path), f"cannot be looked at: {error.strerror}")
            return None

    def _error(self, verb: str, shown_name: str, error: OSError) -> Exception:
        return as_source_error(reading_error(self._path, f"{verb} {shown_name}", error))


def shown(path: str) -> str:
    r"""Return a path as text that can be printed and stored: what is no UTF-8, or controls, as ``\xNN``."""
    text = os.fsencode(path).decode("utf-8", "backslashreplace")
    return _CONTROL.sub(lambda found: f"\\x{ord(found[0]):02x}", text)


def _path_of(address: str) -> str:
    """Return the path that an address shows; a name may really hold what looks like an escaped byte."""
    if "\\x" not in address or os.path.lexists(address):
        return address
    return os.fsdecode(_ESCAPED.sub(lambda found: bytes([int(found[1], 16)]), os.fsencode(address)))


def _log_file(path: str, found: os.stat_result) -> LogFile:
    etag = f"{found.st_mtime_ns}-{found.st_size}-{found.st_ino}"
    address = shown(path)
    return LogFile(address, address.rpartition("/")[2], found.st_size, etag)


def _type_of(entry: os.DirEntry[str]) -> int:
    """Return the type of an entry, of a link the type of what it leads to; 0 where that is nothing."""
    try:
        if entry.is_dir():
            return stat.S_IFDIR
        if entry.is_file():
            return stat.S_IFREG
        return stat.S_IFMT(entry.stat().st_mode)
    except OSError:
        return 0
