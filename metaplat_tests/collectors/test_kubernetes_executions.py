"""What a record says of a Job: status, times, recurring name, attempts.

Not here: why it failed (``test_kubernetes_failure_cause``).
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from metaplat_tests.standins.kubernetes_collection import RECORDED, from_files, planted, save
from metaplat_tests.standins.kubernetes_objects import (
    at,
    condition,
    container,
    ended,
    failed,
    job,
    pod,
    waiting,
)

if TYPE_CHECKING:
    from pathlib import Path

UNKNOWN_RESOURCES = {
    "peak_memory_gb": None,
    "avg_cpu_cores": None,
    "peak_cpu_cores": None,
    "storage_used_gb": None,
}


def test_a_recorded_failed_job_gives_the_whole_record() -> None:
    assert dict(from_files(RECORDED, cluster_name="prod")["cust-001"]) == {
        "job_id": "e90e7b57-5576-45d7-b56e-f159de947715",
        "job_name": "cust-001",
        "execution_date": "2025-11-29T02:00:00Z",
        "status": "FAILED",
        "duration_minutes": 9.0,
        "failure_reason": "OOMKilled",
        "error_details": {"type": "OOMKilled", "message": None, "exit_code": 137},
        "resources_used": UNKNOWN_RESOURCES,
        "input_data": None,
        "output_data": None,
        "namespace": "abinitio-prod",
        "cluster_name": "prod",
        "kubernetes_job_name": "cust-001",
        "job_condition_reason": "BackoffLimitExceeded",
        "attempts": 1,
        "is_suspended": False,
        "execution_date_source": "startTime",
        "end_date": "2025-11-29T02:09:00Z",
        "pod_failure_reasons": [{"reason": "OOMKilled", "count": 1}],
    }


@pytest.mark.parametrize(
    ("name", "status", "minutes", "source"),
    [
        ("cust-000", "SUCCESS", 45.0, "startTime"),
        ("cust-002", "SUCCESS", 10.0, "startTime"),  # its condition times are null
        ("cust-003", "RUNNING", None, "creationTimestamp"),
        ("cust-023", "RUNNING", None, "creationTimestamp"),
    ],
)
def test_recorded_jobs_have_their_status_and_duration(
    name: str, status: str, minutes: float | None, source: str
) -> None:
    record = from_files(RECORDED)[name]
    assert (record["status"], record["duration_minutes"], record["execution_date_source"]) == (
        status,
        minutes,
        source,
    )


def test_every_record_has_the_same_fields_in_the_same_order() -> None:
    records = from_files(RECORDED).records
    assert len(records) == 24
    assert {tuple(record) for record in records} == {tuple(records[0])}
    assert all(record["resources_used"] == UNKNOWN_RESOURCES for record in records)


def test_an_oom_killed_pod_in_a_succeeded_job_is_no_failure(tmp_path: Path) -> None:
    """kubernetes#116042: OOMKilled with exit code 0 exists."""
    done = job("load", condition("Complete"), status={"completionTime": at("02:20"), "succeeded": 1})
    record = planted(tmp_path, done, [pod("a", container(ended("OOMKilled", 0)), phase="Succeeded")]).only
    assert (record["status"], record["failure_reason"], record["error_details"]) == ("SUCCESS", None, None)
    assert record["pod_failure_reasons"] == [{"reason": "OOMKilled", "count": 1}]


def test_a_retried_job_that_came_through_is_a_success_with_two_attempts(tmp_path: Path) -> None:
    done = job("load", condition("Complete"), status={"completionTime": at("02:20"), "failed": 1})
    pods = [
        pod("a", container(ended("Error", 1))),
        pod("b", container(ended("Completed", 0)), phase="Succeeded"),
    ]
    record = planted(tmp_path, done, pods).only
    assert (record["status"], record["attempts"], record["duration_minutes"]) == ("SUCCESS", 2, 20.0)
    assert record["failure_reason"] is None
    assert record["pod_failure_reasons"] == [{"reason": "Error", "count": 1}]


def test_failed_pods_of_a_job_without_conditions_leave_it_running(tmp_path: Path) -> None:
    record = planted(tmp_path, job(status={"failed": 2}), [pod("a", container(ended("OOMKilled", 137)))]).only
    assert (record["status"], record["duration_minutes"], record["end_date"]) == ("RUNNING", None, None)
    assert (record["failure_reason"], record["error_details"]) == (None, None)


