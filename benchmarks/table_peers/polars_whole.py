"""Polars over the whole table, lazily and streaming."""

import time

import polars as pl

from benchmarks.table_peers.answer import KEY, ROWS, Answer, folder, tell

start = time.perf_counter()
table = pl.scan_parquet(f"{folder()}/*/*.parquet")
counts = table.select(pl.len(), nulls=pl.col(KEY).null_count()).collect(engine="streaming")
groups = table.select(KEY).drop_nulls().group_by(KEY).len().filter(pl.col("len") > 1)
duplicates = groups.select(pl.col("len").sum()).collect(engine="streaming")
tell(Answer(counts["len"][0], counts["nulls"][0], duplicates["len"][0], ROWS), start)
