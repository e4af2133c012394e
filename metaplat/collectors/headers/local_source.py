"""The bytes of a file on this machine.

Here: opening it without ever waiting on it, and reading parts of it.
Not here: objects on S3 (``s3_source``), formats.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING

from metaplat.collectors.headers.header import FIRST_BLOCK, HeaderError

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

SHORT_BLOCK = 11_520
"""Bytes that are read first: four blocks of FITS, which hold most of its headers."""
SHORT_HEADERS = (b"SIMPLE  =", b"CDF", b"\x1f\x8b")
"""What begins like this seldom takes more; of all others ``FIRST_BLOCK`` bytes are read."""

_REASONS = {
    FileNotFoundError: ("gone", "it is no longer there"),
    PermissionError: ("not_allowed", "permission denied"),
    IsADirectoryError: ("not_a_file", "it is a folder"),
}


class LocalSource:
    """An open file; ``with`` closes it. Made by ``open_local``.

    Parameters
    ----------
    name : str
        Where it is.
    descriptor : int
        Open for reading.
    size : int
        Bytes when it was opened.
    """

    __slots__ = ("_descriptor", "_name", "first", "size")

    def __init__(self, name: str, descriptor: int, size: int) -> None:
        self._name, self.size, self._descriptor = name, size, descriptor
        self.first = self.read(0, SHORT_BLOCK)
        if size > SHORT_BLOCK and not self.first.startswith(SHORT_HEADERS):
            self.first = self.read(0, FIRST_BLOCK)

    @property
    def path(self) -> Path:
        """The file; made when asked for, since few readers do."""
        return Path(self._name)

    def __enter__(self) -> Self:
        """Return itself, open."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the file."""
        os.close(self._descriptor)

    def read(self, offset: int, length: int) -> bytes:
        """Return up to ``length`` bytes from ``offset``; raises HeaderError where the disk fails."""
        try:
            return os.pread(self._descriptor, length, offset)
        except OSError as error:
            raise _unreadable(error) from error


def open_local(path: str) -> LocalSource:
    """Open a regular file, to be closed by ``with``.

    Raises
    ------
    HeaderError
        It is gone, not allowed, or no regular file: a pipe or a device is never waited for.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise _unreadable(error) from error
    try:
        return _regular(path, descriptor)
    except BaseException:
        os.close(descriptor)
        raise


def _regular(path: str, descriptor: int) -> LocalSource:
    found = os.fstat(descriptor)
    if not stat.S_ISREG(found.st_mode):
        raise HeaderError("not_a_file", "it is a folder, a pipe or a device")
    return LocalSource(path, descriptor, found.st_size)


def _unreadable(error: OSError) -> HeaderError:
    code, text = _REASONS.get(type(error), ("unreadable", error.strerror or "it cannot be read"))
    return HeaderError(code, text)
