"""Packs content as Spark does, for tests: what the Java libraries write, byte by byte.

Here: an encoder for each codec, with blocks of any size.
"""

from __future__ import annotations

import struct
import zlib
from typing import TYPE_CHECKING

import cramjam
import zstandard

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


def _blocks(content: bytes, size: int) -> Iterator[bytes]:
    return (content[at : at + size] for at in range(0, len(content), size))


def pack_zstd(content: bytes, size: int = 1 << 17) -> bytes:
    """Return two frames: one flushed after every ``size`` bytes, with a checksum, and an empty one."""
    compressor = zstandard.ZstdCompressor(write_checksum=True).compressobj()
    packed = [
        compressor.compress(block) + compressor.flush(zstandard.COMPRESSOBJ_FLUSH_BLOCK)
        for block in _blocks(content, size)
    ]
    return b"".join(packed) + compressor.flush() + zstandard.ZstdCompressor().compress(b"")


def pack_gzip(content: bytes, size: int = 1 << 20) -> bytes:
    """Return one member for every ``size`` bytes."""
    members = []
    for block in _blocks(content, size):
        compressor = zlib.compressobj(wbits=31)
        members.append(compressor.compress(block) + compressor.flush())
    return b"".join(members) or pack_gzip_member(b"")


def pack_gzip_member(content: bytes) -> bytes:
    """Return one member."""
    compressor = zlib.compressobj(wbits=31)
    return compressor.compress(content) + compressor.flush()


def lz4_block(content: bytes) -> bytes:
    """Return one block, as it is where packing does not make it smaller."""
    packed = bytes(cramjam.lz4.compress_block(content, store_size=False)) if content else b""
    is_packed = 0 < len(packed) < len(content)
    stored = packed if is_packed else content
    method = 0x20 if is_packed else 0x10
    return b"LZ4Block" + struct.pack("<BIII", method | 0x0F, len(stored), len(content), 0) + stored


def pack_lz4(content: bytes, size: int = 1 << 15) -> bytes:
    """Return one stream of blocks of ``size`` bytes, with its end."""
    return b"".join(lz4_block(block) for block in _blocks(content, size)) + lz4_block(b"")


SNAPPY_HEADER = b"\x82SNAPPY\x00" + struct.pack(">II", 1, 1)


def pack_snappy(content: bytes, size: int = 1 << 15) -> bytes:
    """Return one stream of chunks of ``size`` bytes."""
    chunks = (bytes(cramjam.snappy.compress_raw(block)) for block in _blocks(content, size))
    return SNAPPY_HEADER + b"".join(struct.pack(">I", len(chunk)) + chunk for chunk in chunks)


def pack_lzf(content: bytes, size: int = 65_535) -> bytes:
    """Return chunks of ``size`` bytes, as they are where packing does not make them smaller."""
    return b"".join(lzf_chunk(block) for block in _blocks(content, size))


def lzf_chunk(content: bytes) -> bytes:
    """Return one chunk of at most 65,535 bytes."""
    packed = lzf_packed(content)
    if len(packed) >= len(content):
        return b"ZV\x00" + struct.pack(">H", len(content)) + content
    return b"ZV\x01" + struct.pack(">HH", len(packed), len(content)) + packed


def lzf_packed(content: bytes) -> bytes:
    """Return lzf: copies from where the same three bytes were last, bytes as they are otherwise."""
    packed, waiting, seen, at = bytearray(), bytearray(), dict[bytes, int](), 0

    def put_waiting() -> None:
        for literals in _blocks(bytes(waiting), 32):
            packed.append(len(literals) - 1)
            packed.extend(literals)
        waiting.clear()

    while at < len(content):
        three = content[at : at + 3]
        before = seen.get(three)
        seen[three] = at
        if before is None or at - before > 8192 or len(three) < 3:
            waiting.append(content[at])
            at += 1
            continue
        put_waiting()
        length = _same(content, before, at)
        back, more = at - before - 1, length - 2
        packed += bytes([min(more, 7) << 5 | back >> 8, *([more - 7] if more >= 7 else []), back & 0xFF])
        at += length
    put_waiting()
    return bytes(packed)


def _same(content: bytes, before: int, at: int) -> int:
    """How many bytes at two places are the same: 3 to 264."""
    length = 3
    while length < 264 and at + length < len(content) and content[before + length] == content[at + length]:
        length += 1
    return length


PACKERS: dict[str, Callable[[bytes, int], bytes]] = {
    "zstd": pack_zstd,
    "gzip": pack_gzip,
    "lz4": pack_lz4,
    "snappy": pack_snappy,
    "lzf": pack_lzf,
}
