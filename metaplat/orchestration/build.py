"""Everything the code location serves, put together from the registry of domains."""

from __future__ import annotations

from typing import TYPE_CHECKING

import dagster as dg

from metaplat.domains import all_domains
from metaplat.orchestration.assets import build_asset
from metaplat.orchestration.checks import build_checks
from metaplat.orchestration.jobs import check_job, ingest_job
from metaplat.orchestration.resources import default_resources
from metaplat.orchestration.schedules import build_schedule
from metaplat.orchestration.sensors import build_sensor

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from metaplat.model.domain import MetadataDomain


def build_definitions(
    *, domains: Sequence[MetadataDomain] | None = None, resources: Mapping[str, object] | None = None
) -> dg.Definitions:
    """Return the definitions of all domains; a test passes its own domains or resources."""
    chosen = all_domains() if domains is None else domains
    return dg.Definitions(
        assets=[build_asset(domain) for domain in chosen],
        asset_checks=[build_checks(domain) for domain in chosen],
        jobs=[make(domain) for domain in chosen for make in (ingest_job, check_job)],
        sensors=[build_sensor(domain) for domain in chosen],
        schedules=[build_schedule(domain) for domain in chosen],
        resources={**default_resources(), **(resources or {})},
        executor=dg.in_process_executor,  # a step process would pay for loading everything again
    )
