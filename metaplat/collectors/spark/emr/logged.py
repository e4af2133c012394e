"""The records of applications whose event logs can be read.

Here: each log of a cluster read once, joined with its cluster and step; which steps are told by it.
Not here: finding folders (``log_folders``), the evidence (``owners``, ``step_joins``), reading one log
(``log_reading``).
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

from metaplat.collectors.spark.emr.known_logs import EARLY, FILTERS, REJECTED, KnownLogs
from metaplat.collectors.spark.emr.log_folders import log_folders
from metaplat.collectors.spark.emr.owners import Owners, by_hosts
from metaplat.collectors.spark.emr.step_joins import begun, likely_steps, sure_step
from metaplat.collectors.spark.emr.stepped import SOURCE, add_platform
from metaplat.collectors.spark.log_files.place import open_place
from metaplat.collectors.spark.log_reading import read_log
from metaplat.model.errors import InvalidInputError, OutsideError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from datetime import datetime

    from metaplat.collectors.collector import CollectRequest
    from metaplat.collectors.spark.attempt import ApplicationAttempt
    from metaplat.collectors.spark.emr.cluster import Cluster, Step
    from metaplat.collectors.spark.emr.inventory import Inventory
    from metaplat.collectors.spark.emr.log_folders import LogFolder
    from metaplat.collectors.spark.log_files.log import EventLog
    from metaplat.collectors.spark.log_files.place import LogPlace

CLUSTER_UNKNOWN = "cluster_unknown"
"""Flag of an application that may be of one of several clusters."""


class LoggedApplications:
    """Event logs of the clusters of an inventory.

    Parameters
    ----------
    request : CollectRequest
        Where copies of logs lie, the filters, the memory.
    inventory : Inventory
        Clusters that were described.
    """

    def __init__(self, request: CollectRequest, inventory: Inventory) -> None:
        self._request, self._inventory = request, inventory
        self._known = KnownLogs(request)
        self._owners = Owners(inventory.seen, inventory.clusters.values(), request.now)
        self._sure: dict[str, set[str]] = defaultdict(set)
        self._unjoined: dict[str, list[datetime]] = defaultdict(list)

    def records(self) -> Iterator[Mapping[str, Any]]:
        """Yield a record for every application whose log has news."""
        for folder in log_folders(self._request, list(self._inventory.clusters.values())):
            yield from self._of_folder(folder)

    def told_steps(self, cluster: Cluster) -> set[str]:
        """Return the ids of the steps whose applications were found among the logs."""
        cluster_id = cluster.seen.cluster_id
        sure = self._sure[cluster_id]
        left = [step for step in cluster.steps if step.step_id not in sure]
        return sure | likely_steps(self._unjoined[cluster_id], left)

    def _of_folder(self, folder: LogFolder) -> Iterator[Mapping[str, Any]]:
        """Go through one folder; where it cannot be listed, the steps of its clusters are told instead."""
        strange = 0
        try:
            place = open_place(folder.request)
            for log in place.logs():
                candidates = self._owners.candidates(log, folder.writers)
                strange += not candidates
                if candidates:
                    yield from self._of_log(place, log, candidates)
        except OutsideError as error:
            self._request.warn(f"event logs in {folder.shown} are left out: {error}")
        if strange and self._request.since is None:
            self._request.warn(
                f"{strange} event logs in {folder.shown} are of no cluster that EMR lists and are left out; "
                "collect them with --source event-logs"
            )

    def _of_log(self, place: LogPlace, log: EventLog, candidates: list[str]) -> Iterator[Mapping[str, Any]]:
        known = self._known.find(log)
        owner = candidates[0] if len(candidates) == 1 else known.cluster_id if known else "-"
        cluster = self._inventory.cluster(owner) if owner in candidates else None
        if len(candidates) == 1 and cluster is None:
            return  # the cluster was rejected: its logs come with it
        if known is not None and known.state == REJECTED:
            self._request.reject(log.address, self._known.reason(log))
        elif known is None or not self._known.is_settled(known, cluster):
            yield from self._read(place, log, cluster, candidates)

    def _read(
        self, place: LogPlace, log: EventLog, cluster: Cluster | None, candidates: list[str]
    ) -> Iterator[Mapping[str, Any]]:
        request = self._request
        try:
            reading = read_log(
                place,
                log,
                request.settings.spark,
                request.now,
                source=SOURCE,
                remembered=self._known.progress(log),
                wanted=self._wanted(cluster),
            )
        except InvalidInputError as error:
            self._known.reject(log, str(error))
            request.reject(log.address, str(error))
            return
        except OutsideError as error:
            request.reject(log.address, str(error))
            return
        attempt = reading.attempt
        cluster = cluster or self._by_hosts(attempt, candidates)
        step = self._join(attempt, cluster)
        left_out = self._left_out(attempt) if reading.whole else FILTERS
        if not left_out:
            yield attempt.record()
        self._known.remember(log, attempt, reading.progress, cluster, step, left_out=left_out)

    def _wanted(self, cluster: Cluster | None) -> Callable[[ApplicationAttempt], bool] | None:
        """Return what ends the reading of a log early; None where nothing is filtered or tags are unknown."""
        request = self._request
        if cluster is None or not (request.user or request.name or request.tags):
            return None
        tags = cluster.tags
        return lambda attempt: request.wants(attempt.user, attempt.app_name, attempt.tags | tags)

    def _by_hosts(self, attempt: ApplicationAttempt, candidates: list[str]) -> Cluster | None:
        """Return the cluster on whose hosts an application ran, where several started at the same time."""
        if len(candidates) == 1:
            return None
        found = by_hosts(attempt, {each: self._inventory.hosts(each) for each in candidates})
        return self._inventory.cluster(found) if found else None

    def _join(self, attempt: ApplicationAttempt, cluster: Cluster | None) -> Step | None:
        """Add cluster and step to an attempt, and note which step is told by it."""
        if cluster is None:
            attempt.flag(CLUSTER_UNKNOWN)
            return None
        step = sure_step(attempt, cluster.steps)
        moment = begun(attempt)
        if step is not None:
            self._sure[cluster.seen.cluster_id].add(step.step_id)
        elif moment is not None:
            self._unjoined[cluster.seen.cluster_id].append(moment)
        add_platform(attempt, cluster, step, self._request.settings.spark, self._request.now)
        return step

    def _left_out(self, attempt: ApplicationAttempt) -> str:
        """Return why a record is not asked for; empty where it is."""
        since, end = self._request.since, attempt.end_time
        if not self._request.wants(attempt.user, attempt.app_name, attempt.tags):
            return FILTERS
        return EARLY if since is not None and end is not None and end < since else ""
