"""Which cluster an event log is of.

Here: the evidence, from the surest on: a cluster's id in the log's address; the YARN application, where EMR
names it on a step; the start of the resource manager, which is in the application's id; the hosts it ran on.
Not here: reading logs (``logged``).

A YARN application is called ``application_<start of the resource manager, epoch ms>_<number>``. The resource
manager starts while its cluster does, between creation and readiness, and may start again later.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from metaplat.collectors.spark.attempt import ApplicationAttempt
    from metaplat.collectors.spark.emr.cluster import Cluster, Seen
    from metaplat.collectors.spark.log_files.log import EventLog

CLUSTER_ID = re.compile(r"(?<![A-Za-z0-9])j-[0-9A-Z]{10,20}(?![A-Za-z0-9])")
YARN_ID = re.compile(r"application_(\d{13})_\d+")
SLACK = timedelta(minutes=5)


class Owners:
    """Clusters that logs may be of.

    Parameters
    ----------
    seen : mapping of str to Seen
        All clusters of the collection, by id.
    described : iterable of Cluster
        Those whose steps are known.
    now : datetime
        Aware UTC.
    """

    def __init__(self, seen: Mapping[str, Seen], described: Iterable[Cluster], now: datetime) -> None:
        self._seen, self._now = seen, now
        self._named = {
            start: cluster.seen.cluster_id
            for cluster in described
            for step in cluster.steps
            for start in map(manager_start, step.application_ids)
            if start is not None
        }
        self._found: dict[datetime, list[str]] = {}

    def candidates(self, log: EventLog, writers: Collection[str] | None) -> list[str]:
        """Return the ids of the clusters that a log may be of; none where it is of no cluster listed.

        Parameters
        ----------
        log : EventLog
            Only its address and name are looked at.
        writers : collection of str or None
            Clusters that are known to write where the log lies; None where any may.
        """
        if written := CLUSTER_ID.findall(log.address):
            return [cluster_id for cluster_id in written[-1:] if cluster_id in self._seen]
        start = manager_start(log.app_id or "")
        if start is None:
            return []
        if start not in self._found:
            self._found[start] = self._by_start(start)
        found = self._found[start]
        return [each for each in found if writers is None or each in writers] or found

    def _by_start(self, start: datetime) -> list[str]:
        if start in self._named:
            return [self._named[start]]
        starting = [each for each in self._seen.values() if self._is_within(start, each, each.ready)]
        alive = starting or [each for each in self._seen.values() if self._is_within(start, each, None)]
        return [each.cluster_id for each in alive]

    def _is_within(self, start: datetime, seen: Seen, until: datetime | None) -> bool:
        last = until or seen.ended or self._now
        return seen.created is not None and seen.created - SLACK <= start <= last + SLACK


def manager_start(app_id: str) -> datetime | None:
    """Return when the resource manager started that named an application; None where YARN did not name it."""
    found = YARN_ID.fullmatch(app_id)
    return datetime.fromtimestamp(int(found[1]) / 1000, UTC) if found else None


def by_hosts(attempt: ApplicationAttempt, hosts: Mapping[str, Collection[str]]) -> str | None:
    """Return the one cluster on whose hosts an application ran; None where none or several fit.

    Parameters
    ----------
    attempt : ApplicationAttempt
        Its executors say their hosts, its properties that of the driver.
    hosts : mapping of str to collection of str
        Hosts by cluster id.
    """
    ran_on = {executor.host for executor in attempt.executors if executor.host}
    ran_on |= {attempt.environment[name] for name in ("spark.driver.host",) if name in attempt.environment}
    found = [cluster_id for cluster_id, own in hosts.items() if ran_on.intersection(own)]
    return found[0] if len(found) == 1 else None
