"""Event logs of Databricks clusters: one folder a Spark context.

Here: which log is of which context, at the destination that a cluster has, or in a copy of it.
Not here: layouts and bytes (``log_files``), reading one (``log_reading``).
Where they are delivered: ``<destination>/<cluster id>/eventlog/<driver>/<spark context id>/``,
https://docs.databricks.com/compute/configure.html#compute-log-delivery
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING

from metaplat.collectors.spark.log_files.place import open_place
from metaplat.model.errors import OutsideError, UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from metaplat.collectors.collector import CollectRequest
    from metaplat.collectors.spark.log_files.log import EventLog
    from metaplat.collectors.spark.log_files.place import LogPlace

S3 = ("s3://", "s3a://", "s3n://")
CLUSTER_ID = re.compile(r"[A-Za-z0-9][\w-]*")
REMEMBERED_CLUSTERS = 64


@dataclass(frozen=True)
class ContextLog:
    """The log of one Spark context, and where it lies."""

    place: LogPlace
    log: EventLog


class ContextLogs:
    """The logs that can be read: of a copy named in the request, else at the destination of each cluster.

    Parameters
    ----------
    request : CollectRequest
        ``path`` or ``url`` (``s3://``) name a copy of a destination, with a folder a cluster.
    """

    def __init__(self, request: CollectRequest) -> None:
        spark = request.settings.spark.model_copy(
            update={"recursive": True}
        )  # a context is three folders down
        self._request = replace(request, settings=request.settings.model_copy(update={"spark": spark}))
        if request.path is not None and not request.path.is_dir():
            raise UsageError(
                f"{request.path} is no folder: name a copy of the place that logs are delivered to"
            )
        self._copied = request.path is not None or (request.url or "").startswith(S3)
        self._unreadable: set[str] = set()
        self._listed = lru_cache(maxsize=REMEMBERED_CLUSTERS)(self._list)

    @property
    def copy(self) -> str:
        """Name of the copy; empty where there is none."""
        return str(self._request.path or self._request.url) if self._copied else ""

    def can_be_read(self, destination: str | None) -> bool:
        """Whether logs delivered to ``destination`` may be found."""
        return self._copied or (destination or "").startswith(S3)

    def find(self, cluster_id: str, context_id: str, destination: str | None) -> ContextLog | None:
        """Return the log of a context; None where it is not found, which was told if it could have been."""
        if not CLUSTER_ID.fullmatch(cluster_id):
            return None
        if not self.can_be_read(destination):
            self._tell(destination)
            return None
        listed = self._listed(cluster_id, "" if self._copied else str(destination))
        return next((found for folders, found in listed if context_id in folders), None)

    def _tell(self, destination: str | None) -> None:
        if destination and destination not in self._unreadable:
            self._unreadable.add(destination)
            self._request.warn(
                f"event logs in {destination} cannot be read from here: name a copy or a mount by --path"
            )

    def _list(self, cluster_id: str, destination: str) -> list[tuple[set[str], ContextLog]]:
        """List the logs of one cluster, each with the names of the folders it lies in."""
        if destination in self._unreadable:
            return []
        folder = self._folder(cluster_id, destination)
        if folder is None:
            return []
        try:
            place = open_place(folder)
            return [(set(log.address.split("/")), ContextLog(place, log)) for log in place.logs()]
        except UsageError:  # nothing was delivered
            return []
        except OutsideError as error:
            if destination:
                self._unreadable.add(destination)
            self._request.reject(f"event logs of cluster {cluster_id}", str(error))
            return []

    def _folder(self, cluster_id: str, destination: str) -> CollectRequest | None:
        path = self._request.path
        if path is not None:
            folder = _below(path, cluster_id)
            return replace(self._request, path=folder, url=None) if folder.is_dir() else None
        root = (destination or str(self._request.url)).rstrip("/")
        return replace(self._request, url=f"{root}/{cluster_id}/eventlog", path=None)


def _below(path: Path, cluster_id: str) -> Path:
    """Return the folder of the cluster in a copy, which may be a copy of that folder alone."""
    return path if path.name == cluster_id else path / cluster_id
