"""Spark event logs are collected by a job, and a sensor asks for it when logs are new or have grown.

Here: the job and the sensor of ``spark.event_logs``. What is landed is seen by the sensors of the domains.
Not here: reading logs (``collectors.spark``), landing (``ingest.collecting``).
"""

import hashlib
import json

import dagster as dg

from metaplat.collectors.collector import CollectRequest
from metaplat.domains import domain_named
from metaplat.ingest.collecting import collect_and_land, memory_of
from metaplat.model.errors import MetaplatError
from metaplat.orchestration.clock import utc_now
from metaplat.orchestration.failures import RETRIES, failure_for
from metaplat.stores.home import Stores

DOMAIN, SOURCE = "spark_applications", "event-logs"
JOB = f"collect_{DOMAIN}"
INTERVAL_SECONDS = 60
"""Between two ticks: each lists the folder once."""
ASK_AGAIN_SECONDS = 3600
"""After this the same logs are asked for again: their run failed, or could not reach some of them."""
MAX_TOLD = 20


@dg.op(
    description="Reads the event logs below spark.event_logs that changed, and lands their attempts.",
    retry_policy=RETRIES,
)
def collect_event_logs(context: dg.OpExecutionContext, stores: dg.ResourceParam[Stores]) -> None:
    """Collect once; what cannot be read is told, and does not fail the rest."""
    domain, now = domain_named(DOMAIN), utc_now()
    rejected: list[str] = []

    def reject(name: str, reason: str) -> None:
        rejected.append(name)
        if len(rejected) <= MAX_TOLD:
            context.log.warning("rejected: %s: %s", name, reason)

    request = CollectRequest(
        stores.settings, now, context.log.warning, reject=reject, memory=memory_of(domain, stores, SOURCE)
    )
    try:
        collected = collect_and_land(
            domain,
            stores,
            domain.collectors[SOURCE],
            request,
            batch_size=stores.settings.spark.batch_size,
            now=now,
        )
    except MetaplatError as error:
        raise failure_for(error) from error
    counts = {**collected.counts, "rejected": len(rejected)}
    context.log.info("%d attempts: %s", len(collected.landed), counts)
    context.add_output_metadata({**counts, "partitions": ", ".join(collected.partitions)})


@dg.job(name=JOB, description="Collects the Spark event logs that the settings name.")
def collect_job() -> None:
    """Run the one op."""
    collect_event_logs()


@dg.sensor(
    name=f"{DOMAIN}_event_logs",
    job_name=JOB,
    minimum_interval_seconds=INTERVAL_SECONDS,
    default_status=dg.DefaultSensorStatus.RUNNING,  # it skips where spark.event_logs is not set
    description="Asks for a collection when event logs below spark.event_logs are new or have grown.",
)
def event_logs_sensor(
    context: dg.SensorEvaluationContext, stores: dg.ResourceParam[Stores]
) -> dg.SensorResult:
    """Look once; where the folder cannot be listed, the tick fails with the reason."""
    place = stores.settings.spark.event_logs
    if place is None:
        return dg.SensorResult(skip_reason="spark.event_logs is not set", cursor=context.cursor)
    from metaplat.collectors.spark.event_logs import waiting

    domain, now = domain_named(DOMAIN), utc_now()
    request = CollectRequest(
        stores.settings, now, context.log.warning, memory=memory_of(domain, stores, SOURCE)
    )
    digest, count = hashlib.sha256(), 0
    for log in waiting(request):
        digest.update(f"{log.address}\0{log.fingerprint}\n".encode("utf-8", "surrogateescape"))
        count += 1
    if not count:
        return dg.SensorResult(skip_reason=f"no event log below {place} has changed", cursor=context.cursor)
    asked, when = _read_cursor(context.cursor)
    written, moment = digest.hexdigest()[:16], int(now.timestamp())
    if asked == written and 0 <= moment - when < ASK_AGAIN_SECONDS:
        reason = f"{count} event logs below {place} were asked for before"
        return dg.SensorResult(skip_reason=reason, cursor=context.cursor)
    request_run = dg.RunRequest(run_key=f"{JOB}:{written}:{moment}")
    return dg.SensorResult(run_requests=[request_run], cursor=json.dumps([written, moment]))


def _read_cursor(text: str | None) -> tuple[str, int]:
    """Return the digest of the logs that were asked for last, and when."""
    try:
        digest, when = json.loads(text or "")
        return str(digest), int(when)
    except (ValueError, TypeError):
        return "", 0
