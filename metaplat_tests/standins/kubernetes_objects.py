"""Builders of Kubernetes objects as an API server lists them, for tests that plant one trait at a time.

Here: a Job, a Pod and an Event with sensible defaults, as plain dicts; times are ``HH:MM`` of one day.
Not here: recorded objects (``metaplat_tests/data/kubernetes``).
"""

from __future__ import annotations

from typing import Any

DAY = "2025-11-29"


def at(clock: str) -> str:
    """Return a time of the day all tests play on."""
    return f"{DAY}T{clock}:00Z"


def job(name: str = "load", *conditions: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """Return a Job that started at 02:00; ``labels``, ``owners``, ``spec``, ``status`` can be given."""
    return {
        "metadata": {
            "name": name,
            "namespace": changes.get("namespace", "batch"),
            "uid": changes.get("uid", f"uid-{name}"),
            "creationTimestamp": at("01:59"),
            "labels": changes.get("labels", {}),
            "ownerReferences": changes.get("owners", []),
        },
        "spec": {"backoffLimit": 3, **changes.get("spec", {}), "template": _template()},
        "status": {"startTime": at("02:00"), "conditions": list(conditions), **changes.get("status", {})},
    }


def _template() -> dict[str, Any]:
    secret = {"name": "PASSWORD", "value": "hunter2"}
    return {"spec": {"containers": [{"name": "main", "args": ["--key=hunter2"], "env": [secret]}]}}


def condition(kind: str, clock: str | None = "02:30", status: str = "True", **more: Any) -> dict[str, Any]:
    """Return a condition; a ``clock`` of None leaves its time null."""
    return {"type": kind, "status": status, "lastTransitionTime": clock and at(clock), **more}


def failed(reason: str = "BackoffLimitExceeded", clock: str | None = "02:30") -> dict[str, Any]:
    """Return the condition of a failed Job."""
    return condition("Failed", clock, reason=reason, message=f"The Job ended: {reason}")


def pod(name: str, *containers: dict[str, Any], of: str = "load", **changes: Any) -> dict[str, Any]:
    """Return a Pod owned by the Job ``of``; phase, labels, owners, init containers, status can be given."""
    owner = {"apiVersion": "batch/v1", "kind": "Job", "name": of, "uid": f"uid-{of}", "controller": True}
    return {
        "metadata": {
            "name": name,
            "namespace": "batch",
            "uid": f"uid-{name}",
            "creationTimestamp": at(changes.get("created", "02:00")),
            "labels": changes.get("labels", {}),
            "ownerReferences": changes.get("owners", [owner]),
        },
        "spec": _template()["spec"],
        "status": {
            "phase": changes.get("phase", "Failed"),
            "initContainerStatuses": changes.get("init", []),
            "containerStatuses": list(containers),
            **changes.get("status", {}),
        },
    }


def ended(reason: str | None, exit_code: int, clock: str = "02:10", **more: Any) -> dict[str, Any]:
    """Return the state of a terminated container."""
    times = {"startedAt": at("02:01"), "finishedAt": at(clock)}
    return {"terminated": {"reason": reason, "exitCode": exit_code, **times, **more}}


def container(state: dict[str, Any], last: dict[str, Any] | None = None) -> dict[str, Any]:
    """Return the status of a container."""
    return {"name": "main", "restartCount": int(last is not None), "state": state, "lastState": last or {}}


def waiting(reason: str, message: str | None = None) -> dict[str, Any]:
    """Return the state of a container that waits."""
    return {"waiting": {"reason": reason, "message": message}}


def event(reason: str, about: str, message: str = "", **changes: Any) -> dict[str, Any]:
    """Return an Event on the Pod called ``about``."""
    return {
        "metadata": {"name": f"{about}.{reason}", "namespace": "batch", "uid": f"event-{about}-{reason}"},
        "involvedObject": {"kind": "Pod", "namespace": "batch", "name": about, "uid": f"uid-{about}"},
        "reason": reason,
        "message": message,
        "lastTimestamp": at("02:05"),
        **changes,
    }
