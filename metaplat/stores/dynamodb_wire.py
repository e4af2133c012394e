"""DynamoDB's wire form of values in JSON types: ``{"S": "text"}``, ``{"N": "12.5"}``.

Here: both directions, without the decimal detour of boto3's own serializer (which refuses floats).
Not here: declared types (``hot_values``): a number comes back as int or float, whichever it looks like.
Source: Amazon DynamoDB API Reference, AttributeValue.
"""

from __future__ import annotations

from typing import Any

Wire = dict[str, Any]


def to_wire(value: object) -> Wire:
    """Return the wire form of text, a number, a boolean, null, a list or an object."""
    if isinstance(value, str):
        return {"S": value}
    if isinstance(value, bool):  # before numbers: a bool is an int
        return {"BOOL": value}
    if isinstance(value, int | float):
        return {"N": repr(value)}  # the shortest text that gives the same float, at most 17 digits of 38
    if isinstance(value, list):
        return {"L": [to_wire(item) for item in value]}
    if isinstance(value, dict):
        return {"M": {name: to_wire(member) for name, member in value.items()}}
    return {"NULL": True}


def from_wire(value: Wire) -> Any:
    """Return the value of a wire form; sets, which others may have written, become lists."""
    ((kind, content),) = value.items()
    if kind == "N":
        return _number(content)
    if kind == "L":
        return [from_wire(item) for item in content]
    if kind == "M":
        return {name: from_wire(member) for name, member in content.items()}
    if kind == "NS":
        return [_number(item) for item in content]
    return None if kind == "NULL" else content


def _number(text: str) -> int | float:
    return int(text) if text.lstrip("-").isdigit() else float(text)
