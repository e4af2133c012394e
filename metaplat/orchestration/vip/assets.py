"""The three histories as one step that lists the delivered files once, and the charts drawn from them.

Here: the assets and the job of both.
Not here: which hours, and writing them (``histories``), drawing (``charts``), their checks (``checks``).
"""

import warnings
from collections.abc import Iterator, Sequence
from typing import Any

import dagster as dg

from metaplat.model.domain import MetadataDomain
from metaplat.model.errors import MetaplatError
from metaplat.orchestration.assets import GROUP, asset_metadata
from metaplat.orchestration.clock import utc_now
from metaplat.orchestration.failures import RETRIES, failure_for, partial_failure
from metaplat.orchestration.metadata import receipt_metadata
from metaplat.orchestration.partitions import in_order, partitions_definition
from metaplat.orchestration.vip.charts import charts_metadata, draw_charts
from metaplat.orchestration.vip.extracts import EXTRACTS
from metaplat.orchestration.vip.histories import Span, write_histories
from metaplat.stores.home import Stores

CHARTS = "vip_charts"
HISTORY_JOB = "vip_history"
HOURS_TAG = "metaplat/hours"
"""Tag of a run: the hours to look at, where these are not all hours of its days."""


def build_history_assets(domains: Sequence[MetadataDomain]) -> dg.AssetsDefinition:
    """Make the assets of the histories: one listing serves all that a run asks for.

    Where some days fail, the others are materialized all the same, and the step fails with the reasons.
    """
    by_name = {domain.name: domain for domain in domains}

    def write(context: dg.AssetExecutionContext, stores: dg.ResourceParam[Stores]) -> Iterator[Any]:
        chosen = [by_name[key.to_user_string()] for key in context.selected_asset_keys]
        days = in_order(context.partition_keys, domains[0].partitions)
        hours = context.run.tags.get(HOURS_TAG)
        try:
            span = Span.read(hours) if hours else None
            results = write_histories(chosen, stores, days, utc_now(), span)
        except MetaplatError as error:
            raise failure_for(error) from error
        failed = {
            f"{name} of {day}": result
            for name, written in results.items()
            for day, result in written.items()
            if isinstance(result, MetaplatError)
        }
        for domain in chosen:
            metadata = {
                day: receipt_metadata(result, stores.lake.address(domain, day)) | charts_metadata(stores)
                for day, result in results[domain.name].items()
                if not isinstance(result, MetaplatError)
            }
            if failed:
                for day, entries in metadata.items():
                    yield dg.AssetMaterialization(dg.AssetKey(domain.name), partition=day, metadata=entries)
                continue
            for day, entries in metadata.items():
                context.add_asset_metadata(entries, asset_key=domain.name, partition_key=day)
            yield dg.MaterializeResult(asset_key=domain.name)
        if failed:
            raise partial_failure("days", failed, len(chosen) * len(days))

    with warnings.catch_warnings():  # backfill_policy is a beta parameter; dagster is pinned for it
        warnings.simplefilter("ignore", dg.BetaWarning)
        return dg.multi_asset(
            name="vip_histories",
            specs=[_spec(domain) for domain in domains],
            can_subset=True,
            partitions_def=partitions_definition(domains[0].partitions),
            backfill_policy=dg.BackfillPolicy.single_run(),
            retry_policy=RETRIES,
        )(write)


def build_charts_asset(domains: Sequence[MetadataDomain]) -> dg.AssetsDefinition:
    """Make the asset of the charts' page."""

    @dg.asset(
        name=CHARTS,
        description="Ten charts of the vendor's lake: one page that works offline, each as PNG and CSV.",
        deps=[domain.name for domain in domains],
        group_name=GROUP,
        kinds={"html"},
        owners=list(domains[0].owners),
        retry_policy=RETRIES,
    )
    def vip_charts(stores: dg.ResourceParam[Stores]) -> dg.MaterializeResult[Any]:
        try:
            return dg.MaterializeResult(metadata=draw_charts(stores, utc_now()))
        except MetaplatError as error:
            raise failure_for(error) from error

    return vip_charts


def history_job(domains: Sequence[MetadataDomain]) -> Any:
    """Return the job that writes days of all three histories, checks them, and draws the charts."""
    selection = dg.AssetSelection.assets(*(domain.name for domain in domains), CHARTS)
    return dg.define_asset_job(
        HISTORY_JOB,
        selection,
        description="Write the vendor's histories from delivered files, and draw them.",
    )


def _spec(domain: MetadataDomain) -> dg.AssetSpec:
    return dg.AssetSpec(
        domain.name,
        description=domain.doc,
        group_name=GROUP,
        freshness_policy=dg.FreshnessPolicy.time_window(fail_window=domain.fresh_within),
        owners=list(domain.owners),
        kinds={"polars", "parquet"},
        metadata=asset_metadata(domain),
        deps=[dg.AssetDep(EXTRACTS, partition_mapping=_hours_so_far())],
    )


def _hours_so_far() -> dg.TimeWindowPartitionMapping:
    """Map a day to its hours, also to those that are still to come: else today could not be backfilled."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", dg.BetaWarning)
        return dg.TimeWindowPartitionMapping(allow_nonexistent_upstream_partitions=True)
