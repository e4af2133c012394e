"""CQL2 JSON as a filter: ``{"op": "=", "args": [{"property": "mission_id"}, "HST"]}``.

Here: the same part of CQL2 as in ``text``, in the encoding of OGC 21-065 annex C; our functions are
``{"op": "cone", "args": [ra, dec, radius]}`` and ``{"op": "text", "args": ["words"]}``.
Not here: what predicates mean (``predicates``), columns and types (``catalog.queryables``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeGuard, cast

import orjson

from metaplat.catalog.cql2 import predicates
from metaplat.catalog.cql2.operands import (
    MAX_DEPTH,
    Interval,
    MisuseError,
    Operand,
    Property,
    bound_of,
    day_of,
    moment_of,
)
from metaplat.model.errors import UsageError
from metaplat.model.filters import And, Filter, IsNull, Not, Operator, Or

COMPARISONS = frozenset({"=", "<>", "<", "<=", ">", ">="})
EXAMPLE = '{"op": "=", "args": [{"property": "mission_id"}, "HST"]}'


def parse_json(document: object) -> Filter:
    """Read a filter in CQL2 JSON.

    Parameters
    ----------
    document : object
        The parsed document, or its text (str or bytes); anything at all, hostile ones too.

    Returns
    -------
    Filter
        Columns by the names that were written; ``queryables.checked`` comes next.

    Raises
    ------
    UsageError
        It is no filter of the supported part of CQL2; the text says where (``args[1].args[0]``) and why.
    """
    if isinstance(document, str | bytes):
        try:
            document = orjson.loads(document)
        except orjson.JSONDecodeError as error:
            raise UsageError(f"filter: this is no JSON: {error.msg}, at character {error.pos + 1}") from error
    return _filter(document, "", 0)


def _filter(document: object, path: str, depth: int) -> Filter:
    if depth > MAX_DEPTH:
        raise UsageError(f"filter: conditions are nested more than {MAX_DEPTH} deep")
    if isinstance(document, bool):
        return And(()) if document else Or(())
    if not isinstance(document, Mapping) or not isinstance(document.get("op"), str):
        raise _problem(path, f"expected a condition with op and args; example: {EXAMPLE}")
    op, args = document["op"].lower(), document.get("args", [])
    if op == "isnull" and isinstance(args, Mapping):  # as drafts of the standard wrote it
        args = [args]
    if not _is_list(args):
        raise _problem(path, "args must be a list")
    if op in {"and", "or", "not"}:
        return _logical(op, args, path, depth)
    try:
        return _predicate(op, [_argument(arg, op) for arg in args])
    except MisuseError as error:
        raise _problem(path, str(error)) from error


def _logical(op: str, args: Sequence[object], path: str, depth: int) -> Filter:
    prefix = f"{path}." if path else ""
    parts = tuple([_filter(arg, f"{prefix}args[{place}]", depth + 1) for place, arg in enumerate(args)])
    if op == "not":
        if len(parts) != 1:
            raise _problem(path, "not takes one condition")
        return Not(parts[0])
    return And(parts) if op == "and" else Or(parts)


def _predicate(op: str, args: list[Operand | list[Operand]]) -> Filter:
    if op in COMPARISONS:
        left, right = _operands(op, args, 2)
        return predicates.compare(left, cast("Operator", op), right)
    match op, args:
        case "isnull", [Property(name)]:
            return IsNull(name)
        case "in", [Property() as column, list(values)]:
            return predicates.among(column, values)
        case "between", [Property() as column, low, high]:
            return predicates.between(column, *_operands(op, [low, high], 2))
        case "like", [Property() as column, pattern]:
            return predicates.like(column, *_operands(op, [pattern], 1))
        case (("isnull" | "in" | "between" | "like"), _):
            raise MisuseError(
                f'{op} takes other arguments; the first one is a column: {{"property": "mission_id"}}'
            )
    return predicates.call(op, _operands(op, args, len(args)))


def _operands(op: str, args: Sequence[Operand | list[Operand]], count: int) -> list[Operand]:
    found = [arg for arg in args if not isinstance(arg, list)]
    if len(args) != count or len(found) != count:
        raise MisuseError(f"{op} takes {count} arguments, and no lists")
    return found


def _argument(document: object, op: str) -> Operand | list[Operand]:
    if _is_list(document) and op == "in":
        return [_operand(each) for each in document]
    return _operand(document)


def _operand(document: object) -> Operand:
    if isinstance(document, str | bool | int | float):
        return document
    if document is None:
        raise MisuseError('nothing equals null; write {"op": "isNull", "args": [{"property": "mission_id"}]}')
    if isinstance(document, Mapping) and len(document) == 1:
        match document:
            case {"property": str(name)}:
                return Property(name)
            case {"timestamp": str(text)}:
                return moment_of(text)
            case {"date": str(text)}:
                return day_of(text)
            case {"interval": [start, end]}:
                return Interval(bound_of(_bound(start)), bound_of(_bound(end)))
    raise MisuseError(
        'a value is a text, a number, or one of {"property": ...}, {"timestamp": ...}, {"date": ...}, '
        '{"interval": [..., ...]}; functions and lists cannot stand here'
    )


def _bound(document: object) -> Operand:
    if isinstance(document, Mapping) and "interval" in document:  # which would nest without end
        raise MisuseError("an interval cannot hold an interval")
    return _operand(document)


def _is_list(document: object) -> TypeGuard[Sequence[object]]:
    return isinstance(document, Sequence) and not isinstance(document, str | bytes)


def _problem(path: str, problem: str) -> UsageError:
    return UsageError(f"filter{f', {path}' if path else ''}: {problem}")
