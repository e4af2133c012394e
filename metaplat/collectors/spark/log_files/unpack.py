"""The packed bytes of a file are unpacked, whatever its name says.

Here: which codec the first bytes are of, and unpacking in bounded memory up to the end, a cut or a damage.
Not here: the codecs (``codecs``), reading files (``place``).
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from metaplat.collectors.spark.log_files.codecs.intake import DamageError, Intake

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

MAGIC = {
    b"\x28\xb5\x2f\xfd": "zstd",
    b"LZ4Block": "lz4",
    b"\x82SNAPPY\x00": "snappy",
    b"\x1f\x8b": "gzip",
    b"ZV": "lzf",
    **{bytes([0x50 + low]) + b"\x2a\x4d\x18": "zstd" for low in range(16)},  # frames that are skipped
}
"""Codec by first bytes."""

_LONGEST = max(map(len, MAGIC))


class Unpacked:
    """The content of a file, piece by piece, 64 KiB to a few MiB each.

    It raises only what reading raises. What was unpacked before a cut or a damage is delivered.

    Parameters
    ----------
    chunks : iterable of bytes
        The stored bytes.

    Attributes
    ----------
    codec : str
        ``none``, ``gzip``, ``zstd``, ``lz4``, ``snappy`` or ``lzf``; known once a piece was asked for.
    truncated : bool
        Whether the stream is cut or damaged; known at the end.
    damage : str or None
        What is wrong with it, in one line; known at the end.
    """

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self.codec = "none"
        self.truncated = False
        self.damage: str | None = None
        self._intake = Intake(chunks)
        self._pieces: Iterator[bytes] | None = None

    def __iter__(self) -> Iterator[bytes]:
        """Return itself: the content is unpacked once."""
        return self

    def __next__(self) -> bytes:
        """Return the next piece, never an empty one."""
        if self._pieces is None:
            self.codec = recognise(self._intake.peek(_LONGEST))
            self._pieces = _decoder(self.codec)(self._intake)
        try:
            return next(self._pieces)
        except DamageError as damage:
            self.truncated = True
            self.damage = f"{self.codec}: {damage} (at stored byte {self._intake.position:,})"
            self._intake.close()
            raise StopIteration from None


def unpack(chunks: Iterable[bytes]) -> Unpacked:
    """Return the content of a file as an iterator that also tells codec and damage.

    Parameters
    ----------
    chunks : iterable of bytes
        What is stored, in pieces of any size.
    """
    return Unpacked(chunks)


def recognise(head: bytes) -> str:
    """Return the codec that content starting with ``head`` is packed by; ``none`` where it is not.

    Fewer bytes than a codec's mark, which are its start, are a cut file of that codec.
    """
    return next(
        (codec for magic, codec in MAGIC.items() if head and head.startswith(magic[: len(head)])), "none"
    )


def _decoder(codec: str) -> Callable[[Intake], Iterator[bytes]]:
    """Load a codec when a file needs it."""
    if codec == "none":
        return Intake.rest
    found: Callable[[Intake], Iterator[bytes]] = import_module(
        f"metaplat.collectors.spark.log_files.codecs.{codec}_stream"
    ).unpacked
    return found