@pytest.mark.parametrize("kind", ["FailureTarget", "SuccessCriteriaMet", "Suspended"])
def test_conditions_that_end_nothing_leave_a_job_running(tmp_path: Path, kind: str) -> None:
    record = planted(tmp_path, job("load", condition(kind, reason="BackoffLimitExceeded"))).only
    assert (record["status"], record["duration_minutes"]) == ("RUNNING", None)
    assert record["job_condition_reason"] is None
    assert record["is_suspended"] is (kind == "Suspended")


def test_a_condition_whose_status_is_false_says_nothing(tmp_path: Path) -> None:
    conditions = [condition("Failed", status="False"), condition("Suspended", status="False")]
    record = planted(tmp_path, job("load", *conditions)).only
    assert (record["status"], record["is_suspended"]) == ("RUNNING", False)


def test_failure_target_before_failed_gives_the_end_of_the_failed_condition(tmp_path: Path) -> None:
    early = condition("FailureTarget", "02:10", reason="BackoffLimitExceeded")
    assert planted(tmp_path, job("load", early, failed(clock="02:12"))).only["duration_minutes"] == 12.0


def test_a_suspended_job_without_start_is_running_from_its_creation(tmp_path: Path) -> None:
    asleep = job("load", spec={"suspend": True}, status={"startTime": None})
    record = planted(tmp_path, asleep).only
    assert (record["status"], record["is_suspended"]) == ("RUNNING", True)
    assert (record["execution_date"], record["execution_date_source"]) == (at("01:59"), "creationTimestamp")


def test_a_failed_job_with_a_null_transition_time_ends_with_its_last_pod(tmp_path: Path) -> None:
    pods = [
        pod("a", container(ended("Error", 1, "02:04"))),
        pod("b", container(ended("Error", 1, "02:07"))),
    ]
    assert planted(tmp_path, job("load", failed(clock=None)), pods).only["duration_minutes"] == 7.0


def test_a_failed_job_without_any_known_end_has_no_duration_rather_than_zero(tmp_path: Path) -> None:
    record = planted(tmp_path, job("load", failed(clock=None))).only
    assert (record["status"], record["duration_minutes"], record["end_date"]) == ("FAILED", None, None)


def test_a_completed_job_without_completion_time_ends_with_its_condition(tmp_path: Path) -> None:
    assert planted(tmp_path, job("load", condition("Complete", "02:06"))).only["duration_minutes"] == 6.0


def test_an_end_before_the_start_gives_no_duration_and_a_warning(tmp_path: Path) -> None:
    collected = planted(tmp_path, job("load", condition("Complete"), status={"completionTime": at("01:00")}))
    assert (collected.only["duration_minutes"], collected.only["end_date"]) == (None, at("01:00"))
    assert [line for line in collected.warnings if "batch/load" in line and "before it starts" in line]


def test_the_cron_job_is_the_recurring_name(tmp_path: Path) -> None:
    owners = [{"apiVersion": "batch/v1", "kind": "CronJob", "name": "cust", "uid": "uid-cron"}]
    run = job("cust-29401", labels={"pipeline": "other"}, owners=owners)
    record = planted(tmp_path, run, job_name_labels=["pipeline"]).only
    assert (record["job_name"], record["kubernetes_job_name"]) == ("cust", "cust-29401")


def test_without_a_cron_job_the_first_label_of_the_settings_is_the_recurring_name(tmp_path: Path) -> None:
    run = job("cust-29401", labels={"second": "b", "third": "c"})
    assert planted(tmp_path, run, job_name_labels=["first", "second", "third"]).only["job_name"] == "b"
    assert planted(tmp_path, run).only["job_name"] == "cust-29401"


@pytest.mark.parametrize(
    "labels",
    [
        {"batch.kubernetes.io/controller-uid": "uid-load"},
        {"controller-uid": "uid-load"},
        {"batch.kubernetes.io/job-name": "load"},
        {"job-name": "load"},
    ],
)
def test_a_pod_without_owner_is_joined_by_its_labels(tmp_path: Path, labels: dict[str, str]) -> None:
    lone = pod("a", container(ended("OOMKilled", 137)), owners=[], labels=labels)
    record = planted(tmp_path, job("load", failed()), [lone]).only
    assert (record["attempts"], record["failure_reason"]) == (1, "OOMKilled")


