"""The bytes of an HDF5 file where they are asked for: few reads, all of them within the file.

Here: one window for both ways of reading HDF5, the parser (``hdf5_tree``) and the library (``hdf5_library``).
Not here: what the bytes mean.
"""

from __future__ import annotations

import struct
import zlib
from typing import TYPE_CHECKING

from metaplat.collectors.headers.header import HeaderError

if TYPE_CHECKING:
    from metaplat.collectors.headers.header import ByteSource

NEAR = 16 << 10
"""Read at once from a local file beyond the first block: metadata lies together."""

REST = 4 << 20
"""A remote file that goes on for no more than this behind the first block is read to its end."""

BEFORE, AROUND = 256 << 10, 1 << 20
"""Of a longer one, a stretch around what was asked for: what is written together is read together."""


class UnusualError(Exception):
    """The parser does not know this form: the library shall read it."""


class BrokenError(ValueError):
    """What must be here is not."""


DAMAGED = (BrokenError, struct.error, zlib.error, LookupError, ValueError, OverflowError)
"""What taking damaged bytes apart raises."""


class Window:
    """Reads an HDF5 file.

    Parameters
    ----------
    source : ByteSource
        The whole file.
    base : int
        Where HDF5 begins in it, behind a user block; addresses count from there.
    """

    __slots__ = ("_block", "_source", "_start", "base", "size")

    def __init__(self, source: ByteSource, base: int = 0) -> None:
        self._source, self.size, self.base = source, source.size, base
        self._start, self._block = 0, source.first

    def get(self, start: int, length: int) -> bytes:
        """Return exactly ``length`` bytes from ``start``.

        Raises
        ------
        BrokenError
            They are not all in the file.
        HeaderError
            With code ``out_of_reach``: it would take a third request to S3.
        """
        start += self.base
        end = start + length
        if not 0 <= start <= end <= self.size:
            raise BrokenError(f"it points to {length} bytes at byte {start}, and has {self.size}")
        first = self._source.first
        if end <= len(first):
            return first[start:end]
        behind = max(start, len(first))
        if not self._start <= behind <= end <= self._start + len(self._block):
            self._start, self._block = self._stretch(behind, end)
        part = first[start:behind] + self._block[behind - self._start : end - self._start]
        if len(part) != length:
            raise HeaderError("changed", "the file became shorter while it was read")
        return part

    def _stretch(self, start: int, end: int) -> tuple[int, bytes]:
        """Return what is wanted and what lies around it, and where that begins."""
        if self._source.path is not None:
            return start, self._source.read(start, max(end - start, NEAR))
        begun = len(self._source.first)
        goes_on = self.size - begun <= REST
        early = begun if goes_on else max(start - BEFORE, begun)
        late = self.size if goes_on else min(max(early + AROUND, end), self.size)
        try:
            return early, self._source.read(early, late - early)
        except HeaderError as error:
            if error.code != "out_of_reach":
                raise
            return start, self._source.read(start, end - start)

    def parts(self) -> list[tuple[int, bytes]]:
        """Return what is read so far, and where in the file it begins; of a short file all of it."""
        if not self._start and 0 < self.size - len(self._source.first) <= REST:
            self._start, self._block = self._stretch(len(self._source.first), self.size)
        return [(0, self._source.first), (self._start, self._block)]
