"""Spark event logs are collected by a job, and a sensor asks for it when logs are new or have grown.

Here: the job and the sensor of ``spark.event_logs``. What is landed is seen by the sensors of the domains.
Not here: reading logs (``collectors.spark``), landing (``ingest.collecting``).
"""

import hashlib
import json
from datetime import datetime, timedelta

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
GROWN_SECONDS = 600
"""Between two requests where logs have only grown: those of running applications do so all the time."""
MAX_TOLD = 20
UNFINISHED = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
]


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
    now = utc_now()
    if is_under_way(context.instance, JOB, now):
        return dg.SensorResult(skip_reason="the last collection has not ended", cursor=context.cursor)
    memory = memory_of(domain_named(DOMAIN), stores, SOURCE)
    new, grown = _waiting(CollectRequest(stores.settings, now, context.log.warning, memory=memory))
    if not new and not grown:
        return dg.SensorResult(skip_reason=f"no event log below {place} has changed", cursor=context.cursor)
    asked, when = _read_cursor(context.cursor)
    written, moment = _digest(new), int(now.timestamp())
    known = not new or asked == written
    if known and 0 <= moment - when < (GROWN_SECONDS if grown else ASK_AGAIN_SECONDS):
        reason = f"below {place} {len(new)} new and {grown} growing event logs were asked for before"
        return dg.SensorResult(skip_reason=reason, cursor=context.cursor)
    request_run = dg.RunRequest(run_key=f"{JOB}:{written}:{moment}")
    return dg.SensorResult(run_requests=[request_run], cursor=json.dumps([written, moment]))


def is_under_way(instance: dg.DagsterInstance, job_name: str, now: datetime) -> bool:
    """Whether a run of a job is under way; one that was killed may look so for ever, hence the limit."""
    since = now - timedelta(seconds=ASK_AGAIN_SECONDS)
    asked = dg.RunsFilter(job_name=job_name, statuses=UNFINISHED, created_after=since)
    return instance.get_runs_count(asked) > 0


def _waiting(request: CollectRequest) -> tuple[list[str], int]:
    """Return what identifies the logs that are new or have ended, and how many others only grow."""
    from metaplat.collectors.spark.event_logs import is_growing, waiting

    new, grown = list[str](), 0
    for log in waiting(request):
        if is_growing(request, log):
            grown += 1
        else:
            new.append(f"{log.address}\0{log.fingerprint}\n")
    return new, grown


def _digest(logs: list[str]) -> str:
    return hashlib.sha256("".join(logs).encode("utf-8", "surrogateescape")).hexdigest()[:16]


def _read_cursor(text: str | None) -> tuple[str, int]:
    """Return the digest of the logs that were asked for last, and when."""
    try:
        digest, when = json.loads(text or "")
        return str(digest), int(when)
    except (ValueError, TypeError):
        return "", 0
