"""History of the vendor's volumes: one row per configuration and hour, with the band it was expected in.

Here: the declaration.
Not here: its columns (``model.extract``), making the rows (``vip.history``), the rules (``rules.vip``).
"""

from __future__ import annotations

from metaplat.domains.historical_job_metrics import FRESH_WITHIN, HOURS, RETENTION
from metaplat.model.domain import MetadataDomain, Origin
from metaplat.model.extract import JOB_SIZE_FIELDS
from metaplat.rules.frame_schema import schema
from metaplat.rules.primary_key import primary_key
from metaplat.rules.vip.all_rules import job_size_rules

DOMAIN = MetadataDomain(
    name="historical_job_size",
    doc="One row per configuration and hour of the vendor's lake: files, bytes, and whether that is unusual.",
    fields=JOB_SIZE_FIELDS,
    partitions=HOURS,
    landing="historical-job-size/",
    rules=(primary_key(), schema(), *job_size_rules()),
    retention=RETENTION,
    cadence="35 * * * *",
    fresh_within=FRESH_WITHIN,
    origin=Origin.DELIVERIES,
)
