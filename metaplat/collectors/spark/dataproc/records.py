"""Records of what ran on Dataproc.

Here: a YARN application of a job, with its event log or without; a job that started none.
Not here: asking Dataproc (``collecting``), reading members (``jobs``, ``clusters``).

Identity: ``app_id`` is the YARN application id; the job id where there is none. The API knows no attempts of
an application: its last one has no ``attempt_id`` here, whether its log was read or not, so that a log which
is found later gives the same row; earlier ones, which only logs know, have theirs. What the log calls the
attempt stays in ``environment`` as ``spark.app.attempt.id``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from metaplat.collectors.spark.attempt import FAILED, RUNNING, ApplicationAttempt
from metaplat.collectors.spark.dataproc.jobs import YARN_STATUS
from metaplat.collectors.spark.unlogged import end_at, fill_unlogged

if TYPE_CHECKING:
    from metaplat.collectors.spark.dataproc.clusters import Cluster
    from metaplat.collectors.spark.dataproc.jobs import Application, Job

SOURCE = "dataproc"
GONE, UNKNOWN = "cluster_gone", "cluster_unknown"
JOB_TIMES = "job_times"
"""Flags a record whose times are those of a job that started several applications."""


def properties_of(job: Job, cluster: Cluster | None) -> dict[str, str]:
    """Return the Spark properties of a job over those of its cluster."""
    return {**(cluster.properties if cluster else {}), **job.properties}


def job_record(job: Job, application: Application | None, cluster: Cluster | None) -> ApplicationAttempt:
    """Describe an application of a job by what the API says; the job itself where it started none."""
    attempt = ApplicationAttempt(source=SOURCE, app_id=_app_id(job, application))
    attempt.environment = properties_of(job, cluster)
    attempt.app_name = job.properties.get("spark.app.name", job.job_id)
    attempt.status = _status(job, application)
    attempt.submit_time, attempt.start_time, attempt.end_time = job.submitted, job.started, job.ended
    attempt.observed_start = job.submitted
    _add_job(attempt, job, application, cluster)
    fill_unlogged(attempt)
    if len(job.applications) > 1:
        attempt.flag(JOB_TIMES)
    return attempt


def logged_record(
    attempt: ApplicationAttempt, job: Job, application: Application, cluster: Cluster | None, *, last: bool
) -> None:
    """Add to the attempt of a log what the API says; ``last`` is the attempt that the API knows."""
    if attempt.attempt_id is not None:
        attempt.environment.setdefault("spark.app.attempt.id", attempt.attempt_id)
    attempt.environment = {**properties_of(job, cluster), **attempt.environment}
    _add_job(attempt, job, application, cluster)
    if not last:  # YARN started another one: this one did not succeed
        end_at(attempt, FAILED, None)
        return
    attempt.attempt_id = None
    end_at(attempt, _status(job, application), job.ended if len(job.applications) == 1 else None)


def _add_job(
    attempt: ApplicationAttempt, job: Job, application: Application | None, cluster: Cluster | None
) -> None:
    facts = {"job_kind": job.kind, **(cluster.facts if cluster else {})}
    if application is not None:
        attempt.app_name = application.name or attempt.app_name
        facts |= {f"yarn.{name}": value for name, value in application.facts.items()}
    attempt.environment |= {f"dataproc.{name}": value for name, value in facts.items()}
    attempt.cluster_id, attempt.cluster_name = job.cluster_id, job.cluster_name
    attempt.run_id, attempt.platform_state = job.job_id, job.state
    attempt.tags = {**attempt.tags, **(cluster.tags if cluster else {}), **job.labels}


def _status(job: Job, application: Application | None) -> str:
    """Return the state of the job; of several applications each has its own once the job is over."""
    if job.status == RUNNING or application is None or len(job.applications) == 1:
        return job.status
    return YARN_STATUS.get(application.state, job.status)


def _app_id(job: Job, application: Application | None) -> str:
    if application is None:
        return job.job_id
    if application.app_id is not None:
        return application.app_id
    return f"{job.job_id}-{application.number}" if application.number else job.job_id