def test_pods_of_other_jobs_are_not_joined(tmp_path: Path) -> None:
    """A deleted Job of the same name, the same name in another namespace, and no Job at all.

    A Job that has ended had pods of its own; that none is left means that nobody knows how many.
    """
    same_name = {"job-name": "load"}
    earlier = pod("a", of="earlier-load", labels=same_name)
    elsewhere = pod("b", owners=[], labels=same_name)
    elsewhere["metadata"]["namespace"] = "other"
    service = pod("c", owners=[{"kind": "ReplicaSet", "name": "web", "uid": "uid-web"}])
    record = planted(tmp_path, job("load", failed()), [earlier, elsewhere, service]).only
    assert (record["attempts"], record["pod_failure_reasons"]) == (None, None)


def test_reasons_are_counted_over_all_pods_of_a_parallel_job(tmp_path: Path) -> None:
    pods = [pod(f"p{number}", container(ended("Error", 1))) for number in range(3)]
    pods.append(pod("q", container(ended("OOMKilled", 137, "02:20"))))
    pods.append(pod("r", container({"running": {"startedAt": at("02:00")}}), phase="Running"))
    pods.append(pod("s", container(waiting("ContainerCreating")), phase="Pending"))
    record = planted(tmp_path, job("load", failed()), pods).only
    assert record["attempts"] == 6
    assert record["pod_failure_reasons"] == [
        {"reason": "Error", "count": 3},
        {"reason": "OOMKilled", "count": 1},
    ]


def test_since_leaves_out_what_ended_before_and_keeps_what_runs_or_ended_at_an_unknown_time(
    tmp_path: Path,
) -> None:
    jobs = [
        job("old", condition("Complete"), status={"completionTime": at("02:20")}),
        job("new", condition("Complete"), status={"completionTime": at("02:40")}),
        job("running"),
        job("unknown", failed(clock=None)),
    ]
    collected = from_files(
        save(tmp_path, jobs=jobs, pods=[], events=[]), since=datetime(2025, 11, 29, 2, 30, tzinfo=UTC)
    )
    assert [record["job_name"] for record in collected.records] == ["new", "running", "unknown"]


def test_environment_and_arguments_never_reach_a_record(tmp_path: Path) -> None:
    secret = job("load", failed())
    secret["metadata"]["annotations"] = {"kubectl.kubernetes.io/last-applied-configuration": "hunter2"}
    collected = planted(tmp_path, secret, [pod("a", container(ended("Error", 1)))])
    assert "hunter2" not in repr(collected)


def test_names_and_messages_in_any_script_survive(tmp_path: Path) -> None:
    run = job("load", failed(), labels={"pipeline": "Kundenträger-日本"})
    pods = [pod("a", container(ended("Error", 1, message="Datei fehlt: übersicht 📄")))]
    record = planted(tmp_path, run, pods, job_name_labels=["pipeline"]).only
    assert record["job_name"] == "Kundenträger-日本"
    assert record["error_details"]["message"] == "Datei fehlt: übersicht 📄"


def _without(planted_job: dict[str, Any], part: str, key: str) -> dict[str, Any]:
    del planted_job[part][key]
    return planted_job


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        (_without(job("load"), "metadata", "name"), "metadata.name is missing"),
        ({**job("load"), "status": "fine"}, "status is 'fine', not an object"),
        (job("load", status={"startTime": "2025-11-29T02:00:00"}), "not a time with a zone"),
        (job("load", status={"startTime": "yesterday"}), "status.startTime is 'yesterday', not a time"),
        (job("load", status={"conditions": {"type": "Failed"}}), "status.conditions is dict, not a list"),
        ("a text", "it is str, not an object"),
        (
            _without(_without(job("load"), "status", "startTime"), "metadata", "creationTimestamp"),
            "neither status.startTime nor",
        ),
    ],
)
def test_a_malformed_job_is_named_in_a_warning_and_does_not_sink_the_others(
    tmp_path: Path, broken: Any, said: str
) -> None:
    collected = from_files(save(tmp_path, jobs=[broken, job("good")], pods=[], events=[]))
    assert collected.only["job_name"] == "good"
    (warning,) = collected.warnings
    assert warning.startswith("Job ")
    assert said in warning


def test_a_malformed_pod_is_named_in_a_warning_and_the_job_is_kept(tmp_path: Path) -> None:
    broken = pod("a", container(ended("Error", 1)))
    broken["status"]["containerStatuses"][0]["state"]["terminated"]["exitCode"] = "137"
    collected = planted(tmp_path, job("load", failed()), [broken])
    assert collected.only["attempts"] is None
    (warning,) = collected.warnings
    assert warning == "Pod batch/a left out: exitCode is '137', not a 32-bit whole number"
