"""Event logs of YARN applications, by application id.

Here: which logs are of which application, in a copy named by the request, else where the job wrote them.
Not here: layouts and bytes (``log_files``), reading one (``log_reading``).
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from metaplat.collectors.spark.log_files.place import open_place
from metaplat.model.errors import OutsideError, UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from metaplat.collectors.collector import CollectRequest
    from metaplat.collectors.spark.log_files.log import EventLog
    from metaplat.collectors.spark.log_files.place import LogPlace


S3 = ("s3://", "s3a://", "s3n://")


@dataclass(frozen=True)
class FoundLog:
    """One event log, and where it lies."""

    place: LogPlace
    log: EventLog


class ApplicationLogs:
    """The logs that can be read; each folder is listed once.

    Parameters
    ----------
    request : CollectRequest
        ``path`` or ``url`` (``s3://``) name a copy of the folders that jobs write to.
    """

    def __init__(self, request: CollectRequest) -> None:
        self._request = request
        self._copied = request.path is not None or (request.url or "").startswith(S3)
        self._listed: dict[str, Mapping[str, Sequence[FoundLog]]] = {}

    @property
    def copy(self) -> str:
        """Name of the copy; empty where there is none."""
        return str(self._request.path or self._request.url) if self._copied else ""

    def can_be_read(self, folder: str | None) -> bool:
        """Whether logs written to ``folder`` may be found."""
        return self._copied or (folder or "").startswith(S3)

    def of(self, app_id: str, folder: str | None) -> Sequence[FoundLog]:
        """Return the logs of an application, one an attempt, in order; what cannot be read is told."""
        where = "" if self._copied else folder or ""
        if where not in self._listed:
            self._listed[where] = self._list(where)
        return self._listed[where].get(app_id, ())

    def _list(self, folder: str) -> Mapping[str, Sequence[FoundLog]]:
        if not self.can_be_read(folder):
            if folder:
                self._request.warn(
                    f"event logs in {folder} cannot be read from here: name a copy of them by --path"
                )
            return {}
        request = self._request if self._copied else replace(self._request, url=folder, path=None)
        found: defaultdict[str, list[FoundLog]] = defaultdict(list)
        try:
            place = open_place(request)
            for log in place.logs():
                if log.app_id is not None:
                    found[log.app_id].append(FoundLog(place, log))
        except UsageError:
            if self._copied:
                raise
        except OutsideError as error:
            self._request.reject(f"event logs in {folder or self.copy}", str(error))
        for logs in found.values():
            logs.sort(key=lambda each: int(each.log.attempt_id or 0))
        return found
