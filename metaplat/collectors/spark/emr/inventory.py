"""The clusters of a collection: which there are, and which EMR is asked about again.

Here: listing, describing each at most once, and what is remembered of clusters that have ended.
Not here: the questions (``service``), the answers (``describing``), event logs (``logged``).

An ended cluster whose steps have ended is described once: after that it comes out of the memory, for as long
as its event logs may still be written, and later only where a new log of it is found.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from metaplat.collectors.spark.emr.cluster import Cluster, Seen
from metaplat.collectors.spark.emr.describing import described_cluster, seen_cluster
from metaplat.collectors.spark.emr.service import concerns_all
from metaplat.model.errors import SourceError, Transient

if TYPE_CHECKING:
    from metaplat.collectors.collector import CollectRequest
    from metaplat.collectors.spark.emr.service import EmrService

VERSION = "1"
"""Changes with the form that is remembered."""
LATE_LOGS = timedelta(days=2)
"""So long after the end of a cluster its folders are still looked into."""
WHOLE = "whole"
PATIENCE = 3
"""So many clusters in a row that EMR fails to describe are an outage."""


class Inventory:
    """Clusters by id, described where that is needed.

    Parameters
    ----------
    request : CollectRequest
        Since when, and the memory.
    service : EmrService
        Is asked.

    Attributes
    ----------
    seen : dict of str to Seen
        All clusters that had not ended before ``request.since``, by id.
    clusters : dict of str to Cluster
        Those described so far.
    outage : SourceError or None
        Why EMR is not asked any more.

    Raises
    ------
    SourceError
        Clusters cannot be listed.
    """

    def __init__(self, request: CollectRequest, service: EmrService) -> None:
        self._request, self._service = request, service
        listed = (seen_cluster(each) for each in service.clusters(request.since))
        self.seen = {each.cluster_id: each for each in listed if self._is_recent(each)}
        self.clusters: dict[str, Cluster] = {}
        self.outage: SourceError | None = None
        self._failed: set[str] = set()
        self._hosts: dict[str, set[str]] = {}
        self._in_a_row = 0

    def describe(self) -> None:
        """Describe all clusters that there may be news of; one that cannot be is rejected."""
        for seen in self.seen.values():
            if not (self._known(seen) == WHOLE and self._is_long_over(seen)):
                self.cluster(seen.cluster_id)

    def cluster(self, cluster_id: str) -> Cluster | None:
        """Return a cluster of ``seen``; None where it cannot be described, which has been told."""
        if cluster_id not in self.clusters and cluster_id not in self._failed and self.outage is None:
            seen = self.seen[cluster_id]
            found = self._remembered(seen) or self._described(seen)
            if found is not None:
                self.clusters[cluster_id] = found
        return self.clusters.get(cluster_id)

    def hosts(self, cluster_id: str) -> set[str]:
        """Return the hosts of a cluster; none where they cannot be listed, which has been told."""
        if cluster_id not in self._hosts:
            self._hosts[cluster_id] = set()
            try:
                self._hosts[cluster_id] = self._service.hosts(cluster_id)
            except SourceError as error:
                self._request.warn(f"cluster {cluster_id}: its hosts are not known: {error}")
        return self._hosts[cluster_id]

    def remember(self, cluster: Cluster, *, whole: bool) -> None:
        """Remember a cluster that will not change any more, ``whole`` where no filter left out its steps."""
        import msgspec

        if cluster.has_settled:
            fingerprint = f"{_fingerprint(cluster.seen)} {WHOLE if whole else 'part'}"
            self._request.memory.remember(_name(cluster.seen), fingerprint, msgspec.json.encode(cluster))

    def _is_recent(self, seen: Seen) -> bool:
        return self._request.since is None or seen.ended is None or seen.ended >= self._request.since

    def _known(self, seen: Seen) -> str:
        """Return how much of a cluster was told, where EMR says nothing new of it; else nothing."""
        fingerprint, _, told = (self._request.memory.fingerprint(_name(seen)) or "").rpartition(" ")
        return told if fingerprint == _fingerprint(seen) else ""

    def _is_long_over(self, seen: Seen) -> bool:
        return seen.ended is not None and seen.ended < self._request.now - LATE_LOGS

    def _remembered(self, seen: Seen) -> Cluster | None:
        import msgspec

        if not self._known(seen):
            return None
        try:
            return msgspec.json.decode(self._request.memory.note(_name(seen)) or b"", type=Cluster)
        except (msgspec.MsgspecError, UnicodeDecodeError):  # of another version: EMR still knows
            return None

    def _described(self, seen: Seen) -> Cluster | None:
        try:
            found = described_cluster(self._service, seen, self._request.warn)
        except SourceError as error:
            self._failed.add(seen.cluster_id)
            self._request.reject(f"cluster {seen.cluster_id}", str(error))
            self._in_a_row += isinstance(error, Transient)
            if concerns_all(error) or self._in_a_row >= PATIENCE:
                self.outage = error
            return None
        self._in_a_row = 0
        return found


def _name(seen: Seen) -> str:
    return f"emr cluster {seen.cluster_id}"


def _fingerprint(seen: Seen) -> str:
    return f"{VERSION} {seen.fingerprint}"
