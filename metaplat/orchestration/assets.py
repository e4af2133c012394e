"""One asset per domain: its partitions are ingested, many in one run."""

import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
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


SKIPPED_TAG = "metaplat/skipped"
"""Tag of a run that had nothing to do yet: why."""


@dataclass
class Prepared:
    """What came of the work before an ingest.

    Parameters
    ----------
    keys : list of str
        Partitions to ingest.
    failed : dict
        Why others cannot be, by partition key.
    skipped : dict
        Why nothing is to be done for others yet, by partition key.
    """

    keys: list[str] = field(default_factory=list)
    failed: dict[str, MetaplatError] = field(default_factory=dict)
    skipped: dict[str, str] = field(default_factory=dict)


Prepare = Callable[[MetadataDomain, Stores, Sequence[str]], Prepared]


def build_asset(domain: MetadataDomain, prepare: Prepare | None = None) -> dg.AssetsDefinition:
    """Make the asset of a domain.

    A range of partitions is one run. Where some of its partitions fail, the others are materialized all the
    same, and the step fails with the reasons; only transient failures are retried.

    Parameters
    ----------
    domain : MetadataDomain
        The declaration.
    prepare : callable or None
        What a run does before it ingests: pulling, for example.
    """

    def ingest_domain(
        context: dg.AssetExecutionContext, stores: dg.ResourceParam[Stores]
    ) -> Iterator[dg.MaterializeResult[Any] | dg.AssetMaterialization]:
        keys = in_order(context.partition_keys, domain.partitions)
        try:
            prepared = prepare(domain, stores, keys) if prepare else Prepared(keys)
            keys = prepared.keys
            results = _results(domain, stores, keys) | prepared.failed
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
        if failed or prepared.skipped:
            for key, entries in metadata.items():
                yield dg.AssetMaterialization(context.asset_key, partition=key, metadata=entries)
            if failed:
                raise partial_failure("partitions", failed, len(results))
            _tell_skipped(context, prepared.skipped)
            return
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
            output_required=prepare is None,
            group_name=GROUP,
            deps=[domain.parent] if domain.parent else [],  # it lies beside its parent in the UI
            metadata=asset_metadata(domain),
        )(ingest_domain)


def asset_metadata(domain: MetadataDomain) -> dict[str, Any]:
    """Return what the UI shows of a domain whatever was materialized."""
    return {
        "dagster/column_schema": column_schema(domain.columns),
        "dagster/table_name": domain.name,
        **({"landing": domain.landing} if domain.lands else {}),
        "archive_days": domain.retention.archive.days,
    }


def _tell_skipped(context: dg.AssetExecutionContext, skipped: dict[str, str]) -> None:
    """Tag the run with why it had nothing to do: it ends well, without a result."""
    for key, reason in skipped.items():
        context.log.info("skipped %s: %s", key, reason)
    context.instance.add_run_tags(context.run.run_id, {SKIPPED_TAG: "; ".join(skipped.values())[:255]})


def _results(
    domain: MetadataDomain, stores: Stores, keys: list[str]
) -> dict[str, IngestReceipt | MetaplatError]:
    if domain.cataloged:
        return write_cataloged(domain, stores, keys, utc_now())
    return ingest_partitions(domain, stores, tracked("ingest", keys), utc_now())
