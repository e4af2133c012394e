"""Gzip files are inflated to their end, to find those that are cut or damaged.

Here: the check of a stream.
Not here: reading headers from one (``collectors.headers.gzip_fits``), which files to check (``reconciling``).
"""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_PIECE = 1 << 20
_MAGIC = b"\x1f\x8b"
_GZIP = 31
"""zlib: a gzip header and trailer, whatever the window; the checksum is looked at."""


def gzip_damage(pieces: Iterable[bytes]) -> str | None:
    """Return what is wrong with a gzip stream, in one line; None where it is whole.

    Several members in a row are one stream, and what follows the last one and is no member is let be, as
    gzip does (https://www.rfc-editor.org/rfc/rfc1952).

    Parameters
    ----------
    pieces : iterable of bytes
        Its bytes, in pieces of any size.
    """
    stream, is_inside, members, count, rest = zlib.decompressobj(_GZIP), False, 0, 0, b""
    for piece in pieces:
        rest, count = rest + piece, count + len(piece)
        while len(rest) >= len(_MAGIC) or (rest and is_inside):
            if not is_inside and members and not rest.startswith(_MAGIC):
                return None
            is_inside = True
            try:
                stream.decompress(rest, _PIECE)
            except zlib.error as error:
                return f"the gzip stream is damaged: {error}"
            rest = stream.unconsumed_tail
            if stream.eof:
                rest, members = stream.unused_data, members + 1
                stream, is_inside = zlib.decompressobj(_GZIP), False
    if is_inside or not members:
        return f"the gzip stream is cut: it has no end within its {count:,} bytes"
    return None
