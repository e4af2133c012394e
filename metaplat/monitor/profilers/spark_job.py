"""Count the keys of one table as a Spark job of its own, and write the figures into one small file.

``spark-submit .../spark_job.py --location s3://bucket/part_orders --key-column id --output figures.json``, or
``python -m metaplat.monitor.profilers.spark_job`` with the same options.
Here: options, and the form of the file. Not here: counting (``spark``).
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from metaplat.model.errors import MetaplatError, UsageError
from metaplat.model.table import BucketFunction, Engine, MonitoredTable
from metaplat.monitor.inventory import take_inventory
from metaplat.monitor.profilers.profiler import CountRequest
from metaplat.monitor.profilers.spark import SparkProfiler
from metaplat.settings import load_settings
from metaplat.stores.tables.files import open_table_files
from metaplat.stores.tables.footers import read_footers
from metaplat.stores.tables.parquet_footer import Footer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from metaplat.model.landed import ObjectInfo
    from metaplat.monitor.profilers.profiler import KeyCounts

FUNCTIONS = (BucketFunction.NONE, BucketFunction.SPARK_MURMUR3, BucketFunction.CRC32, BucketFunction.MD5)


def run(arguments: Sequence[str] | None = None) -> None:
    """Count and write; raises MetaplatError where that cannot be done."""
    options = _parser().parse_args(arguments)
    output = Path(options.output)
    if output.suffix not in {".json", ".parquet"}:
        raise UsageError(f"--output {output.name!r} ends in neither .json nor .parquet")
    location = options.location.rstrip("/")
    table = MonitoredTable(
        options.table or location.rpartition("/")[2],
        location,
        options.key_column,
        options.bucket_count,
        engine=Engine.SPARK,
        bucket_function=BucketFunction(options.bucket_fn),
    )
    request, problems = _request(table)
    counts = SparkProfiler(options.remote, options.master).count_keys(request)
    _write(output, table, counts, problems | dict(counts.problems))


def main() -> None:
    """Run as a script: an error is one line, and exit code 3."""
    try:
        run()
    except MetaplatError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(3)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="Count the keys of a bucketed table in Spark.")
    parser.add_argument("--location", required=True, help="folder or s3://bucket/prefix of the table")
    parser.add_argument("--key-column", required=True, help="the primary key, one column")
    parser.add_argument("--output", required=True, help="local file for the figures, .json or .parquet")
    parser.add_argument("--table", help="name of the table; else the last part of the location")
    parser.add_argument("--bucket-count", type=int, default=256)
    parser.add_argument("--bucket-fn", choices=[str(name) for name in FUNCTIONS], default="none")
    parser.add_argument("--remote", help="Spark Connect address, sc://host:15002")
    parser.add_argument("--master", default="local[*]", help="master, unless spark-submit has one")
    return parser


def _request(table: MonitoredTable) -> tuple[CountRequest, dict[str, str]]:
    """List the table and read its footers; also return why files were left out."""
    files = open_table_files(table.location, load_settings().s3)
    inventory = take_inventory(table, files.list_objects())
    found = [(bucket, info) for bucket, infos in inventory.buckets.items() for info in infos]
    footers = read_footers(files, [info for _, info in found], table.key_column)
    buckets: dict[int, list[tuple[ObjectInfo, Footer]]] = {}
    problems = {}
    for (bucket, info), (_, footer) in zip(found, footers, strict=True):
        if not isinstance(footer, Footer):
            problems[info.key] = str(footer)
        elif table.key_column not in footer.columns:
            problems[info.key] = f"it has no column {table.key_column!r}"
        else:
            buckets.setdefault(bucket, []).append((info, footer))
    function = None if table.bucket_function is BucketFunction.NONE else table.bucket_function
    return CountRequest(table, files, buckets, function), problems


def _write(output: Path, table: MonitoredTable, counts: KeyCounts, problems: dict[str, str]) -> None:
    """Write the figures; failing keys stay out, for they may be secret."""
    import orjson

    if output.suffix == ".parquet":
        counts.frame.write_parquet(output)
        return
    document = {
        "table": table.name,
        "location": table.location,
        "bucket_function": table.bucket_function,
        "buckets": counts.frame.to_dicts(),
        "problems": problems,
    }
    output.write_bytes(orjson.dumps(document, option=orjson.OPT_INDENT_2))


if __name__ == "__main__":
    main()
