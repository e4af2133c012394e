"""lz4 as Spark writes it: the block stream of the Java library lz4-java, not the frame format of other tools.

Here: its blocks. Each has a header of 21 bytes: ``LZ4Block``, a token (high half: how it is packed, low half:
largest block as a power of two from 2**10), then stored length, content length and checksum, 32 bits each,
little-endian. A block without content ends a stream, and another may follow.
Source: ``LZ4BlockOutputStream`` of lz4-java.
The checksum (xxHash) is not looked at: a damage that the decoder misses shows as a broken line.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from metaplat.collectors.spark.log_files.codecs.intake import DamageError, cut_inside, gathered

if TYPE_CHECKING:
    from collections.abc import Iterator

    from metaplat.collectors.spark.log_files.codecs.intake import Intake

MAGIC = b"LZ4Block"
RAW, PACKED = 0x10, 0x20
LARGEST_RATIO = 255
"""No byte of lz4 stands for more."""

_HEADER = struct.Struct("<8sBIII")


def unpacked(intake: Intake) -> Iterator[bytes]:
    """Yield the content of all streams.

    Parameters
    ----------
    intake : Intake
        The stored bytes, from the start of a stream.

    Raises
    ------
    DamageError
        The stream is cut or damaged.
    """
    return gathered(_blocks(intake))


def _blocks(intake: Intake) -> Iterator[bytes | bytearray]:
    is_ended = False
    while header := intake.take(_HEADER.size):
        if len(header) < _HEADER.size:
            raise cut_inside("a block's header")
        magic, token, stored, size, _ = _HEADER.unpack(header)
        if magic != MAGIC:
            raise DamageError("damaged: what follows a block is none")
        is_ended = not size
        if size:
            yield from _block(intake, token, stored, size)
    if not is_ended:
        raise DamageError("the file ends without the mark of an end")


def _block(intake: Intake, token: int, stored: int, size: int) -> Iterator[bytes | bytearray]:
    largest = 1 << 10 + (token & 0x0F)
    if size > largest or stored > size or size > stored * LARGEST_RATIO:
        raise DamageError(f"damaged: a block claims {size:,} bytes packed in {stored:,}")
    content = intake.take(stored)
    if token & 0xF0 == RAW and content:
        yield content
    if len(content) < stored:
        raise cut_inside("a block")
    if token & 0xF0 == PACKED:
        yield _decoded(content, size)
    elif token & 0xF0 != RAW:
        raise DamageError("damaged: a block is packed in no known way")


def _decoded(content: bytes, size: int) -> bytearray:
    import cramjam

    room = bytearray(size)
    try:
        done = cramjam.lz4.decompress_block_into(content, room, size)
    except cramjam.DecompressionError:
        raise DamageError("damaged: a block cannot be unpacked") from None
    if done != size:
        raise DamageError(f"damaged: a block of {size:,} bytes has {done:,}")
    return room
