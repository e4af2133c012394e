"""metaplat: the profile of the table, with nothing known before.

Arguments: folder, engine, bucket function.
"""

import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

import numpy as np  # noqa: F401  # as every import: before the clock starts
import polars as pl  # noqa: F401

from benchmarks.table_peers.answer import KEY, ROWS, Answer, folder, tell
from metaplat.model.table import BucketFunction, Engine, MonitoredTable
from metaplat.model.table_metrics import METRICS, TableProfile
from metaplat.monitor.metrics_rows import rows_frame
from metaplat.monitor.profile import profile_table
from metaplat.rules.frame_schema import judge_schema
from metaplat.settings import S3Settings
from metaplat.stores.local_objects import LocalObjects
from metaplat.stores.objects import ObjectStore
from metaplat.stores.tables.files import open_table_files


def profile(table: MonitoredTable, state: ObjectStore) -> TableProfile:
    """Profile the table once."""
    files = open_table_files(table.location, S3Settings())
    return profile_table(table, files, state, run_id="run", now=datetime.now(UTC))


def the_table() -> MonitoredTable:
    """Return the table that the arguments name."""
    engine, function = Engine(sys.argv[2]), BucketFunction(sys.argv[3])
    return MonitoredTable("part_t", str(folder()), KEY, engine=engine, bucket_function=function)


def main() -> None:
    """Answer as every peer does."""
    judge_schema(rows_frame(()), METRICS)  # imports Pandera
    start = time.perf_counter()
    with tempfile.TemporaryDirectory() as state:
        frame = profile(the_table(), LocalObjects(Path(state))).frame
    rows, nulls = int(frame["rows"].sum()), int(frame["key_nulls"].sum())
    duplicates = frame["duplicate_rows"]
    tell(Answer(rows, nulls, None if duplicates.null_count() else int(duplicates.sum()), ROWS), start)


if __name__ == "__main__":
    main()
