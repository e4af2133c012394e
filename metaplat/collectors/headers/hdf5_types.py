"""Datatypes, dataspaces and attributes of HDF5: the messages that say what bytes mean.

Here: whole numbers, IEEE floats, texts and enumerations, in either byte order; anything else is left out.
Not here: where messages are (``hdf5_tree``).
Format: "HDF5 File Format Specification Version 3.0", IV.A.2.b (dataspace), d (datatype), m (attribute).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from functools import lru_cache
from math import prod

from metaplat.collectors.headers.hdf5_bytes import BrokenError, UnusualError

_FIXED, _FLOAT, _TEXT, _ENUM, _VARIABLE = 0, 1, 3, 8, 9
MOST_AXES = 32
_WHOLE = {1: "b", 2: "h", 4: "i", 8: "q"}
_IEEE = {
    (2, 0, 16, 10, 5, 0, 10, 15): "e",
    (4, 0, 32, 23, 8, 0, 23, 127): "f",
    (8, 0, 64, 52, 11, 0, 52, 1023): "d",
}
"""Size, bit offset, precision, exponent and its bits, mantissa and its bits, bias: of each letter."""


@dataclass(frozen=True, slots=True)
class Datatype:
    """How one element is stored.

    Parameters
    ----------
    size : int
        Bytes.
    kind : str
        ``number``, ``bool``, ``text``, ``variable`` (a reference to a text) or ``other``.
    letter : str
        Of a number, as in ``struct``, its byte order before it.
    """

    size: int
    kind: str
    letter: str = ""


@dataclass(frozen=True, slots=True)
class Attribute:
    """An attribute as it is stored: ``count`` elements in ``raw``; no element where its space is null."""

    name: bytes
    datatype: Datatype
    count: int
    raw: bytes


@lru_cache(512)
def datatype(message: bytes) -> Datatype:
    """Return what a datatype message says.

    Raises
    ------
    UnusualError
        A number that Python has no letter for: the library converts it.
    """
    kind, bits, size = message[0] & 15, int.from_bytes(message[1:4], "little"), _u4(message, 4)
    if kind in (_FIXED, _FLOAT):
        return Datatype(size, "number", _letter(kind, bits, size, message))
    if kind == _TEXT:
        return Datatype(size, "text")
    if kind == _VARIABLE and bits & 15 == 1:
        return Datatype(size, "variable")
    if kind == _ENUM:
        base = datatype(message[8:])
        return Datatype(size, "bool" if _is_bool(message, base) else base.kind, base.letter)
    return Datatype(size, "other")


def dataspace(message: bytes) -> tuple[int, ...] | None:
    """Return the shape that a dataspace message says, () of a scalar; None where the space is null."""
    version, rank = message[0], message[1]
    if version not in (1, 2) or rank > MOST_AXES:
        raise BrokenError(f"{rank} axes, version {version}")
    if version == 2 and message[3] == 2:  # the type after the flags
        return None
    at = 8 if version == 1 else 4
    return struct.unpack_from(f"<{rank}Q", message, at)


def attribute(body: bytes) -> Attribute:
    """Take an attribute message apart.

    Raises
    ------
    UnusualError
        Its type is kept elsewhere.
    BrokenError
        It is none.
    """
    version, shared, name_size, type_size, space_size = struct.unpack_from("<BBHHH", body)
    if version not in (1, 2, 3):
        raise BrokenError(f"an attribute of version {version}")
    if version > 1 and shared:
        raise UnusualError
    step = 8 if version == 1 else 1
    at = 9 if version == 3 else 8
    name = body[at : at + name_size].partition(b"\0")[0]
    at += -(-name_size // step) * step
    kept = datatype(body[at : at + type_size])
    at += -(-type_size // step) * step
    shape = dataspace(body[at : at + space_size])
    at += -(-space_size // step) * step
    count = 0 if shape is None else prod(shape)
    if at + count * kept.size > len(body):
        raise BrokenError("an attribute longer than its message")
    return Attribute(name, kept, count, body[at : at + count * kept.size])


def _letter(kind: int, bits: int, size: int, message: bytes) -> str:
    order = ">" if bits & 1 else "<"
    if kind == _FLOAT:
        found = _IEEE.get((size, *struct.unpack_from("<HHBBBBI", message, 8)))
        if found is None or bits & 64:
            raise UnusualError
        return order + found
    if struct.unpack_from("<HH", message, 8) != (0, 8 * size) or size not in _WHOLE:
        raise UnusualError
    return order + (_WHOLE[size] if bits & 8 else _WHOLE[size].upper())


def _is_bool(message: bytes, base: Datatype) -> bool:
    """Tell whether an enumeration is FALSE and TRUE, as h5py writes truth."""
    return base.size == 1 and message[0] >> 4 <= 3 and _names_are_truth(message)


def _names_are_truth(message: bytes) -> bool:
    names = message[8 + 12 :]  # behind the base type, a whole number
    padded = names.startswith(b"FALSE\0\0\0TRUE\0\0\0\0") and names[16:18] == b"\0\1"
    return padded or (names.startswith(b"FALSE\0TRUE\0") and names[11:13] == b"\0\1")


def _u4(message: bytes, at: int) -> int:
    number: int = struct.unpack_from("<I", message, at)[0]
    return number
