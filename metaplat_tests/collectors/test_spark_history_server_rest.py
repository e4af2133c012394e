"""``--via rest``: the numbers of the server, and what is said of those it cannot give or gives wrongly."""

from __future__ import annotations

from typing import Any

import pytest

from metaplat_tests.standins.spark_rest import SparkRest
from metaplat_tests.standins.spark_rest_parts import (
    START,
    Collected,
    application,
    attempt,
    collected,
    date,
    executor,
    job,
    parts,
    properties,
    stage,
)

LOST = {"isActive": False, "removeTime": date(START + 500), "removeReason": "lost worker\nand more"}


def read(listed: Any = None, **answers: Any) -> Collected:
    """Collect one application by the answers given; nothing of it may be rejected."""
    with SparkRest([listed or application()], parts(**answers)) as rest:
        found = collected(rest.url, via="rest")
    assert found.rejected == {}
    return found


def test_a_whole_application_has_the_numbers_of_the_server() -> None:
    record = read().only
    expected: dict[str, Any] = {
        "source": "history-server",
        "app_id": "app-1",
        "attempt_id": None,
        "app_name": "nightly",
        "user": "ana",
        "status": "COMPLETED",
        "submit_time": "2025-12-31T23:59:59.500Z",
        "start_time": "2026-01-01T00:00:00.000Z",
        "end_time": "2026-01-01T00:00:01.000Z",
        "duration_ms": 1000,
        "spark_version": "3.5.1",
        "master": "yarn",
        "executor_cores": 2,
        "executor_memory_mb": 4096,
        "driver_memory_mb": None,
        "num_executors": 1,
        "num_executors_added": 1,
        "executor_seconds": 0.9,
        "total_tasks": 2,
        "failed_tasks": 0,
        "killed_tasks": 0,
        "resubmitted_tasks": 0,
        "total_stages": 1,
        "failed_stages": 0,
        "skipped_stages": 0,
        "jobs": 1,
        "failed_jobs": 0,
        "cpu_time_ms": 181,
        "run_time_ms": 200,
        "gc_time_ms": 2,
        "input_bytes": 2000,
        "output_bytes": 10,
        "shuffle_read_bytes": 20,
        "shuffle_write_bytes": 30,
        "memory_spilled_bytes": 40,
        "disk_spilled_bytes": 50,
        "peak_execution_memory_bytes": 64,
        "tags": {"team": "blue"},
        "data_quality": [],
        "core_seconds_reserved": 1.8,
    }
    assert {name: record[name] for name in expected} == expected


def test_what_rest_cannot_say_is_null_and_named() -> None:
    record = read().only
    for name in ("speculative_tasks", "broken_lines", "unknown_events", "tasks_without_end"):
        assert record[name] is None
        assert name in record["source_coverage"]
    assert record["stages"][0]["task_ms_histogram"] is None
    assert record["executors"][0]["run_time_ms"] is None
    assert {"stages.task_ms_histogram", "executors.run_time_ms"} <= {*record["source_coverage"]}


def test_stages_and_executors_are_filled() -> None:
    record = read().only
    [found], [worker], [only_job] = record["stages"], record["executors"], record["job_list"]
    assert (found["task_ms_min"], found["task_ms_median"], found["task_ms_p95"]) == (100.0, 110.0, 120.0)
    assert (found["task_ms_max"], found["input_bytes_max"], found["job_ids"]) == (130.0, 1500.0, [0])
    assert (found["duration_ms"], found["cpu_time_ms"], found["status"]) == (500, 181, "COMPLETE")
    assert (worker["executor_id"], worker["host"], worker["lifetime_ms"]) == ("1", "worker", 900)
    assert (worker["overhead_mb"], worker["peak_heap_bytes"], worker["peak_memory_bytes"]) == (409, 500, None)
    assert only_job["stage_ids"] == [0]


