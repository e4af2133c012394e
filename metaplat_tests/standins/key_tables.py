"""Small bucketed tables as Parquet files, the request to count their keys, and the naive truth about them.

Here: what every profiler's test needs. Not here: odd layouts of whole tables.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from metaplat.monitor.bucket_functions import buckets_of
from metaplat.monitor.profilers.profiler import CountRequest
from metaplat.settings import S3Settings
from metaplat.stores.tables.files import open_table_files
from metaplat.stores.tables.footers import read_footers
from metaplat.stores.tables.parquet_footer import Footer

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from metaplat.model.landed import ObjectInfo
    from metaplat.model.table import BucketFunction, MonitoredTable

KeysOfBuckets = "Mapping[int, Sequence[Sequence[Any]]]"
"""Keys by bucket and file."""


def write_table(folder: Path, keys: Mapping[int, Sequence[Sequence[Any]]], kind: pa.DataType) -> None:
    """Write ``id_bucket=<n>/part-<i>.parquet`` for each file of keys, beside another column."""
    for bucket, files in keys.items():
        for number, values in enumerate(files):
            write_file(folder / f"id_bucket={bucket}" / f"part-{number}.parquet", values, kind)


def write_file(path: Path, keys: Sequence[Any], kind: pa.DataType) -> None:
    """Write one file with the columns ``k`` and ``amount``."""
    path.parent.mkdir(parents=True, exist_ok=True)
    amounts = pa.array(range(len(keys)), pa.int32())
    pq.write_table(pa.table({"k": pa.array(keys, kind), "amount": amounts}), path)


def request_of(table: MonitoredTable, function: BucketFunction | None) -> CountRequest:
    """Return the request to count the keys of a table that is written."""
    files = open_table_files(table.location, S3Settings())
    buckets: dict[int, list[tuple[ObjectInfo, Footer]]] = {}
    for info, footer in read_footers(files, files.list_objects(), table.key_column):
        assert isinstance(footer, Footer), footer
        bucket = int(info.key.partition("/")[0].removeprefix("id_bucket="))
        buckets.setdefault(bucket, []).append((info, footer))
    return CountRequest(table, files, buckets, function)


def true_figures(
    keys: Mapping[int, Sequence[Sequence[Any]]],
    kind: pa.DataType,
    function: BucketFunction | None,
    count: int,
) -> list[dict[str, int | None]]:
    """Count one by one what ``KeyCounts.frame`` is to hold."""
    rows = {bucket: [key for file in files for key in file] for bucket, files in keys.items()}
    total = Counter(key for found in rows.values() for key in found if key is not None)
    lowest = {key: min(bucket for bucket in rows if key in rows[bucket]) for key in total}
    return [
        {
            "id_bucket": bucket,
            "key_nulls": sum(key is None for key in found),
            "distinct_keys": sum(lowest[key] == bucket for key in set(found) - {None}),
            "duplicate_rows": sum(total[key] > 1 for key in found if key is not None),
            "duplicate_keys": sum(total[key] > 1 and lowest[key] == bucket for key in set(found) - {None}),
            "misplaced_keys": _misplaced(bucket, found, kind, function, count),
        }
        for bucket, found in sorted(rows.items())
    ]


def _misplaced(
    bucket: int, keys: Sequence[Any], kind: pa.DataType, function: BucketFunction | None, count: int
) -> int | None:
    if function is None:
        return None
    series = pl.Series("k", pl.from_arrow(pa.array(keys, kind)))
    return int((buckets_of(series, function, count) != bucket).sum())
