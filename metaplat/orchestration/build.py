"""Everything the code location serves: the domains of the registry, and the monitored tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

import dagster as dg

from metaplat.domains import all_domains
from metaplat.model.domain import Origin
from metaplat.orchestration.alert_sensor import build_alert_sensor
from metaplat.orchestration.assets import build_asset
from metaplat.orchestration.catalog_files import (
    catalog_files_job,
    catalog_files_sensor,
    reconcile_job,
    reconcile_nightly,
)
from metaplat.orchestration.cataloged import build_changes_sensor
from metaplat.orchestration.checks import build_checks, domain_subject
from metaplat.orchestration.collecting import DOMAIN, collect_job, event_logs_sensor
from metaplat.orchestration.jobs import check_job, ingest_job
from metaplat.orchestration.resources import default_resources
from metaplat.orchestration.schedules import build_schedule
from metaplat.orchestration.sensors import build_sensor
from metaplat.orchestration.tables.assets import build_table_asset, table_subject
from metaplat.orchestration.tables.declared import tables_at_load
from metaplat.orchestration.tables.jobs import profile_job, table_check_job
from metaplat.orchestration.tables.schedules import build_table_schedule
from metaplat.orchestration.tables.sensors import build_table_sensor
from metaplat.orchestration.vip.assets import build_charts_asset, build_history_assets, history_job
from metaplat.orchestration.vip.due import build_due_sensor
from metaplat.orchestration.vip.extracts import EXTRACTS, pull_hours
from metaplat.orchestration.vip.histories import NAMES
from metaplat.orchestration.vip.schedule import history_schedule

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from metaplat.model.domain import MetadataDomain
    from metaplat.model.table import MonitoredTable


def build_definitions(
    *,
    domains: Sequence[MetadataDomain] | None = None,
    tables: Sequence[MonitoredTable] | None = None,
    resources: Mapping[str, object] | None = None,
) -> dg.Definitions:
    """Return the definitions of all domains and tables; a test passes its own."""
    domains = all_domains() if domains is None else domains
    tables = tables_at_load() if tables is None else tables
    histories = [domain for domain in domains if domain.origin is Origin.DELIVERIES]
    extracts = [domain for domain in domains if domain.name == EXTRACTS]
    collected = any(domain.name == DOMAIN for domain in domains)
    cataloged = any(domain.cataloged for domain in domains)
    return dg.Definitions(
        assets=[
            *(_asset(domain) for domain in domains if domain not in histories),
            *([build_history_assets(histories)] if histories else []),
            *([build_charts_asset(histories)] if len(histories) == len(NAMES) else []),
            *map(build_table_asset, tables),
        ],
        asset_checks=[
            build_checks(subject) for subject in (*map(domain_subject, domains), *map(table_subject, tables))
        ],
        jobs=[
            *(make(domain) for domain in domains for make in (ingest_job, check_job)),
            *(make(table) for table in tables for make in (profile_job, table_check_job)),
            *([collect_job] if collected else []),
            *([catalog_files_job, reconcile_job] if cataloged else []),
            *([history_job(histories)] if len(histories) == len(NAMES) else []),
        ],
        sensors=[
            *(build_sensor(domain) for domain in domains if domain.lands),
            *(build_changes_sensor(domain) for domain in domains if domain.cataloged),
            *map(build_due_sensor, extracts),
            *map(build_table_sensor, tables),
            *([event_logs_sensor] if collected else []),
            *([catalog_files_sensor] if cataloged else []),
            build_alert_sensor(),
        ],
        schedules=[
            *(build_schedule(domain) for domain in domains if domain not in histories),
            *([history_schedule] if len(histories) == len(NAMES) else []),
            *map(build_table_schedule, tables),
            *([reconcile_nightly] if cataloged else []),
        ],
        resources={**default_resources(), **(resources or {})},
        executor=dg.in_process_executor,  # a step process would pay for loading everything again
    )


def _asset(domain: MetadataDomain) -> dg.AssetsDefinition:
    return build_asset(domain, pull_hours if domain.name == EXTRACTS else None)
