"""A loop by hand, bucket by bucket, as a good engineer writes it: distinct keys, groups where they fail."""

import os
import time
from concurrent.futures import ThreadPoolExecutor

from benchmarks.table_peers.answer import KEY, ROWS, THREADS, Answer, files, tell

os.environ["POLARS_MAX_THREADS"] = "1"  # one thread a bucket
import polars as pl

start = time.perf_counter()


def count(path: str) -> tuple[int, int, int]:
    """Return rows, nulls and rows in duplicate groups of a bucket of one file."""
    pl.read_parquet_schema(path)
    keys = pl.read_parquet(path, columns=[KEY], use_statistics=False)[KEY]
    nulls, duplicates = keys.null_count(), 0
    if keys.n_unique() - (nulls > 0) != len(keys) - nulls:
        groups = keys.drop_nulls().to_frame().group_by(KEY).len()
        duplicates = int(groups.filter(pl.col("len") > 1)["len"].sum())
    return len(keys), nulls, duplicates


with ThreadPoolExecutor(THREADS) as pool:
    rows, nulls, duplicates = map(sum, zip(*pool.map(count, files()), strict=True))
tell(Answer(rows, nulls, duplicates, ROWS), start)
