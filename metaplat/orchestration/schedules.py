"""One schedule per domain, by its cadence: the newest partition is ingested and checked, new objects or not.

Sensors already ask for what landed; the schedule is what notices that nothing landed at all (freshness).
"""

import dagster as dg

from metaplat.model.domain import MetadataDomain
from metaplat.orchestration.clock import utc_now
from metaplat.orchestration.jobs import ingest_job_name, partition_tags
from metaplat.orchestration.origins import newest
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
        key = newest(domain, stores, utc_now())
        if key is None:
            return dg.SkipReason(f"nothing was ever landed or ingested for {domain.name}")
        return dg.RunRequest(tags=partition_tags(key, key))

    return newest_partition
