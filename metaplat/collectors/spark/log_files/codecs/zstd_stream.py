"""zstd: frames of blocks, unpacked block by block.

Here: walking over the frames (RFC 8878, section 3.1), and unpacking them.
The decoder is given one block at a time: so no piece is larger than 128 KiB whatever the stream claims, a cut
is told from an end, which the decoder does not do, and a damaged block costs nothing before it. Larger pieces
would cost a copy, which is what takes time here.
"""

from __future__ import annotations

from typing import IO, TYPE_CHECKING, cast

from metaplat.collectors.spark.log_files.codecs.intake import DamageError, cut_inside, gathered

if TYPE_CHECKING:
    from collections.abc import Iterator

    from metaplat.collectors.spark.log_files.codecs.intake import Intake

MAGIC = b"\x28\xb5\x2f\xfd"
BLOCK_BYTES = 128 << 10
"""Largest content of a block, by the format."""

_SKIPPED = tuple(bytes([0x50 + low]) + b"\x2a\x4d\x18" for low in range(16))
_SIZE_FIELD = (0, 2, 4, 8)
_DICTIONARY_FIELD = (0, 1, 2, 4)
_ONE_BYTE_REPEATED = 1


def unpacked(intake: Intake) -> Iterator[bytes]:
    """Yield the content of all frames.

    Parameters
    ----------
    intake : Intake
        The stored bytes, from the start of a frame.

    Raises
    ------
    DamageError
        The stream is cut or damaged.
    """
    return gathered(_pieces(intake), BLOCK_BYTES // 2)


def _pieces(intake: Intake) -> Iterator[bytes]:
    from zstandard import ZstdDecompressor, ZstdError

    blocks = cast("IO[bytes]", _Blocks(intake))  # only ``read`` is called
    reader = ZstdDecompressor().stream_reader(blocks, read_across_frames=True)
    try:
        while piece := reader.read1(BLOCK_BYTES):
            yield piece
    except ZstdError as error:
        raise DamageError(f"damaged: {error}") from None


class _Blocks:
    """A file of which each read returns one whole part: a frame's header, a block, a checksum."""

    def __init__(self, intake: Intake) -> None:
        self._parts = _parts(intake)

    def read(self, size: int = -1) -> bytes:
        """Return the next part, and nothing at the end."""
        del size  # a part is never larger than a block
        return next(self._parts, b"")


def _parts(intake: Intake) -> Iterator[bytes]:
    while magic := intake.peek(4):
        if magic in _SKIPPED:
            _skip(intake)
        elif magic == MAGIC:
            yield from _frame(intake)
        elif MAGIC.startswith(magic):
            raise cut_inside("the start of a frame")
        else:
            raise DamageError("what follows a frame is none")


def _skip(intake: Intake) -> None:
    left = int.from_bytes(intake.exactly(8, "a frame")[4:], "little")
    while left:
        skipped = len(intake.take(min(left, BLOCK_BYTES)))
        if not skipped:
            raise cut_inside("a frame that is skipped")
        left -= skipped


def _frame(intake: Intake) -> Iterator[bytes]:
    start = intake.exactly(5, "a frame's header")
    descriptor = start[4]
    is_single = descriptor >> 5 & 1
    size_field = _SIZE_FIELD[descriptor >> 6] or is_single
    fields = (1 - is_single) + _DICTIONARY_FIELD[descriptor & 3] + size_field
    yield start + intake.exactly(fields, "a frame's header")
    is_last = False
    while not is_last:
        packed = int.from_bytes(intake.peek(3), "little")
        is_last, kind, size = bool(packed & 1), packed >> 1 & 3, packed >> 3
        if size > BLOCK_BYTES:
            raise DamageError(f"damaged: a block claims {size:,} bytes")
        stored = 3 + (1 if kind == _ONE_BYTE_REPEATED else size)
        block = intake.take(stored)
        yield block  # what there is of a block that is cut may still be unpacked
        if len(block) < stored:
            raise cut_inside("a block")
    if descriptor >> 2 & 1:
        yield intake.exactly(4, "a frame's checksum")