def test_cpu_time_is_divided_after_it_is_summed() -> None:
    stages = [stage(number, executorCpuTime=600_000) for number in range(3)]
    record = read(stages=stages, jobs=[job(stage_ids=(0, 1, 2))], allexecutors=[executor(tasks=6)]).only
    assert record["cpu_time_ms"] == 1


def test_an_application_that_runs_has_no_end_and_counts_what_ended() -> None:
    active = stage(1, 5, status="ACTIVE", numCompleteTasks=1, completionTime=None)
    pending = stage(2, 5, status="PENDING", numCompleteTasks=0)
    running = {"jobs": [job(stage_ids=(0, 1, 2), status="RUNNING", completionTime=None)]}
    workers = [executor(tasks=4, activeTasks=1)]
    record = read(
        application("app-1", attempt(None)),
        stages=[stage(), active, pending],
        allexecutors=workers,
        **running,
    ).only
    assert (record["status"], record["end_time"], record["duration_ms"]) == ("RUNNING", None, None)
    assert record["observed_end"] == "2026-01-01T00:00:00.600Z"
    assert (record["total_tasks"], record["total_stages"], record["jobs"]) == (3, 2, 1)
    assert record["executors"][0]["tasks"] == 3
    assert record["data_quality"] == ["incomplete", "silent"] or record["data_quality"] == ["incomplete"]


def test_a_local_application_has_no_executors_and_the_driver_works() -> None:
    driver = executor("driver", 2, totalGCTime=9999)
    record = read(
        allexecutors=[driver], environment=properties(spark__master="local[2]", spark__driver__memory="2g")
    ).only
    assert (record["num_executors"], record["num_executors_added"], record["executor_seconds"]) == (0, 0, 0.0)
    [worker] = record["executors"]
    assert (worker["executor_id"], worker["memory_mb"], worker["gc_time_ms"]) == ("driver", 2048, None)
    assert record["gc_time_ms"] == 2


def test_most_executors_at_once_are_fewer_than_all_that_were_added() -> None:
    workers = [
        executor("1", 1, addTime=date(START), removeTime=date(START + 400), isActive=False),
        executor("2", 1, addTime=date(START + 400)),
        executor("3", 0, addTime=date(START + 500)),
    ]
    record = read(allexecutors=workers).only
    assert (record["num_executors"], record["num_executors_added"]) == (2, 3)
    assert record["executor_seconds"] == pytest.approx(0.4 + 0.6 + 0.5)


def test_an_executor_has_the_memory_of_its_resource_profile() -> None:
    environment = properties()
    resources = {"cores": {"amount": 8}, "memory": {"amount": 9000}, "memoryOverhead": {"amount": 700}}
    environment["resourceProfiles"] = [{"id": 1, "executorResources": resources}, {"id": "x"}, 7]
    workers = [executor("1", 1), executor("2", 1, resourceProfileId=1)]
    record = read(environment=environment, allexecutors=workers).only
    assert [(one["memory_mb"], one["overhead_mb"]) for one in record["executors"]] == [
        (4096, 409),
        (9000, 700),
    ]


@pytest.mark.parametrize(
    ("stages", "jobs"),
    [
        ([stage(2), stage(3)], [job(stage_ids=(0, 1, 2, 3))]),
        ([stage(0), stage(2)], [job(stage_ids=(0, 2))]),
        ([stage(0)], [job(stage_ids=(0, 1))]),
        ([stage(0, attempt_id=1)], [job()]),
        ([stage(0)], [job()]),
        ([], [job()]),
    ],
)
def test_a_cut_list_of_stages_gives_no_sums_that_are_too_low(stages: list[Any], jobs: list[Any]) -> None:
    record = read(stages=stages, jobs=jobs, allexecutors=[executor(tasks=9, failedTasks=1)]).only
    assert record["data_quality"] == ["hs_truncated"]
    for name in ("cpu_time_ms", "run_time_ms", "output_bytes", "disk_spilled_bytes", "total_stages"):
        assert record[name] is None
        assert name in record["source_coverage"]
    assert (record["total_tasks"], record["failed_tasks"], record["killed_tasks"]) == (9, 1, None)
    assert (record["input_bytes"], record["gc_time_ms"], record["shuffle_read_bytes"]) == (9000, 9, 20)
    assert record["wasted_executor_seconds"] is None


