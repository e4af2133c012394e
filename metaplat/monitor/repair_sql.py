"""The statements that register partitions in Athena, in the Hive dialect of its DDL.

Here: text only. Names stand in backticks, and backslashes and quotes in literals are escaped, so that any
name is only a name. Source: https://docs.aws.amazon.com/athena/latest/ug/alter-table-add-partition.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from metaplat.monitor.registration import KEY

if TYPE_CHECKING:
    from collections.abc import Sequence

    from metaplat.model.glue_table import GlueTable

PER_STATEMENT = 100
"""Partitions in one statement: Athena takes 262,144 bytes, and a location has up to 1,100."""

TEXT_TYPES = ("string", "varchar", "char")
"""Values of such a partition key are quoted, and only those."""


def add_statements(glue: GlueTable, add: Sequence[tuple[int, str]]) -> list[str]:
    """Return statements that register buckets at their locations, leaving those alone that exist."""
    batches = (add[start : start + PER_STATEMENT] for start in range(0, len(add), PER_STATEMENT))
    return [_add_statement(glue, batch) for batch in batches]


def msck_statement(glue: GlueTable) -> str:
    """Return the statement that lets Athena look for partitions by itself."""
    return f"MSCK REPAIR TABLE {quoted_name(glue.name)}"


def quoted_name(name: str) -> str:
    """Return ``name`` in backticks."""
    return "`" + name.replace("`", "``") + "`"


def quoted_text(text: str) -> str:
    """Return ``text`` as a literal."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _add_statement(glue: GlueTable, add: Sequence[tuple[int, str]]) -> str:
    is_text = any(kind.lower().startswith(TEXT_TYPES) for _, kind in glue.partition_keys)
    values = [(quoted_text(str(bucket)) if is_text else str(bucket), place) for bucket, place in add]
    lines = [f"PARTITION ({quoted_name(KEY)} = {value}) LOCATION {quoted_text(p)}" for value, p in values]
    return "\n  ".join([f"ALTER TABLE {quoted_name(glue.name)} ADD IF NOT EXISTS", *lines])
