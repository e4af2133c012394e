"""Why a Job failed, most specific first: one trait planted per test."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from metaplat_tests.standins.kubernetes_collection import planted
from metaplat_tests.standins.kubernetes_objects import (
    at,
    condition,
    container,
    ended,
    event,
    failed,
    job,
    pod,
    waiting,
)

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

BACK_OFF = waiting("CrashLoopBackOff", "back-off 5m0s restarting failed container")


def cause(record: Mapping[str, Any]) -> tuple[Any, ...]:
    """Return the reason, then the details."""
    details = record["error_details"] or {}
    return record["failure_reason"], details.get("type"), details.get("exit_code")


def test_the_last_failed_pod_decides(tmp_path: Path) -> None:
    pods = [
        pod("a", container(ended("ContainerCannotRun", 127, "02:20"))),
        pod("b", container(ended("OOMKilled", 137, "02:25"))),
        pod("c", container(ended("Error", 1, "02:05"))),
    ]
    record = planted(tmp_path, job("load", failed()), pods).only
    assert cause(record) == ("OOMKilled", "OOMKilled", 137)
    assert record["job_condition_reason"] == "BackoffLimitExceeded"
    assert record["failure_reason"] in {found["reason"] for found in record["pod_failure_reasons"]}


def test_a_pod_that_succeeded_later_does_not_hide_the_one_that_failed(tmp_path: Path) -> None:
    pods = [
        pod("a", container(ended("Error", 4, "02:05"))),
        pod("b", container(ended("OOMKilled", 0, "02:20")), phase="Succeeded"),
    ]
    assert cause(planted(tmp_path, job("load", failed()), pods).only) == ("Error", "Error", 4)


def test_a_crash_looping_container_tells_by_its_last_state(tmp_path: Path) -> None:
    crashed = pod("a", container(BACK_OFF, ended("OOMKilled", 137)), phase="Running")
    assert cause(planted(tmp_path, job("load", failed()), [crashed]).only) == ("OOMKilled", "OOMKilled", 137)


def test_the_container_that_failed_speaks_not_the_side_car_stopped_after_it(tmp_path: Path) -> None:
    both = pod("a", container(ended("Error", 143, "02:11")), container(ended("OOMKilled", 137, "02:10")))
    assert cause(planted(tmp_path, job("load", failed()), [both]).only) == ("OOMKilled", "OOMKilled", 137)
    both = pod("a", container(ended("Error", 143, "02:11")), container(ended("Error", 3, "02:10")))
    assert cause(planted(tmp_path, job("load", failed()), [both]).only) == ("Error", "Error", 3)


def test_a_failed_init_container_counts(tmp_path: Path) -> None:
    stuck = pod(
        "a",
        container(waiting("PodInitializing")),
        init=[container(ended("Completed", 0)), container(ended("OOMKilled", 137))],
    )
    assert cause(planted(tmp_path, job("load", failed()), [stuck]).only) == ("OOMKilled", "OOMKilled", 137)


def test_a_generic_init_failure_is_an_error_with_its_exit_code(tmp_path: Path) -> None:
    stuck = pod("a", container(waiting("PodInitializing")), init=[container(ended("Error", 7))])
    assert cause(planted(tmp_path, job("load", failed()), [stuck]).only) == ("Error", "Error", 7)


def test_an_evicted_pod_tells_by_its_own_reason(tmp_path: Path) -> None:
    said = {"reason": "Evicted", "message": "The node was low on resource: memory."}
    record = planted(tmp_path, job("load", failed()), [pod("a", status=said)]).only
    assert cause(record) == ("Evicted", "Evicted", None)
    assert record["error_details"]["message"] == "The node was low on resource: memory."


def test_an_evicted_pod_keeps_the_exit_code_of_its_killed_container(tmp_path: Path) -> None:
    said = {"reason": "Evicted", "message": "The node was low on resource: memory."}
    gone = ended("ContainerStatusUnknown", 137, message="The container could not be located")
    record = planted(tmp_path, job("load", failed()), [pod("a", container(gone), status=said)]).only
    assert cause(record) == ("Evicted", "ContainerStatusUnknown", 137)
    assert record["error_details"]["message"] == "The node was low on resource: memory."


def test_a_disrupted_pod_tells_by_its_disruption_target(tmp_path: Path) -> None:
    disrupted = condition("DisruptionTarget", reason="PreemptionByScheduler", message="preempted")
    victim = pod("a", container(ended("Error", 143)), status={"conditions": [disrupted]})
    assert cause(planted(tmp_path, job("load", failed()), [victim]).only) == (
        "PreemptionByScheduler",
        "Error",
        143,
    )


@pytest.mark.parametrize(
    ("reason", "message", "expected"),
    [
        ("FailedMount", 'MountVolume.SetUp failed for volume "efs": timed out', "MountFailure"),
        ("FailedAttachVolume", "Multi-Attach error for volume", "MountFailure"),
        ("FailedScheduling", "0/3 nodes are available: 3 Insufficient memory.", "FailedScheduling"),
        ("Failed", 'Failed to pull image "abi:9": not found', "ImagePullBackOff"),
        ("BackOff", 'Back-off pulling image "abi:9"', "ImagePullBackOff"),
    ],
)
def test_an_event_tells_where_nothing_started(
    tmp_path: Path, reason: str, message: str, expected: str
) -> None:
    pending = pod("a", container(waiting("ContainerCreating")), phase="Pending")
    record = planted(
        tmp_path, job("load", failed("DeadlineExceeded")), [pending], [event(reason, "a", message)]
    ).only
    assert cause(record) == (expected, expected, None)
    assert record["error_details"]["message"] == message
    assert record["job_condition_reason"] == "DeadlineExceeded"


def test_an_event_is_ignored_where_a_container_had_started(tmp_path: Path) -> None:
    ran = pod("a", container(ended("Error", 1)))
    events = [event("FailedMount", "a", "timed out at first")]
    assert planted(tmp_path, job("load", failed()), [ran], events).only["failure_reason"] == "Error"


def test_an_event_is_ignored_where_an_init_container_had_started(tmp_path: Path) -> None:
    ran = pod("a", container(waiting("PodInitializing")), init=[container(ended("Error", 2))])
    events = [event("FailedMount", "a", "timed out at first")]
    assert planted(tmp_path, job("load", failed()), [ran], events).only["failure_reason"] == "Error"


def test_a_process_that_could_not_start_shows_1970_and_counts_as_never_started(tmp_path: Path) -> None:
    unstarted = ended("Error", 128, startedAt="1970-01-01T00:00:00Z")
    events = [event("FailedMount", "a", "timed out")]
    record = planted(tmp_path, job("load", failed()), [pod("a", container(unstarted))], events).only
    assert record["failure_reason"] == "MountFailure"


def test_the_latest_of_several_events_wins_even_where_only_event_time_is_set(tmp_path: Path) -> None:
    pending = pod("a", phase="Pending")
    unscheduled = event("FailedScheduling", "a", "0/3 nodes", lastTimestamp=None, eventTime=at("02:01"))
    mount = event("FailedMount", "a", "timed out", lastTimestamp=at("02:09"))
    events = [mount, unscheduled]
    assert (
        planted(tmp_path, job("load", failed()), [pending], events).only["failure_reason"] == "MountFailure"
    )
    unscheduled["series"] = {"count": 9, "lastObservedTime": "2025-11-29T02:15:00.123456Z"}
    record = planted(tmp_path, job("load", failed()), [pending], events).only
    assert record["failure_reason"] == "FailedScheduling"


def test_events_of_other_pods_and_other_messages_tell_nothing(tmp_path: Path) -> None:
    pending = pod("a", phase="Pending")
    recreated = event("FailedMount", "a", "timed out")
    recreated["involvedObject"]["uid"] = "uid-of-an-earlier-pod"
    events = [event("FailedMount", "b"), recreated, event("BackOff", "a", "Back-off restarting container")]
    record = planted(tmp_path, job("load", failed()), [pending], events).only
    assert cause(record) == ("BackoffLimitExceeded", "BackoffLimitExceeded", None)


def test_an_event_without_the_uid_of_its_pod_is_joined_by_name(tmp_path: Path) -> None:
    nameless = event("FailedMount", "a", "timed out")
    del nameless["involvedObject"]["uid"]
    pending = pod("a", phase="Pending")
    assert (
        planted(tmp_path, job("load", failed()), [pending], [nameless]).only["failure_reason"]
        == "MountFailure"
    )


@pytest.mark.parametrize("reason", ["ImagePullBackOff", "ErrImagePull", "CreateContainerConfigError"])
def test_a_container_that_waits_in_vain_tells_itself(tmp_path: Path, reason: str) -> None:
    pending = pod("a", container(waiting(reason, "not found")), init=[container(ended("Completed", 0))])
    record = planted(tmp_path, job("load", failed("DeadlineExceeded")), [pending]).only
    assert cause(record) == (reason, reason, None)


@pytest.mark.parametrize("reason", ["DeadlineExceeded", "PodFailurePolicy"])
def test_a_job_reason_that_names_a_cause_beats_a_generic_error(tmp_path: Path, reason: str) -> None:
    record = planted(tmp_path, job("load", failed(reason)), [pod("a", container(ended("Error", 143)))]).only
    assert cause(record) == (reason, "Error", 143)
    assert record["error_details"]["message"] == f"The Job ended: {reason}"
    assert record["pod_failure_reasons"] == [{"reason": "Error", "count": 1}]


def test_a_specific_pod_reason_beats_the_job_reason(tmp_path: Path) -> None:
    record = planted(
        tmp_path, job("load", failed("DeadlineExceeded")), [pod("a", container(ended("OOMKilled", 137)))]
    ).only
    assert (record["failure_reason"], record["job_condition_reason"]) == ("OOMKilled", "DeadlineExceeded")


@pytest.mark.parametrize(("given", "shown"), [("Error", "Error"), (None, "Error")])
def test_a_generic_error_beats_back_off_and_keeps_its_exit_code(
    tmp_path: Path, given: str | None, shown: str
) -> None:
    record = planted(tmp_path, job("load", failed()), [pod("a", container(ended(given, 139)))]).only
    assert cause(record) == (shown, shown, 139)


def test_without_pods_the_job_reason_is_all_there_is(tmp_path: Path) -> None:
    record = planted(tmp_path, job("load", failed())).only
    assert cause(record) == ("BackoffLimitExceeded", "BackoffLimitExceeded", None)
    assert record["error_details"]["message"] == "The Job ended: BackoffLimitExceeded"


def test_a_failure_nobody_explains_has_neither_reason_nor_details(tmp_path: Path) -> None:
    record = planted(tmp_path, job("load", condition("Failed"))).only
    assert (record["status"], record["failure_reason"], record["error_details"]) == ("FAILED", None, None)
