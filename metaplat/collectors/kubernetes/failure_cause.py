"""Why an execution failed, most specific first.

Here: the cause a single Pod shows, and the choice between those of all Pods and the Job's own reason.
Not here: whether the Job failed at all; only its conditions say that (``executions``).

The order, for the last failed Pod: a terminated container's own reason; the Pod's reason; what kept it from
starting; then the Job's reason where it names a cause; a generic ``Error``; any other reason of the Job.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from metaplat.collectors.kubernetes.objects import Condition, Container, Event, Pod, Termination

GENERIC = frozenset({None, "Error", "Completed", "ContainerStatusUnknown"})
NAMES_A_CAUSE = frozenset({"DeadlineExceeded", "PodFailurePolicy"})
STILL_STARTING = frozenset({None, "ContainerCreating", "PodInitializing", "CrashLoopBackOff"})
EVENT_CAUSES: Mapping[str, str] = {
    "FailedMount": "MountFailure",
    "FailedAttachVolume": "MountFailure",
    "FailedMapVolume": "MountFailure",
    "FailedScheduling": "FailedScheduling",
    "FailedCreatePodSandBox": "FailedCreatePodSandBox",
}
NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Cause:
    """One reason with what is known about it.

    Parameters
    ----------
    reason : str or None
        What is reported as the cause.
    type : str or None
        The container's own reason, else the same as ``reason``.
    message : str or None
        Text of whoever gave the reason.
    exit_code : int or None
        Of the container that ended; null where none did.
    is_generic : bool
        It says only that something failed.
    """

    reason: str | None
    type: str | None
    message: str | None
    exit_code: int | None = None
    is_generic: bool = False


def failure_cause(causes: Sequence[tuple[Pod, Cause]], condition: Condition) -> Cause | None:
    """Choose the cause of a failed Job.

    Parameters
    ----------
    causes : sequence of (Pod, Cause)
        Of each Pod that shows one.
    condition : Condition
        The Job's Failed condition.
    """
    failed = [(pod, cause) for pod, cause in causes if pod.phase != "Succeeded"]
    last = max(failed, key=lambda found: _last_seen(found[0]))[1] if failed else None
    if last is not None and not last.is_generic:
        return last
    if last is None:
        known = condition.reason or condition.message
        return Cause(condition.reason, condition.reason, condition.message) if known else None
    if condition.reason in NAMES_A_CAUSE:
        return replace(last, reason=condition.reason, message=condition.message or last.message)
    return last


def pod_cause(pod: Pod, events: Sequence[Event]) -> Cause | None:
    """Return what went wrong in ``pod``, or None; a Pod that succeeded may still have been OOMKilled.

    Parameters
    ----------
    pod : Pod
        The attempt.
    events : sequence of Event
        The Events on it; they count only if no container of it ever started.
    """
    ended = _failed_run(pod)
    if ended is not None and ended.reason not in GENERIC:
        return _of_run(ended, ended.reason, ended.message)
    if pod.phase == "Succeeded":
        return None
    if pod.reason is not None:
        return _of_run(ended, pod.reason, pod.message)
    for container in pod.containers:
        if not container.had_started and container.waiting_reason not in STILL_STARTING:
            return _of_run(ended, container.waiting_reason, container.waiting_message)
    if not pod.had_started and (found := _event_cause(events)) is not None:
        return found
    if ended is None:
        return None
    reason = ended.reason if ended.reason not in {None, "Completed"} else "Error"
    return replace(_of_run(ended, reason, ended.message), is_generic=True)


def _of_run(ended: Termination | None, reason: str | None, message: str | None) -> Cause:
    if ended is None:
        return Cause(reason, reason, message)
    return Cause(reason, ended.reason or reason, message or ended.message, ended.exit_code)


def _failed_run(pod: Pod) -> Termination | None:
    """Return the container run that says most: a reason of its own first, then whichever ended first.

    Containers that end later are often stopped because of the first.
    """
    runs = [run for container in pod.containers for run in _runs(pod, container)]
    failed = [run for run in runs if _is_failed(run)]
    return min(failed, key=lambda run: (run.reason in GENERIC, run.finished or NEVER), default=None)


def _runs(pod: Pod, container: Container) -> list[Termination]:
    """Return the last finished run; of a Pod that came through in the end, the one before too."""
    if container.ended is None or pod.phase == "Succeeded":
        return [run for run in (container.ended, container.previous) if run is not None]
    return [container.ended]


def _is_failed(run: Termination) -> bool:
    if run.reason not in GENERIC:
        return True  # an OOMKilled container can show exit code 0 (kubernetes#116042)
    if run.exit_code is None:
        return run.reason in {"Error", "ContainerStatusUnknown"}
    return run.exit_code != 0


def _event_cause(events: Sequence[Event]) -> Cause | None:
    known = [(event, reason) for event in events if (reason := _reason_of(event)) is not None]
    if not known:
        return None
    event, reason = max(known, key=lambda found: found[0].seen or NEVER)
    return Cause(reason, reason, event.message)


def _reason_of(event: Event) -> str | None:
    if event.reason in {"Failed", "BackOff"} and "image" in (event.message or "").lower():
        return "ImagePullBackOff"
    return EVENT_CAUSES.get(event.reason or "")


def _last_seen(pod: Pod) -> tuple[datetime, str]:
    """When the Pod ended; one that never ran is as late as it was made. The name settles ties."""
    return pod.finished or pod.started or pod.created or NEVER, pod.name
