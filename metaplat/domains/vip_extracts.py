"""Extracts of the vendor's lake: one row per configuration and hour, as the pull left it.

Here: the declaration.
Not here: its columns (``model.extract``), pulling (``vip.pulling``), the rules (``rules.vip``).
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from metaplat.domains.historical_job_metrics import configured_excuses
from metaplat.model.domain import MetadataDomain, Progress
from metaplat.model.extract import EXTRACT_FIELDS
from metaplat.model.partitioning import Hourly
from metaplat.model.retention import Retention
from metaplat.rules.frame_schema import schema
from metaplat.rules.freshness import freshness
from metaplat.rules.partition_complete import partition_complete
from metaplat.rules.primary_key import primary_key
from metaplat.rules.quarantine import quarantine
from metaplat.rules.row_count import row_count
from metaplat.rules.vip.all_rules import extract_rules

if TYPE_CHECKING:
    from metaplat.model.domain import Row

FRESH_WITHIN = timedelta(hours=2)


def object_name(row: Row) -> str:
    """Name the landing object of an extract after its configuration: a later pull of the hour replaces it."""
    return f"{row['config_name']}.ndjson"


DOMAIN = MetadataDomain(
    name="vip_extracts",
    doc="One row per extract of the vendor's lake: configuration, hour, and what became of its promise.",
    fields=EXTRACT_FIELDS,
    partitions=Hourly("2022-02-08-08:00", by="hour_utc"),
    landing="vip-extracts/",
    rules=(
        row_count(minimum=1),
        primary_key(),
        partition_complete(every=False),
        schema(),
        quarantine(),
        freshness(within=FRESH_WITHIN),
        *extract_rules(configured_excuses),
    ),
    retention=Retention(archive=timedelta(days=3650)),
    cadence="3 * * * *",
    fresh_within=FRESH_WITHIN,
    object_name=object_name,
    progress=Progress(column="status", running="running", identity="job_guid"),
    knows_more=lambda landed, record: False,  # noqa: ARG005  # the last pull saw the folder as it is
)
