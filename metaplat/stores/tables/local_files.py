"""The files of a table in a local folder.

Here: reading parts of files, of the listed writing only.
Not here: how a folder is scanned (``local_objects``).
"""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from metaplat.model.errors import InvalidInputError, PermanentStoreError
from metaplat.stores.local_errors import DENIED, MISSING, reading_error
from metaplat.stores.local_objects import LocalObjects
from metaplat.stores.tables.files import PERMISSION_DENIED

if TYPE_CHECKING:
    from collections.abc import Sequence

    from metaplat.model.landed import ObjectInfo


@dataclass(frozen=True)
class LocalTableFiles:
    """Files below ``address``, a folder; a file replaced since it was listed counts as gone."""

    address: str

    @property
    def parallel(self) -> int:
        """One: for local files threads cost more than they bring."""
        return 1

    @cached_property
    def _objects(self) -> LocalObjects:
        return LocalObjects(Path(self.address))

    def list_objects(self) -> list[ObjectInfo]:
        """Return every file on any level, by key."""
        attempted = "list a table's files"
        try:
            is_folder = stat.S_ISDIR(os.stat(self.address).st_mode)  # noqa: PTH116
        except OSError as error:
            if error.errno not in MISSING:
                raise reading_error(self._objects.root, attempted, error) from error
            problem = "it does not exist"
        else:
            if is_folder:
                return self._objects.list_objects()
            problem = "it is a file, not a folder"
        advice = "Correct the location of the table."
        raise PermanentStoreError(f"folder {self.address}", attempted, problem, advice)

    def list_folder(self, folder: str) -> list[ObjectInfo]:
        """Return the files below one folder of the location; none where it does not exist."""
        return self._objects.list_objects(f"{folder.rstrip('/')}/")

    def local_path(self, info: ObjectInfo) -> str:
        """Path of the file."""
        return f"{self.address.rstrip('/')}/{info.key}"

    def read_tail(self, info: ObjectInfo, size: int) -> bytes:
        """Return the last ``size`` bytes."""
        return self.read_ranges(info, [(max(0, info.size - size), info.size)])[0]

    def read_ranges(self, info: ObjectInfo, ranges: Sequence[tuple[int, int]]) -> list[bytes]:
        """Return the bytes of each range (start, end)."""
        try:
            descriptor = os.open(self.local_path(info), os.O_RDONLY | os.O_CLOEXEC)
            try:
                found = [_read(descriptor, start, end) for start, end in ranges]
            finally:
                os.close(descriptor)
        except OSError as error:
            if error.errno in MISSING:
                raise KeyError(info.key) from None
            if error.errno in DENIED:  # of one file: the others can be judged
                raise InvalidInputError(PERMISSION_DENIED) from None
            raise reading_error(self._objects.root, f"read {info.shown_key!r}", error) from error
        now = self._objects.info(info.key)  # asked last: whatever was read was still this writing
        if now is None or now.identity != info.identity:
            raise KeyError(info.key)
        return found


def _read(descriptor: int, start: int, end: int) -> bytes:
    """Read a range whole: one call gives at most 2 GiB."""
    content = os.pread(descriptor, end - start, start)
    while len(content) < end - start and (
        more := os.pread(descriptor, end - start - len(content), start + len(content))
    ):
        content += more
    return content
