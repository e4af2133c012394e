"""lzf as Spark writes it: the chunks of the Java library compress-lzf.

Here: its chunks, and the decoder, since no library at hand has one. A chunk is ``ZV``, type 0, the length of
the content (16 bits, big-endian), and the content as it is; or ``ZV``, type 1, stored length, content length,
and packed content.
Source: ``LZFChunk`` of compress-lzf. There is no mark of the end: a cut between two chunks is not seen.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from metaplat.collectors.spark.log_files.codecs.intake import DamageError, cut_inside, gathered

if TYPE_CHECKING:
    from collections.abc import Iterator

    from metaplat.collectors.spark.log_files.codecs.intake import Intake

MAGIC = b"ZV"
RAW, PACKED = 0, 1
LITERALS = 32
"""Control bytes below say how many bytes follow as they are, less one; the others copy what came before."""

LONG_COPY = 7
"""In the upper three bits of a control byte: the next byte adds to the length."""


def unpacked(intake: Intake) -> Iterator[bytes]:
    """Yield the content of all chunks.

    Parameters
    ----------
    intake : Intake
        The stored bytes, from the start of a chunk.

    Raises
    ------
    DamageError
        The stream is cut or damaged.
    """
    return gathered(_chunks(intake))


def _chunks(intake: Intake) -> Iterator[bytes | bytearray]:
    while head := intake.take(5):
        if not head.startswith(MAGIC[: len(head)]) or (len(head) > 2 and head[2] > PACKED):
            raise DamageError("damaged: what follows a chunk is none")
        if len(head) < 5:
            raise cut_inside("a chunk's header")
        stored = int.from_bytes(head[3:], "big")
        if head[2] == RAW:
            content = intake.take(stored)
            yield content
            if len(content) < stored:
                raise cut_inside("a chunk")
            continue
        size = int.from_bytes(intake.exactly(2, "a chunk's header"), "big")
        yield _decoded(intake.exactly(stored, "a chunk"), size)


def _decoded(chunk: bytes, size: int) -> bytearray:
    """Unpack one chunk; what it claims is 64 KiB at most."""
    content, at, end = bytearray(), 0, len(chunk)
    try:
        while at < end:
            control = chunk[at]
            if control < LITERALS:
                stop = at + control + 2
                content += chunk[at + 1 : stop]
                at = stop
                continue
            length = control >> 5
            if length == LONG_COPY:
                at += 1
                length += chunk[at]
            start = len(content) - 1 - ((control & 0x1F) << 8 | chunk[at + 1])
            if start < 0:
                raise DamageError("damaged: a copy from before the start of a chunk")
            at, length = at + 2, length + 2
            part = content[start : start + length]
            content += part if len(part) == length else _repeated(part, length)
    except IndexError:
        raise DamageError("damaged: a chunk ends in the middle of a copy") from None
    if len(content) != size or at != end:
        raise DamageError(f"damaged: a chunk of {size:,} bytes has {len(content):,}")
    return content


def _repeated(part: bytearray, length: int) -> bytearray:
    """Return a copy that goes on into what it appends."""
    return (part * (length // len(part) + 1))[:length]
