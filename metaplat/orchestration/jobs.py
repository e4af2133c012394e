"""The two jobs of a domain: ingest with checks, and checks alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import dagster as dg

if TYPE_CHECKING:
    from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition

    from metaplat.model.domain import MetadataDomain

PARTITION_TAG = "dagster/partition"
RANGE_START_TAG = "dagster/asset_partition_range_start"
RANGE_END_TAG = "dagster/asset_partition_range_end"


def ingest_job(domain: MetadataDomain) -> UnresolvedAssetJobDefinition:
    """Return the job that ingests partitions of a domain, then checks them."""
    selection = dg.AssetSelection.assets(domain.name)
    return dg.define_asset_job(
        ingest_job_name(domain), selection, description=f"Ingest {domain.name}, then check."
    )


def check_job(domain: MetadataDomain) -> UnresolvedAssetJobDefinition:
    """Return the job that only checks what is stored; its partitions come as tags."""
    selection = dg.AssetSelection.checks_for_assets(dg.AssetKey(domain.name))
    return dg.define_asset_job(
        check_job_name(domain), selection, description=f"Check {domain.name} as it is."
    )


def ingest_job_name(domain: MetadataDomain) -> str:
    """Return the name of the ingest job."""
    return f"ingest_{domain.name}"


def check_job_name(domain: MetadataDomain) -> str:
    """Return the name of the job of checks only."""
    return f"check_{domain.name}"


def partition_tags(first: str, last: str) -> dict[str, str]:
    """Return the run tags that select one partition, or the contiguous range from ``first`` to ``last``."""
    if first == last:
        return {PARTITION_TAG: first}
    return {RANGE_START_TAG: first, RANGE_END_TAG: last}
