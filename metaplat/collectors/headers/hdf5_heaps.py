"""Heaps and trees of HDF5: where texts, many attributes and many links are kept.

Here: global heaps; fractal heaps under B-trees of version 2 (new groups); local heaps under B-trees of
version 1 (old groups).
Not here: what is in them (``hdf5_types``, ``hdf5_tree``).
Format: "HDF5 File Format Specification Version 3.0", III.A to III.H.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from metaplat.collectors.headers.hdf5_bytes import BrokenError, UnusualError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from metaplat.collectors.headers.hdf5_bytes import Window

NOWHERE = (1 << 64) - 1
LARGEST = 16 << 20
"""Bytes of one heap or block; a larger one is garbage, or no metadata."""
DEEPEST = 8
"""Levels of a tree."""
MOST_NODES = 2000
"""Nodes of a tree that are read: enough for a hundred thousand links."""


class GlobalHeaps:
    """The texts of variable length, by collection; each collection is read once."""

    def __init__(self, window: Window) -> None:
        self._window = window
        self._collections: dict[int, dict[int, bytes]] = {}

    def get(self, reference: bytes) -> bytes:
        """Return the text that a reference in an attribute points to: length, collection, number."""
        length, address, index = struct.unpack("<IQI", reference)
        if not length or address in (0, NOWHERE):
            return b""
        if address not in self._collections:
            self._collections[address] = self._read(address)
        return self._collections[address][index][:length]

    def _read(self, address: int) -> dict[int, bytes]:
        size: int = struct.unpack("<8xQ", _signed(self._window, address, 16, b"GCOL"))[0]
        if not 16 <= size <= LARGEST:
            raise BrokenError(f"a heap of {size} bytes")
        data, at, found = self._window.get(address, size), 16, {}
        while at + 16 <= size:
            index, length = struct.unpack_from("<H6xQ", data, at)
            if not index or at + 16 + length > size:  # number 0 is what is free, up to the end
                break
            found[index] = data[at + 16 : at + 16 + length]
            at += 16 + (length + 7 & -8)
        return found


class FractalHeap:
    """The heap that many attributes or links of one object are in."""

    def __init__(self, window: Window, address: int) -> None:
        data = _signed(window, address, 146, b"FRHP")
        self._window = window
        self._filters, self._largest_object = struct.unpack_from("<HxI", data, 7)
        self._width, self._start, self._max_direct, bits, _, self._root, self._rows = struct.unpack_from(
            "<HQQHHQH", data, 110
        )
        if self._filters or not self._width or not self._start or self._max_direct > LARGEST:
            raise UnusualError
        self._offset_size = (bits + 7) // 8
        limit = min(_bytes_for(self._max_direct), _bytes_for(self._largest_object))
        self._length_size = limit
        self._blocks = self._table() if self._rows else [(0, self._start, self._root)]

    def get(self, heap_id: bytes) -> bytes | None:
        """Return the object under an identifier of the heap; None of one too large for it."""
        form = heap_id[0] >> 4 & 3
        if form == 2:
            return heap_id[1 : 2 + (heap_id[0] & 15)]
        if form:
            return None  # huge: kept outside of the heap
        offset = int.from_bytes(heap_id[1 : 1 + self._offset_size], "little")
        at = 1 + self._offset_size
        length = int.from_bytes(heap_id[at : at + self._length_size], "little")
        for start, size, address in self._blocks:
            if start <= offset and offset + length <= start + size and address != NOWHERE:
                return self._window.get(address + offset - start, length)
        raise UnusualError  # in the lower rows, after half a megabyte

    def _table(self) -> list[tuple[int, int, int]]:
        """Return begin in the heap, size and address of the direct blocks under the root."""
        rows = min(self._rows, _log2(self._max_direct) - _log2(self._start) + 2)
        head = 13 + self._offset_size
        data = _signed(self._window, self._root, head + rows * self._width * 8, b"FHIB")
        addresses = struct.unpack_from(f"<{rows * self._width}Q", data, head)
        blocks, offset = [], 0
        for place, address in enumerate(addresses):
            size = self._start << max(place // self._width - 1, 0)
            blocks.append((offset, size, address))
            offset += size
        return blocks


def records(window: Window, address: int) -> Iterator[bytes]:
    """Yield the records of a B-tree of version 2."""
    data = _signed(window, address, 38, b"BTHD")
    node_size, record_size, depth = struct.unpack_from("<IHH", data, 6)
    root, count = struct.unpack_from("<QH", data, 16)
    if not count or root == NOWHERE:
        return
    if not record_size or not record_size + 10 <= node_size <= LARGEST or depth > DEEPEST:
        raise BrokenError(f"a tree {depth} deep, its nodes of {node_size} bytes")
    yield from _Tree(window, node_size, record_size).below(root, count, depth)


class _Tree:
    """A B-tree of version 2: every node of one size, numbers in as few bytes as the fullest node needs."""

    def __init__(self, window: Window, node_size: int, record_size: int) -> None:
        self._window, self._node_size, self._record_size = window, node_size, record_size
        self._left = MOST_NODES
        total = (node_size - 10) // record_size
        self._count_size, self._total_sizes = _bytes_for(total), [0]  # a leaf has no total beside its count
        for _ in range(DEEPEST):
            pointer = 8 + self._count_size + self._total_sizes[-1]
            most = (node_size - 10 - pointer) // (record_size + pointer)
            total = min((most + 1) * total + most, NOWHERE)
            self._total_sizes.append(_bytes_for(total))

    def below(self, address: int, count: int, depth: int) -> Iterator[bytes]:
        """Yield the records of a node and of all under it."""
        self._left -= 1
        if not self._left:
            raise BrokenError("a tree that does not end")
        size = self._record_size
        if not depth:
            node = _signed(self._window, address, 6 + count * size, b"BTLF")
        else:
            node = _signed(self._window, address, self._node_size, b"BTIN")
        for place in range(6, 6 + count * size, size):
            yield node[place : place + size]
        if depth:
            yield from self._children(node, 6 + count * size, count + 1, depth)

    def _children(self, node: bytes, at: int, count: int, depth: int) -> Iterator[bytes]:
        step = 8 + self._count_size + self._total_sizes[depth - 1]
        for place in range(at, at + count * step, step):
            (child,) = struct.unpack_from("<Q", node, place)
            held = int.from_bytes(node[place + 8 : place + 8 + self._count_size], "little")
            yield from self.below(child, held, depth - 1)


def symbols(window: Window, tree: int, heap: int) -> Iterator[tuple[bytes, int, int]]:
    """Yield name, address and kind (1 is a group) of the links of an old group."""
    size, _, address = struct.unpack_from("<QQQ", _signed(window, heap, 32, b"HEAP"), 8)
    if size > LARGEST:
        raise BrokenError(f"a heap of {size} bytes")
    names = window.get(address, size)
    for node in leaves(window, tree):
        (count,) = struct.unpack_from("<H", _signed(window, node, 8, b"SNOD"), 6)
        entries = window.get(node + 8, 40 * count)
        for at in range(0, 40 * count, 40):
            name_at, target, kind = struct.unpack_from("<QQI", entries, at)
            yield names[name_at : names.index(b"\0", name_at)], target, kind


def leaves(window: Window, address: int) -> Iterator[int]:
    """Yield the addresses that the lowest level of a B-tree of version 1 of a group points to."""
    waiting, read = [address], 0
    while waiting:
        level, count = struct.unpack_from("<BH", _signed(window, waiting[0], 24, b"TREE"), 5)
        children = [child for (child,) in struct.iter_unpack("<8xQ", window.get(waiting[0] + 24, 16 * count))]
        read += 1
        if read > MOST_NODES:
            raise BrokenError("a tree that does not end")
        waiting[:1] = children if level else []
        if not level:
            yield from children


def _signed(window: Window, address: int, length: int, signature: bytes) -> bytes:
    data = window.get(address, length)
    if not data.startswith(signature):
        raise BrokenError(f"no {signature.decode()} at address {address}")
    return data


def _bytes_for(number: int) -> int:
    return (max(number.bit_length(), 1) - 1) // 8 + 1


def _log2(number: int) -> int:
    return number.bit_length() - 1
