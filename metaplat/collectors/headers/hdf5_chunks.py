"""The first and the last value of a dataset of one dimension in HDF5, without the library.

Here: compact, contiguous and chunked layouts, and the filters that NetCDF writes.
Not here: which dataset it is (``netcdf4``); other layouts and filters, which the library reads.
Format: "HDF5 File Format Specification Version 3.0", III.A.1 (chunk trees), IV.A.2.i (layout), l (filters).
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from metaplat.collectors.headers.hdf5_bytes import UnusualError
from metaplat.collectors.headers.hdf5_heaps import DEEPEST, NOWHERE

if TYPE_CHECKING:
    from metaplat.collectors.headers.hdf5_bytes import Window

LARGEST_CHUNK = 32 << 20
"""Bytes that a chunk may inflate to: two times are not worth more."""

_COMPACT, _CONTIGUOUS, _CHUNKED = 0, 1, 2
_DEFLATE, _SHUFFLE, _CHECKSUM = 1, 2, 3


@dataclass(frozen=True, slots=True)
class Stored:
    """Where values of ``size`` bytes are: the layout message and the filter message of their dataset."""

    window: Window
    layout: bytes
    filters: bytes | None
    size: int


def stored_ends(stored: Stored, count: int) -> tuple[bytes, bytes] | None:
    """Return the bytes of the first and the last of ``count`` values; None where they were never written.

    Raises
    ------
    UnusualError
        A layout or a filter that the library must read.
    """
    version, form = stored.layout[0], stored.layout[1]
    if version != 3:
        raise UnusualError
    if not count:
        return None
    size, last = stored.size, (count - 1) * stored.size
    if form == _COMPACT:
        values = stored.layout[4:]
        return values[:size], values[last : last + size]
    if form == _CONTIGUOUS:
        (address,) = struct.unpack_from("<Q", stored.layout, 2)
        if address == NOWHERE:
            return None
        return stored.window.get(address, size), stored.window.get(address + last, size)
    if form == _CHUNKED:
        return _chunked_ends(stored, count)
    raise UnusualError


def _chunked_ends(stored: Stored, count: int) -> tuple[bytes, bytes] | None:
    rank, tree, length, size = struct.unpack_from("<BQII", stored.layout, 2)
    if rank != 2 or size != stored.size or not 0 < length * size <= LARGEST_CHUNK:
        raise UnusualError
    if tree == NOWHERE:
        return None
    first = _chunk(stored, tree, 0, length)
    begin = (count - 1) // length * length
    last = first if begin == 0 else _chunk(stored, tree, begin, length)
    if first is None or last is None:
        return None
    at = (count - 1 - begin) * size
    return first[:size], last[at : at + size]


def _chunk(stored: Stored, tree: int, begin: int, length: int) -> bytes | None:
    """Return the values from ``begin`` on, or None where their chunk was never written."""
    address = tree
    for _ in range(DEEPEST):
        node = stored.window.get(address, 24)
        kind, level, used = struct.unpack_from("<BBH", node, 4)
        if not node.startswith(b"TREE") or kind != 1:
            raise UnusualError
        entries = list(struct.iter_unpack("<IIQQQ", stored.window.get(address + 24, 32 * used)))
        below = [entry for entry in entries if entry[2] <= begin]
        if not below:
            return None
        stored_size, skipped, start, _, address = below[-1]
        if not level:
            whole = start == begin
            return _unpacked(stored, address, stored_size, skipped, length) if whole else None
    raise UnusualError


def _unpacked(stored: Stored, address: int, stored_size: int, skipped: int, length: int) -> bytes:
    data, expected = stored.window.get(address, stored_size), length * stored.size
    for place, (kind, values) in reversed(list(enumerate(_filters(stored.filters)))):
        if skipped >> place & 1:
            continue
        if kind == _CHECKSUM:
            data = data[:-4]
        elif kind == _DEFLATE:
            data = zlib.decompressobj().decompress(data, expected + 4)
        elif kind == _SHUFFLE and values[:1] in ((), (stored.size,)):
            data = _unshuffled(data, stored.size)
        else:
            raise UnusualError
    if len(data) != expected:
        raise UnusualError
    return data


def _unshuffled(data: bytes, size: int) -> bytes:
    """Put the bytes of each value together again: all first bytes come first, then all second ones."""
    whole, each = bytearray(len(data)), len(data) // size
    for place in range(size):
        whole[place : each * size : size] = data[place * each : (place + 1) * each]
    whole[each * size :] = data[each * size :]
    return bytes(whole)


def _filters(message: bytes | None) -> list[tuple[int, tuple[int, ...]]]:
    """Return number and settings of the filters, in the order of writing."""
    if message is None:
        return []
    version, count = message[0], message[1]
    at, found = 8 if version == 1 else 2, []
    for _ in range(count):
        kind, name_size = struct.unpack_from("<HH", message, at)
        at += 4
        if version > 1 and kind < 256:
            at, name_size = at - 2, 0  # known filters have no name
        _, values = struct.unpack_from("<HH", message, at)
        at += 4 + (name_size if version > 1 else -(-name_size // 8) * 8)
        found.append((kind, struct.unpack_from(f"<{values}I", message, at)))
        at += 4 * values + (4 if version == 1 and values % 2 else 0)
    return found
