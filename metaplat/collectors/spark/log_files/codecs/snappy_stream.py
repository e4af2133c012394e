"""snappy as Spark writes it: the stream of the Java library snappy-java, not the frame format of other tools.

Here: its chunks. A header of 16 bytes (``82 SNAPPY 00``, version, oldest version that can read it), then
chunks: stored length, 32 bits, big-endian, and raw snappy. Another header may follow where streams were put
together.
There is no mark of the end: a cut between two chunks is not seen.
Source: ``SnappyOutputStream`` of snappy-java.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from metaplat.collectors.spark.log_files.codecs.intake import DamageError, cut_inside, gathered

if TYPE_CHECKING:
    from collections.abc import Iterator

    from metaplat.collectors.spark.log_files.codecs.intake import Intake

MAGIC = b"\x82SNAPPY\x00"
HEADER_BYTES = 16
LARGEST_BYTES = 32 << 20
"""Largest chunk that is believed; Spark writes 32 KiB unless its settings say otherwise."""

LARGEST_RATIO = 32
"""No byte of snappy stands for more (64 bytes by a copy of 3)."""


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
    return gathered(_chunks(intake))


def _chunks(intake: Intake) -> Iterator[bytes | bytearray]:
    while head := intake.peek(len(MAGIC)):
        if head == MAGIC:
            intake.exactly(HEADER_BYTES, "a header")
            continue
        if head.startswith(MAGIC[:4]) or MAGIC.startswith(head):
            raise cut_inside("a header")
        stored = int.from_bytes(intake.exactly(4, "the length of a chunk"), "big")
        if stored > LARGEST_BYTES:
            raise DamageError(f"damaged: a chunk claims {stored:,} stored bytes")
        yield _decoded(intake.exactly(stored, "a chunk"))


def _decoded(chunk: bytes) -> bytearray:
    import cramjam

    try:
        size = cramjam.snappy.decompress_raw_len(chunk)
        if size > min(LARGEST_BYTES, len(chunk) * LARGEST_RATIO):
            raise DamageError(f"damaged: a chunk claims {size:,} bytes packed in {len(chunk):,}")
        room = bytearray(size)
        cramjam.snappy.decompress_raw_into(chunk, room)
    except cramjam.DecompressionError:
        raise DamageError("damaged: a chunk cannot be unpacked") from None
    return room
