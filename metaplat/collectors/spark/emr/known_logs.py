"""What is remembered of an event log, so that one without news is not opened.

Here: the form of it, and when there is news: its files changed, the platform says something else, it fell
silent, or it was left out by filters that were others.
Not here: reading logs (``logged``).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from metaplat.collectors.spark.attempt import RUNNING
from metaplat.collectors.spark.record_settings import record_settings

if TYPE_CHECKING:
    from metaplat.collectors.collector import CollectRequest
    from metaplat.collectors.spark.attempt import ApplicationAttempt
    from metaplat.collectors.spark.emr.cluster import Cluster, Step
    from metaplat.collectors.spark.log_files.log import EventLog

VERSION = "1"
"""Changes where a log that did not change would give another record."""
ENDED, OPEN, SILENT, REJECTED, EARLY = "ended", "running", "silent", "rejected", "early"
FILTERS = "filters"


@dataclass(frozen=True)
class KnownLog:
    """What a remembered fingerprint says of a log.

    Parameters
    ----------
    files : str
        Digest of its files and of the settings it was read by.
    state : str
        ``ended``, ``running``, ``silent``, ``rejected``, ``early`` (it ended before ``since``), or the digest
        of the filters that left it out.
    last_event : int
        Unix time of its last event; 0 where it has none.
    cluster_id, step_id : str
        What it was joined with; ``-`` where with none.
    platform : str
        State of that step, and whether the cluster had ended.
    """

    files: str
    state: str
    last_event: int = 0
    cluster_id: str = "-"
    step_id: str = "-"
    platform: str = "-"

    def text(self) -> str:
        """Return it as it is remembered."""
        parts = (self.files, self.state, self.last_event, self.cluster_id, self.step_id, self.platform)
        return ".".join(map(str, parts))

    @classmethod
    def read(cls, text: str | None) -> KnownLog | None:
        """Read what was remembered; None where nothing was, or by another version."""
        try:
            files, state, last, cluster_id, step_id, platform = (text or "").split(".")
            return cls(files, state, int(last), cluster_id, step_id, platform)
        except ValueError:
            return None


class KnownLogs:
    """Which logs are known as they are.

    Parameters
    ----------
    request : CollectRequest
        The memory, the filters, and the settings that records depend on.
    """

    def __init__(self, request: CollectRequest) -> None:
        self._request, self._memory = request, request.memory
        self._how = _digest(VERSION, record_settings(request.settings.spark))
        self._filters = _digest(request.user, request.name, sorted(request.tags.items()))

    def find(self, log: EventLog) -> KnownLog | None:
        """Return what is known of a log whose files are as they were."""
        known = KnownLog.read(self._memory.fingerprint(_name(log)))
        return known if known is not None and known.files == self._files(log) else None

    def is_settled(self, known: KnownLog, cluster: Cluster | None) -> bool:
        """Whether reading a known log again would give what it gave."""
        since, now = self._request.since, self._request.now.timestamp()
        if known.state == EARLY:
            return since is not None and known.last_event < since.timestamp()
        silent = now - known.last_event > self._request.settings.spark.silent_hours * 3600
        if known.state == OPEN and silent:
            return False
        steps = {step.step_id: step for step in cluster.steps} if cluster else {}
        if known.platform != _platform(cluster, steps.get(known.step_id), known.state):
            return False
        return known.state in (ENDED, OPEN, SILENT, self._filters)

    def progress(self, log: EventLog) -> bytes | None:
        """Return how far a log was read, also under the name it had while it was written."""
        return self._memory.note(_name(log)) or self._memory.note(f"{_name(log)}.inprogress")

    def reason(self, log: EventLog) -> str:
        """Return why a log was rejected when it was read."""
        note = self._memory.note(_name(log)) or b"it was no event log when it was read"
        return note.decode(errors="replace")

    def reject(self, log: EventLog, reason: str) -> None:
        """Remember that it is no event log."""
        self._memory.remember(_name(log), KnownLog(self._files(log), REJECTED).text(), reason.encode())

    def remember(
        self,
        log: EventLog,
        attempt: ApplicationAttempt,
        progress: bytes,
        cluster: Cluster | None,
        step: Step | None,
        *,
        left_out: str = "",
    ) -> None:
        """Remember a log that was read; ``left_out`` says why it was not yielded (``early``, ``filters``)."""
        state = {"": _state(attempt), FILTERS: self._filters}.get(left_out, left_out)
        last = int(attempt.observed_end.timestamp()) if attempt.observed_end else 0
        platform = _platform(cluster, step, state)
        joined = cluster.seen.cluster_id if cluster else "-", step.step_id if step else "-"
        known = KnownLog(self._files(log), state, last, *joined, platform)
        self._memory.remember(_name(log), known.text(), progress)

    def _files(self, log: EventLog) -> str:
        return _digest(self._how, log.fingerprint)


def _state(attempt: ApplicationAttempt) -> str:
    if attempt.status != RUNNING:
        return ENDED
    return SILENT if "silent" in attempt.data_quality else OPEN


def _platform(cluster: Cluster | None, step: Step | None, state: str) -> str:
    """Return what the platform says: of an application that ended, only the state of its step."""
    gone = cluster is not None and cluster.seen.has_ended and state != ENDED
    return f"{step.state if step else '-'}{'+' if gone else ''}"


def _name(log: EventLog) -> str:
    return f"emr log {log.address}"


def _digest(*parts: object) -> str:
    return hashlib.sha256(repr(parts).encode("utf-8", "surrogateescape")).hexdigest()[:16]
