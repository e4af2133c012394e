"""The groups, datasets and attributes of an HDF5 file, its metadata taken apart here.

Here: superblock, object headers and links, as they are commonly written. Reading all attributes so takes a
fraction of what the library takes for a few, needs no library at all, and two requests on S3.
Not here: anything unusual, which the library reads (``hdf5_library``); checksums are left to it too.
Format: "HDF5 File Format Specification Version 3.0", II.A (superblock), III (links), IV.A (object headers).
"""

from __future__ import annotations

import struct
from functools import cached_property
from typing import TYPE_CHECKING

from metaplat.collectors.headers import hdf5_objects as objects
from metaplat.collectors.headers.hdf5_bytes import DAMAGED, BrokenError, UnusualError, Window
from metaplat.collectors.headers.hdf5_chunks import Stored, stored_ends
from metaplat.collectors.headers.hdf5_heaps import FractalHeap, GlobalHeaps
from metaplat.collectors.headers.hdf5_types import Attribute, attribute, dataspace, datatype
from metaplat.collectors.headers.hdf5_values import (
    DAMAGE,
    HIDDEN,
    LEFT_OUT,
    LONGEST_LIST,
    TIME_UNREADABLE,
    as_name,
    as_text,
    as_value,
)
from metaplat.collectors.headers.header import HeaderError
from metaplat.collectors.headers.sniff import HDF5_MAGIC, USER_BLOCKS

if TYPE_CHECKING:
    from collections.abc import Container, Iterator

    from metaplat.collectors.headers.header import ByteSource, Value

WRITING = "open_for_writing"
"""The flag of a file that is being written, or whose writer crashed: the library refuses such a file."""

_SHARED = 2


def open_tree(source: ByteSource, flags: set[str]) -> TreeNode:
    """Return the root group.

    Parameters
    ----------
    source : ByteSource
        The file.
    flags : set of str
        Gets what is odd in the values that are read.

    Raises
    ------
    HeaderError
        With code ``truncated``: the file is shorter than its superblock says.
    UnusualError
        The library shall read it.
    BrokenError, or another of ``DAMAGED``
        The superblock is damaged.
    """
    base = next((at for at in (0, *USER_BLOCKS) if source.first.startswith(HDF5_MAGIC, at)), None)
    if base is None:
        raise BrokenError("its magic is not in the first 64 KiB")
    window = Window(source, base)
    return TreeNode(window, GlobalHeaps(window), flags, _root(window, flags))


def _root(window: Window, flags: set[str]) -> int:
    """Return the address of the root group, once the end of the file is where the superblock says."""
    head = window.get(0, 48)
    version = head[8]
    if version in (0, 1):
        sizes, at = head[13:15], 24 + 4 * version
        base, _, end = struct.unpack("<QQQ", window.get(at, 24))
        (root,) = struct.unpack("<Q", window.get(at + 40, 8))
    elif version in (2, 3):
        sizes = head[9:11]
        if head[11]:
            flags.add(WRITING)
        base, _, end, root = struct.unpack_from("<QQQQ", head, 12)
    else:
        raise UnusualError
    if sizes != b"\x08\x08":
        raise UnusualError
    stored = end + window.base - base
    if window.size < stored:
        raise HeaderError(
            "truncated",
            f"HDF5: the file is cut: eof = {window.size}, base_addr = {window.base}, stored_eof = {stored}",
        )
    return int(root)


