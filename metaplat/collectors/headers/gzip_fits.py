"""FITS files packed by gzip: inflated as far as their headers go.

Here: inflating with bounded memory, also files of several members; refusing what else is inside.
Not here: the headers inside (``fits``). Whether the data are cut only shows at the end of the stream: it is
not looked at.
Format: RFC 1952.
"""

from __future__ import annotations

import sys
import zlib
from typing import TYPE_CHECKING

from metaplat.collectors.headers.fits import read_headers
from metaplat.collectors.headers.fits_cards import BLOCK
from metaplat.collectors.headers.header import FIRST_BLOCK, HeaderError
from metaplat.collectors.headers.sniff import sniff

if TYPE_CHECKING:
    from metaplat.collectors.headers.header import ByteSource, Header

PIECE = 4096
"""Packed bytes that are inflated at a time."""
FIRST_INFLATED = 4 * BLOCK
FAR = 256 * 1024
"""Further headers are read where they begin within so many inflated bytes."""
GZIP_MAGIC = b"\x1f\x8b"
GZIP_WBITS = 31
INSIDE = {"gzip": "another gzip file", "hdf5": "HDF5", "netcdf3": "NetCDF", "csv": "text"}


def read_gzip(source: ByteSource, max_header_bytes: int) -> Header:
    """Read the headers of the FITS file inside a gzip file.

    Parameters
    ----------
    source : ByteSource
        The packed file.
    max_header_bytes : int
        Longer headers are refused; no more than that is inflated.

    Raises
    ------
    HeaderError
        Something else is inside (the code is that of ``sniff``, or ``compressed``), the file is damaged, or
        the header inside cannot be read; the text begins with "inside gzip".
    """
    inflated = Inflated(source)
    try:
        name = sniff(inflated.first, len(inflated.first))
        if name == "fits":
            return read_headers(inflated, max_header_bytes, None)
    except HeaderError as error:
        if inflated.damage is not None:
            raise HeaderError("compressed", f"damaged gzip: {inflated.damage}") from error
        raise HeaderError(error.code, f"inside gzip: {error.text}") from error
    raise HeaderError("compressed", f"inside gzip is {INSIDE[name]}: unpack it")


class Inflated:
    """The content of a gzip file as bytes to read; it keeps what it inflated, and inflates what is asked for.

    Parameters
    ----------
    packed : ByteSource
        The gzip file.
    """

    def __init__(self, packed: ByteSource) -> None:
        self.path, self.size = packed.path, sys.maxsize
        self.damage: str | None = None
        """What zlib says of the place behind which nothing can be read."""
        self._packed, self._taken = packed, 0
        self._window, self._window_at = packed.first, 0
        self._left = b""
        self._inflater = zlib.decompressobj(GZIP_WBITS)
        self._is_over = False
        self._content = bytearray()
        self.first = self.read(0, FIRST_INFLATED)

    def read(self, offset: int, length: int) -> bytes:
        """Return up to ``length`` bytes from ``offset``; fewer where the file ends, is cut or damaged.

        Raises
        ------
        HeaderError
            Code ``out_of_reach``: too much would have to be inflated on the way, or read from S3.
        """
        if offset > FAR:
            raise HeaderError("out_of_reach", f"it begins {offset} bytes behind the begin of what is packed")
        stop = offset + length
        while len(self._content) < stop and not self._is_over:
            self._inflate(stop - len(self._content))
        return bytes(self._content[offset:stop])

    def _inflate(self, most: int) -> None:
        """Add up to ``most`` bytes to the content."""
        packed = self._left or self._taken_next()
        try:
            self._content += (content := self._inflater.decompress(packed, most))
        except zlib.error as error:
            self.damage, self._is_over = str(error).partition("decompressing data: ")[2] or str(error), True
            return
        if self._inflater.eof:
            self._begin_member(self._inflater.unused_data)
        else:
            self._left = self._inflater.unconsumed_tail
            self._is_over = not packed and not content

    def _begin_member(self, left: bytes) -> None:
        """Go on with the next member, if what follows is one and no padding."""
        self._left = left if len(left) >= len(GZIP_MAGIC) else left + self._taken_next()
        self._inflater = zlib.decompressobj(GZIP_WBITS)
        self._is_over = not self._left.startswith(GZIP_MAGIC)

    def _taken_next(self) -> bytes:
        """Return the next packed bytes; none at the end of the file."""
        if self._taken >= self._window_at + len(self._window) and self._taken < self._packed.size:
            self._window, self._window_at = self._packed.read(self._taken, FIRST_BLOCK), self._taken
        start = self._taken - self._window_at
        piece = self._window[start : start + PIECE]
        self._taken += len(piece)
        return piece
