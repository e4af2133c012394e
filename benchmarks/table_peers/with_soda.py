"""Soda Core 4: one contract, verified by its DuckDB source over a view of the files."""

import os
import tempfile
import time

from benchmarks.table_peers.answer import KEY, SURPLUS, THREADS, Answer, folder, tell

os.environ["SODA_TELEMETRY_DISABLED"] = os.environ["OTEL_SDK_DISABLED"] = "true"
import duckdb
from soda_core.contracts import verify_contract_locally  # type: ignore[import-not-found]
from soda_duckdb import DuckDBDataSource  # type: ignore[import-not-found]

CONTRACT = f"""
dataset: d/main/part_t
checks: [row_count: ]
columns:
  - name: {KEY}
    checks: [missing: , duplicate: ]
"""

start = time.perf_counter()
connection = duckdb.connect()
connection.execute(f"SET threads={THREADS}")
cursor = connection.cursor()
cursor.execute(f"CREATE VIEW part_t AS SELECT * FROM read_parquet('{folder()}/*/*.parquet')")
with tempfile.NamedTemporaryFile("w", suffix=".yml") as contract:
    contract.write(CONTRACT)
    contract.flush()
    found = verify_contract_locally(
        data_sources=[DuckDBDataSource.from_existing_cursor(cursor, name="d")],
        contract_file_path=contract.name,
    )
results = found.contract_verification_results[0].check_results
values = {result.check.type: result.diagnostic_metric_values or {} for result in results}
rows = values["row_count"]["dataset_rows_tested"]
answer = Answer(rows, values["missing"]["missing_count"], values["duplicate"]["duplicate_count"], SURPLUS)
tell(answer, start)
