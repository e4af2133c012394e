"""The order of a collection from Dataproc: jobs, their clusters, their logs.

Here: what is asked, what is left out since it is known, and what a failure costs.
Not here: the service (``service``), records (``records``).

A job that runs and has not started a YARN application is no application yet: it comes with a later
collection.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from metaplat.collectors.spark.attempt import COMPLETED, RUNNING
from metaplat.collectors.spark.dataproc.application_logs import ApplicationLogs
from metaplat.collectors.spark.dataproc.clusters import Cluster, log_folder, read_cluster
from metaplat.collectors.spark.dataproc.jobs import read_job
from metaplat.collectors.spark.dataproc.records import (
    GONE,
    SOURCE,
    UNKNOWN,
    job_record,
    logged_record,
    properties_of,
)
from metaplat.collectors.spark.dataproc.service import DeniedError, FailingError, MissingError, dataproc
from metaplat.collectors.spark.log_reading import read_log
from metaplat.collectors.spark.unlogged import conclude_told
from metaplat.model.errors import InvalidInputError, OutsideError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from metaplat.collectors.collector import CollectRequest
    from metaplat.collectors.spark.attempt import ApplicationAttempt
    from metaplat.collectors.spark.dataproc.application_logs import FoundLog
    from metaplat.collectors.spark.dataproc.jobs import Application, Job
    from metaplat.collectors.spark.dataproc.service import Dataproc

LOOK_BACK = timedelta(days=7)
"""Jobs are asked for by their submission: those of so long before ``since`` may have ended after it."""
ARRIVAL = timedelta(hours=1)
"""Copies of logs come so much later than the end of a job, at most."""
REMEMBERED = 256
VERSION = "1"
"""Changes where a job that did not change would give another record."""


def collect(request: CollectRequest) -> Iterator[Mapping[str, Any]]:
    """Yield one record per YARN application of a Spark job, and one per job that ended without.

    Parameters
    ----------
    request : CollectRequest
        ``url`` is an address instead of Google's own; ``path``, or an ``s3://`` address as ``url``, is a copy
        of the folder that event logs are written to.

    Raises
    ------
    UsageError, SettingsError
        No project is named, or the SDK is not installed.
    SourceError
        Dataproc cannot be reached, or refuses the credentials.
    """
    with dataproc(request) as service:
        yield from _Collection(request, service).records()


class _Collection:
    def __init__(self, request: CollectRequest, service: Dataproc) -> None:
        self._request, self._service = request, service
        self._logs = ApplicationLogs(request)
        self._cluster = lru_cache(maxsize=REMEMBERED)(self._ask_cluster)

    def records(self) -> Iterator[Mapping[str, Any]]:
        """Yield active jobs first: one that ends meanwhile is among the others, too."""
        over = "status.state = NON_ACTIVE"
        if self._request.since is not None:
            first = (self._request.since - LOOK_BACK).strftime("%Y-%m-%dT%H:%M:%SZ")
            over = f'{over} AND insertTime >= "{first}"'
        for chosen in ("status.state = ACTIVE", over):
            for page in self._service.job_pages(chosen):
                for name in page.unreachable:
                    self._request.reject(
                        f"job {name}", "its parameters are encrypted and could not be decrypted"
                    )
                for item in page.jobs:
                    job = read_job(item)
                    if job is not None:
                        yield from self._of_job(job)

    def _of_job(self, job: Job) -> Iterator[Mapping[str, Any]]:
        """Yield the records of a job; it is remembered when nothing more can come of it."""
        since, memory = self._request.since, self._request.memory
        if since is not None and job.ended is not None and job.ended < since:
            return
        name = f"{self._service.name}/job/{job.job_id}"
        parts = (VERSION, job.state, job.ended, self._logs.copy, self._request.settings.spark)
        fingerprint = hashlib.sha256(repr(parts).encode("utf-8", "surrogateescape")).hexdigest()[:32]
        if job.status != RUNNING and memory.fingerprint(name) == fingerprint:
            return
        settled = job.status != RUNNING
        for attempt, complete in self._attempts(job):
            if attempt is None:
                settled = False
                continue
            conclude_told(attempt, self._request.settings.spark, self._request.now)
            wanted = self._request.wants(attempt.user, attempt.app_name, attempt.tags)
            settled = settled and complete and wanted
            if wanted:
                yield attempt.record()
        if settled:
            memory.remember(name, fingerprint)

    def _attempts(self, job: Job) -> Iterator[tuple[ApplicationAttempt | None, bool]]:
        """Yield the attempts of a job, each with whether it is complete; None for what is not wanted."""
        applications: tuple[Application | None, ...] = job.applications
        if not applications and job.status != RUNNING:
            applications = (None,)
        if not applications:
            return
        cluster, flag = self._cluster(job.cluster_name, job.cluster_id)
        for application in applications:
            if not self._has_wanted_name(job, application):
                yield None, False
                continue
            for attempt, complete in self._of_application(job, application, cluster):
                if flag:
                    attempt.flag(flag)
                yield attempt, complete and flag != UNKNOWN

    def _of_application(
        self, job: Job, application: Application | None, cluster: Cluster | None
    ) -> Iterator[tuple[ApplicationAttempt, bool]]:
        folder = log_folder(properties_of(job, cluster))
        logs = self._logs.of(application.app_id, folder) if application and application.app_id else ()
        read = [attempt for found in logs if (attempt := self._read(found)) is not None]
        fresh = job.ended is not None and self._request.now - job.ended < ARRIVAL
        if application is None or not read:
            attempt = job_record(job, application, cluster)
            yield attempt, not logs and not (fresh and self._logs.can_be_read(folder))
            return
        for attempt in read:
            whole = attempt.status == COMPLETED or not fresh
            logged_record(attempt, job, application, cluster, last=attempt is read[-1])
            yield attempt, whole and len(read) == len(logs)

    def _has_wanted_name(self, job: Job, application: Application | None) -> bool:
        """Whether the name is asked for, before anything is read; user and tags are not known yet."""
        name = (application.name if application else None) or job.properties.get("spark.app.name", job.job_id)
        return replace(self._request, user=None, tags={}).wants(None, name, {})

    def _read(self, found: FoundLog) -> ApplicationAttempt | None:
        """Read a log, of another user's than asked for only the start; one that cannot be read is told."""
        settings, now, user = self._request.settings.spark, self._request.now, self._request.user

        def is_theirs(attempt: ApplicationAttempt) -> bool:
            return user is None or attempt.user == user

        try:
            return read_log(found.place, found.log, settings, now, source=SOURCE, wanted=is_theirs).attempt
        except (InvalidInputError, OutsideError) as error:
            self._request.reject(found.log.address, str(error))
            return None

    def _ask_cluster(self, name: str | None, cluster_id: str | None) -> tuple[Cluster | None, str]:
        """Return a cluster, or why it is not known; a deleted one, or replaced by its namesake, is gone."""
        if name is None:
            return None, GONE
        try:
            cluster = read_cluster(self._service.cluster(name))
        except MissingError:
            return None, GONE
        except (DeniedError, FailingError) as error:
            self._request.reject(f"cluster {name}", str(error))
            return None, UNKNOWN
        same = cluster_id is None or cluster.cluster_id in (None, cluster_id)
        return (cluster, "") if same else (None, GONE)
