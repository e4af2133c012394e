"""64-bit hashes of very many keys, from many places, and which of them occur more than once.

Here: hashes split into ranges that are looked at one by one; 8 bytes a key in memory, and beyond a limit in a
temporary file that has no name. Not here: the keys themselves (``hashed_count``).
"""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType

    import numpy as np
    from numpy.typing import NDArray

RANGES = 256
"""By the first byte of the hash: a range of a hundred million keys still fits into a processor's cache."""

FEW = 32_768
"""Fewer hashes are put together with those of other places, since every block has a cost of its own."""


@dataclass(frozen=True)
class _Block:
    """Hashes of some places by range; ``edges`` are where each range begins, ``start`` is in the file."""

    places: tuple[int, ...]
    hashes: NDArray[np.uint64] | None
    edges: NDArray[np.int64]
    start: int


class HashRanges:
    """Hashes of many places; ``add`` may be called in many threads. Close it, or use it with ``with``.

    Parameters
    ----------
    memory_rows : int
        Hashes kept in memory; further ones go to a file in the folder for temporary files.
    """

    def __init__(self, memory_rows: int) -> None:
        self._memory_rows = memory_rows
        self._blocks: list[_Block] = []
        self._kept = 0
        self._file: BinaryIO | None = None
        self._written = 0
        self._few: list[tuple[int, NDArray[np.uint64]]] = []
        self._lock = Lock()

    def __enter__(self) -> HashRanges:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is not None:
            self._file.close()

    def add(self, place: int, hashes: NDArray[np.uint64]) -> None:
        """Add hashes that were seen at a place."""
        if len(hashes) >= FEW:
            self._add((place,), hashes)
            return
        with self._lock:
            self._few.append((place, hashes))
            if sum(len(few) for _, few in self._few) < FEW:
                return
            together, self._few = self._few, []
        self._add_few(together)

    def finish(self) -> None:
        """Say that nothing more is added."""
        if self._few:
            self._add_few(self._few)
            self._few = []

    def _add_few(self, few: Sequence[tuple[int, NDArray[np.uint64]]]) -> None:
        import numpy as np

        self._add(tuple({place for place, _ in few}), np.concatenate([hashes for _, hashes in few]))

    def _add(self, places: tuple[int, ...], hashes: NDArray[np.uint64]) -> None:
        import numpy as np

        first_byte = (hashes >> np.uint64(56)).astype(np.uint8)
        ordered = hashes.take(np.argsort(first_byte, kind="stable"))
        edges = np.concatenate(([0], np.bincount(first_byte, minlength=RANGES).cumsum()))
        with self._lock:
            if self._kept + len(ordered) <= self._memory_rows:
                self._kept += len(ordered)
                self._blocks.append(_Block(places, ordered, edges, 0))
            else:
                self._blocks.append(_Block(places, None, edges, self._write(ordered)))

    def repeated(self, number: int) -> tuple[NDArray[np.uint64], set[int]]:
        """Return the hashes of a range that occur more than once, sorted, and places where they may.

        Call ``finish`` before. Places with few hashes are told together with others.
        """
        import numpy as np
        import polars as pl

        pieces = [self._piece(block, number) for block in self._blocks]
        hashes = np.concatenate([np.empty(0, np.uint64), *pieces])
        if pl.Series(hashes).n_unique() == len(hashes):
            return np.empty(0, np.uint64), set()  # not a view, which would keep all of them alive
        order = np.argsort(hashes)
        ordered = hashes[order]
        equal = ordered[1:] == ordered[:-1]
        both = np.concatenate(([False], equal)) | np.concatenate((equal, [False]))
        return ordered[1:][equal], self._places([len(piece) for piece in pieces], order[both])

    def _places(self, lengths: Sequence[int], positions: NDArray[np.int64]) -> set[int]:
        import numpy as np

        hit = np.unique(np.searchsorted(np.cumsum(lengths), positions, "right"))
        return {place for index in hit.tolist() for place in self._blocks[index].places}

    def _write(self, hashes: NDArray[np.uint64]) -> int:
        if self._file is None:
            self._file = tempfile.TemporaryFile(prefix="metaplat-", buffering=0)  # noqa: SIM115  # closed by __exit__
        start = self._written
        view = memoryview(hashes.data).cast("B")
        while view:
            view = view[self._file.write(view) :]
        self._written += hashes.nbytes
        return start

    def _piece(self, block: _Block, number: int) -> NDArray[np.uint64]:
        import numpy as np

        first, last = int(block.edges[number]), int(block.edges[number + 1])
        if block.hashes is not None:
            return block.hashes[first:last]
        if self._file is None:
            raise ValueError("the file of hashes is closed")
        content = os.pread(self._file.fileno(), 8 * (last - first), block.start + 8 * first)
        return np.frombuffer(content, np.uint64)
