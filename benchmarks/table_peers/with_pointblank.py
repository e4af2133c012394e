"""pointblank on a Polars frame of the key column."""

import time

import pointblank as pb  # type: ignore[import-not-found]
import polars as pl

from benchmarks.table_peers.answer import KEY, WITH_NULLS, Answer, folder, tell

start = time.perf_counter()
frame = pl.scan_parquet(f"{folder()}/*/*.parquet").select(KEY).collect()
checks = pb.Validate(frame).col_vals_not_null(KEY).rows_distinct(columns_subset=[KEY])
found = checks.interrogate(get_first_n=20)
answer = Answer(frame.height, found.n_failed(i=1, scalar=True), found.n_failed(i=2, scalar=True), WITH_NULLS)
tell(answer, start)
