"""The record of a Spark step whose event log nobody can read: what the inventory knows.

Here: from a cluster and a step to an attempt, and what a cluster and a step add to any attempt.
Not here: records of event logs (``logged``), which steps get a record (``collection``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from metaplat.collectors.spark.attempt import COMPLETED, FAILED, KILLED, RUNNING, ApplicationAttempt
from metaplat.collectors.spark.conclusions import conclude
from metaplat.collectors.spark.unlogged import end_at, fill_unlogged

if TYPE_CHECKING:
    from datetime import datetime

    from metaplat.collectors.spark.emr.cluster import Cluster, Step
    from metaplat.settings import SparkSettings

SOURCE = "emr"
SUPERSEDED = "superseded"
"""Flag of a step that had a record of its own before its event log was found: the log's record counts."""
STATUSES = {"COMPLETED": COMPLETED, "FAILED": FAILED, "CANCELLED": KILLED, "INTERRUPTED": KILLED}
"""State of a step -> status; any other one is open."""


def step_attempt(cluster: Cluster, step: Step, settings: SparkSettings, now: datetime) -> ApplicationAttempt:
    """Return what is known of a step, as an attempt.

    Parameters
    ----------
    cluster : Cluster
        Where it ran.
    step : Step
        A Spark step of it.
    settings : SparkSettings
        For what is concluded.
    now : datetime
        Aware UTC.
    """
    status = _status(cluster, step)
    end = None if status == RUNNING else step.ended or (cluster.seen.ended if step.is_open else None)
    attempt = ApplicationAttempt(
        source=SOURCE,
        app_id=step.step_id,
        app_name=step.name,
        status=status,
        submit_time=step.created,
        start_time=step.started,
        end_time=end,
        observed_start=step.created or step.started,
        observed_end=end,
        spark_version=cluster.spark_version,
        run_id=step.step_id,
        platform_state=step.state,
        environment={**cluster.conf, **step.conf},
    )
    fill_unlogged(attempt)
    conclude(attempt, settings, now)
    # a step writes no log to fall silent: EMR says that it runs
    attempt.data_quality = [flag for flag in attempt.data_quality if flag != "silent"]
    if step.application_ids:
        attempt.environment["emr.application_ids"] = ",".join(step.application_ids)
    _add_cluster(attempt, cluster)
    return attempt


def add_platform(
    attempt: ApplicationAttempt, cluster: Cluster, step: Step | None, settings: SparkSettings, now: datetime
) -> None:
    """Add to the attempt of an event log what its cluster and step say.

    Parameters
    ----------
    attempt : ApplicationAttempt
        As the log has it, concluded; it is concluded anew.
    cluster : Cluster
        Where it ran.
    step : Step or None
        The step that submitted it, where that is sure.
    settings : SparkSettings
        For what is concluded.
    now : datetime
        Aware UTC.
    """
    if step is not None:
        attempt.run_id, attempt.platform_state = step.step_id, step.state
        _end_with_step(attempt, step)
    if attempt.status == RUNNING and cluster.seen.has_ended:
        end_at(attempt, KILLED, attempt.observed_end or cluster.seen.ended)
    conclude(attempt, settings, now)
    _add_cluster(attempt, cluster)


def _status(cluster: Cluster, step: Step) -> str:
    return STATUSES.get(step.state, KILLED if cluster.seen.has_ended else RUNNING)


def _end_with_step(attempt: ApplicationAttempt, step: Step) -> None:
    """Let a step say how its application ended, where it speaks of this application and attempt alone.

    A step may run several applications, and YARN may try an application again: a step that succeeded says
    nothing of a first attempt, one that did not succeed speaks of all of them.
    """
    status = STATUSES.get(step.state)
    alone = step.application_ids in ([], [attempt.app_id])
    if status is None or not alone or (attempt.attempt_id is not None and status == COMPLETED):
        return
    end_at(attempt, status, step.ended if attempt.attempt_id is None else attempt.observed_end)


def _add_cluster(attempt: ApplicationAttempt, cluster: Cluster) -> None:
    """Add what is known of the cluster; its tags win over those of properties."""
    attempt.cluster_id = cluster.seen.cluster_id
    attempt.cluster_name = cluster.seen.name or None
    attempt.tags = attempt.tags | cluster.tags
    attempt.environment = attempt.environment | cluster.environment
