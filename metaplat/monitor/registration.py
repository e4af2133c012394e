"""Which buckets Glue has registered, compared with what lies on S3.

Here: reading partition values as buckets, what is missing, what is dangling, the two Glue columns of the
metrics frame.
Not here: asking Glue (``stores.tables.glue``), registering (``repair``), judging (``rules.tables``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import polars as pl

    from metaplat.model.glue_table import GluePartition, GlueTable
    from metaplat.model.table import MonitoredTable
    from metaplat.model.table_metrics import Inventory

KEY = "id_bucket"
MOST_DIGITS = 18


def bucket_of(partition: GluePartition) -> int | None:
    """Return the bucket that a partition registers: ``7`` and ``007`` are one; None where it is no number."""
    if len(partition.values) != 1:
        return None
    value = partition.values[0]
    is_number = value.isascii() and value.isdigit() and len(value) <= MOST_DIGITS
    return int(value) if is_number else None


def registered_buckets(
    table: MonitoredTable, partitions: Iterable[GluePartition]
) -> dict[int, GluePartition]:
    """Return the expected buckets that are registered, in order; of two the plainly written one."""
    found: dict[int, GluePartition] = {}
    for partition in partitions:
        bucket = bucket_of(partition)
        if bucket is None or bucket >= table.bucket_count:
            continue
        if bucket not in found or partition.values == (str(bucket),):
            found[bucket] = partition
    return dict(sorted(found.items()))


def missing_buckets(
    table: MonitoredTable, inventory: Inventory, partitions: Iterable[GluePartition]
) -> list[int]:
    """Return the buckets that hold data and are not registered, in order."""
    registered = registered_buckets(table, partitions)
    return [bucket for bucket in sorted(inventory.present) if bucket not in registered]


def dangling_partitions(
    table: MonitoredTable, inventory: Inventory, partitions: Iterable[GluePartition]
) -> list[str]:
    """Return the registered partitions whose folder in the table holds no data, as ``id_bucket=N``.

    What is registered outside the table is left out: nobody looked there.
    """
    filled = {table.folder(bucket) for bucket in inventory.present} | {
        item.name for item in inventory.strange
    }
    dangling = []
    for partition in partitions:
        folder = _folder_in(table, partition)
        if folder is not None and not any(_overlap(folder, name) for name in filled):
            dangling.append(f"{KEY}={'/'.join(partition.values)}")
    return dangling


def with_registration(
    frame: pl.DataFrame,
    table: MonitoredTable,
    glue: GlueTable | None,
    partitions: Sequence[GluePartition] | None,
) -> pl.DataFrame:
    """Return the metrics frame with ``in_glue`` and ``glue_location``.

    Both are null where Glue has no such table, was not asked, or projects the partitions.
    """
    if glue is None or partitions is None or glue.projected:
        return _with_columns(frame, None)
    return _with_columns(frame, registered_buckets(table, partitions))


def _with_columns(frame: pl.DataFrame, registered: Mapping[int, GluePartition] | None) -> pl.DataFrame:
    import polars as pl

    buckets = frame["id_bucket"].to_list()
    asked = registered or {}
    in_glue = [None if registered is None else bucket in asked for bucket in buckets]
    locations = [asked[bucket].location if bucket in asked else None for bucket in buckets]
    return frame.with_columns(
        pl.Series("in_glue", in_glue, dtype=pl.Boolean),
        pl.Series("glue_location", locations, dtype=pl.String),
    )


def _folder_in(table: MonitoredTable, partition: GluePartition) -> str | None:
    """Folder of a partition relative to the table; None where it lies elsewhere."""
    inside = f"{table.location.rstrip('/')}/"
    if partition.location is None or not partition.location.startswith(inside):
        return None
    return partition.location.removeprefix(inside).strip("/") or None


def _overlap(one: str, other: str) -> bool:
    """Whether one of two folders is the other, or lies in it."""
    return one == other or one.startswith(f"{other}/") or other.startswith(f"{one}/")
