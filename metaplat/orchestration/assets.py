"""One asset per domain: its partitions are ingested, many in one run."""

import warnings
from collections.abc import Iterator
from typing import Any

import dagster as dg

from metaplat.ingest.partition import ingest_partitions
from metaplat.model.domain import MetadataDomain
from metaplat.model.errors import MetaplatError
from metaplat.model.landed import IngestReceipt
from metaplat.orchestration.cataloged import write_cataloged
from metaplat.orchestration.clock import utc_now
from metaplat.orchestration.failures import RETRIES, failure_for, partial_failure
from metaplat.orchestration.metadata import column_schema, receipt_metadata
from metaplat.orchestration.partitions import in_order, partitions_definition
from metaplat.orchestration.progress import tracked
from metaplat.orchestration.spark_pages import write_spark_pages
from metaplat.stores.home import Stores

GROUP = "operational_metadata"


def build_asset(domain: MetadataDomain) -> dg.AssetsDefinition:
    """Make the asset of a domain.

    A range of partitions is one run. Where some of its partitions fail, the others are materialized all the
    same, and the step fails with the reasons; only transient failures are retried.
    """

    def ingest_domain(
        context: dg.AssetExecutionContext, stores: dg.ResourceParam[Stores]
    ) -> Iterator[dg.MaterializeResult[Any] | dg.AssetMaterialization]:
        keys = in_order(context.partition_keys, domain.partitions)
        try:
            results = _results(domain, stores, keys)
            done = [key for key, result in results.items() if not isinstance(result, MetaplatError)]
            pages = write_spark_pages(domain, stores, done, utc_now())
        except MetaplatError as error:
            raise failure_for(error) from error
        failed = {key: result for key, result in results.items() if isinstance(result, MetaplatError)}
        metadata = {
            key: receipt_metadata(result, stores.lake.address(domain, key)) | pages.get(key, {})
            for key, result in results.items()
            if not isinstance(result, MetaplatError)
        }
        if failed:
            for key, entries in metadata.items():
                yield dg.AssetMaterialization(context.asset_key, partition=key, metadata=entries)
            raise partial_failure("partitions", failed, len(results))
        for key in keys:
            context.add_asset_metadata(metadata.pop(key), partition_key=key)
        for key, entries in metadata.items():  # changed by what those hold, though nobody asked for them
            yield dg.AssetMaterialization(context.asset_key, partition=key, metadata=entries)
        yield dg.MaterializeResult()

    with warnings.catch_warnings():  # backfill_policy is a beta parameter; dagster is pinned for it
        warnings.simplefilter("ignore", dg.BetaWarning)
        return dg.asset(
            name=domain.name,
            description=domain.doc,
            partitions_def=partitions_definition(domain.partitions),
            backfill_policy=dg.BackfillPolicy.single_run(),
            freshness_policy=dg.FreshnessPolicy.time_window(fail_window=domain.fresh_within),
            retry_policy=RETRIES,
            owners=list(domain.owners),
            kinds={"polars", "parquet"},
            group_name=GROUP,
            deps=[domain.parent] if domain.parent else [],  # it lies beside its parent in the UI
            metadata={
                "dagster/column_schema": column_schema(domain.columns),
                "dagster/table_name": domain.name,
                **({} if domain.cataloged else {"landing": domain.landing}),
                "archive_days": domain.retention.archive.days,
            },
        )(ingest_domain)


def _results(
    domain: MetadataDomain, stores: Stores, keys: list[str]
) -> dict[str, IngestReceipt | MetaplatError]:
    if domain.cataloged:
        return write_cataloged(domain, stores, keys, utc_now())
    return ingest_partitions(domain, stores, tracked("ingest", keys), utc_now())
