"""Source ``emr``: the order of a collection.

Here: first the inventory, then the event logs, then the steps that no log tells of.
Not here: each of these (``inventory``, ``logged``, ``stepped``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from metaplat.collectors.spark.emr.inventory import Inventory
from metaplat.collectors.spark.emr.logged import LoggedApplications
from metaplat.collectors.spark.emr.service import EmrService, region_of
from metaplat.collectors.spark.emr.stepped import SUPERSEDED, step_attempt
from metaplat.collectors.spark.unlogged import NO_EVENT_LOG

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from metaplat.collectors.collector import CollectRequest
    from metaplat.collectors.spark.attempt import ApplicationAttempt
    from metaplat.collectors.spark.emr.cluster import Cluster, Step

TOLD, LOGGED = "told", "logged"
"""How the application of a step was told: by a record of the step, or by one of its event log."""


def collect(request: CollectRequest) -> Iterator[Mapping[str, Any]]:
    """Yield one record per application with a readable event log, and one per Spark step without.

    Parameters
    ----------
    request : CollectRequest
        ``path``, or ``url`` as ``s3://bucket/prefix``, names copies of event logs, in place of the folders
        that the clusters are configured to write to. A cluster or log that cannot be read is rejected.

    Raises
    ------
    SettingsError
        No region is known.
    SourceError
        Clusters cannot be listed; or EMR failed on the way, after what could be read was yielded.
    UsageError
        The place of the copies does not exist.
    """
    settings = request.settings.spark
    inventory = Inventory(request, EmrService(region_of(settings)))
    inventory.describe()
    logged = LoggedApplications(request, inventory)
    yield from logged.records()
    for cluster in list(inventory.clusters.values()):
        told = logged.told_steps(cluster)
        for step in cluster.steps:
            yield from _of_step(request, cluster, step, is_logged=step.step_id in told)
        inventory.remember(cluster, whole=not _is_filtered(request))
    _tell_unreadable(request, inventory)
    if inventory.outage is not None:
        raise inventory.outage


def _of_step(
    request: CollectRequest, cluster: Cluster, step: Step, *, is_logged: bool
) -> Iterator[Mapping[str, Any]]:
    """Yield the record of a step that no log tells of, once for each state of it.

    A step that was told before its log was found is told a last time: its record is closed and flagged.
    """
    name = f"emr step {cluster.seen.cluster_id} {step.step_id}"
    state, _, how = (request.memory.fingerprint(name) or "").partition(" ")
    if how == LOGGED or (not is_logged and how == TOLD and state == step.state):
        return
    attempt = step_attempt(cluster, step, request.settings.spark, request.now)
    if is_logged:
        attempt.data_quality.remove(NO_EVENT_LOG)
        attempt.flag(SUPERSEDED)
    due = how == TOLD or not is_logged
    if due and not _is_wanted(request, attempt):
        return
    if due:
        yield attempt.record()
    request.memory.remember(name, f"{step.state} {LOGGED if is_logged else TOLD}")


def _tell_unreadable(request: CollectRequest, inventory: Inventory) -> None:
    """Say what to do about clusters whose event logs are where nobody else can read them."""
    if request.path is not None or request.url is not None:
        return
    without = [
        each.seen.cluster_id for each in inventory.clusters.values() if each.steps and not each.log_folders
    ]
    if without:
        more = f" and {len(without) - 1} more" if len(without) > 1 else ""
        request.warn(
            f"cluster {without[0]}{more} with Spark steps: event logs are not on S3, so only the steps are "
            "known; set spark.eventLog.dir to s3://... in spark-defaults, or name copies by --path"
        )


def _is_wanted(request: CollectRequest, attempt: ApplicationAttempt) -> bool:
    since, end = request.since, attempt.end_time
    recent = since is None or end is None or end >= since
    return recent and request.wants(attempt.user, attempt.app_name, attempt.tags)


def _is_filtered(request: CollectRequest) -> bool:
    return bool(request.since or request.user or request.name or request.tags)
