"""Filters as CQL2, text and JSON: what ``parse_text`` and ``parse_json`` read back as the same filter.

Here: writing. A filter is ``queryables.checked`` first, which bounds its depth.
Not here: reading (``text``, ``json_form``).
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from metaplat.catalog.cql2.scanning import RESERVED
from metaplat.catalog.cql2.temporal import TICK
from metaplat.model.filters import (
    And,
    Between,
    Compare,
    Cone,
    Contains,
    Filter,
    In,
    IsNull,
    Not,
    Or,
    Overlaps,
    Prefix,
    Text,
)

if TYPE_CHECKING:
    from metaplat.model.filters import Value

PLAIN_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
OfColumn = Compare | In | Between | IsNull | Prefix | Contains
CALLED = frozenset({"DATE", "TIMESTAMP", "INTERVAL"})


def to_text(where: Filter) -> str:
    """Return a filter in CQL2 text."""
    match where:
        case And(args) | Or(args):
            return _joined(where, [to_text(arg) for arg in args])
        case Not(IsNull(column)):
            return f"{_name(column)} IS NOT NULL"
        case Not(arg):
            return f"NOT ({to_text(arg)})"
        case Overlaps(start, end):
            first, last = (_value(bound) for bound in _interval(start, end))
            return f"T_INTERSECTS(datetime, INTERVAL({first}, {last}))"
        case Cone(ra_deg, dec_deg, radius_deg):
            return f"CONE({ra_deg!r}, {dec_deg!r}, {radius_deg!r})"
        case Text(words):
            return f"TEXT({_value(' '.join(words))})"
    return _column_text(where)


def _column_text(where: OfColumn) -> str:
    name = _name(where.column)
    match where:
        case Compare(_, operator, value):
            return f"{name} {operator} {_value(value)}"
        case In(_, values):
            return f"{name} IN ({', '.join(map(_value, values))})"
        case Between(_, low, high):
            return f"{name} BETWEEN {_value(low)} AND {_value(high)}"
        case IsNull():
            return f"{name} IS NULL"
        case Prefix() | Contains():
            return f"{name} LIKE {_value(_pattern(where))}"


def to_json(where: Filter) -> dict[str, Any] | bool:
    """Return a filter as the document of CQL2 JSON."""
    match where:
        case And(args) | Or(args):
            if not args:
                return isinstance(where, And)
            return _call("and" if isinstance(where, And) else "or", *map(to_json, args))
        case Not(arg):
            return _call("not", to_json(arg))
        case Overlaps(start, end):
            return _call("t_intersects", {"property": "datetime"}, {"interval": _interval(start, end)})
        case Cone(ra_deg, dec_deg, radius_deg):
            return _call("cone", ra_deg, dec_deg, radius_deg)
        case Text(words):
            return _call("text", " ".join(words))
    return _column_json(where)


def _column_json(where: OfColumn) -> dict[str, Any]:
    column = {"property": where.column}
    match where:
        case Compare(_, operator, value):
            return _call(operator, column, _literal(value))
        case In(_, values):
            return _call("in", column, [_literal(value) for value in values])
        case Between(_, low, high):
            return _call("between", column, _literal(low), _literal(high))
        case IsNull():
            return _call("isNull", column)
        case Prefix() | Contains():
            return _call("like", column, _pattern(where))


def _joined(where: And | Or, parts: list[str]) -> str:
    if not parts:
        return "TRUE" if isinstance(where, And) else "FALSE"
    word = " AND " if isinstance(where, And) else " OR "
    nested = [
        f"({part})" if isinstance(arg, And | Or) and arg.args else part
        for arg, part in zip(where.args, parts, strict=True)
    ]
    return word.join(nested)


def _call(op: str, *args: object) -> dict[str, Any]:
    return {"op": op, "args": list(args)}


def _literal(value: Value) -> object:
    return {"timestamp": _moment(value)} if isinstance(value, datetime) else value


def _name(column: str) -> str:
    if PLAIN_NAME.fullmatch(column) and column.upper() not in RESERVED | CALLED:
        return column
    return '"' + column.replace('"', '""') + '"'


def _value(value: Value) -> str:
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, datetime):
        return f"TIMESTAMP('{_moment(value)}')"
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    return repr(value)


def _moment(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _interval(start: datetime | None, end: datetime | None) -> list[str]:
    """Return a half-open window as the closed interval that CQL2 knows."""
    return [".." if start is None else _moment(start), ".." if end is None else _moment(end - TICK)]


def _pattern(where: Prefix | Contains) -> str:
    escaped = re.sub(r"([\\%_])", r"\\\1", where.text)
    return f"%{escaped}%" if isinstance(where, Contains) else f"{escaped}%"
