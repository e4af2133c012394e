"""Stored bytes are taken in the lengths that a codec needs, whatever pieces they come in.

Here: taking, looking ahead, and the error that ends unpacking.
Not here: what the bytes mean (the codecs).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

GATHERED_BYTES = 512 << 10
"""Small blocks are handed on together, so many bytes at a time."""


class DamageError(Exception):
    """The stream is cut or damaged here; the text says how, for the end of a line."""


class Intake:
    """The bytes of ``chunks``, in order.

    Parameters
    ----------
    chunks : iterable of bytes
        In pieces of any size.

    Attributes
    ----------
    position : int
        Bytes taken so far.
    """

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._source = chunks
        self._chunks = iter(chunks)
        self._held, self._at = b"", 0
        self.position = 0

    def peek(self, size: int) -> bytes:
        """Return the next ``size`` bytes without taking them; fewer only at the end."""
        if self._at + size > len(self._held):
            self._fetch(size)
        return self._held[self._at : self._at + size]

    def take(self, size: int) -> bytes:
        """Return the next ``size`` bytes; fewer only at the end."""
        start, end = self._at, self._at + size
        if end <= len(self._held):
            taken, self._at = self._held[start:end], end
        else:
            taken = self._across(size)
        self.position += len(taken)
        return taken

    def exactly(self, size: int, what: str) -> bytes:
        """Return the next ``size`` bytes.

        Raises
        ------
        DamageError
            The stream ends inside ``what``.
        """
        taken = self.take(size)
        if len(taken) < size:
            raise cut_inside(what)
        return taken

    def give_back(self, content: bytes) -> None:
        """Take back the last bytes that were taken."""
        self._held, self._at = content + self._held[self._at :], 0
        self.position -= len(content)

    def rest(self) -> Iterator[bytes]:
        """Yield everything that is left, in the pieces it comes in."""
        if left := self.take(len(self._held) - self._at):
            yield left
        self._held, self._at = b"", 0
        for chunk in self._chunks:
            self.position += len(chunk)
            if chunk:
                yield chunk

    def close(self) -> None:
        """Let go of the source, and close it where it can be: nothing more is read."""
        close = getattr(self._source, "close", None)
        if close is not None:
            close()

    def _across(self, size: int) -> bytes:
        """Take from the piece at hand and those that follow; the rest of the last one is not copied."""
        parts, missing = [self._held[self._at :]], size - (len(self._held) - self._at)
        self._held, self._at = b"", 0
        while missing and (chunk := next(self._chunks, None)) is not None:
            parts.append(chunk[:missing])
            if len(chunk) > missing:
                self._held, self._at = chunk, missing
            missing -= len(parts[-1])
        return b"".join(parts)

    def _fetch(self, size: int) -> None:
        parts, held = [self._held[self._at :]], len(self._held) - self._at
        while held < size and (chunk := next(self._chunks, None)) is not None:
            parts.append(chunk)
            held += len(chunk)
        self._held, self._at = b"".join(parts), 0


def cut_inside(what: str) -> DamageError:
    """Return the error of a stream that ends inside ``what``."""
    return DamageError(f"the file ends inside {what}")


def gathered(blocks: Iterator[bytes | bytearray], least: int = GATHERED_BYTES) -> Iterator[bytes]:
    """Yield small blocks together, so that no piece but the last is smaller than ``least``.

    What came before a damage is yielded before it is raised.
    """
    held: list[bytes | bytearray] = []
    size = 0
    try:
        for block in blocks:
            held.append(block)
            size += len(block)
            if size >= least:
                yield b"".join(held)  # no copy where it is one piece of bytes
                held, size = [], 0
    except DamageError:
        if size:
            yield b"".join(held)
        raise
    if size:
        yield b"".join(held)
