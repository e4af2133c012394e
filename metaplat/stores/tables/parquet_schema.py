"""The schema of a Parquet footer: top-level columns, their types as Arrow names them, their leaves.

Here: schema elements -> columns. Nullability inside nested types is left out: it does not tell tables apart.
Not here: the protocol (``thrift_compact``), rows and chunks (``parquet_footer``).
Source: https://github.com/apache/parquet-format/blob/master/LogicalTypes.md
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from metaplat.stores.tables.thrift_compact import Fields, part, whole

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

# numbers of fields in parquet.thrift, SchemaElement
_TYPE, _LENGTH, _REPETITION, _NAME, _CHILDREN, _CONVERTED_TYPE, _SCALE, _PRECISION, _, _LOGICAL_TYPE = range(
    1, 11
)

_PHYSICAL = ("bool", "int32", "int64", "timestamp[ns]", "float", "double", "binary")
_FIXED_BINARY = 7
_REQUIRED, _REPEATED = 0, 2
_CONVERTED = {
    0: "string",
    4: "binary",
    6: "date32[day]",
    7: "time32[ms]",
    8: "time64[us]",
    9: "timestamp[ms]",
    10: "timestamp[us]",
    11: "uint8",
    12: "uint16",
    13: "uint32",
    14: "uint64",
    15: "int8",
    16: "int16",
    17: "int32",
    18: "int64",
    19: "string",
    20: "binary",
}
_LOGICAL = {
    1: "string",
    4: "binary",
    6: "date32[day]",
    11: "null",
    12: "string",
    13: "binary",
    15: "halffloat",
}
_UNITS = {1: "ms", 2: "us", 3: "ns"}
_MAP, _LIST, _MAPS, _CONVERTED_DECIMAL = 2, 3, (1, 2), 5
_DECIMAL128_DIGITS = 38
_DEEPEST = 64


class Leaves(NamedTuple):
    """Which leaf columns make a top-level one: ``flat`` where it is itself a leaf with one value a row."""

    first: int
    width: int
    flat: bool
    required: bool


@dataclass(frozen=True)
class ParquetSchema:
    """Columns of a file in its order: types, leaves, and a fingerprint that does not depend on the order."""

    columns: Mapping[str, str]
    leaves: Mapping[str, Leaves]
    fingerprint: str


class _Node(NamedTuple):
    name: str
    type: str
    repeated: bool
    children: list[_Node]
    leaves: int
    after: int

    @property
    def shown_type(self) -> str:
        return f"list<{self.name}: {self.type}>" if self.repeated else self.type


def read_schema(elements: Sequence[Fields]) -> ParquetSchema:
    """Return the schema that a footer's list of elements (a tree, depth first) means.

    Raises
    ------
    ValueError, IndexError
        It is no tree, or two columns have one name.
    """
    columns: dict[str, str] = {}
    leaves: dict[str, Leaves] = {}
    position, leaf = 1, 0
    for _ in range(whole(elements[0], _CHILDREN) or 0):
        node = _node(elements, position, 0)
        if node.name in columns:
            raise ValueError(f"two columns are named {node.name!r}")
        flat = not node.children and not node.repeated
        columns[node.name] = node.shown_type
        required = flat and whole(elements[position], _REPETITION) == _REQUIRED
        leaves[node.name] = Leaves(leaf, node.leaves, flat, required)
        position, leaf = node.after, leaf + node.leaves
    if position != len(elements):
        raise ValueError("schema elements that belong to no column")
    return ParquetSchema(columns, leaves, schema_digest(columns))


def schema_digest(columns: Mapping[str, str]) -> str:
    """Return the fingerprint of columns and types, whatever their order."""
    return hashlib.blake2b(repr(sorted(columns.items())).encode(), digest_size=9).hexdigest()


def _node(elements: Sequence[Fields], position: int, depth: int) -> _Node:
    """Return the element at ``position`` with all below it."""
    element = elements[position]
    if depth > _DEEPEST or not isinstance(element.get(_NAME), bytes):
        raise ValueError("a schema element without a name, or nested too deep")
    name = element[_NAME].decode("utf-8", "backslashreplace")
    repeated, physical = whole(element, _REPETITION) == _REPEATED, whole(element, _TYPE)
    if physical is not None:
        return _Node(name, _leaf_type(element, physical), repeated, [], 1, position + 1)
    children: list[_Node] = []
    after = position + 1
    for _ in range(whole(element, _CHILDREN) or 0):
        children.append(_node(elements, after, depth + 1))
        after = children[-1].after
    leaves = sum(child.leaves for child in children)
    return _Node(name, _group_type(element, children), repeated, children, leaves, after)


def _group_type(element: Fields, children: Sequence[_Node]) -> str:
    logical, converted = part(element, _LOGICAL_TYPE) or {}, whole(element, _CONVERTED_TYPE)
    inner = children[0] if len(children) == 1 and children[0].repeated else None
    if inner and (_MAP in logical or converted in _MAPS) and len(inner.children) == 2:
        return f"map<{inner.children[0].shown_type}, {inner.children[1].shown_type}>"
    if inner and (_LIST in logical or converted == _LIST):
        wrapped = len(inner.children) == 1 and inner.name not in ("array", f"{_name(element)}_tuple")
        item = inner.children[0] if wrapped else inner
        return f"list<{item.name}: {item.shown_type if wrapped else item.type}>"
    return f"struct<{', '.join(f'{child.name}: {child.shown_type}' for child in children)}>"


def _name(element: Fields) -> str:
    name: bytes = element[_NAME]
    return name.decode("utf-8", "backslashreplace")


def _leaf_type(element: Fields, physical: int) -> str:
    logical, converted = part(element, _LOGICAL_TYPE), whole(element, _CONVERTED_TYPE)
    if logical:
        annotation = next(iter(logical))
        if named := _of_logical(annotation, part(logical, annotation) or {}):
            return named
    elif converted == _CONVERTED_DECIMAL:
        return _decimal(whole(element, _PRECISION), whole(element, _SCALE))
    elif converted in _CONVERTED:
        return _CONVERTED[converted]
    if physical == _FIXED_BINARY:
        return f"fixed_size_binary[{whole(element, _LENGTH)}]"
    if not 0 <= physical < len(_PHYSICAL):
        raise ValueError(f"unknown physical type {physical}")
    return _PHYSICAL[physical]


def _of_logical(annotation: int, details: Fields) -> str | None:
    """Return the type of a logical annotation; None where the physical type says it all."""
    if annotation == 5:
        return _decimal(whole(details, 2), whole(details, 1))
    if annotation == 10:
        return f"{'int' if details.get(2) else 'uint'}{whole(details, 1)}"
    if annotation in (7, 8):
        unit = _UNITS.get(next(iter(part(details, 2) or {}), 0), "?")
        if annotation == 7:
            return f"time{32 if unit == 'ms' else 64}[{unit}]"
        return f"timestamp[{unit}, tz=UTC]" if details.get(1) else f"timestamp[{unit}]"
    return _LOGICAL.get(annotation)


def _decimal(precision: int | None, scale: int | None) -> str:
    width = 256 if (precision or 0) > _DECIMAL128_DIGITS else 128
    return f"decimal{width}({precision}, {scale or 0})"