def test_a_stage_that_ran_as_another_attempt_was_not_skipped() -> None:
    stages = [stage(status="SKIPPED", numCompleteTasks=0), stage(attempt_id=1), stage(1, status="SKIPPED")]
    record = read(stages=stages, jobs=[job(stage_ids=(0, 1))]).only
    assert (record["total_stages"], record["skipped_stages"]) == (1, 1)
    found = [(one["stage_id"], one["stage_attempt_id"], one["status"]) for one in record["stages"]]
    assert found == [(0, 1, "COMPLETE"), (1, 0, "SKIPPED")]


def test_a_cut_list_of_jobs_gives_no_count_of_jobs() -> None:
    record = read(jobs=[job(3)]).only
    assert (record["jobs"], record["failed_jobs"], record["total_tasks"]) == (None, None, 2)
    assert record["data_quality"] == ["hs_truncated"]


def test_a_cut_list_of_executors_gives_no_executor_seconds() -> None:
    """The server keeps ``spark.ui.retainedDeadExecutors`` of those that are gone."""
    record = read(stages=[stage(tasks=20)], allexecutors=[executor(tasks=3)]).only
    assert (record["total_tasks"], record["input_bytes"]) == (20, 20_000)
    assert (record["num_executors"], record["executor_seconds"]) == (None, None)
    assert {"num_executors", "num_executors_added", "executor_seconds"} <= {*record["source_coverage"]}
    assert record["data_quality"] == ["hs_truncated"]


def failing(tasks: Any = None) -> dict[str, Any]:
    """Return answers about a stage of which the server says that 7 of 10 tasks failed, after a loss."""
    hurt = stage(tasks=10, numCompleteTasks=8, numFailedTasks=7, numKilledTasks=1)
    workers = [executor("1", 6, failedTasks=4, **LOST), executor("2", 5)]
    answers = {"stages": [hurt], "allexecutors": workers}
    return {**answers, "stages/0/0/taskList": tasks} if tasks is not None else answers


def test_resubmitted_tasks_are_not_failed_ones_once_an_executor_was_lost() -> None:
    tasks = [{"taskId": number, "status": "FAILED"} for number in (3, 4, 4)]
    record = read(**failing(tasks)).only
    assert (record["failed_tasks"], record["resubmitted_tasks"], record["total_tasks"]) == (2, 5, 11)
    assert record["stages"][0]["failed_tasks"] == 2
    assert [one["failed_tasks"] for one in record["executors"]] == [None, None]
    assert record["executors"][0]["removed_reason"] == "lost worker"
    assert record["stages"][0]["task_ms_max"] is None


def test_failures_beyond_number_are_not_asked_for_one_by_one() -> None:
    hurt = stage(tasks=10, numCompleteTasks=8, numFailedTasks=10_001)
    answers = parts(**{**failing([]), "stages": [hurt]})
    with SparkRest([application()], answers) as rest:
        assert collected(rest.url, via="rest").only["failed_tasks"] is None
        assert rest.asked("taskList") == 0


@pytest.mark.parametrize("tasks", [None, [{"taskId": 1, "status": "SUCCESS"}]])
def test_failed_tasks_are_unknown_where_an_old_server_cannot_tell_them_apart(tasks: Any) -> None:
    record = read(**failing(tasks)).only
    assert (record["failed_tasks"], record["resubmitted_tasks"], record["total_tasks"]) == (None, None, 11)
    assert {"failed_tasks", "resubmitted_tasks"} <= {*record["source_coverage"]}
    assert record["data_quality"] == []


