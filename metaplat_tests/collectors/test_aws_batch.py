"""AWS Batch events read as job executions. The form is that of EventBridge's "Batch Job State Change"."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metaplat.collectors.aws_batch import adapt_batch_event

CREATED, STARTED, STOPPED = 1764381600000, 1764381660500, 1764381840500  # 2025-11-29T02:00:00Z and later


def event(status: str = "SUCCEEDED", **changes: Any) -> dict[str, Any]:
    detail = {
        "jobName": "load",
        "jobId": "4c7599ae-0a82-49aa-ba5a-4727fcce14a8",
        "status": status,
        "createdAt": CREATED,
        "startedAt": STARTED,
        "stoppedAt": STOPPED,
        "attempts": [{}, {}],
        "container": {
            "exitCode": 0,
            "environment": [{"name": "TOKEN", "value": "canary"}],
            "command": ["canary"],
        },
    }
    detail = {name: value for name, value in (detail | changes).items() if value is not None}
    return {
        "source": "aws.batch",
        "time": "2025-11-29T02:05:00Z",
        "detail-type": "Batch Job State Change",
        "detail": detail,
    }


def test_a_finished_job_becomes_an_execution() -> None:
    assert adapt_batch_event(event()) == {
        "job_id": "4c7599ae-0a82-49aa-ba5a-4727fcce14a8",
        "job_name": "load",
        "execution_date": "2025-11-29T02:01:00.500000+00:00",
        "execution_date_source": "startTime",
        "end_date": "2025-11-29T02:04:00.500000+00:00",
        "status": "SUCCESS",
        "duration_minutes": 3.0,
        "failure_reason": None,
        "error_details": {"message": None, "exit_code": 0},
        "resources_used": {},
        "attempts": 2,
    }


def test_a_failed_job_says_why() -> None:
    container = {"exitCode": 137, "reason": "OutOfMemoryError: Container killed due to memory usage"}
    found = adapt_batch_event(
        event("FAILED", statusReason="Essential container in task exited", container=container)
    )
    assert (found["status"], found["failure_reason"]) == ("FAILED", "Essential container in task exited")
    assert found["error_details"] == {"message": container["reason"], "exit_code": 137}


@pytest.mark.parametrize("status", ["SUBMITTED", "PENDING", "RUNNABLE", "STARTING"])
def test_a_job_that_waits_is_running_since_its_creation(status: str) -> None:
    found = adapt_batch_event(event(status, startedAt=None, stoppedAt=None))
    assert (found["status"], found["duration_minutes"], found["end_date"]) == ("RUNNING", None, None)
    assert (found["execution_date"], found["execution_date_source"]) == (
        "2025-11-29T02:00:00+00:00",
        "creationTimestamp",
    )


def test_a_running_job_has_no_duration_yet() -> None:
    found = adapt_batch_event(event("RUNNING", stoppedAt=None))
    assert (found["status"], found["duration_minutes"], found["execution_date_source"]) == (
        "RUNNING",
        None,
        "startTime",
    )


def test_a_job_that_failed_before_it_started_has_no_duration_and_no_invented_one() -> None:
    found = adapt_batch_event(event("FAILED", startedAt=None))
    assert (found["status"], found["duration_minutes"]) == ("FAILED", None)


@pytest.mark.parametrize("status", ["PAUSED", "SUCCESS", "", None, ["FAILED"]])
def test_a_state_that_batch_does_not_know_is_left_for_the_validation_to_refuse(status: Any) -> None:
    assert adapt_batch_event(event(status)).get("status") == status


def test_without_any_time_of_the_job_the_event_says_when() -> None:
    found = adapt_batch_event(event(startedAt=None, stoppedAt=None, createdAt=None))
    assert found["execution_date"] == "2025-11-29T02:05:00Z"


def test_environment_and_command_are_left_behind() -> None:
    assert "canary" not in str(adapt_batch_event(event()))


@pytest.mark.parametrize(
    "record",
    [{}, {"source": "aws.batch"}, {"source": "aws.batch", "detail": []}, {"source": "aws.ecs", "detail": {}}],
)
def test_any_other_record_stays_as_it_is(record: dict[str, Any]) -> None:
    assert adapt_batch_event(record) is record


def test_reading_an_adapted_event_again_changes_nothing_and_the_event_is_never_changed() -> None:
    landed = event()
    before = copy.deepcopy(landed)
    adapted = adapt_batch_event(landed)
    assert adapt_batch_event(adapted) is adapted
    assert landed == before


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=5), inner, max_size=2),
    max_leaves=4,
)


@given(st.dictionaries(st.sampled_from([*event()["detail"], "statusReason"]), values), values)
def test_an_event_of_any_form_is_adapted_without_an_exception(changes: dict[str, Any], time: Any) -> None:
    adapt_batch_event(event(**changes) | {"time": time})
