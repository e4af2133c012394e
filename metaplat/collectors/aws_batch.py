"""The AWS Batch job state change event, read as a job execution.

Here: the adapter from one event to the landed form.
Source of the format: event ``Batch Job State Change`` of Amazon EventBridge, ``source`` is ``aws.batch``.
Not here: receiving events. They are landed as they come, one object each.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

STATES = {"SUCCEEDED": "SUCCESS", "FAILED": "FAILED"} | dict.fromkeys(
    ("SUBMITTED", "PENDING", "RUNNABLE", "STARTING", "RUNNING"), "RUNNING"
)
"""Batch's name of a state -> ours; any other one stays as it is, for the validation to refuse."""


def adapt_batch_event(record: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return an AWS Batch event in the landed form of a job execution; any other record as it is.

    Parameters
    ----------
    record : mapping
        A raw record.
    """
    detail = record.get("detail")
    if record.get("source") != "aws.batch" or not isinstance(detail, Mapping):
        return record
    start, end = _moment(detail.get("startedAt")), _moment(detail.get("stoppedAt"))
    created = _moment(detail.get("createdAt"))
    status = STATES.get(str(detail.get("status")), detail.get("status"))
    container = detail.get("container")
    container = container if isinstance(container, Mapping) else {}
    ended = status in ("SUCCESS", "FAILED")
    return {
        "job_id": detail.get("jobId"),
        "job_name": detail.get("jobName"),
        "execution_date": _text(start or created) or record.get("time"),
        "execution_date_source": "startTime" if start else "creationTimestamp",
        "end_date": _text(end),
        "status": status,
        "duration_minutes": (end - start).total_seconds() / 60 if ended and start and end else None,
        "failure_reason": detail.get("statusReason") if status == "FAILED" else None,
        "error_details": {"message": container.get("reason"), "exit_code": container.get("exitCode")},
        "resources_used": {},
        "attempts": len(detail["attempts"]) if isinstance(detail.get("attempts"), list) else None,
    }


def _moment(milliseconds: object) -> datetime | None:
    if isinstance(milliseconds, bool) or not isinstance(milliseconds, int | float):
        return None
    try:
        return datetime.fromtimestamp(milliseconds / 1000, UTC)
    except (OverflowError, OSError, ValueError):
        return None


def _text(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
