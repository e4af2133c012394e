"""Plain camelCase dicts of the Kubernetes API into the typed values of ``objects``.

Here: one reader a kind, and reading many of which some are malformed.
Not here: where the dicts come from (``saved``, ``cluster``).
Source of the member names: https://kubernetes.io/docs/reference/kubernetes-api/
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from metaplat.collectors.kubernetes.members import (
    encodable,
    entries,
    flag,
    integer,
    labels,
    member,
    moment,
    text,
)
from metaplat.collectors.kubernetes.objects import Condition, Container, Event, Job, Kind, Pod, Termination
from metaplat.model.errors import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from metaplat.collectors.kubernetes.objects import OwnerKey

UID_LABELS = ("batch.kubernetes.io/controller-uid", "controller-uid")
NAME_LABELS = ("batch.kubernetes.io/job-name", "job-name")


def read_job(item: dict[str, Any]) -> Job:
    """Read a Job; raises InvalidInputError where a member has the wrong type or the name is missing."""
    owners = entries(item, "metadata", "ownerReferences")
    return Job(
        name=_name(item),
        namespace=text(item, "metadata", "namespace"),
        uid=text(item, "metadata", "uid"),
        version=text(item, "metadata", "resourceVersion"),
        created=moment(item, "metadata", "creationTimestamp"),
        started=moment(item, "status", "startTime"),
        completed=moment(item, "status", "completionTime"),
        cron_job=next((text(owner, "name") for owner in owners if text(owner, "kind") == "CronJob"), None),
        labels=labels(item, "metadata", "labels"),
        conditions=tuple(_true_conditions(item)),
        suspend=flag(item, "spec", "suspend"),
    )


def read_pod(item: dict[str, Any]) -> Pod | None:
    """Read a Pod; None where no Job made it."""
    job = _job_of(item)
    if job is None:
        return None
    disruption = next((seen for seen in _true_conditions(item) if seen.type == "DisruptionTarget"), None)
    statuses = [
        *entries(item, "status", "initContainerStatuses"),
        *entries(item, "status", "containerStatuses"),
    ]
    return Pod(
        name=_name(item),
        namespace=text(item, "metadata", "namespace"),
        uid=text(item, "metadata", "uid"),
        version=text(item, "metadata", "resourceVersion"),
        job=job,
        created=moment(item, "metadata", "creationTimestamp"),
        started=moment(item, "status", "startTime"),
        phase=text(item, "status", "phase"),
        reason=text(item, "status", "reason") or (disruption.reason if disruption else None),
        message=text(item, "status", "message") or (disruption.message if disruption else None),
        containers=tuple(_container(status) for status in statuses),
    )


def read_event(item: dict[str, Any]) -> Event | None:
    """Read an Event; None where it is not about a Pod."""
    if text(item, "involvedObject", "kind") != "Pod":
        return None
    uid, name = text(item, "involvedObject", "uid"), text(item, "involvedObject", "name")
    namespace = text(item, "involvedObject", "namespace") or text(item, "metadata", "namespace") or ""
    times = [
        moment(item, "lastTimestamp"),
        moment(item, "series", "lastObservedTime"),  # newer reporters leave lastTimestamp null
        moment(item, "eventTime"),
        moment(item, "firstTimestamp"),
    ]
    return Event(
        uid=text(item, "metadata", "uid"),
        version=text(item, "metadata", "resourceVersion"),
        pod=(uid,) if uid else (namespace, name or ""),
        reason=text(item, "reason"),
        message=text(item, "message"),
        seen=max((time for time in times if time), default=moment(item, "metadata", "creationTimestamp")),
    )


Read = TypeVar("Read", Job, Pod, Event)


def read_all(
    items: Iterable[object],
    kind: Kind,
    read: Callable[[dict[str, Any]], Read | None],
    warn: Callable[[str], None],
) -> list[Read]:
    """Read every item; a malformed one is named in a warning and left out, and does not sink the others."""
    found = []
    for item in items:
        try:
            value = read(_object(item))
        except InvalidInputError as error:
            warn(f"{kind} {_shown(item)} left out: {error}")
            continue
        if value is not None:
            found.append(value)
    return found


def _object(item: object) -> dict[str, Any]:
    if not isinstance(item, dict):
        raise InvalidInputError(f"it is {type(item).__name__}, not an object")
    return item


def _shown(item: object) -> str:
    """Name a malformed item as well as it allows."""
    metadata = item.get("metadata") if isinstance(item, dict) else None
    if not isinstance(metadata, dict):
        return "without metadata"
    found = [metadata.get(key) for key in ("namespace", "name", "uid")]
    known = [encodable(part) for part in found if isinstance(part, str) and part]
    return "/".join(known[:2]) or "without a name"


def _name(item: dict[str, Any]) -> str:
    name = text(item, "metadata", "name")
    if name is None:
        raise InvalidInputError("metadata.name is missing")
    return name


def _true_conditions(item: dict[str, Any]) -> list[Condition]:
    return [
        Condition(
            type=text(found, "type"),
            reason=text(found, "reason"),
            message=text(found, "message"),
            changed=moment(found, "lastTransitionTime"),
        )
        for found in entries(item, "status", "conditions")
        if text(found, "status") == "True"
    ]


def _job_of(item: dict[str, Any]) -> OwnerKey | None:
    """Owner reference before labels, uid before name: a later Job may bear the same name."""
    for owner in entries(item, "metadata", "ownerReferences"):
        if text(owner, "kind") == "Job" and (uid := text(owner, "uid")):
            return (uid,)
    given = labels(item, "metadata", "labels")
    for label in UID_LABELS:
        if label in given:
            return (given[label],)
    for label in NAME_LABELS:
        if label in given:
            return (text(item, "metadata", "namespace") or "", given[label])
    return None


def _container(status: dict[str, Any]) -> Container:
    return Container(
        is_running=member(status, "state", "running") is not None,
        waiting_reason=text(status, "state", "waiting", "reason"),
        waiting_message=text(status, "state", "waiting", "message"),
        ended=_termination(status, "state"),
        previous=_termination(status, "lastState"),
    )


def _termination(status: dict[str, Any], key: str) -> Termination | None:
    found = member(status, key, "terminated")
    if found is None:
        return None
    return Termination(
        reason=text(found, "reason"),
        message=text(found, "message"),
        exit_code=integer(found, "exitCode"),
        started=moment(found, "startedAt"),
        finished=moment(found, "finishedAt"),
    )
