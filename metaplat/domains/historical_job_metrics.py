"""History of the vendor's jobs: one row per configuration and hour, missing hours included.

Here: the declaration.
Not here: its columns (``model.extract``), making the rows (``vip.history``), the rules (``rules.vip``).
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from metaplat.model.domain import MetadataDomain, Origin
from metaplat.model.extract import JOB_METRICS_FIELDS
from metaplat.model.partitioning import Daily
from metaplat.model.retention import Retention
from metaplat.rules.frame_schema import schema
from metaplat.rules.freshness import freshness
from metaplat.rules.primary_key import primary_key
from metaplat.rules.vip.all_rules import job_metrics_rules
from metaplat.rules.vip.error_budget import Slo

if TYPE_CHECKING:
    from metaplat.model.extract import ExcusedHours

HOURS = Daily("2022-02-08", by="hour_utc")
RETENTION = Retention(archive=timedelta(days=3650))
FRESH_WITHIN = timedelta(hours=3)


def configured_slo() -> Slo:
    """Return the objective of section ``[vip]``; asked by rules. Raises SettingsError."""
    from metaplat.settings import load_settings

    vip = load_settings().vip
    return Slo(vip.slo_objective, vip.slo_days, vip.page_bad_hours_6h, vip.page_bad_hours_3d)


def configured_excuses() -> list[ExcusedHours]:
    """Return the excused hours of section ``[vip]``; asked by rules. Raises SettingsError."""
    from metaplat.settings import load_settings

    return load_settings().vip.excuses


DOMAIN = MetadataDomain(
    name="historical_job_metrics",
    doc="One row per configuration and hour of the vendor's lake: whether and how completely it came.",
    fields=JOB_METRICS_FIELDS,
    partitions=HOURS,
    landing="historical-job-metrics/",
    rules=(primary_key(), schema(), freshness(within=FRESH_WITHIN), *job_metrics_rules(configured_slo)),
    retention=RETENTION,
    cadence="35 * * * *",
    fresh_within=FRESH_WITHIN,
    origin=Origin.DELIVERIES,
)
