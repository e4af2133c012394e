"""One schedule per domain, by its cadence: the newest partition is ingested and checked, new objects or not.

Sensors already ask for what landed; the schedule is what notices that nothing landed at all (freshness).
"""

from datetime import datetime

import dagster as dg

from metaplat.ingest.partition import landing_prefix
from metaplat.ingest.receipts import Receipts
from metaplat.model.domain import MetadataDomain
from metaplat.orchestration.cataloged import newest_cataloged
from metaplat.orchestration.clock import utc_now
from metaplat.orchestration.jobs import ingest_job_name, partition_tags
from metaplat.stores.home import Stores


def build_schedule(domain: MetadataDomain) -> dg.ScheduleDefinition:
    """Make the schedule of a domain."""

    @dg.schedule(
        name=f"{domain.name}_cadence",
        job_name=ingest_job_name(domain),
        cron_schedule=domain.cadence,
        execution_timezone="UTC",
        default_status=dg.DefaultScheduleStatus.RUNNING,  # a stale table shows only if somebody looks
        description=f"Ingests and checks the newest partition of {domain.name}.",
    )
    def newest_partition(
        context: dg.ScheduleEvaluationContext, stores: dg.ResourceParam[Stores]
    ) -> dg.RunRequest | dg.SkipReason:
        del context
        newest = (newest_cataloged if domain.cataloged else newest_known)(domain, stores, utc_now())
        if newest is None:
            return dg.SkipReason(f"nothing was ever landed or ingested for {domain.name}")
        return dg.RunRequest(tags=partition_tags(newest, newest))

    return newest_partition


def newest_known(domain: MetadataDomain, stores: Stores, now: datetime) -> str | None:
    """Return the newest partition for which objects have landed, else the last one ingested, else None."""
    keys = domain.partitions.keys(now)
    depth = domain.partitions.folder(keys[0]).count("/") + 1
    folders = set(stores.landing.list_folders(domain.landing, depth))
    for key in reversed(keys):
        there = domain.partitions.folder(key) in folders
        if there and stores.landing.list_objects(landing_prefix(domain, key)):
            return key
    return next(reversed(Receipts(stores.state, domain).load_all()), None)