class TreeNode:
    """One group or dataset.

    Parameters
    ----------
    window : Window
        The bytes of the file.
    texts : GlobalHeaps
        Its texts of variable length.
    flags : set of str
        Gets what is odd.
    address : int
        Of the object header.
    """

    def __init__(self, window: Window, texts: GlobalHeaps, flags: set[str], address: int) -> None:
        self._window, self._texts, self._flags, self._address = window, texts, flags, address

    @cached_property
    def _messages(self) -> objects.Messages:
        return objects.read_messages(self._window, self._address)

    @property
    def is_group(self) -> bool:
        """Whether it has links, or could have."""
        return any(kind in self._messages for kind in (objects.SYMBOLS, objects.LINK_INFO, objects.LINK))

    @property
    def shape(self) -> tuple[int, ...] | None:
        """Of a dataset; None of anything else."""
        spaces = self._messages.get(objects.SPACE) if objects.LAYOUT in self._messages else None
        return dataspace(spaces[0]) if spaces else None

    def attributes(self, wanted: Container[str] | None = None) -> dict[str, Value]:
        """Return the attributes by name, those of libraries left out unless they are wanted."""
        found: dict[str, Value] = {}
        for each in self._stored:
            name = as_name(each.name)
            if name not in HIDDEN if wanted is None else name in wanted:
                try:
                    found[name] = self._value(each)
                except DAMAGED:  # the heap that its text is in
                    self._flags.add(DAMAGE)
        return found

    def children(self) -> Iterator[tuple[str, TreeNode]]:
        """Yield what is in a group, by name; links to elsewhere are left out."""
        found = sorted(
            (as_name(name), address) for name, address in objects.links(self._window, self._messages)
        )
        for name, address in found:
            yield name, TreeNode(self._window, self._texts, self._flags, address)

    def ends(self) -> tuple[float, float] | None:
        """Return the first and the last number of a dataset of one dimension; None where there is none."""
        try:
            return self._ends(self._messages)
        except (UnusualError, *DAMAGED):
            self._flags.add(TIME_UNREADABLE)
            return None

    def _ends(self, messages: objects.Messages) -> tuple[float, float] | None:
        kept, shape = datatype(messages[objects.TYPE][0]), self.shape
        if kept.kind != "number" or shape is None:
            return None
        filters = messages.get(objects.FILTERS, [None])[0]
        stored = Stored(self._window, messages[objects.LAYOUT][0], filters, kept.size)
        raw = stored_ends(stored, shape[0] if shape else 1)
        if raw is None:
            return None
        first, last = struct.unpack(kept.letter[0] + 2 * kept.letter[1], b"".join(raw))
        return first, last

    @cached_property
    def _stored(self) -> list[Attribute]:
        """The attributes; one that is damaged leaves a flag."""
        found = []
        for body in self._attribute_messages():
            try:
                found.append(attribute(body))
            except DAMAGED:
                self._flags.add(DAMAGE)
        return found

    def _attribute_messages(self) -> Iterator[bytes]:
        yield from self._messages.get(objects.ATTRIBUTE, ())
        for info in self._messages.get(objects.ATTRIBUTE_INFO, ()):
            found = objects.dense(self._window, info, 4 if info[1] & 1 else 2)
            for record, heap in sorted(found, key=_creation_order):
                if record[8] & _SHARED:
                    raise UnusualError
                if (body := heap.get(record[:8])) is None:
                    self._flags.add(LEFT_OUT)
                else:
                    yield body

    def _value(self, stored: Attribute) -> Value:
        kept, raw = stored.datatype, stored.raw
        if stored.count > LONGEST_LIST or (kept.kind == "other" and stored.count):
            self._flags.add(LEFT_OUT)
            return None
        if kept.kind in ("number", "bool"):
            numbers = (
                struct.unpack(f"{kept.letter[0]}{stored.count}{kept.letter[1]}", raw) if stored.count else ()
            )
            return as_value([bool(each) for each in numbers] if kept.kind == "bool" else numbers)
        parts = [raw[at : at + kept.size] for at in range(0, len(raw), kept.size)]
        if kept.kind == "variable":
            parts = [self._texts.get(part) for part in parts]
        return as_value([as_text(part, self._flags) for part in parts])


def _creation_order(found: tuple[bytes, FractalHeap]) -> int:
    return int.from_bytes(found[0][9:13], "little")
