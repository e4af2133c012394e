"""pandera on a Polars frame of the key column, all failures collected."""

import time

import pandera.polars as pa
import polars as pl

from benchmarks.table_peers.answer import KEY, WITH_NULLS, Answer, folder, tell

start = time.perf_counter()
frame = pl.scan_parquet(f"{folder()}/*/*.parquet").select(KEY).collect()
schema = pa.DataFrameSchema({KEY: pa.Column(pl.String, nullable=False, unique=True)})
nulls = duplicates = 0
try:
    schema.validate(frame, lazy=True)
except pa.errors.SchemaErrors as error:
    for row in error.failure_cases.group_by("check").len().to_dicts():
        if "null" in row["check"]:
            nulls = row["len"]
        elif "unique" in row["check"]:
            duplicates = row["len"]
tell(Answer(frame.height, nulls, duplicates, WITH_NULLS), start)
