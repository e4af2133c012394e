"""One asset per monitored table: the profile of its buckets, many in one run."""

import warnings
from collections.abc import Mapping
from typing import Any

import dagster as dg

from metaplat.model.errors import MetaplatError
from metaplat.model.table import MonitoredTable
from metaplat.model.table_metrics import METRICS
from metaplat.orchestration.checks import CheckSubject
from metaplat.orchestration.clock import utc_now
from metaplat.orchestration.failures import RETRIES, failure_for
from metaplat.orchestration.metadata import column_schema
from metaplat.orchestration.partitions import in_order, partitions_definition
from metaplat.orchestration.tables.gathering import profile_buckets
from metaplat.orchestration.tables.judging import TableJudge
from metaplat.orchestration.tables.naming import asset_key, buckets_of, python_name
from metaplat.rules.tables.all_rules import ALL_RULES
from metaplat.stores.home import Stores

GROUP = "monitored_tables"
FIGURES = (
    "files",
    "bytes",
    "key_nulls",
    "distinct_keys",
    "duplicate_rows",
    "duplicate_keys",
    "surplus_rows",
    "misplaced_keys",
    "unreadable_files",
    "in_glue",
)


def build_table_asset(table: MonitoredTable) -> dg.AssetsDefinition:
    """Make the asset of a monitored table; a range of buckets is one run."""
    partitions = buckets_of(table)

    def profile_table(
        context: dg.AssetExecutionContext, stores: dg.ResourceParam[Stores]
    ) -> dg.MaterializeResult[Any]:
        keys = in_order(context.partition_keys, partitions)
        try:
            facts = profile_buckets(table, stores, {int(key) for key in keys}, utc_now(), context.run.run_id)
        except MetaplatError as error:
            raise failure_for(error) from error
        rows = {str(row["id_bucket"]): row for row in facts.profile.frame.iter_rows(named=True)}
        for key in keys:
            context.add_asset_metadata(bucket_metadata(rows[key]), partition_key=key)
        context.log.info("%s: %d files read", table.name, facts.profile.files_read)
        return dg.MaterializeResult()

    with warnings.catch_warnings():  # backfill_policy is a beta parameter; dagster is pinned for it
        warnings.simplefilter("ignore", dg.BetaWarning)
        return dg.asset(
            key=asset_key(table),
            description=f"What is measured of {table.name}: one row a bucket.",
            partitions_def=partitions_definition(partitions),
            backfill_policy=dg.BackfillPolicy.single_run(),
            retry_policy=RETRIES,
            owners=["team:data-platform"],
            kinds={"parquet", "polars"},
            group_name=GROUP,
            metadata={
                "dagster/column_schema": column_schema(METRICS),
                "dagster/table_name": table.name,
                "dagster/uri": table.location,
                "key_column": table.key_column,
                "engine": table.engine.value,
            },
        )(profile_table)


def table_subject(table: MonitoredTable) -> CheckSubject:
    """Return a monitored table as the subject of checks."""
    return CheckSubject(
        f"{python_name(table)}_table",
        asset_key(table),
        buckets_of(table),
        ALL_RULES,
        judge=lambda stores, now, run_id: TableJudge(table, stores, now, run_id),
        known=lambda stores: buckets_of(table).keys(utc_now()),  # noqa: ARG005  # every bucket can be judged
    )


def bucket_metadata(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return the figures of one bucket; what is unknown is left out."""
    figures = {name: row[name] for name in FIGURES if row[name] is not None}
    if row["rows"] is not None:
        figures["dagster/partition_row_count"] = row["rows"]
    if row["newest_modified"] is not None:
        figures["newest_modified"] = dg.MetadataValue.timestamp(row["newest_modified"])
    return figures
