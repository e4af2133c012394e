"""The two jobs of a monitored table: profile with checks, and checks alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import dagster as dg

from metaplat.orchestration.instance import TABLE_TAG
from metaplat.orchestration.tables.naming import asset_key, check_job_name, profile_job_name, python_name

if TYPE_CHECKING:
    from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition

    from metaplat.model.table import MonitoredTable


def profile_job(table: MonitoredTable) -> UnresolvedAssetJobDefinition:
    """Return the job that profiles buckets of a table, then checks them."""
    selection = dg.AssetSelection.assets(asset_key(table))
    return dg.define_asset_job(
        profile_job_name(table),
        selection,
        description=f"Profile {table.name}, then check.",
        tags={TABLE_TAG: python_name(table)},
    )


def table_check_job(table: MonitoredTable) -> UnresolvedAssetJobDefinition:
    """Return the job that judges a table as it was measured last; its buckets come as tags."""
    selection = dg.AssetSelection.checks_for_assets(asset_key(table))
    return dg.define_asset_job(
        check_job_name(table),
        selection,
        description=f"Check {table.name} as it was measured last.",
        tags={TABLE_TAG: python_name(table)},
    )
