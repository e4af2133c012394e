"""The SQL of the old job, run by DuckDB over the files as one table."""

import time

import duckdb

from benchmarks.table_peers.answer import KEY, THREADS, WITH_NULLS, Answer, folder, tell

start = time.perf_counter()
connection = duckdb.connect()
connection.execute(f"SET threads={THREADS}")
connection.execute("SET preserve_insertion_order=false")
TABLE = f"read_parquet('{folder()}/*/*.parquet', hive_partitioning=true)"
GROUPS = f"SELECT {KEY}, COUNT(*) c FROM {TABLE} GROUP BY {KEY} HAVING COUNT(*) > 1"


def number(query: str) -> int:
    """Return the one number that a query gives."""
    return int(connection.sql(query).fetchall()[0][0])


rows = number(f"SELECT COUNT(*) FROM {TABLE}")
nulls = number(f"SELECT COUNT(*) FROM {TABLE} WHERE {KEY} IS NULL")
duplicates = number(f"SELECT COALESCE(SUM(c), 0) FROM ({GROUPS})")
tell(Answer(rows, nulls, duplicates, WITH_NULLS), start)
