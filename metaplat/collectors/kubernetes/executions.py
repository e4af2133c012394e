"""Jobs, Pods and Events joined into one record per execution, in the landed form.

Here: status, times, recurring name and the shape of the record, the same for every source.
Not here: reading (``saved``, ``cluster``), the cause of a failure (``failure_cause``).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from metaplat.collectors.kubernetes.failure_cause import Cause, failure_cause, pod_cause
from metaplat.model.errors import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from datetime import datetime

    from metaplat.collectors.collector import CollectRequest
    from metaplat.collectors.kubernetes.objects import Condition, Job, OwnerKey, Pod, Snapshot

STATUS_BY_CONDITION = {"Complete": "SUCCESS", "Failed": "FAILED"}
RESOURCES = ("peak_memory_gb", "avg_cpu_cores", "peak_cpu_cores", "storage_used_gb")


@dataclass(frozen=True)
class Attempts:
    """What the Pods of one Job say.

    Parameters
    ----------
    pods : sequence of Pod or None
        None where Pods could not be read.
    causes : list of (Pod, Cause)
        Of each Pod in which something went wrong.
    """

    pods: list[Pod] | None
    causes: list[tuple[Pod, Cause]]

    @property
    def finished(self) -> datetime | None:
        """Latest end of a container."""
        return max((pod.finished for pod in self.pods or () if pod.finished), default=None)


def executions(snapshot: Snapshot, request: CollectRequest) -> Iterator[Mapping[str, Any]]:
    """Yield a record for each Job that had not ended before ``request.since``.

    A Job without any start is named in a warning and left out.
    """
    pods = _grouped(snapshot.pods or (), lambda pod: pod.job)
    events = _grouped(snapshot.events or (), lambda event: event.pod)
    for job in snapshot.jobs:
        own = _about(pods, job)
        causes = [(pod, cause) for pod in own if (cause := pod_cause(pod, _about(events, pod))) is not None]
        # Pods go before their Job: a Job that has ended without one in sight had some nobody can count now.
        unseen = snapshot.pods is None or (not own and _terminal(job) is not None)
        attempts = Attempts(None if unseen else own, causes)
        end = _end(job, attempts)
        if request.since is not None and end is not None and end < request.since:
            continue
        try:
            yield _record(job, attempts, end, request)
        except InvalidInputError as error:
            request.warn(f"Job {job.shown} left out: {error}")


Part = TypeVar("Part")


def _grouped(parts: Iterable[Part], owner: Callable[[Part], OwnerKey]) -> dict[OwnerKey, list[Part]]:
    found: dict[OwnerKey, list[Part]] = defaultdict(list)
    for part in parts:
        found[owner(part)].append(part)
    return found


def _about(parts: Mapping[OwnerKey, list[Part]], owner: Job | Pod) -> list[Part]:
    """Return what names ``owner`` by its uid, and what could name it only by namespace and name."""
    by_uid = parts.get((owner.uid,), []) if owner.uid else []
    return [*by_uid, *parts.get((owner.namespace or "", owner.name), [])]


def _terminal(job: Job) -> Condition | None:
    """Return the condition that ended the Job; FailureTarget, SuccessCriteriaMet, Suspended end nothing."""
    return next((found for found in job.conditions if found.type in STATUS_BY_CONDITION), None)


def _end(job: Job, attempts: Attempts) -> datetime | None:
    """Return when it ended: a failed Job has no completionTime, and the time of a condition can be null."""
    terminal = _terminal(job)
    if terminal is None:
        return None
    completed = job.completed if terminal.type == "Complete" else None
    return completed or terminal.changed or attempts.finished


def _record(job: Job, attempts: Attempts, end: datetime | None, request: CollectRequest) -> dict[str, Any]:
    start = job.started or job.created
    if start is None:
        raise InvalidInputError("it has neither status.startTime nor metadata.creationTimestamp")
    terminal = _terminal(job)
    cause = failure_cause(attempts.causes, terminal) if terminal and terminal.type == "Failed" else None
    settings = request.settings.kubernetes
    return {
        "job_id": job.uid,
        "job_name": _recurring_name(job, settings.job_name_labels),
        "execution_date": _iso(start),
        "status": STATUS_BY_CONDITION[terminal.type or ""] if terminal else "RUNNING",
        "duration_minutes": _minutes(job, start, end, request),
        "failure_reason": cause.reason if cause else None,
        "error_details": _error_details(cause),
        "resources_used": dict.fromkeys(RESOURCES),
        "input_data": None,
        "output_data": None,
        "namespace": job.namespace,
        "cluster_name": settings.cluster_name,
        "kubernetes_job_name": job.name,
        "job_condition_reason": terminal.reason if terminal else None,
        "attempts": None if attempts.pods is None else len(attempts.pods),
        "is_suspended": terminal is None and _is_suspended(job),
        "execution_date_source": "startTime" if job.started else "creationTimestamp",
        "end_date": _iso(end) if end else None,
        "pod_failure_reasons": None if attempts.pods is None else _counted(attempts.causes),
    }


def _is_suspended(job: Job) -> bool:
    return job.suspend or any(found.type == "Suspended" for found in job.conditions)


def _recurring_name(job: Job, job_name_labels: Iterable[str]) -> str:
    labelled = (job.labels[label] for label in job_name_labels if label in job.labels)
    return job.cron_job or next(labelled, job.name)


def _minutes(job: Job, start: datetime, end: datetime | None, request: CollectRequest) -> float | None:
    if end is None:
        return None
    if end < start:
        request.warn(
            f"Job {job.shown} ends ({_iso(end)}) before it starts ({_iso(start)}): its duration is unknown"
        )
        return None
    return (end - start).total_seconds() / 60


def _error_details(cause: Cause | None) -> dict[str, Any] | None:
    if cause is None:
        return None
    return {"type": cause.type, "message": cause.message, "exit_code": cause.exit_code}


def _counted(causes: Iterable[tuple[Pod, Cause]]) -> list[dict[str, Any]]:
    """Count the Pods by reason, the most frequent first."""
    counts = Counter(cause.reason for _, cause in causes if cause.reason)
    return [
        {"reason": reason, "count": count}
        for reason, count in sorted(counts.items(), key=lambda found: (-found[1], found[0]))
    ]


def _iso(time: datetime) -> str:
    """As Kubernetes writes it: 2025-11-29T02:00:00Z."""
    return time.isoformat().replace("+00:00", "Z")