def test_failed_tasks_need_no_further_question_while_no_executor_was_lost() -> None:
    hurt = stage(tasks=3, numCompleteTasks=2, numFailedTasks=1)
    with SparkRest(
        [application()], parts(stages=[hurt], allexecutors=[executor(tasks=3, failedTasks=1)])
    ) as rest:
        record = collected(rest.url, via="rest").only
        assert rest.asked("taskList") == 0
    assert (record["failed_tasks"], record["failure_rate"]) == (1, pytest.approx(1 / 3))


def test_quantiles_are_done_without_where_they_are_too_much_for_the_server() -> None:
    bare = stage()
    del bare["taskMetricsDistributions"]
    with SparkRest([application()], parts(stages=[bare]), {"app-1/stages": [500, 500]}) as rest:
        found = collected(rest.url, via="rest")
    assert found.only["stages"][0]["task_ms_median"] is None
    assert "stages.task_ms_median" in found.only["source_coverage"]
    assert found.only["total_tasks"] == 2
    assert ["read without quantiles of tasks" in line for line in found.warnings] == [True]


def test_a_server_without_environment_gives_the_rest() -> None:
    answers = parts()
    del answers["app-1/environment"]
    with SparkRest([application()], answers) as rest:
        record = collected(rest.url, via="rest").only
    assert (record["environment"], record["submit_time"], record["executor_memory_mb"]) == ({}, None, None)
    assert (record["executor_cores"], record["total_tasks"]) == (2, 2)
    assert {"environment", "tags", "submit_time"} <= {*record["source_coverage"]}
    assert "submit_time_missing" in record["data_quality"]


@pytest.mark.parametrize("part", ["allexecutors", "jobs", "stages"])
@pytest.mark.parametrize("answer", [{}, "text", None])
def test_an_answer_that_is_no_list_rejects_the_application(part: str, answer: Any) -> None:
    with SparkRest([application()], parts(**{part: answer})) as rest:
        found = collected(rest.url, via="rest")
    assert found.records == []
    assert "JSON that is no list" in found.rejected["app-1"]


def test_members_that_are_nonsense_are_unknown_and_break_nothing() -> None:
    odd_stage = stage(
        numCompleteTasks="two", executorCpuTime=-1, inputBytes=2**70, taskMetricsDistributions=3
    )
    odd_worker = executor(addTime="?", totalCores=None, peakMemoryMetrics=[], totalTasks=1.5, hostPort=5)
    record = read(
        stages=[odd_stage, 5, {"stageId": "a"}],
        allexecutors=[odd_worker, {"id": ""}, None],
        jobs=[job(stageIds="none"), {}],
        environment={"sparkProperties": [["spark.master"], ["a", 5], "text"], "resourceProfiles": {}},
    ).only
    assert (record["total_tasks"], record["cpu_time_ms"], record["input_bytes"]) == (None, None, None)
    assert (record["executor_seconds"], record["num_executors_added"]) == (None, 1)


def test_a_secret_property_is_not_in_the_record() -> None:
    record = read(environment=properties(spark__my__password="hunter2")).only
    assert "hunter2" not in str(record)


def test_tags_choose_before_anything_else_is_asked() -> None:
    with SparkRest([application()], parts()) as rest:
        assert collected(rest.url, via="rest", tags={"team": "red"}).records == []
        assert rest.asked("allexecutors") == 0
        assert collected(rest.url, via="rest", tags={"team": "blue"}).names == ["app-1"]


def test_attempts_are_asked_by_their_own_paths() -> None:
    both = application("app-1", attempt(attemptId="2", exitCode=3), attempt(attemptId="1"))
    with SparkRest([both], parts("app-1/1") | parts("app-1/2")) as rest:
        found = collected(rest.url, via="rest")
    assert found.names == ["app-1/2", "app-1/1"]
    assert [(one["status"], one["exit_code"]) for one in found.records] == [
        ("FAILED", 3),
        ("COMPLETED", None),
    ]
