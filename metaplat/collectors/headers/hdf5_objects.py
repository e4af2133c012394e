"""Object headers of HDF5: the messages that one group or dataset consists of, and the links of a group.

Here: both versions of object headers, their continuations, and the three ways that links are kept.
Not here: what attributes and types mean (``hdf5_types``).
Format: "HDF5 File Format Specification Version 3.0", IV.A.1 (headers), IV.A.2.c, g and l (links).
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from metaplat.collectors.headers import hdf5_heaps as heaps
from metaplat.collectors.headers.hdf5_bytes import BrokenError, UnusualError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from metaplat.collectors.headers.hdf5_bytes import Window

SPACE, LINK_INFO, TYPE, LINK, LAYOUT, FILTERS = 0x01, 0x02, 0x03, 0x06, 0x08, 0x0B
ATTRIBUTE, CONTINUATION, SYMBOLS, ATTRIBUTE_INFO = 0x0C, 0x10, 0x11, 0x15
WANTED = frozenset(
    {SPACE, LINK_INFO, TYPE, LINK, LAYOUT, FILTERS, ATTRIBUTE, CONTINUATION, SYMBOLS, ATTRIBUTE_INFO}
)

MOST_PARTS = 1000
"""Parts of one object header; more of them is a circle."""

_SHARED = 2
_SOFT = 2
"""Cache type of an old link that names another one."""

Messages = dict[int, list[bytes]]


def read_messages(window: Window, address: int) -> Messages:
    """Return the bodies of the messages of an object, by type.

    Raises
    ------
    BrokenError
        It is no object header.
    UnusualError
        It shares attributes with other objects.
    """
    head = window.get(address, 16)
    if head.startswith(b"OHDR"):
        return _new_messages(window, address, head[5])
    if head[0] != 1:
        raise BrokenError(f"no object at address {address}")
    return _old_messages(window, address, int.from_bytes(head[8:12], "little"))


def links(window: Window, messages: Messages) -> Iterator[tuple[bytes, int]]:
    """Yield name and address of what is in a group; links that only name something are left out."""
    for body in messages.get(SYMBOLS, ()):
        tree, heap = struct.unpack_from("<QQ", body)
        for name, address, kind in heaps.symbols(window, tree, heap):
            if kind != _SOFT:
                yield name, address
    for body in messages.get(LINK, ()):
        yield from _link(body)
    for info in messages.get(LINK_INFO, ()):
        for record, heap_of_links in dense(window, info, 10 if info[1] & 1 else 2):
            yield from _link(heap_of_links.get(record[4:11]) or b"")


def dense(window: Window, info: bytes, at: int) -> Iterator[tuple[bytes, heaps.FractalHeap]]:
    """Yield the records of many links or attributes, and their heap; nothing where they are few."""
    heap_at, tree_at = struct.unpack_from("<QQ", info, at)
    if heap_at != heaps.NOWHERE:
        heap = heaps.FractalHeap(window, heap_at)
        for record in heaps.records(window, tree_at):
            yield record, heap


def _new_messages(window: Window, address: int, flags: int) -> Messages:
    at = 6 + (16 if flags & 0x20 else 0) + (4 if flags & 0x10 else 0)
    width = 1 << (flags & 3)
    length = int.from_bytes(window.get(address + at, width), "little")
    found: Messages = {}
    parts, head = [(address + at + width, length)], 6 if flags & 4 else 4
    for count, (start, size) in enumerate(parts):  # grows on the way
        data, at = window.get(start, size), 0
        while at + head <= size:
            kind, length, shared = struct.unpack_from("<BHB", data, at)
            at += head + length
            _keep(found, kind, shared, data[at - length : at])
            if kind == CONTINUATION:
                begin, length = struct.unpack("<QQ", found[kind][-1])
                if window.get(begin, 4) != b"OCHK" or length < 8:
                    raise BrokenError(f"no OCHK at address {begin}")
                parts.append((begin + 4, length - 8))
        _end_circle(count)
    return found


def _old_messages(window: Window, address: int, length: int) -> Messages:
    found: Messages = {}
    parts = [(address + 16, length)]
    for count, (start, size) in enumerate(parts):  # grows on the way
        data, at = window.get(start, size), 0
        while at + 8 <= size:
            kind, length, shared = struct.unpack_from("<HHB", data, at)
            at += 8 + length
            _keep(found, kind, shared, data[at - length : at])
            if kind == CONTINUATION:
                parts.append(struct.unpack("<QQ", found[kind][-1]))
        _end_circle(count)
    return found


def _keep(found: Messages, kind: int, shared: int, body: bytes) -> None:
    if kind in WANTED:
        if not shared & _SHARED:
            found.setdefault(kind, []).append(body)
        elif kind == ATTRIBUTE:
            raise UnusualError  # types that are kept elsewhere are not missed


def _end_circle(count: int) -> None:
    if count > MOST_PARTS:
        raise BrokenError("an object header that does not end")


def _link(body: bytes) -> Iterator[tuple[bytes, int]]:
    """Yield the name and the address of a link message, if it is a hard link."""
    version, flags = body[0], body[1]
    if version != 1:
        raise BrokenError(f"a link of version {version}")
    if flags & 8 and body[2]:
        return  # soft or external
    at = 2 + (1 if flags & 8 else 0) + (8 if flags & 4 else 0) + (1 if flags & 16 else 0)
    width = 1 << (flags & 3)
    length = int.from_bytes(body[at : at + width], "little")
    at += width
    yield body[at : at + length], int(struct.unpack_from("<Q", body, at + length)[0])
