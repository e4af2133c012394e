"""Great Expectations on a pandas frame of the key column, its default engine."""

import os
import time

from benchmarks.table_peers.answer import KEY, ROWS, Answer, folder, tell

os.environ["GX_ANALYTICS_ENABLED"] = "false"
import great_expectations as gx  # type: ignore[import-not-found]
import pandas as pd  # type: ignore[import-not-found, import-untyped, unused-ignore]

start = time.perf_counter()
frame = pd.read_parquet(folder(), columns=[KEY])
context = gx.get_context(mode="ephemeral")
context.variables.progress_bars = {"globally": False}
expectations = [
    gx.expectations.ExpectColumnValuesToNotBeNull(column=KEY),
    gx.expectations.ExpectColumnValuesToBeUnique(column=KEY),
]
suite = context.suites.add(gx.ExpectationSuite(name="part_t", expectations=expectations))
asset = context.data_sources.add_pandas("d").add_dataframe_asset("a")
batch = asset.add_batch_definition_whole_dataframe("b").get_batch(batch_parameters={"dataframe": frame})
found = {item.expectation_config.type: item.result for item in batch.validate(suite).results}
nulls = found["expect_column_values_to_not_be_null"]["unexpected_count"]
duplicates = found["expect_column_values_to_be_unique"]["unexpected_count"]
tell(Answer(len(frame), nulls, duplicates, ROWS), start)
