"""Where the event logs of clusters lie.

Here: the folders to list, each once, and which clusters write there.
Not here: listing (``log_files``), reading (``logged``).

By default EMR keeps event logs in the cluster's own HDFS, which goes with it. They can be read where
``spark.eventLog.dir`` of ``spark-defaults`` or of a step is on S3, or where copies of them are named.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from metaplat.collectors.collector import CollectRequest
    from metaplat.collectors.spark.emr.cluster import Cluster


@dataclass(frozen=True)
class LogFolder:
    """One place of event logs.

    Parameters
    ----------
    request : CollectRequest
        Names the place, and nothing else.
    writers : frozenset of str or None
        Ids of the clusters that are configured to write there; None where any may.
    """

    request: CollectRequest
    writers: frozenset[str] | None

    @property
    def shown(self) -> str:
        """Address, for people."""
        return str(self.request.path or self.request.url)


def log_folders(request: CollectRequest, clusters: Iterable[Cluster]) -> Iterator[LogFolder]:
    """Yield the copies that a request names, else every folder that clusters write to.

    Parameters
    ----------
    request : CollectRequest
        ``path`` or ``url`` names copies.
    clusters : iterable of Cluster
        Say where they write.
    """
    if request.path is not None or request.url is not None:
        yield LogFolder(request, None)
        return
    writers: dict[str, set[str]] = defaultdict(set)
    for cluster in clusters:
        for folder in cluster.log_folders:
            writers[folder].add(cluster.seen.cluster_id)
    for folder in sorted(writers):
        above = _above(folder, writers) if request.settings.spark.recursive else None
        if above is None:
            below = (ids for each, ids in writers.items() if _is_below(each, folder))
            yield LogFolder(replace(request, url=folder), frozenset(writers[folder].union(*below)))


def _above(folder: str, folders: Iterable[str]) -> str | None:
    return next((each for each in folders if _is_below(folder, each)), None)


def _is_below(folder: str, other: str) -> bool:
    return folder.startswith(f"{other}/")
