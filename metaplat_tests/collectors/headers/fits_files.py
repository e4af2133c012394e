"""FITS files for tests: built card by card, and read from bytes as from S3.

Here: headers of any cards, and a source that counts requests.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from metaplat.collectors.headers.header import FIRST_BLOCK, Header, HeaderError
from metaplat.collectors.headers.reading import read_header

if TYPE_CHECKING:
    from pathlib import Path

LIMIT = 64 << 20
JUMP_BYTES = 1 << 20
WHOLE = ("TELESCOP= 'T'", "INSTRUME= 'I'", "DATE-OBS= '2026-03-01'")
"""What a header must say so that no further one is wanted."""


class Remote:
    """Bytes that are reached as an object on S3 is: by two requests, and never by a path.

    Parameters
    ----------
    content : bytes
        All of them.
    far_bytes : int
        What the second request brings where it goes on behind the first block.
    """

    def __init__(self, content: bytes, far_bytes: int = 8 << 20) -> None:
        self._content, self._far_bytes = content, far_bytes
        self._far = range(0)
        self.size, self.first = len(content), content[:FIRST_BLOCK]
        self.path: Path | None = None

    def read(self, offset: int, length: int) -> bytes:
        """Return bytes; the second request is made once."""
        stop = min(offset + length, self.size)
        if stop > len(self.first) and not self._far:
            start = max(offset, len(self.first))
            goes_on = offset <= len(self.first)
            self._far = range(start, start + (self._far_bytes if goes_on else max(stop - start, JUMP_BYTES)))
        if stop > max(len(self.first), self._far.stop) or len(self.first) < offset < self._far.start:
            raise HeaderError("out_of_reach", "a third request")
        return self._content[offset:stop]


def read(content: bytes, limit: int = LIMIT) -> Header:
    """Read the header of bytes."""
    return read_header(Remote(content), limit)


def outcome(content: bytes, limit: int = LIMIT) -> Header | HeaderError:
    """Return the header of bytes, or the error that reading them raises."""
    try:
        return read(content, limit)
    except HeaderError as error:
        return error


def refused(content: bytes, limit: int = LIMIT) -> HeaderError:
    """Return the error that reading bytes raises."""
    found = outcome(content, limit)
    assert isinstance(found, HeaderError), found
    return found


def cards(*lines: str | bytes) -> bytes:
    """Return cards of 80 bytes, one a line."""
    raw = [line if isinstance(line, bytes) else line.encode() for line in lines]
    assert all(len(line) <= 80 for line in raw)
    return b"".join(line.ljust(80) for line in raw)


def padded(content: bytes, filler: bytes = b" ") -> bytes:
    """Return content filled up to whole blocks."""
    return content + filler * (-len(content) % 2880)


def header(*lines: str | bytes) -> bytes:
    """Return a whole header of cards, with END."""
    return padded(cards(*lines, "END"))


def primary(*lines: str | bytes, axes: tuple[int, ...] = (), bitpix: int = 8) -> bytes:
    """Return a primary header of an image, and its data."""
    return header("SIMPLE  =                    T", *_shape(axes, bitpix), *lines) + data(axes, bitpix)


def extension(*lines: str | bytes, axes: tuple[int, ...] = (), bitpix: int = 8) -> bytes:
    """Return the header of an image extension, and its data."""
    shape = [*_shape(axes, bitpix), "PCOUNT  = 0", "GCOUNT  = 1"]
    return header("XTENSION= 'IMAGE   '", *shape, *lines) + data(axes, bitpix)


def data(axes: tuple[int, ...], bitpix: int) -> bytes:
    """Return data of zeros, with their padding."""
    size = abs(bitpix) // 8 if axes else 0
    for axis in axes:
        size *= axis
    return padded(bytes(size), b"\0")


def _shape(axes: tuple[int, ...], bitpix: int) -> list[str]:
    sides = [f"NAXIS{number:<3}= {axis}" for number, axis in enumerate(axes, 1)]
    return [f"BITPIX  = {bitpix}", f"NAXIS   = {len(axes)}", *sides]


def values(*lines: str | bytes) -> dict[str, object]:
    """Return what a header says beside the shape of its image."""
    found = dict(read(primary(*WHOLE, *lines, axes=(1,))).values)
    known = {"SIMPLE", "BITPIX", "NAXIS", "NAXIS1", "TELESCOP", "INSTRUME", "DATE-OBS"}
    return {keyword: value for keyword, value in found.items() if keyword not in known}
