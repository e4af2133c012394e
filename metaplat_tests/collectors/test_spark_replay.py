"""What a replay tells of an application: the counting rules, one by one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from metaplat.model.errors import InvalidInputError
from metaplat_tests.standins.spark_event_lines import (
    START,
    application_end,
    application_start,
    environment,
    executor_added,
    executor_removed,
    job_end,
    job_start,
    log,
    named,
    replayed,
    stage_completed,
    stage_submitted,
    task_end,
    task_metrics,
    task_start,
)

BEGIN = datetime.fromtimestamp(START / 1000, UTC)


def test_a_task_that_succeeded_and_is_resubmitted_counts_once_and_did_not_fail() -> None:
    attempt = replayed(log(task_end(1), task_end(1, reason="Resubmitted", lost=True), task_end(2)))
    assert (attempt.total_tasks, attempt.failed_tasks, attempt.resubmitted_tasks) == (2, 0, 1)


@pytest.mark.parametrize(
    ("reason", "failed", "killed"),
    [
        ("Success", 0, 0),
        ("TaskKilled", 0, 1),
        ("TaskCommitDenied", 0, 1),
        ("Resubmitted", 0, 0),
        ("ExceptionFailure", 1, 0),
        ("FetchFailed", 1, 0),
        ("ExecutorLostFailure", 1, 0),
        ("TaskResultLost", 1, 0),
        ("UnknownReason", 1, 0),
    ],
)
def test_the_end_reason_says_whether_a_task_failed_or_was_killed(
    reason: str, failed: int, killed: int
) -> None:
    attempt = replayed(log(task_end(1, reason=reason), task_end(2)))
    assert (attempt.total_tasks, attempt.failed_tasks, attempt.killed_tasks) == (2, failed, killed)
    assert (attempt.stages[0].tasks, attempt.stages[0].failed_tasks) == (2, failed)
    assert attempt.executors[0].failed_tasks == failed


def test_metrics_are_summed_over_all_ends_failed_ones_included() -> None:
    metrics = task_metrics(
        7, 1_600_000, gc=2, remote=10, local=5, written=4, input=3, output=2, memory=9, disk=8, peak=77
    )
    attempt = replayed(
        log(task_end(1, metrics=metrics), task_end(2, metrics=metrics, reason="ExceptionFailure"))
    )
    assert (attempt.run_time_ms, attempt.gc_time_ms) == (14, 4)
    assert attempt.cpu_time_ms == 3, "2 x 1.6 ms: the sum is rounded down, not its parts"
    assert (attempt.shuffle_read_bytes, attempt.shuffle_write_bytes) == (30, 8)
    assert (attempt.input_bytes, attempt.output_bytes) == (6, 4)
    assert (attempt.memory_spilled_bytes, attempt.disk_spilled_bytes) == (18, 16)
    assert attempt.peak_execution_memory_bytes == 77


def test_cpu_time_is_unknown_where_spark_did_not_log_it() -> None:
    attempt = replayed(log(task_end(1, metrics=task_metrics(cpu=None))))
    assert attempt.cpu_time_ms is None
    assert attempt.run_time_ms == 10


def test_executors_are_counted_by_the_most_alive_at_once_and_without_the_driver() -> None:
    attempt = replayed(
        log(
            application_start(),
            executor_added("1"),
            executor_added("2", START + 1000),
            executor_removed("1", START + 3000, "gone\nfor good"),
            executor_added("3", START + 3000),
            application_end(START + 10_000),
        )
    )
    assert (attempt.num_executors, attempt.num_executors_added) == (2, 3)
    assert attempt.executor_seconds == 3 + 9 + 7
    assert attempt.executors[0].removed_reason == "gone"
    assert [executor.lifetime_ms for executor in attempt.executors] == [3000, 9000, 7000]


def test_a_local_application_has_no_executors_but_lists_the_driver_that_did_the_work() -> None:
    attempt = replayed(log(application_start(), executor_added("driver"), task_end(1, executor="driver")))
    assert (attempt.num_executors, attempt.num_executors_added, attempt.executor_seconds) == (0, 0, 0)
    assert [(executor.executor_id, executor.tasks) for executor in attempt.executors] == [("driver", 1)]


def test_executors_that_were_never_removed_live_until_the_last_event_of_a_running_log() -> None:
    attempt = replayed(log(application_start(), executor_added("1"), task_end(1, at=START, lasted=5000)))
    assert attempt.executor_seconds == 5
    assert (attempt.status, attempt.end_time, attempt.duration_ms) == ("RUNNING", None, None)
    assert attempt.observed_end == BEGIN + timedelta(seconds=5)
    assert "incomplete" in attempt.data_quality


def test_memory_and_cores_come_from_properties_and_resource_profiles() -> None:
    profile = named(
        "ResourceProfileAdded",
        **{
            "Resource Profile Id": 1,
            "Executor Resource Requests": {"memory": {"Amount": 4096}, "memoryOverhead": {"Amount": 512}},
        },
    )
    attempt = replayed(
        log(
            environment(executor_memory="6G", executor_cores="4", driver_memory="512m", master="yarn"),
            profile,
            executor_added("1"),
            executor_added("2", profile=1),
        )
    )
    assert (attempt.executor_cores, attempt.executor_memory_mb, attempt.driver_memory_mb) == (4, 6144, 512)
    assert [(each.memory_mb, each.overhead_mb) for each in attempt.executors] == [(6144, 614), (4096, 512)]


def test_what_the_environment_does_not_say_is_sparks_default_or_unknown() -> None:
    attempt = replayed(log(environment(master="k8s://x"), executor_added("1", cores=3)))
    assert (attempt.executor_cores, attempt.executor_memory_mb, attempt.driver_memory_mb) == (3, 1024, None)
    assert attempt.executors[0].overhead_mb == 384
    assert replayed(log(application_start())).executor_memory_mb is None


def test_stages_planned_by_an_ended_job_and_never_submitted_were_skipped() -> None:
    attempt = replayed(
        log(job_start(0, [1, 2]), stage_submitted(2), task_end(1, 2), stage_completed(2), job_end(0))
    )
    assert (attempt.total_stages, attempt.skipped_stages, attempt.failed_stages) == (1, 1, 0)
    assert [(each.stage_id, each.status, each.job_ids) for each in attempt.stages] == [
        (1, "SKIPPED", [0]),
        (2, "COMPLETE", [0]),
    ]
    assert attempt.stages[0].name == "count at 1"
    running = replayed(log(job_start(0, [1, 2]), stage_submitted(2)))
    assert [(each.stage_id, each.status) for each in running.stages] == [(2, "ACTIVE")]


def test_each_attempt_of_a_stage_stands_alone_and_fails_with_a_reason() -> None:
    failed = stage_completed(1, failure="FetchFailed\n\tat x")
    attempt = replayed(
        log(stage_submitted(1), task_end(1, 1, reason="FetchFailed"), failed, task_end(2, 1, 1))
    )
    assert (attempt.total_stages, attempt.failed_stages) == (2, 1)
    assert attempt.stages[0].failure_reason == "FetchFailed"
    assert [(each.stage_attempt_id, each.tasks) for each in attempt.stages] == [(0, 1), (1, 1)]


def test_jobs_fail_unless_they_say_that_they_succeeded() -> None:
    attempt = replayed(log(job_start(0, []), job_end(0), job_start(1, []), job_end(1, result="JobFailed")))
    assert (attempt.jobs, attempt.failed_jobs) == (2, 1)
    assert [job.status for job in attempt.job_list] == ["SUCCEEDED", "FAILED"]


def test_an_exit_code_other_than_0_is_a_failure() -> None:
    assert replayed(log(application_start(), application_end(ExitCode=1))).status == "FAILED"
    attempt = replayed(log(application_start(), application_end(ExitCode=0)))
    assert (attempt.status, attempt.exit_code, attempt.duration_ms) == ("COMPLETED", 0, 60_000)


def test_what_started_and_never_ended_is_a_loss_only_in_a_log_with_an_end() -> None:
    events = (
        application_start(),
        job_start(0, [0]),
        stage_submitted(0),
        task_start(1),
        task_start(2),
        task_end(2),
    )
    running = replayed(log(*events))
    assert (running.jobs_without_end, running.tasks_without_end) == (None, None)
    assert "event_loss" not in running.data_quality
    ended = replayed(log(*events, application_end()))
    assert (ended.jobs_without_end, ended.stages_without_end, ended.tasks_without_end) == (1, 1, 1)
    assert "event_loss" in ended.data_quality


def test_a_complete_stage_with_fewer_ends_than_tasks_has_lost_some() -> None:
    events = (application_start(), stage_submitted(0, tasks=2), task_end(1), application_end())
    lost = replayed(log(*events[:3], stage_completed(0, tasks=2), events[3]))
    assert "event_loss" in lost.data_quality
    whole = replayed(log(*events[:3], task_end(2), stage_completed(0, tasks=2), events[3]))
    assert "event_loss" not in whole.data_quality


def test_the_submit_time_is_a_property_and_its_lack_is_flagged() -> None:
    assert replayed(log(environment(app_submitTime=str(START)))).submit_time == BEGIN
    for properties in ({}, {"app_submitTime": "soon"}, {"app_submitTime": "9" * 30}):
        attempt = replayed(log(environment(**properties)))
        assert attempt.submit_time is None
        assert "submit_time_missing" in attempt.data_quality


def test_a_log_that_starts_in_the_middle_has_the_id_of_its_environment() -> None:
    attempt = replayed(log(environment(app_id="app-7"), task_end(1), application_end()))
    assert (attempt.app_id, attempt.start_time, attempt.duration_ms) == ("app-7", None, None)
    assert "application_start_missing" in attempt.data_quality
    assert replayed(log(task_end(1))).app_id == ""


def test_a_clock_that_was_set_back_gives_no_negative_number() -> None:
    attempt = replayed(
        log(
            application_start(),
            executor_added("1", START + 9000),
            task_end(1, lasted=-5, metrics=task_metrics(-3)),
            stage_completed(0, at=START + 500, end=START),
            executor_removed("1", START),
            application_end(START - 1000),
        )
    )
    assert attempt.duration_ms is None
    assert attempt.run_time_ms == 0
    assert (attempt.stages[0].duration_ms, attempt.stages[0].task_ms_min) == (None, None)
    assert (attempt.executors[0].lifetime_ms, attempt.executor_seconds) == (None, None)
    assert "clock_skew" in attempt.data_quality


def test_two_starts_of_an_application_are_flagged_and_the_first_one_counts() -> None:
    attempt = replayed(log(application_start("app-1"), application_start("app-1", START + 5)))
    assert (attempt.app_id, attempt.start_time) == (
        "app-1",
        replayed(log(application_start("app-1"))).start_time,
    )
    assert "repeated_application_start" in attempt.data_quality


def test_two_applications_in_one_log_are_not_mixed_into_one() -> None:
    with pytest.raises(InvalidInputError, match=r"several applications \(app-1, app-2\)"):
        replayed(log(application_start("app-1"), application_start("app-2", START + 5)))


def test_peak_memory_comes_from_all_three_events_that_may_have_it() -> None:
    measured = {"JVMHeapMemory": 50, "ProcessTreeJVMRSSMemory": 70, "ProcessTreePythonRSSMemory": 10}
    of_a_stage = {"Executor ID": "2", "Stage ID": 0, "Stage Attempt ID": 0, "Executor Metrics": measured}
    update = {"Executor ID": "3", "Executor Metrics Updated": [{"Executor Metrics": measured}]}
    attempt = replayed(
        log(
            *(executor_added(executor) for executor in "1234"),
            task_end(1, executor="1", peaks=measured),
            named("StageExecutorMetrics", **of_a_stage),
            named("ExecutorMetricsUpdate", **update),
            task_end(2, executor="4"),
        )
    )
    assert [(each.peak_heap_bytes, each.peak_memory_bytes) for each in attempt.executors] == [
        (50, 80),
        (50, 80),
        (50, 80),
        (None, None),
    ]
