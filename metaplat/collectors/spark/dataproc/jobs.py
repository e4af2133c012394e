"""Jobs of Dataproc's API into plain values.

Here: what is kept of a Spark job and of the YARN applications it started, and what its state is called here.
Not here: asking for jobs (``collecting``), records (``records``).
Source of the member names: https://cloud.google.com/dataproc/docs/reference/rest/v1/projects.regions.jobs
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from metaplat.collectors.spark.attempt import COMPLETED, FAILED, KILLED, RUNNING

SPARK_KINDS = frozenset({"spark_job", "pyspark_job", "spark_sql_job", "spark_r_job"})
STATUS = {"DONE": COMPLETED, "ERROR": FAILED, "CANCELLED": KILLED}
YARN_STATUS = {"FINISHED": COMPLETED, "FAILED": FAILED, "KILLED": KILLED}
APPLICATION_ID = re.compile(r"application_\d+_\d+")


@dataclass(frozen=True)
class Application:
    """A YARN application that a job started.

    Parameters
    ----------
    number : int
        Among the applications of its job, from 0.
    app_id : str or None
        From its tracking address or its name; None where neither has one.
    name : str or None
        Spark's name of it.
    state : str
        In the words of YARN.
    facts : dict of str to str
        Progress and reserved resources, by short names.
    """

    number: int
    app_id: str | None
    name: str | None
    state: str
    facts: dict[str, str]


@dataclass(frozen=True)
class Job:
    """A Spark job.

    Parameters
    ----------
    job_id : str
        Unique in the project at a time.
    kind : str
        ``spark_job``, ``pyspark_job``, ...
    status, state : str
        As metaplat and as Dataproc call it.
    submitted, started, ended : datetime or None
        When it became PENDING, RUNNING (the last time), and was over; aware UTC.
    """

    job_id: str
    kind: str
    status: str
    state: str
    cluster_name: str | None
    cluster_id: str | None
    submitted: datetime | None
    started: datetime | None
    ended: datetime | None
    properties: dict[str, str]
    labels: dict[str, str]
    applications: tuple[Application, ...]


def read_job(job: Any) -> Job | None:
    """Read a ``google.cloud.dataproc_v1.Job``; None where it is no Spark job."""
    kind = type(job).pb(job).WhichOneof("type_job")
    if kind not in SPARK_KINDS:
        return None
    state = _state(job.status)
    status = STATUS.get(state, FAILED if job.done else RUNNING)
    entered = sorted(
        (moment, _state(one))
        for one in (*job.status_history, job.status)
        if (moment := _moment(one.state_start_time)) is not None
    )
    starts = [moment for moment, name in entered if name == "RUNNING"]
    return Job(
        job_id=job.reference.job_id,
        kind=kind,
        status=status,
        state=state,
        cluster_name=job.placement.cluster_name or None,
        cluster_id=job.placement.cluster_uuid or None,
        submitted=entered[0][0] if entered else None,
        started=starts[-1] if starts else None,
        ended=_moment(job.status.state_start_time) if status != RUNNING else None,
        properties=dict(getattr(job, kind).properties),
        labels=dict(job.labels),
        applications=tuple(_application(*each) for each in enumerate(job.yarn_applications)),
    )


def _application(number: int, found: Any) -> Application:
    match = APPLICATION_ID.search(found.tracking_url) or APPLICATION_ID.fullmatch(found.name)
    facts = {
        "state": _state(found),
        "progress": f"{found.progress:g}",
        "vcore_seconds": str(found.vcore_seconds or ""),
        "memory_mb_seconds": str(found.memory_mb_seconds or ""),
    }
    return Application(
        number=number,
        app_id=match[0] if match else None,
        name=found.name if found.name and not APPLICATION_ID.fullmatch(found.name) else None,
        state=facts["state"],
        facts={name: value for name, value in facts.items() if value},
    )


def _state(message: Any) -> str:
    """Name the state of a message; one that is newer than the SDK, which would warn of it, is a number."""
    number = type(message).pb(message).state
    try:
        return str(type(message).State(number).name)
    except ValueError:
        return str(number)


def _moment(found: Any) -> datetime | None:
    return None if found is None else datetime.fromtimestamp(found.timestamp(), UTC)
