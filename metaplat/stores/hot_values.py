"""Hot values: coercion to the declared type, so that equal content always hashes alike, and the way back.

Here: one converter per declared type, both ways; the limits that DynamoDB sets to numbers and sizes.
Not here: rows, keys, digests (``hot_content``), DynamoDB's wire form (``dynamodb_wire``).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from metaplat.model.field import DType, ListOf, Struct

Convert = Callable[[Any], Any]
"""Value that is not None -> the value in the other form."""

LARGEST_FLOAT = 9.9e125
SMALLEST_FLOAT = 1e-130
"""Magnitudes that a DynamoDB Number can hold (AWS, "Data types"), beside 0."""
INT_LIMIT = 2**63


class RefusedValueError(ValueError):
    """A value that its column cannot hold; the text says why and never repeats the value."""


def encoder(dtype: DType) -> Convert:
    """Return what turns a value of ``dtype`` into JSON types, one form per content.

    ``12`` of a float becomes ``12.0``, an aware time the ISO text of its UTC, a struct all of its members.
    The encoder raises RefusedValueError for a value of another type, a naive time, NaN, or a number out of
    range.
    """
    if isinstance(dtype, ListOf):
        return _list_encoder(encoder(dtype.item))
    if isinstance(dtype, Struct):
        return _struct_encoder({member.name: encoder(member.dtype) for member in dtype.fields})
    return _ENCODERS[_scalar(dtype)]


def decoder(dtype: DType) -> Convert:
    """Return the reverse of ``encoder``; numbers may come as int or float."""
    if isinstance(dtype, ListOf):
        item = decoder(dtype.item)
        return lambda values: [None if value is None else item(value) for value in values]
    if isinstance(dtype, Struct):
        members = {member.name: decoder(member.dtype) for member in dtype.fields}
        return lambda value: {
            name: None if value.get(name) is None else decode(value[name]) for name, decode in members.items()
        }
    return _DECODERS[_scalar(dtype)]


def _scalar(dtype: DType) -> type:
    if not isinstance(dtype, type):
        raise TypeError("a hot table carries no maps; leave the column out of its declaration")
    return dtype


def stored_bytes(value: object) -> int:
    """Bytes that DynamoDB counts for a value in JSON types, rounded up (AWS, "Item sizes and formats")."""
    if isinstance(value, str):
        return len(value.encode())
    if isinstance(value, dict):
        return 3 + sum(1 + len(name.encode()) + stored_bytes(member) for name, member in value.items())
    if isinstance(value, list):
        return 3 + sum(1 + stored_bytes(item) for item in value)
    return 1 if value is None or isinstance(value, bool) else 1 + len(repr(value))


def _list_encoder(item: Convert) -> Convert:
    def encode(value: object) -> list[object]:
        if not isinstance(value, list | tuple):
            raise _wrong_type("a list", value)
        return [None if member is None else item(member) for member in value]

    return encode


def _struct_encoder(members: dict[str, Convert]) -> Convert:
    def encode(value: object) -> dict[str, object]:
        if not isinstance(value, dict):
            raise _wrong_type("a struct", value)
        if unknown := value.keys() - members.keys():
            raise RefusedValueError(f"undeclared members {sorted(map(str, unknown))}")
        return {
            name: None if value.get(name) is None else convert(value[name])
            for name, convert in members.items()
        }

    return encode


def _encode_text(value: object) -> str:
    if type(value) is str:
        return value
    if isinstance(value, str):
        return str.__str__(value)  # an enumeration of texts: its value, whatever its own __str__ says
    raise _wrong_type("text", value)


def _encode_int(value: object) -> int:
    if type(value) is not int:
        if not isinstance(value, float) or not value.is_integer():
            raise _wrong_type("a whole number", value)
        value = int(value)
    if not -INT_LIMIT <= value < INT_LIMIT:
        raise RefusedValueError("a whole number beyond 64 bits")
    return value


def _encode_float(value: object) -> float:
    if type(value) is not float:
        if not isinstance(value, float | int) or isinstance(value, bool):
            raise _wrong_type("a number", value)
        if abs(value) > LARGEST_FLOAT:  # before float(), which overflows
            raise RefusedValueError("a number out of the range of a hot value")
        value = float(value)
    if value and not SMALLEST_FLOAT <= abs(value) <= LARGEST_FLOAT:
        finite = math.isfinite(value)
        raise RefusedValueError("a number out of the range of a hot value" if finite else "NaN or Infinity")
    return value + 0.0  # -0.0 becomes 0.0


def _encode_bool(value: object) -> bool:
    if not isinstance(value, bool):
        raise _wrong_type("true or false", value)
    return value


def _encode_time(value: object) -> str:
    if not isinstance(value, datetime):
        raise _wrong_type("a time", value)
    if value.tzinfo is None:
        raise RefusedValueError("a time without a zone")
    return value.astimezone(UTC).isoformat()


def _wrong_type(expected: str, value: object) -> RefusedValueError:
    return RefusedValueError(f"expected {expected}, not a value of type {type(value).__name__}")


_ENCODERS: dict[type, Convert] = {
    str: _encode_text,
    int: _encode_int,
    float: _encode_float,
    bool: _encode_bool,
    datetime: _encode_time,
}
_DECODERS: dict[type, Convert] = {
    str: str,
    int: int,
    float: float,
    bool: bool,
    datetime: datetime.fromisoformat,
}
