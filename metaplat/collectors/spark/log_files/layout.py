"""Which files of a folder make up one log, and in which order they are read.

Here: rolling and Databricks logs, as far as names tell.
Not here: the names themselves (``names``), looking into folders (``local_place``, ``s3_place``).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import TYPE_CHECKING

from metaplat.collectors.spark.log_files.log import IN_PROGRESS, EventLog
from metaplat.collectors.spark.log_files.names import (
    COMPACTED,
    ROLLING_FOLDER,
    Kind,
    application_of,
    base_of,
    kind_of,
    rolled,
    rotated,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from metaplat.collectors.spark.log_files.log import LogFile

_CLUSTER = re.compile(r"(\d{4}-\d{6}-[a-z0-9]+)", re.ASCII)


def single_log(file: LogFile) -> EventLog:
    """Return the log that is one file."""
    app_id, attempt_id = application_of(base_of(file.name))
    running = file.name.endswith(IN_PROGRESS)
    return EventLog(file.address, file.name, "single", (file,), running, app_id, attempt_id)


@dataclass
class Folder:
    """The files of one folder that are parts of logs.

    Parameters
    ----------
    address : str
        Of the folder, without a slash at its end.
    parts : list of LogFile
        Of the kinds ``ROLLED``, ``STATUS`` and ``DATABRICKS``, in any order.
    """

    address: str
    parts: list[LogFile] = field(default_factory=list)

    def logs(self, warn: Callable[[str], None], reject: Callable[[str, str], None]) -> Iterator[EventLog]:
        """Yield the logs that the parts make up.

        Parameters
        ----------
        warn : callable
            Told of files that are missing or left out.
        reject : callable
            Told of a rolling log that has no events.
        """
        kinds: dict[Kind, list[LogFile]] = {}
        for file in sorted(self.parts, key=lambda file: file.name):
            kinds.setdefault(kind_of(file.name), []).append(file)
        if Kind.DATABRICKS in kinds:
            yield self._databricks(kinds[Kind.DATABRICKS], warn)
        events = kinds.get(Kind.ROLLED, [])
        running = _running(kinds.get(Kind.STATUS, []))
        if self._name.startswith(ROLLING_FOLDER):
            if events:
                is_running = any(running.values())
                yield _rolling(self.address, self._name, events, warn, is_running=is_running)
            elif any(running.values()):
                warn(f"{self.address}: no events files yet")
            else:
                reject(self.address, "is a rolling event log without events files")
            return
        # Someone renamed the folder, or put several together.
        for app, files in groupby(sorted(events, key=lambda file: rolled(file.name)[1]), _app):
            name = f"events_*_{app}"
            address = f"{self.address}/{name}"
            yield _rolling(address, name, list(files), warn, is_running=running.get(app, False))

    @property
    def _name(self) -> str:
        return self.address.rpartition("/")[2]

    def _databricks(self, files: Sequence[LogFile], warn: Callable[[str], None]) -> EventLog:
        """One log; it ends with the cluster, and no name says when that is."""
        ordered = _first_of_each(sorted(files, key=lambda file: rotated(file.name)), base_name, warn)
        cluster = next(
            (found[1] for part in self.address.split("/") if (found := _CLUSTER.match(part))), None
        )
        name = f"{cluster}/{self._name}" if cluster else self._name
        return EventLog(self.address, name, "databricks", tuple(ordered))


def _rolling(
    address: str, name: str, files: Sequence[LogFile], warn: Callable[[str], None], *, is_running: bool
) -> EventLog:
    """Return the log of some events files.

    The newest compacted file stands for every file up to its number, also where those are still there.
    """
    app_id, attempt_id = application_of(_app(files[0]))
    compacted = [file for file in files if _is_compacted(file)]
    newest = max(compacted, key=_number, default=None)
    start = _number(newest) if newest else 0
    later = [file for file in files if _number(file) > start and not _is_compacted(file)]
    kept = _first_of_each(sorted(later, key=_number), _number, warn)
    numbers = [_number(file) for file in kept]
    missing = sorted(set(range(start + 1, max(numbers, default=0))) - set(numbers))
    if missing:
        warn(f"{address}: {len(missing)} of its events files are missing, the first is {missing[0]}")
    first = (replace(newest, compacted=True),) if newest else ()
    return EventLog(address, name, "rolling", (*first, *kept), is_running, app_id, attempt_id)


def base_name(file: LogFile) -> str:
    """Return the name of a file without what says how it is packed."""
    return base_of(file.name)


def _app(file: LogFile) -> str:
    return rolled(file.name)[1]


def _is_compacted(file: LogFile) -> bool:
    return file.name.removesuffix(IN_PROGRESS).endswith(COMPACTED)


def _number(file: LogFile) -> int:
    return rolled(file.name)[0]


def _running(statuses: Sequence[LogFile]) -> dict[str, bool]:
    """Whether each application runs; where a status could not be renamed but copied, it does not."""
    found: dict[str, bool] = {}
    for file in statuses:
        app = base_of(file.name).removeprefix("appstatus_")
        found[app] = found.get(app, True) and file.name.endswith(IN_PROGRESS)
    return found


def _first_of_each(
    files: Sequence[LogFile], identity: Callable[[LogFile], object], warn: Callable[[str], None]
) -> list[LogFile]:
    """Leave out copies: a file beside its unpacked self would count twice."""
    kept: dict[object, LogFile] = {}
    for file in files:
        if kept.setdefault(identity(file), file) is not file:
            warn(f"{file.address}: left out, since {kept[identity(file)].name} is the same part of the log")
    return list(kept.values())
