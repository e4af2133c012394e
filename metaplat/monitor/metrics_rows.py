"""Rows of the metrics frame: what a listing says of a bucket, and what was measured of it.

Here: one row a bucket. Not here: which of them are new (``profile``).
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from metaplat.model.landed import inventory_digest
from metaplat.model.polars_schema import polars_schema
from metaplat.model.table import Engine
from metaplat.model.table_metrics import METRICS
from metaplat.monitor.profilers.key_figures import FIGURES

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import polars as pl

    from metaplat.model.landed import ObjectInfo
    from metaplat.model.table_metrics import FileFacts
    from metaplat.monitor.measure import Measured

Row = dict[str, Any]
NO_FILES = inventory_digest(())


def fingerprint(files: Sequence[ObjectInfo]) -> str:
    """Return the digest of a bucket's files."""
    return inventory_digest(files) if files else NO_FILES


def measured_rows(measured: Measured, run_id: str) -> list[Row]:
    """Return a row for each bucket that was measured."""
    figures = {row["id_bucket"]: row for row in measured.counts.frame.iter_rows(named=True)}
    return [_row(measured, bucket, figures.get(bucket), run_id) for bucket in sorted(measured.buckets)]


def listed_row(bucket: int, files: Sequence[ObjectInfo]) -> Row:
    """Return the row of a bucket of which only the listing is known."""
    sizes = [item.size for item in files]
    row: Row = dict.fromkeys((column.name for column in METRICS), None)
    return row | {
        "id_bucket": bucket,
        "files": len(sizes),
        "bytes": sum(sizes),
        "smallest_file_bytes": min(sizes, default=None),
        "largest_file_bytes": max(sizes, default=None),
        "newest_modified": max((item.modified for item in files), default=None),
        "object_fingerprint": fingerprint(files),
        "schemas": 0,
        "unreadable_files": 0,
        "keyless_files": 0,
    }


def empty_row(bucket: int, *, verified: bool, counted: bool) -> Row:
    """Return the row of a bucket without files: everything is 0 that would be known of keys."""
    keys = dict.fromkeys(("distinct_keys", "duplicate_rows", "duplicate_keys", "surplus_rows"), 0)
    return (
        listed_row(bucket, ())
        | {"rows": 0, "key_nulls": 0, "misplaced_keys": 0 if verified else None}
        | (keys if counted else {})
    )


def rows_frame(rows: Iterable[Row]) -> pl.DataFrame:
    """Return rows as a metrics frame, without table, run and time."""
    import polars as pl

    return pl.DataFrame(list(rows), schema=polars_schema(METRICS), orient="row")


def _row(measured: Measured, bucket: int, figures: Mapping[str, int | None] | None, run_id: str) -> Row:
    files = measured.inventory.buckets[bucket]
    counted = measured.engine is not Engine.FOOTER
    verified = measured.function is not None
    if not files:
        return empty_row(bucket, verified=verified, counted=counted)
    facts = [measured.footers.facts[item.key] for item in files]
    keyed = {info.key for info, _ in measured.footers.keyed[bucket]}
    readable = [item for item in facts if item.problem is None]
    row = listed_row(bucket, files) | {
        "schema_fingerprint": _digest(readable),
        "schemas": len({item.schema for item in readable}),
        "unreadable_files": len(facts) - len(readable),
        "keyless_files": sum(
            item.problem is None for info, item in zip(files, facts, strict=True) if info.key not in keyed
        ),
        "engine": measured.engine.value,
        "bucket_function": measured.function.value if measured.function else None,
        "measured_by": run_id,
    }
    if bucket in measured.footers.unknown:
        return row
    row["rows"] = sum(item.rows or 0 for item in facts)
    if not keyed or figures is None:  # no file has the key, or the engine did not answer
        return row
    keyed_rows = sum(footer.rows for _, footer in measured.footers.keyed[bucket])
    row |= {name: figures[name] for name in FIGURES}
    row["surplus_rows"] = _surplus(keyed_rows, row["key_nulls"], row["distinct_keys"])
    return row


def _surplus(rows: int, nulls: int | None, distinct: int | None) -> int | None:
    return None if nulls is None or distinct is None else rows - nulls - distinct


def _digest(readable: Iterable[FileFacts]) -> str | None:
    schemas = sorted({item.schema for item in readable if item.schema is not None})
    return hashlib.sha256("\n".join(schemas).encode()).hexdigest() if schemas else None
