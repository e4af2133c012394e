"""What a person reads in the Dagster UI: column schemas, figures of an ingest, verdicts with samples.

Here: our objects as Dagster metadata. Numbers keep stable names, since the UI plots them over time.
Not here: computing any of it.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

import dagster as dg

from metaplat.model.field import DType, Field, ListOf, MapOf, Struct

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from metaplat.model.landed import IngestReceipt
    from metaplat.model.verdict import Verdict

MAX_TABLE_ROWS = 12


def column_schema(columns: Sequence[Field]) -> dg.TableSchema:
    """Return declared columns with types, docs and constraints."""
    keys = sum(field.key for field in columns)
    return dg.TableSchema(columns=[_column(field, unique=field.key and keys == 1) for field in columns])


def type_name(dtype: DType) -> str:
    """Name of a column type as a SQL user writes it."""
    if isinstance(dtype, ListOf):
        return f"list<{type_name(dtype.item)}>"
    if isinstance(dtype, MapOf):
        return "map<string, string>"
    if isinstance(dtype, Struct):
        return f"struct<{', '.join(f'{field.name}: {type_name(field.dtype)}' for field in dtype.fields)}>"
    names = {str: "string", int: "bigint", float: "double", bool: "boolean", datetime: "timestamp (UTC)"}
    return names[dtype]


def receipt_metadata(receipt: IngestReceipt, address: str) -> dict[str, Any]:
    """Return the figures of one ingested partition, at ``address`` in the lake."""
    figures: dict[str, Any] = {
        "dagster/partition_row_count": receipt.rows,
        "objects": len(receipt.identities),
        "records": receipt.records,
        "quarantined": receipt.quarantined,
        "conflicts": receipt.conflicts,
        "repeated": receipt.repeated,
        "superseded": receipt.superseded + receipt.stale,
        "rerouted": receipt.rerouted,
        "unknown_fields": receipt.unknown_fields,
        "dagster/uri": address,
    }
    if receipt.hot_problem:
        figures["hot_problem"] = receipt.hot_problem
    if receipt.newest:
        figures["newest"] = dg.MetadataValue.timestamp(receipt.newest)
    if receipt.reasons:
        rows = [{"reason": reason, "records": count} for reason, count in receipt.reasons.items()]
        figures["quarantine"] = _table(rows)
    return figures


def verdict_metadata(verdict: Verdict) -> dict[str, Any]:
    """Return the numbers of a verdict, then a table of its samples; its sentence is the description."""
    entries: dict[str, Any] = dict(verdict.numbers)
    if verdict.samples:
        entries["samples"] = _table(verdict.samples)
    return entries


def _column(field: Field, *, unique: bool) -> dg.TableColumn:
    other = [f"unit: {field.unit}"] if field.unit else []
    if field.key:
        other.append("part of the primary key")
    if field.minimum is not None:
        other.append(f">= {field.minimum:g}")
    if field.maximum is not None:
        other.append(f"<= {field.maximum:g}")
    if field.choices:
        other.append(f"one of {', '.join(field.choices)}")
    if field.personal:
        other.append(f"personal: {field.personal}")
    constraints = dg.TableColumnConstraints(nullable=field.nullable, unique=unique, other=other)
    return dg.TableColumn(field.name, type_name(field.dtype), description=field.doc, constraints=constraints)


def _table(rows: Sequence[Mapping[str, object]]) -> dg.TableMetadataValue:
    names = list(dict.fromkeys(name for row in rows for name in row))
    records = [
        dg.TableRecord({name: _cell(row.get(name)) for name in names}) for row in rows[:MAX_TABLE_ROWS]
    ]
    return dg.MetadataValue.table(records, schema=dg.TableSchema([dg.TableColumn(name) for name in names]))


def _cell(value: object) -> str | int | float | bool | None:
    return value if isinstance(value, str | int | float | bool) or value is None else str(value)
