"""The files below a local folder, or one file.

Here: walking folder by folder; links to files are files of their own, links to folders are not followed.
Not here: opening files (``collectors.headers.local_source``).
"""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

from metaplat.catalog.ingesting.listing import FileEntry, Unlisted, is_left_out
from metaplat.collectors.spark.log_files.failures import as_source_error
from metaplat.model.errors import UsageError
from metaplat.model.observation import shown_path
from metaplat.stores.local_errors import DENIED, reading_error

if TYPE_CHECKING:
    from collections.abc import Iterator

_FOLDER = -1
"""Size that stands for a folder in what ``_scan`` returns."""

_Found = tuple[str, str, int, int]
"""Sort key, path, size or ``_FOLDER``, and modification time in ns."""


class LocalPlace:
    """A folder or a file.

    Parameters
    ----------
    place : str
        Its path; a relative one holds from the working folder.
    """

    def __init__(self, place: str) -> None:
        self._root = os.path.abspath(os.path.expanduser(place))  # noqa: PTH100, PTH111  # surrogates, links
        self.unlisted: list[Unlisted] = []
        self.left_out = 0

    @property
    def address(self) -> str:
        """The path, absolute, as it can be shown."""
        return shown_path(self._root)

    @property
    def below(self) -> str | None:
        """The path with a slash at its end; None where it is a file."""
        return f"{self.address.rstrip('/')}/" if stat.S_ISDIR(self._look().st_mode) else None

    def is_there(self, path: str) -> bool:
        """Whether anything has this name now: a walk may miss what is renamed under its hands."""
        return os.path.lexists(path)

    def __iter__(self) -> Iterator[FileEntry]:
        """Yield the files, folder by folder in one total order."""
        self.unlisted, self.left_out = [], 0
        found = self._look()
        if not stat.S_ISDIR(found.st_mode):
            yield FileEntry(self._root, found.st_size, found.st_mtime_ns)
            return
        ways = [iter(self._scan(self._root))]
        while ways:
            for _, path, size, mtime_ns in ways[-1]:
                if size == _FOLDER:
                    ways.append(iter(self._scan(path)))
                    break
                yield FileEntry(path, size, mtime_ns)
            else:
                ways.pop()

    def _look(self) -> os.stat_result:
        try:
            return os.stat(self._root)  # noqa: PTH116  # a name that is not UTF-8 stays a string
        except (FileNotFoundError, NotADirectoryError):
            if os.path.islink(self._root):  # noqa: PTH114
                return os.lstat(self._root)
            raise UsageError(f"{self.address}: there is no such folder or file") from None
        except OSError as error:
            raise self._refused("look at it", error) from None

    def _refused(self, attempted: str, error: OSError) -> Exception:
        from pathlib import Path

        return as_source_error(reading_error(Path(self.address), attempted, error))

    def _scan(self, folder: str) -> list[_Found]:
        """Return what one folder holds, in order; nothing where it cannot be looked into."""
        found: list[_Found] = []
        try:
            with os.scandir(folder) as entries:
                for entry in entries:
                    if is_left_out(entry.name):
                        self.left_out += 1
                    elif (one := self._found(entry)) is not None:
                        found.append(one)
        except FileNotFoundError:
            if folder == self._root:
                raise UsageError(f"{self.address}: there is no such folder or file") from None
        except OSError as error:
            if folder == self._root:
                raise self._refused("list it", error) from None
            self.unlisted.append(Unlisted(shown_path(folder), _reason(error)))
            return []  # half a folder would look as if the other half were gone
        found.sort()
        return found

    def _found(self, entry: os.DirEntry[str]) -> _Found | None:
        """Return what an entry is; None where it is gone, or a link to a folder."""
        key = entry.name if entry.name.isascii() else shown_path(entry.name)
        if entry.is_dir(follow_symlinks=False):
            return f"{key}/", entry.path, _FOLDER, 0
        try:
            facts = entry.stat()
            if entry.is_symlink() and stat.S_ISDIR(facts.st_mode):
                self.left_out += 1
                return None
        except OSError as error:
            if not entry.is_symlink():
                if isinstance(error, FileNotFoundError):
                    return None
                raise
            facts = entry.stat(follow_symlinks=False)  # it leads nowhere, round in circles, or is forbidden
        return key, entry.path, facts.st_size, facts.st_mtime_ns


def _reason(error: OSError) -> str:
    if error.errno in DENIED:
        return "not_allowed: the folder may not be looked into by this user"
    return f"unreadable: the folder cannot be listed: {error.strerror}"
