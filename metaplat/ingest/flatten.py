"""A nested record becomes a flat row; what the domain does not declare is kept as ``extra``.

Here: following the landed paths of the declared fields.
Not here: types and limits (``validate``).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from metaplat.ingest.decode import json_type
from metaplat.model.domain import Record, Row
from metaplat.model.errors import InvalidInputError
from metaplat.model.field import DType, Field, ListOf, Struct

Plan = dict[str, "str | Plan"]
"""Landed name -> column, or the plan of the object below it."""

Flattener = Callable[[Record], tuple[Row, dict[str, Any]]]


def build_flattener(fields: Sequence[Field]) -> Flattener:
    """Make the function that turns a landed record into a flat row and its undeclared fields.

    Parameters
    ----------
    fields : sequence of Field
        The declared fields; each is looked for at its ``landed_path``.

    Returns
    -------
    callable
        Record -> (row with every declared column, undeclared fields by dotted name). It raises
        InvalidInputError where the declaration has an object and the record has something else.
    """
    plan: Plan = {}
    for field in fields:
        *parents, leaf = field.landed_path
        level: Any = plan
        for parent in parents:
            level = level.setdefault(parent, {})
        level[leaf] = field.name
    blank: Row = dict.fromkeys(field.name for field in fields)
    nested = {field.name: field for field in fields if _holds_struct(field.dtype)}

    def flatten(record: Record) -> tuple[Row, dict[str, Any]]:
        row, extra = blank.copy(), dict[str, Any]()
        _follow(plan, record, row, extra, "")
        for name, field in nested.items():
            if row[name] is not None:
                row[name] = _declared_members(row[name], field.dtype, extra, ".".join(field.landed_path))
        return row, extra

    return flatten


def _follow(plan: Plan, record: Record, row: Row, extra: dict[str, Any], path: str) -> None:
    for name, value in record.items():
        target = plan.get(name)
        if target.__class__ is str:
            row[target] = value
        elif target is None:
            extra[path + name] = value
        elif isinstance(value, dict):
            _follow(target, value, row, extra, f"{path}{name}.")  # type: ignore[arg-type]  # not str: see above
        elif value is not None:
            raise InvalidInputError(f"{path}{name}: expected an object or null, got {json_type(value)}")


def _holds_struct(dtype: DType) -> bool:
    return isinstance(dtype, Struct) or (isinstance(dtype, ListOf) and _holds_struct(dtype.item))


def _declared_members(value: Any, dtype: DType, extra: dict[str, Any], path: str) -> Any:  # any JSON value
    """Return a nested value with exactly the declared members; absent ones null, others go to ``extra``."""
    if isinstance(dtype, ListOf) and isinstance(value, list):
        items = enumerate(value)
        return [_declared_members(item, dtype.item, extra, f"{path}.{place}") for place, item in items]
    if not isinstance(dtype, Struct) or not isinstance(value, dict):
        return value  # of another type than declared: for the validator to say
    members = {member.name: member.dtype for member in dtype.fields}
    extra.update({f"{path}.{name}": item for name, item in value.items() if name not in members})
    return {
        name: _declared_members(value.get(name), member, extra, f"{path}.{name}")
        for name, member in members.items()
    }
