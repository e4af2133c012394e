"""One sensor per domain asks for the partitions with new landing objects, a few runs per tick."""

import hashlib
from datetime import datetime

import dagster as dg

from metaplat.model.domain import MetadataDomain
from metaplat.model.partitioning import stretches
from metaplat.orchestration.clock import utc_now
from metaplat.orchestration.jobs import ingest_job_name, partition_tags
from metaplat.orchestration.landing_watch import Watched, covering, watch_landing
from metaplat.stores.home import Stores

INTERVAL_SECONDS = 30
"""Between two ticks. Dagster must know it at load, when no settings are read, hence no setting."""


def build_sensor(domain: MetadataDomain) -> dg.SensorDefinition:
    """Make the sensor on the landing prefix of a domain.

    One run is asked for per contiguous stretch of touched partitions. Where the landing zone cannot be
    listed, the tick fails with the reason.
    """

    @dg.sensor(
        name=f"{domain.name}_landed",
        job_name=ingest_job_name(domain),
        minimum_interval_seconds=INTERVAL_SECONDS,
        default_status=dg.DefaultSensorStatus.RUNNING,  # without it nothing that lands is ever seen
        description=f"Asks for the partitions with new objects under landing/{domain.landing}",
    )
    def landed_objects(
        context: dg.SensorEvaluationContext, stores: dg.ResourceParam[Stores]
    ) -> dg.SensorResult:
        settings, now = stores.settings.sensor, utc_now()
        seen = watch_landing(domain, stores, context.cursor, now, settings)
        requests = _requests(domain, seen, now, settings.max_run_requests)
        cursor = seen.cursor.text()
        if not requests:
            reason = f"nothing new in the {seen.listed} folders listed under {domain.landing}"
            if seen.strange:
                reason += f"; {seen.strange} folders there belong to no partition that exists"
            return dg.SensorResult(skip_reason=reason, cursor=cursor)
        return dg.SensorResult(run_requests=requests, cursor=cursor)

    return landed_objects


def _requests(domain: MetadataDomain, seen: Watched, now: datetime, most: int) -> list[dg.RunRequest]:
    keys = domain.partitions.keys(now)
    order = {key: position for position, key in enumerate(keys)}
    chosen = covering(stretches(set(seen.touched), keys), order, most)
    requests = []
    for first, last in chosen:
        held = [key for key in keys[order[first] : order[last] + 1] if key in seen.touched]
        content = "".join(f"{key}{seen.touched[key]}" for key in held)
        digest = hashlib.sha256(content.encode()).hexdigest()[:12]
        # Dagster drops a key it knows for ever, in silence: other content and a reset cursor make another.
        run_key = f"{domain.name}:{first}:{last}:{seen.cursor.begun}:{digest}"
        requests.append(dg.RunRequest(run_key=run_key, tags=partition_tags(first, last)))
    return requests
