"""How two sets of columns differ, in words.

Here: names and types compared by name, since Parquet is read by name: the order means nothing.
Not here: which columns a table must have (each rule).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


def difference(found: Mapping[str, str], usual: Mapping[str, str]) -> str:
    """Say how ``found`` differs from ``usual`` (types by column name); empty where it does not."""
    missing = [name for name in usual if name not in found]
    added = [name for name in found if name not in usual]
    retyped = [name for name in usual if name in found and found[name] != usual[name]]
    said = [f"no column {', '.join(missing)}"] if missing else []
    said += [f"column {', '.join(added)} added"] if added else []
    said += [f"{name} is {found[name]}, not {usual[name]}" for name in retyped]
    return "; ".join(said)


def glue_columns(columns: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return types by name as Glue compares them: in lower case, without spaces in types."""
    return {name.lower(): "".join(kind.split()).lower() for name, kind in columns}
