"""gzip: members one after another, unpacked in steps of bounded size.

Here: the members, and saving what comes before a damage.
Format: RFC 1952.
"""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

from metaplat.collectors.spark.log_files.codecs.intake import DamageError, cut_inside

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from metaplat.collectors.spark.log_files.codecs.intake import Intake

MAGIC = b"\x1f\x8b"
STEP_BYTES = 512 << 10
"""Unpacked at a time at most, whatever the ratio."""

STORED_BYTES = 64 << 10
"""Given to the decoder at a time."""

_GZIP = 16 + zlib.MAX_WBITS


def unpacked(intake: Intake) -> Iterator[bytes]:
    """Yield the content of all members.

    Parameters
    ----------
    intake : Intake
        The stored bytes, from the start of a member.

    Raises
    ------
    DamageError
        The stream is cut or damaged.
    """
    while head := intake.peek(2):
        if head.startswith(MAGIC[: len(head)]):
            yield from _member(intake)
        elif intake.take(STORED_BYTES).strip(b"\0"):  # a tape or a disk may fill up with zeros
            raise DamageError("what follows a member is none")


def _member(intake: Intake) -> Iterator[bytes]:
    decoder = zlib.decompressobj(_GZIP)
    while stored := intake.take(STORED_BYTES):
        while True:
            before = decoder.copy()  # a step that fails loses what it had unpacked
            try:
                piece = decoder.decompress(stored, STEP_BYTES)
            except zlib.error as error:
                yield from _saved(before, stored)
                raise DamageError(f"damaged: {error}") from None
            if piece:
                yield piece
            stored = decoder.unconsumed_tail
            if decoder.eof:
                intake.give_back(decoder.unused_data)
                return
            if not piece:
                break
    raise cut_inside("a member")


def _saved(decoder: Any, stored: bytes) -> Iterator[bytes]:  # zlib names no type for it
    """Yield what can be unpacked of a step that fails, giving the decoder ever less up to the bad byte."""
    size = len(stored)
    while size:
        before = decoder.copy()
        try:
            piece = decoder.decompress(stored[:size])
        except zlib.error:
            decoder, size = before, size // 8
            continue
        if piece:
            yield piece
        stored = stored[size:]
