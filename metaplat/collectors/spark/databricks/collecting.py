"""The order of a collection from Databricks: runs, their clusters, their logs.

Here: what is asked, what is left out since it is known, and what a failure costs.
Not here: the workspace (``workspace``), records (``records``).

A run that has not got a Spark context yet is no application yet: it comes with a later collection. One that
ended without (SQL warehouse, serverless, never started) is known by its run id. Runs on a cluster of their
own are joined with its log; of a cluster that serves many the log is a record of its own.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from metaplat.collectors.kubernetes.members import entries, text
from metaplat.collectors.spark.attempt import RUNNING
from metaplat.collectors.spark.databricks.clusters import Cluster, read_cluster
from metaplat.collectors.spark.databricks.context_logs import ContextLogs
from metaplat.collectors.spark.databricks.records import (
    GONE,
    SOURCE,
    UNKNOWN,
    context_record,
    is_up,
    own_record,
    run_record,
)
from metaplat.collectors.spark.databricks.runs import read_run
from metaplat.collectors.spark.databricks.workspace import (
    DeniedError,
    FailingError,
    MissingError,
    Workspace,
)
from metaplat.collectors.spark.log_reading import read_log
from metaplat.collectors.spark.unlogged import conclude_told
from metaplat.model.errors import InvalidInputError, OutsideError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from metaplat.collectors.collector import CollectRequest
    from metaplat.collectors.spark.attempt import ApplicationAttempt
    from metaplat.collectors.spark.databricks.context_logs import ContextLog
    from metaplat.collectors.spark.databricks.runs import Part, Run

LIST_RUNS, GET_RUN = "/api/2.2/jobs/runs/list", "/api/2.2/jobs/runs/get"
GET_JOB, GET_CLUSTER = "/api/2.2/jobs/get", "/api/2.1/clusters/get"
PAGE = 25
"""The most that runs/list gives at once."""
LOOK_BACK = timedelta(days=7)
"""Runs are asked for by their start: those that started so long before ``since`` may have ended after it."""
DELIVERY = timedelta(hours=1)
"""Logs are delivered every five minutes: after so long nothing more comes."""
REMEMBERED = 256
VERSION = "1"
"""Changes where a run that did not change would give another record."""
OVER = " over"
"""Ends the fingerprint of a context of which nothing more can come."""


def collect(request: CollectRequest) -> Iterator[Mapping[str, Any]]:
    """Yield one record per run and Spark context, and one per context that served many runs and has a log.

    Parameters
    ----------
    request : CollectRequest
        ``url`` is the workspace, else ``spark.databricks_host``; ``path``, or an ``s3://`` address as
        ``url``, is a copy of the place that cluster logs are delivered to.

    Raises
    ------
    UsageError, SettingsError
        No workspace is named, or the SDK is not installed.
    SourceError
        The workspace cannot be reached, or refuses the credentials.
    """
    yield from _Collection(request).records()


class _Collection:
    def __init__(self, request: CollectRequest) -> None:
        self._request = request
        self._workspace = Workspace(request)
        self._logs = ContextLogs(request)
        self._cluster = lru_cache(maxsize=REMEMBERED)(self._ask_cluster)
        self._job_name = lru_cache(maxsize=REMEMBERED)(self._ask_job_name)
        self._served: dict[tuple[str, str], list[str]] = {}

    def records(self) -> Iterator[Mapping[str, Any]]:
        for item in self._listed():
            try:
                run = read_run(self._whole(item))
            except (InvalidInputError, DeniedError, MissingError, FailingError) as error:
                self._request.reject(_shown(item), str(error))
                continue
            yield from self._of_run(run)
        for (cluster_id, context_id), runs in self._served.items():
            yield from self._of_context(cluster_id, context_id, runs)

    def _listed(self) -> Iterator[Any]:
        """Yield active runs first: one that ends meanwhile is among the completed ones, too."""
        completed: dict[str, Any] = {"completed_only": "true"}
        if self._request.since is not None:
            completed["start_time_from"] = int((self._request.since - LOOK_BACK).timestamp() * 1000)
        for which in ({"active_only": "true"}, completed):
            query = {**which, "expand_tasks": "true", "limit": PAGE}
            for page in self._workspace.pages(LIST_RUNS, "list the runs", query):
                runs = page.get("runs") or []
                yield from runs if isinstance(runs, list) else [runs]

    def _whole(self, item: Any) -> Any:
        """Return a run with all its tasks: a list gives the first hundred."""
        if not isinstance(item, dict) or not item.get("has_more"):
            return item
        parts: dict[str, list[Any]] = {"tasks": [], "job_clusters": []}
        run_id = item.get("run_id")
        for page in self._workspace.pages(GET_RUN, f"get run {run_id}", {"run_id": run_id}):
            for name, found in parts.items():
                found.extend(entries(page, name))
        return {**item, **parts}

    def _of_run(self, run: Run) -> Iterator[Mapping[str, Any]]:
        """Yield the records of a run; it is remembered when nothing more can come of it."""
        since, end = self._request.since, run.whole.end
        if since is not None and end is not None and end < since:
            return
        if run.name is None and run.job_id is not None:
            run = replace(run, name=self._job_name(run.job_id))
        if not replace(self._request, tags={}).wants(run.user, run.name, {}):
            return
        name, fingerprint = f"{self._workspace.name}/run/{run.run_id}", self._fingerprint(run)
        known = not run.is_running and self._request.memory.fingerprint(name) == fingerprint
        settled = not run.is_running
        for attempt, complete in self._attempts(run, known=known):
            conclude_told(attempt, self._request.settings.spark, self._request.now)
            wanted = self._request.wants(attempt.user, attempt.app_name, attempt.tags)
            settled = settled and complete and wanted
            if wanted:
                yield attempt.record()
        if settled and not known:
            self._request.memory.remember(name, fingerprint)

    def _attempts(self, run: Run, *, known: bool) -> Iterator[tuple[ApplicationAttempt, bool]]:
        """Yield what is not known yet, each with whether it is complete."""
        contexts = run.contexts
        for (cluster_id, context_id), parts in contexts.items():
            own = self._is_own(cluster_id, parts)
            if not own:
                self._served.setdefault((cluster_id, context_id), []).append(run.run_id)
            if not known:
                yield self._in_context(run, parts, own=own)
        if not contexts and not known and not run.is_running:
            yield run_record(run, [run.whole], None, None), True

    def _in_context(self, run: Run, parts: Sequence[Part], *, own: bool) -> tuple[ApplicationAttempt, bool]:
        """Describe a run in one context, from the log where that is its own; and whether more may come."""
        cluster_id, context_id = str(parts[0].cluster_id), str(parts[0].context_id)
        known, flag = self._cluster(cluster_id)
        cluster = known or _specified(parts[0])
        destination = cluster.log_destination if cluster else None
        found, complete = self._logs.find(cluster_id, context_id, destination), flag != UNKNOWN
        attempt = None
        if own and found is not None:
            attempt = self._read(found)
            complete = complete and attempt is not None
        if attempt is None:
            shared = found.log.address if found is not None and not own else None
            attempt = run_record(run, parts, cluster, shared)
        else:
            own_record(attempt, run, parts, cluster)
        if flag:
            attempt.flag(flag)
        fresh = run.whole.end is not None and self._request.now - run.whole.end < DELIVERY
        return attempt, complete and not (own and fresh and self._logs.can_be_read(destination))

    def _of_context(
        self, cluster_id: str, context_id: str, runs: Sequence[str]
    ) -> Iterator[Mapping[str, Any]]:
        """Yield the record of a context that served many runs, if its log can be read and has changed."""
        memory, name = self._request.memory, f"{self._workspace.name}/context/{cluster_id}/{context_id}"
        name, before = f"{name}@{self._logs.copy}", memory.fingerprint(f"{name}@{self._logs.copy}")
        if before is not None and before.endswith(OVER):
            return
        cluster, flag = self._cluster(cluster_id)
        if flag == UNKNOWN:  # whether it still runs cannot be told: a later collection asks again
            return
        found = self._logs.find(cluster_id, context_id, cluster.log_destination if cluster else None)
        if found is None:
            return
        fingerprint = f"{found.log.fingerprint} {'up' if is_up(cluster, context_id) else 'down'}"
        if before == fingerprint:
            return
        attempt = self._read(found)
        if attempt is None:
            return
        context_record(attempt, cluster_id, context_id, cluster, runs)
        conclude_told(attempt, self._request.settings.spark, self._request.now)
        if not self._is_wanted(attempt):
            return
        yield attempt.record()
        last = attempt.observed_end
        if attempt.status != RUNNING and last is not None and self._request.now - last > DELIVERY:
            fingerprint += OVER
        memory.remember(name, fingerprint)

    def _is_wanted(self, attempt: ApplicationAttempt) -> bool:
        since, last = self._request.since, attempt.end_time or attempt.observed_end
        ended_before = since is not None and attempt.status != RUNNING and last is not None and last < since
        return not ended_before and self._request.wants(attempt.user, attempt.app_name, attempt.tags)

    def _is_own(self, cluster_id: str, parts: Sequence[Part]) -> bool:
        """Whether the cluster was made for this run: the run says so, else the cluster."""
        said = parts[0].own_cluster
        if said is not None:
            return said
        cluster, _ = self._cluster(cluster_id)
        return cluster is not None and cluster.source == "JOB"

    def _read(self, found: ContextLog) -> ApplicationAttempt | None:
        """Read a log; one that cannot be read is told."""
        settings, now = self._request.settings.spark, self._request.now
        try:
            return read_log(found.place, found.log, settings, now, source=SOURCE).attempt
        except (InvalidInputError, OutsideError) as error:
            self._request.reject(found.log.address, str(error))
            return None

    def _fingerprint(self, run: Run) -> str:
        """Name what a run is remembered by: another state, a repair, or a copy of the logs make it new."""
        settings = self._request.settings.spark
        parts = (VERSION, run.whole.platform_state, run.whole.end, self._logs.copy, settings)
        return hashlib.sha256(repr(parts).encode("utf-8", "surrogateescape")).hexdigest()[:32]

    def _ask_cluster(self, cluster_id: str) -> tuple[Cluster | None, str]:
        """Return a cluster, or why it is not known; those that ended a month ago are gone: no fault."""
        try:
            item = self._workspace.get(GET_CLUSTER, f"get cluster {cluster_id}", {"cluster_id": cluster_id})
            return read_cluster(item), ""
        except MissingError:
            return None, GONE
        except (DeniedError, FailingError, InvalidInputError) as error:
            self._request.reject(f"cluster {cluster_id}", str(error))
            return None, UNKNOWN

    def _ask_job_name(self, job_id: str) -> str | None:
        """Ask for the name of a job whose run has none; without an answer it stays unknown."""
        try:
            return text(
                self._workspace.get(GET_JOB, f"get job {job_id}", {"job_id": job_id}), "settings", "name"
            )
        except (DeniedError, FailingError, InvalidInputError, MissingError):
            return None


def _specified(part: Part) -> Cluster | None:
    """Return the cluster as it was asked for, for when it is gone."""
    try:
        return read_cluster(part.new_cluster) if part.new_cluster else None
    except InvalidInputError:
        return None


def _shown(item: Any) -> str:
    number = item.get("run_id") if isinstance(item, dict) else None
    return f"run {number}" if isinstance(number, int | str) and number else "a run without an id"
