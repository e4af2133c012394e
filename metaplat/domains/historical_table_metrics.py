"""History of the vendor's tables: one row per configuration, hour and table expected or delivered.

Here: the declaration.
Not here: its columns (``model.extract``), making the rows (``vip.history``), the rules (``rules.vip``).
"""

from __future__ import annotations

from metaplat.domains.historical_job_metrics import (
    FRESH_WITHIN,
    HOURS,
    RETENTION,
    configured_excuses,
)
from metaplat.model.domain import MetadataDomain, Origin
from metaplat.model.extract import TABLE_METRICS_FIELDS
from metaplat.rules.frame_schema import schema
from metaplat.rules.primary_key import primary_key
from metaplat.rules.vip.all_rules import table_metrics_rules

DOMAIN = MetadataDomain(
    name="historical_table_metrics",
    doc="One row per hour and table of the vendor's lake: whether it came, its size, its schema's changes.",
    fields=TABLE_METRICS_FIELDS,
    partitions=HOURS,
    landing="historical-table-metrics/",
    rules=(primary_key(), schema(), *table_metrics_rules(configured_excuses)),
    retention=RETENTION,
    cadence="35 * * * *",
    fresh_within=FRESH_WITHIN,
    origin=Origin.DELIVERIES,
)
