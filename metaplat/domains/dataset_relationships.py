"""Relationships of datasets: what was made from what, or describes what.

Here: the declaration.
Not here: walking the graph (``catalog.graph``), recording an edge (``catalog.pipelines``).
"""

from __future__ import annotations

from datetime import timedelta

from metaplat.model.domain import MetadataDomain, Origin
from metaplat.model.field import Field
from metaplat.model.observation import RELATIONSHIP_FIELDS, FileState, values_of
from metaplat.model.partitioning import Daily
from metaplat.model.retention import Retention
from metaplat.rules.catalog.all_rules import EDGE_RULES

STATES = (*values_of(FileState), "missing")

DOMAIN = MetadataDomain(
    name="dataset_relationships",
    doc="One row per relationship of two datasets, with the state of both when it was written.",
    fields=(
        *RELATIONSHIP_FIELDS,
        Field("parent_state", str, choices=STATES, doc="State of the parent's file; missing: not cataloged."),
        Field("child_state", str, choices=STATES, doc="State of the child's file; missing: not cataloged."),
    ),
    partitions=Daily("2025-01-01", by="recorded_at"),
    landing="dataset-relationships/",
    rules=EDGE_RULES,
    retention=Retention(archive=timedelta(days=36500)),
    cadence="27 * * * *",
    fresh_within=timedelta(days=30),
    origin=Origin.CATALOG,
)
