"""Processing events: who did what to which datasets, the audit trail of the catalog.

Here: the declaration.
Not here: recording an event (``catalog.pipelines``, ``catalog.ingesting``).
"""

from __future__ import annotations

from datetime import timedelta

from metaplat.model.domain import MetadataDomain, Origin
from metaplat.model.observation import EVENT_FIELDS
from metaplat.model.partitioning import Daily
from metaplat.model.retention import Retention
from metaplat.rules.catalog.all_rules import EVENT_RULES

DOMAIN = MetadataDomain(
    name="processing_events",
    doc="One row per step of a pipeline or ingest: pre-flight, start, progress, finish, fail, reconcile.",
    fields=EVENT_FIELDS,
    partitions=Daily("2025-01-01", by="occurred_at"),
    landing="processing-events/",
    rules=EVENT_RULES,
    retention=Retention(archive=timedelta(days=36500)),
    cadence="37 * * * *",
    fresh_within=timedelta(days=30),
    origin=Origin.CATALOG,
)
