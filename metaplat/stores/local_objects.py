"""Objects as files below a local folder.

Here: reading, and listing by scandir.
Not here: how a file is replaced (``local_writing``), what failures mean (``local_errors``).
"""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from metaplat.model.landed import ObjectInfo
from metaplat.stores.local_errors import MISSING, reading_error, writing_error
from metaplat.stores.local_writing import TEMPORARY, replace, sweep
from metaplat.stores.objects import check_inside, check_key, folder_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

_READ_BYTES = 65536


@dataclass(frozen=True)
class LocalObjects:
    """Objects below ``root``, a folder that the first write creates. Names that are not UTF-8 are kept.

    Parameters
    ----------
    root : Path
        The folder; it may be missing, and then the store is empty.
    """

    root: Path
    _swept: set[str] = field(default_factory=set, repr=False, compare=False)

    @property
    def address(self) -> str:
        """The folder."""
        return str(self.root)

    def get(self, key: str) -> bytes:
        """Return the content of ``key``; raises KeyError where there is no such object."""
        content = self._read(check_inside(key), None)
        if content is None:
            raise KeyError(check_key(key))
        return content

    def get_many(
        self, keys: Sequence[str], max_bytes: int | None = None
    ) -> Iterator[tuple[str, bytes | None]]:
        """Yield contents in order. One thread: for small files threads cost more than they bring."""
        for key in keys:
            yield key, self._read(check_inside(key), max_bytes)

    def put(self, key: str, content: bytes) -> ObjectInfo:
        """Replace ``key`` by a rename."""
        path = self._path(check_key(key))
        folder = os.path.dirname(path)  # noqa: PTH120  # strings throughout: Path costs more than the calls
        try:
            if folder not in self._swept:
                os.makedirs(folder, exist_ok=True)  # noqa: PTH103
                self._swept.add(folder)
                sweep(folder)
            try:
                return _info(key, replace(path, content))
            except FileNotFoundError:  # somebody removed the folder since
                os.makedirs(folder, exist_ok=True)  # noqa: PTH103
                return _info(key, replace(path, content))
        except OSError as error:
            raise writing_error(self.root, f"write {key!r}", error) from error

    def delete(self, key: str) -> None:
        """Remove ``key``; its folder stays."""
        try:
            os.unlink(self._path(check_inside(key)))  # noqa: PTH108
        except OSError as error:
            if error.errno not in MISSING:
                raise writing_error(self.root, f"delete {key!r}", error) from error

    def info(self, key: str) -> ObjectInfo | None:
        """Return size, time and etag of ``key``, or None."""
        try:
            found = os.stat(self._path(check_inside(key)))  # noqa: PTH116
        except OSError as error:
            if error.errno in MISSING:
                return None
            raise reading_error(self.root, f"look up {key!r}", error) from error
        return _info(key, found) if stat.S_ISREG(found.st_mode) else None

    def list_objects(self, prefix: str = "") -> list[ObjectInfo]:
        """Return all regular files whose key starts with ``prefix``, sorted by key."""
        folder = folder_of(prefix)
        if folder:
            check_inside(folder)
        found: list[ObjectInfo] = []
        try:
            self._walk(folder, prefix[len(folder) :], found, ())
        except OSError as error:
            raise reading_error(self.root, f"list {prefix!r}", error) from error
        found.sort()  # keys come first, and differ
        return found

    def list_prefixes(self, prefixes: Sequence[str]) -> dict[str, list[ObjectInfo]]:
        """Return ``list_objects`` for many prefixes."""
        return {prefix: self.list_objects(prefix) for prefix in prefixes}

    def list_tree(self, prefix: str) -> list[ObjectInfo]:
        """Return ``list_objects``: one scan is as fast as a disk allows."""
        return self.list_objects(prefix)

    def list_folders(self, prefix: str, depth: int) -> list[str]:
        """Return the folders ``depth`` levels below ``prefix``."""
        level = [check_inside(prefix)]
        try:
            for _ in range(depth):
                level = [f"{folder}{name}/" for folder in level for name in self._folders_in(folder)]
        except OSError as error:
            raise reading_error(self.root, f"list {prefix!r}", error) from error
        return sorted(folder[len(prefix) : -1] for folder in level)

    def _folders_in(self, folder: str) -> list[str]:
        try:
            with os.scandir(self._path(folder)) as entries:
                return [entry.name for entry in entries if entry.is_dir()]
        except OSError as error:
            if error.errno in MISSING:
                return []
            raise

    def _path(self, key: str) -> str:
        return f"{self.root}/{key}"

    def _read(self, key: str, max_bytes: int | None) -> bytes | None:
        try:
            descriptor = os.open(self._path(key), os.O_RDONLY | os.O_CLOEXEC)
        except OSError as error:
            if error.errno in MISSING:
                return None
            raise reading_error(self.root, f"read {key!r}", error) from error
        try:
            return _content(descriptor, max_bytes)
        except OSError as error:
            if error.errno in MISSING:  # a folder can be opened, not read
                return None
            raise reading_error(self.root, f"read {key!r}", error) from error
        finally:
            os.close(descriptor)

    def _walk(self, folder: str, start: str, found: list[ObjectInfo], chain: tuple[str, ...]) -> None:
        """Add the files of ``folder`` whose names begin with ``start``.

        ``chain`` holds the real folders of the links that were followed to come here.
        """
        try:
            entries = os.scandir(self._path(folder))
        except OSError as error:
            if error.errno in MISSING and self._may_be_missing(folder):
                return  # never written, or removed meanwhile
            raise
        with entries:
            for entry in entries:
                name = entry.name
                if not name.startswith(start) or (name[0] == "." and TEMPORARY.fullmatch(name)):
                    continue
                try:
                    if entry.is_file(follow_symlinks=False):  # by far the most frequent
                        found.append(_info(folder + name, entry.stat()))
                    else:
                        self._add(folder + name, entry, found, chain)
                except OSError as error:
                    if error.errno not in MISSING:  # removed meanwhile, or a link to itself
                        raise

    def _may_be_missing(self, folder: str) -> bool:
        """Whether a folder that is not there means "nothing stored": not where home itself is a file."""
        if self.root.exists():
            return folder != "" and self.root.is_dir()
        return not any(parent.is_file() for parent in self.root.parents)

    def _add(
        self, key: str, entry: os.DirEntry[str], found: list[ObjectInfo], chain: tuple[str, ...]
    ) -> None:
        if entry.is_file():
            found.append(_info(key, entry.stat()))
        elif entry.is_dir():
            if entry.is_symlink():
                target, folder = os.path.realpath(entry.path), self._path(key[: -len(entry.name)])
                chain = (*chain, os.path.realpath(folder))
                if any(f"{place}/".startswith(f"{target}/") for place in chain):
                    return  # it leads back to where this walk came from
            self._walk(f"{key}/", "", found, chain)


def _info(key: str, found: os.stat_result) -> ObjectInfo:
    return ObjectInfo(
        key,
        found.st_size,
        datetime.fromtimestamp(found.st_mtime, UTC),
        f"{found.st_mtime_ns}-{found.st_size}",
    )


def _content(descriptor: int, max_bytes: int | None) -> bytes | None:
    """Read a file to its end; most are smaller than one read, and then their size is never asked for."""
    content = os.read(descriptor, _READ_BYTES)
    if len(content) == _READ_BYTES:
        if max_bytes is not None and os.fstat(descriptor).st_size > max_bytes:
            return None
        parts = [content]
        while part := os.read(descriptor, 2**24):
            parts.append(part)
        content = b"".join(parts)
    return None if max_bytes is not None and len(content) > max_bytes else content
