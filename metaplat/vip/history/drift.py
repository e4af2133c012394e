"""How the schema of a table changed between two schema files.

Here: fields added, removed, changed and moved; whole tables that are new or gone.
Not here: reading schema files (``schema_tables``), whether a change matters (``rules.vip``).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from metaplat.vip.history.schema_tables import SchemaTable, TableField

UNNAMED = "(whole table)"
"""Stands for the fields of a table of which the schema file names none."""


@dataclass(frozen=True)
class Drift:
    """What changed in one table: names of fields, and whether those that stayed are in another order."""

    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    reordered: bool = False


def schema_drift(before: Mapping[str, SchemaTable], after: Mapping[str, SchemaTable]) -> dict[str, Drift]:
    """Compare two schema files.

    Parameters
    ----------
    before, after : mapping of str to SchemaTable
        By table.

    Returns
    -------
    dict of str to Drift
        By table, for those that changed. All fields of a new table are added, all of one that is gone are
        removed; where the file names no fields, ``(whole table)`` stands for them. A change of type or
        nullability reads ``name: from -> to``.
    """
    found = {name: Drift(added=_names(after[name])) for name in after.keys() - before.keys()}
    found |= {name: Drift(removed=_names(before[name])) for name in before.keys() - after.keys()}
    for name in before.keys() & after.keys():
        drift = _table_drift(before[name], after[name])
        if drift != Drift():
            found[name] = drift
    return found


def _names(table: SchemaTable) -> tuple[str, ...]:
    return tuple(sorted(field.name for field in table.fields)) or (UNNAMED,)


def _table_drift(before: SchemaTable, after: SchemaTable) -> Drift:
    if not before.fields or not after.fields:  # one of them names none: nothing is known to have changed
        return Drift()
    old = {field.name: field for field in before.fields}
    new = {field.name: field for field in after.fields}
    stayed = [name for name in old if name in new]
    return Drift(
        added=tuple(sorted(new.keys() - old.keys())),
        removed=tuple(sorted(old.keys() - new.keys())),
        changed=tuple(
            sorted(_change(old[name], new[name]) for name in stayed if _differ(old[name], new[name]))
        ),
        reordered=stayed != [name for name in new if name in old],
    )


def _differ(old: TableField, new: TableField) -> bool:
    """Whether what both files tell of a field differs; what one of them does not tell is no change."""
    kinds = old.kind is not None and new.kind is not None and old.kind != new.kind
    return kinds or _nullability_differs(old, new)


def _nullability_differs(old: TableField, new: TableField) -> bool:
    return old.nullable is not None and new.nullable is not None and old.nullable != new.nullable


def _change(old: TableField, new: TableField) -> str:
    nullability = _nullability_differs(old, new)
    return f"{old.name}: {_shown(old, nullability)} -> {_shown(new, nullability)}"


def _shown(field: TableField, nullability: bool) -> str:  # noqa: FBT001
    kind = field.kind or "?"
    if not nullability:
        return kind
    return f"{kind} {'nullable' if field.nullable else 'not null'}"
