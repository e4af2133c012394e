"""The bytes of a data file, made while they are sent: any part of a file of any size, always the same.

Here: rows of CSV in gzip members of 64 KiB, so that ``gzip -d`` gives text and nothing is kept in memory.
Not here: which files there are (``listing``), sending them (``file_host``).
"""

from __future__ import annotations

import random
import zlib
from functools import cache
from hashlib import blake2b
from struct import pack
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

MEMBER_BYTES = 65_536
FRAME_BYTES = 23
"""Around the text of a gzip member (RFC 1952) that holds one stored block (RFC 1951): 10 + 5 + 8."""
ROW_BYTES = 64
POOL_ROWS = 32_768


@cache
def _pool() -> bytes:
    rng = random.Random(1)
    return b"".join(
        b"%010d,%016x,%012d,%022x\n" % (row, rng.getrandbits(64), rng.randrange(10**12), rng.getrandbits(88))
        for row in range(POOL_ROWS)
    )


def chunks(label: str, size: int, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
    """Yield the bytes ``start`` to ``stop`` of a file, at most 64 KiB at a time.

    Parameters
    ----------
    label : str
        What the content depends on: another label, other bytes.
    size : int
        Of the whole file, bytes.
    start, stop : int
        First byte, and the first one after the last; None means the end.

    Yields
    ------
    bytes
        The next part.
    """
    end = size if stop is None else min(stop, size)
    at = start
    while at < end:
        number, first, length = _member_at(at, size)
        member = _member(label, number, length)
        part = member[at - first : end - first]
        yield part
        at += len(part)


def whole(label: str, size: int) -> bytes:
    """Return all bytes of a file."""
    return b"".join(chunks(label, size))


def etag(label: str) -> str:
    """Return what a file host says of this content, quoted."""
    return f'"{blake2b(label.encode(), digest_size=16).hexdigest()}"'


def _member_at(offset: int, size: int) -> tuple[int, int, int]:
    """Return number, first byte and length of the member that holds ``offset``."""
    number = offset // MEMBER_BYTES
    first = number * MEMBER_BYTES
    rest = size % MEMBER_BYTES
    last = max(size // MEMBER_BYTES - (rest < FRAME_BYTES), 0)  # too short a rest belongs to the one before
    if number >= last:
        return last, last * MEMBER_BYTES, size - last * MEMBER_BYTES
    return number, first, MEMBER_BYTES


def _member(label: str, number: int, length: int) -> bytes:
    if length < FRAME_BYTES:
        return _text(label, number, length)
    text = _text(label, number, length - FRAME_BYTES)
    head = b"\x1f\x8b\x08\0\0\0\0\0\0\xff\x01" + pack("<HH", len(text), len(text) ^ 0xFFFF)
    return b"".join((head, text, pack("<II", zlib.crc32(text), len(text))))


def _text(label: str, number: int, length: int) -> bytes:
    """Return whole rows; the first is unlike any other, and as long as makes the rest come out even."""
    digest = blake2b(f"{label}/{number}".encode()).hexdigest()
    filling = 22 + length % ROW_BYTES
    row = f"{number:010d},{digest[:16]},{int(digest[:9], 16):012d},{digest[-filling:]}\n".encode()
    rows = max(length // ROW_BYTES - 1, 0)
    offset = int(digest[16:24], 16) % (POOL_ROWS - rows) * ROW_BYTES
    return (row + _pool()[offset : offset + rows * ROW_BYTES])[:length]
