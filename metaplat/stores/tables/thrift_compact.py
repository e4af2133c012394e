"""Read Thrift's compact protocol: values as plain Python, structs as ``{field number: value}``.

Here: what a Parquet footer needs of it, fast, and safe on any bytes: every step consumes a byte, depth and
counts are bounded. Past the end of the buffer IndexError is raised, for impossible bytes ValueError.
Not here: what the fields mean (``parquet_schema``, ``parquet_footer``).
Source: https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md
"""

from __future__ import annotations

import struct
from typing import Any

Fields = dict[int, Any]
"""A struct: value by field number; values may be of any kind, so ``whole`` and its like check them."""

TRUE, FALSE, BYTE, I16, I32, I64, DOUBLE, BINARY, LIST, SET, MAP, STRUCT = range(1, 13)

_DEEPEST = 24
_MOST_ITEMS = 100_000
_LONGEST_VARINT = 10


def read_varint(buffer: bytes, position: int) -> tuple[int, int]:
    """Return the unsigned number at ``position``, and where it ends."""
    byte = buffer[position]
    if byte < 0x80:
        return byte, position + 1
    value = byte & 0x7F
    for turn in range(1, _LONGEST_VARINT):
        byte = buffer[position + turn]
        value |= (byte & 0x7F) << (7 * turn)
        if byte < 0x80:
            return value, position + turn + 1
    raise ValueError("a number of more than ten bytes")


def read_zigzag(buffer: bytes, position: int) -> tuple[int, int]:
    """Return the signed number at ``position``, and where it ends."""
    value, position = read_varint(buffer, position)
    return (value >> 1) ^ -(value & 1), position


def read_field(buffer: bytes, position: int, before: int) -> tuple[int, int, int]:
    """Return number and kind of the next field of a struct, and where its value begins; kind 0 ends it."""
    head = buffer[position]
    position += 1
    if head >= 0x10:
        return before + (head >> 4), head & 0x0F, position
    if head == 0:
        return 0, 0, position
    number, position = read_zigzag(buffer, position)
    return number, head & 0x0F, position


def read_list_head(buffer: bytes, position: int) -> tuple[int, int, int]:
    """Return count and kind of the items of a list, and where the first of them begins."""
    head = buffer[position]
    count, kind = head >> 4, head & 0x0F
    position += 1
    if count == 15:
        count, position = read_varint(buffer, position)
    return count, kind, position


def read_struct(buffer: bytes, position: int, depth: int = 0) -> tuple[Fields, int]:
    """Return the struct at ``position``, and where it ends."""
    if depth > _DEEPEST:
        raise ValueError("structs nested too deep")
    fields: Fields = {}
    number, kind, position = read_field(buffer, position, 0)
    while kind:
        if kind <= FALSE:
            fields[number] = kind == TRUE
        else:
            fields[number], position = _read(kind, buffer, position, depth)
        number, kind, position = read_field(buffer, position, number)
    return fields, position


def read_list(buffer: bytes, position: int, depth: int = 0) -> tuple[list[Any], int]:
    """Return the list at ``position``, and where it ends."""
    count, kind, position = read_list_head(buffer, position)
    if count > _MOST_ITEMS or depth > _DEEPEST:
        raise ValueError("a list that is too long or nested too deep")
    items = []
    for _ in range(count):
        item, position = _read(kind, buffer, position, depth)
        items.append(item)
    return items, position


def _read(kind: int, buffer: bytes, position: int, depth: int) -> tuple[Any, int]:
    if I16 <= kind <= I64:
        return read_zigzag(buffer, position)
    if kind == BINARY:
        length, position = read_varint(buffer, position)
        if position + length > len(buffer):
            raise IndexError
        return buffer[position : position + length], position + length
    if kind == STRUCT:
        return read_struct(buffer, position, depth + 1)
    if kind in (LIST, SET):
        return read_list(buffer, position, depth + 1)
    if kind <= FALSE and kind:  # an item of a list: a byte of its own
        return buffer[position] == TRUE, position + 1
    if kind == BYTE:
        return buffer[position] - (buffer[position] >> 7 << 8), position + 1
    if kind == DOUBLE and position + 8 <= len(buffer):
        return struct.unpack_from("<d", buffer, position)[0], position + 8
    return None, skip(kind, buffer, position, depth)


def skip_struct(buffer: bytes, position: int, depth: int = 0) -> int:
    """Return where the struct at ``position`` ends; few calls, for most of a footer is skipped."""
    if depth > _DEEPEST:
        raise ValueError("structs nested too deep")
    while head := buffer[position]:
        position += 1
        if head < 0x10:  # the field's number follows
            while buffer[position] >= 0x80:
                position += 1
            position += 1
        kind = head & 0x0F
        if I16 <= kind <= I64:
            while buffer[position] >= 0x80:
                position += 1
            position += 1
        elif kind == BINARY:
            length = buffer[position]
            position += 1
            if length >= 0x80:
                length, position = read_varint(buffer, position - 1)
            position += length
        elif kind > FALSE:
            position = skip(kind, buffer, position, depth)
    return position + 1


def skip(kind: int, buffer: bytes, position: int, depth: int = 0) -> int:
    """Return where the value at ``position`` ends."""
    if kind == STRUCT:
        return skip_struct(buffer, position, depth + 1)
    if kind in (LIST, SET):
        return _skip_list(buffer, position, depth + 1)
    if I16 <= kind <= I64:
        return read_varint(buffer, position)[1]
    if kind == BINARY:
        length, position = read_varint(buffer, position)
        return position + length
    if kind == DOUBLE:
        return position + 8
    if kind == MAP:
        return _skip_map(buffer, position, depth + 1)
    if kind == 0 or kind > STRUCT:
        raise ValueError(f"a value of an unknown kind {kind}")
    return position + 1


def _skip_list(buffer: bytes, position: int, depth: int) -> int:
    count, kind, position = read_list_head(buffer, position)
    if depth > _DEEPEST:
        raise ValueError("lists nested too deep")
    if kind == I32:  # the list of encodings, which every chunk has
        for _ in range(count):
            while buffer[position] >= 0x80:
                position += 1
            position += 1
        return position
    for _ in range(count):
        buffer[position]  # stops a false count at the end of the buffer
        position = skip(kind, buffer, position, depth)
    return position


def _skip_map(buffer: bytes, position: int, depth: int) -> int:
    count, position = read_varint(buffer, position)
    if count == 0:
        return position
    if depth > _DEEPEST:
        raise ValueError("maps nested too deep")
    kinds = buffer[position]
    position += 1
    for _ in range(count):
        buffer[position]
        position = skip(kinds & 0x0F, buffer, skip(kinds >> 4, buffer, position, depth), depth)
    return position


def whole(fields: Fields, number: int) -> int | None:
    """Return a field that must be a whole number where it is there."""
    value = fields.get(number)
    if value is None or type(value) is int:
        return value
    raise ValueError(f"field {number} is no number")


def part(fields: Fields, number: int) -> Fields | None:
    """Return a field that must be a struct where it is there."""
    value = fields.get(number)
    if value is None or isinstance(value, dict):
        return value
    raise ValueError(f"field {number} is no struct")
