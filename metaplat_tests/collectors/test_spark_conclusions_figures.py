"""Figures concluded from an attempt: reserved against used, time of the driver, cost, flags."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from metaplat.collectors.spark.attempt import ApplicationAttempt
from metaplat_tests.collectors.spark_conclusion_samples import (
    END,
    NOW,
    START,
    after,
    attempt,
    concluded,
    executor,
    local_attempt,
    stage,
)


def test_skew_is_the_largest_over_the_median() -> None:
    (found,) = concluded(
        attempt(
            stages=[
                stage(
                    task_ms_median=2000.0,
                    task_ms_max=82_000.0,
                    input_bytes_median=10.0,
                    input_bytes_max=25.0,
                    shuffle_read_bytes_median=4.0,
                    shuffle_read_bytes_max=4.0,
                )
            ]
        )
    ).stages
    assert (found.task_time_skew, found.input_skew, found.shuffle_skew) == (41.0, 2.5, 1.0)


@pytest.mark.parametrize(
    "changes",
    [
        {"task_ms_median": 0.0, "task_ms_max": 10.0},
        {"task_ms_median": None, "task_ms_max": 10.0},
        {"task_ms_median": 2.0, "task_ms_max": 2.0, "tasks": 1},
        {"task_ms_median": 2.0, "task_ms_max": float("nan")},
        {"task_ms_median": float("inf"), "task_ms_max": 5.0},
    ],
)
def test_skew_that_says_nothing_is_unknown(changes: dict[str, Any]) -> None:
    assert concluded(attempt(stages=[stage(**changes)])).stages[0].task_time_skew is None


def test_ratios_of_a_stage_are_over_what_it_read_ran_and_ended() -> None:
    (found,) = concluded(
        attempt(
            stages=[
                stage(
                    disk_spilled_bytes=30,
                    input_bytes=40,
                    shuffle_read_bytes=20,
                    run_time_ms=1000,
                    gc_time_ms=250,
                    failed_tasks=20,
                )
            ]
        )
    ).stages
    assert (found.spill_ratio, found.gc_ratio, found.failure_rate) == (0.5, 0.25, 0.1)


def test_a_ratio_over_nothing_or_of_more_failures_than_tasks_is_unknown() -> None:
    made = attempt(
        disk_spilled_bytes=5, input_bytes=0, shuffle_read_bytes=0, run_time_ms=0, gc_time_ms=0, total_tasks=3
    )
    made.failed_tasks = 4
    concluded(made)
    assert (made.spill_ratio, made.gc_ratio, made.failure_rate) == (None, None, None)


def test_reserved_is_lifetime_times_cores_and_memory_of_every_executor() -> None:
    made = concluded(attempt())
    assert made.core_seconds_reserved == 4 * 4 * 7200
    assert made.memory_gb_seconds_reserved == pytest.approx(4 * 7200 * (4096 + 410) / 1024)
    assert made.core_seconds_used == 28 * 3600
    assert made.wasted_executor_seconds == pytest.approx(4 * 7200 * (1 - 28 / 32))


def test_tasks_that_take_several_cores_use_them_all() -> None:
    made = concluded(attempt(environment={"spark.task.cpus": "2"}, run_time_ms=1000))
    assert made.core_seconds_used == 2.0


def test_more_used_than_reserved_is_no_negative_waste() -> None:
    assert concluded(attempt(run_time_ms=10**10)).wasted_executor_seconds == 0


def test_in_local_mode_the_driver_is_what_was_reserved() -> None:
    made = concluded(local_attempt())
    assert (made.core_seconds_reserved, made.core_seconds_used) == (14_400, 3600)
    assert made.memory_gb_seconds_reserved == 7200 * 2
    assert made.wasted_executor_seconds == pytest.approx(7200 * 0.75)


def test_the_driver_of_a_cluster_is_not_counted() -> None:
    made = attempt()
    made.executors.append(executor("driver", cores=64))
    assert concluded(made).core_seconds_reserved == 4 * 4 * 7200


def test_an_application_on_a_cluster_that_got_no_executor_reserved_nothing() -> None:
    made = concluded(attempt(executors=[], num_executors_added=0, run_time_ms=0))
    assert (made.core_seconds_reserved, made.wasted_executor_seconds) == (0, 0)


def test_executors_that_are_missing_from_the_list_leave_the_sums_unknown() -> None:
    made = concluded(attempt(num_executors_added=5))
    assert (made.core_seconds_reserved, made.memory_gb_seconds_reserved) == (None, None)
    assert made.wasted_executor_seconds is None


def test_an_executor_without_cores_has_those_of_the_application() -> None:
    made = attempt(executors=[executor("1", cores=None)], num_executors_added=1)
    assert concluded(made).core_seconds_reserved == 4 * 7200


@pytest.mark.parametrize("flag", ["compacted", "event_loss", "hs_truncated"])
def test_work_that_was_lost_is_not_called_waste(flag: str) -> None:
    made = concluded(attempt(data_quality=[flag]))
    assert (made.wasted_executor_seconds, made.driver_only_ms) == (None, None)
    assert made.core_seconds_used == 28 * 3600


def test_a_task_without_an_end_among_many_leaves_the_figures_known() -> None:
    aborted: dict[str, Any] = {
        "data_quality": ["event_loss"],
        "total_tasks": 1000,
        "tasks_without_end": 1,
        "stages_without_end": 0,
    }
    made = concluded(attempt(**aborted))
    assert made.wasted_executor_seconds == pytest.approx(3600)
    assert made.driver_only_ms == 0
    for more in ({"tasks_without_end": 11}, {"dropped_events": 5}, {"stages": [stage(planned_tasks=300)]}):
        assert concluded(attempt(**(aborted | more))).wasted_executor_seconds is None
    assert concluded(attempt(**(aborted | {"stages_without_end": 1}))).driver_only_ms is None


def test_overhead_is_unknown_on_yarn_and_nothing_where_there_are_no_containers() -> None:
    one = {"executors": [executor("1", overhead_mb=None)], "num_executors_added": 1}
    assert concluded(attempt(**one)).memory_gb_seconds_reserved is None
    standalone = concluded(attempt(**one, master="spark://host:7077"))
    assert standalone.memory_gb_seconds_reserved == 7200 * 4


def test_driver_only_time_is_what_no_stage_covers() -> None:
    stages = [
        stage(0, submission_time=after(10), completion_time=after(40)),
        stage(1, submission_time=after(30), completion_time=after(50)),
        stage(2, submission_time=after(60), completion_time=after(70)),
        stage(3, submission_time=after(65), completion_time=after(66)),
        stage(4, status="SKIPPED", submission_time=None, completion_time=None),
    ]
    assert concluded(attempt(stages=stages, total_stages=4)).driver_only_ms == 70 * 60_000


def test_an_active_stage_covers_the_time_until_the_last_event() -> None:
    made = attempt(
        status="RUNNING",
        end_time=None,
        observed_end=after(60),
        stages=[stage(status="ACTIVE", submission_time=after(20), completion_time=None)],
    )
    assert concluded(made).driver_only_ms == 20 * 60_000


@pytest.mark.parametrize(
    "changes",
    [
        {"total_stages": 2},
        {"total_stages": None},
        {"start_time": None},
        {"end_time": START - timedelta(seconds=1)},
        {"stages": [stage(submission_time=None)]},
        {"stages": [stage(completion_time=None)]},
    ],
)
def test_driver_only_time_is_unknown_where_a_stage_or_an_end_is(changes: dict[str, Any]) -> None:
    assert concluded(attempt(**changes)).driver_only_ms is None


def test_without_stages_the_driver_was_alone_all_the_time() -> None:
    assert concluded(attempt(stages=[], total_stages=0)).driver_only_ms == 7_200_000


def test_peak_memory_is_that_of_process_trees_else_of_heaps_and_zero_is_not_logged() -> None:
    heaps = [executor("1", peak_heap_bytes=700, peak_memory_bytes=0), executor("2", peak_heap_bytes=900)]
    assert concluded(attempt(executors=heaps)).peak_executor_memory_bytes == 900
    heaps[0].peak_memory_bytes = 800
    assert concluded(attempt(executors=heaps)).peak_executor_memory_bytes == 800
    assert concluded(attempt()).peak_executor_memory_bytes is None


def test_cost_is_core_and_memory_hours_at_their_prices() -> None:
    made = concluded(attempt(), price_core_hour=0.05, price_gb_hour=0.01, price_currency="EUR")
    assert made.estimated_cost == pytest.approx(32 * 0.05 + 8 * (4096 + 410) / 1024 * 0.01)
    assert made.cost_currency == "EUR"
    assert concluded(attempt(), price_core_hour=0.05).estimated_cost == pytest.approx(1.6)


def test_there_is_no_cost_without_a_price_or_without_the_priced_part() -> None:
    for made in (concluded(attempt()), concluded(attempt(executors=[]), price_core_hour=1.0)):
        assert (made.estimated_cost, made.cost_currency) == (None, None)
    no_memory = attempt(executors=[executor("1", overhead_mb=None)], num_executors_added=1)
    assert concluded(no_memory, price_gb_hour=1.0).estimated_cost is None


def test_a_running_application_is_incomplete_and_silent_after_a_while() -> None:
    running: dict[str, Any] = {"status": "RUNNING", "end_time": None}
    assert concluded(attempt(**running)).data_quality == ["incomplete"]
    quiet = attempt(**running, data_quality=["truncated", "truncated"])
    later = concluded(quiet, now=END + timedelta(hours=24, seconds=1))
    assert later.data_quality == ["incomplete", "silent", "truncated"]
    assert concluded(attempt(**running), silent_hours=1.0).data_quality == ["incomplete", "silent"]


def test_an_ended_application_is_neither() -> None:
    assert concluded(attempt(), now=NOW + timedelta(days=99)).data_quality == []


def test_of_what_only_an_inventory_knows_nothing_is_concluded() -> None:
    made = concluded(ApplicationAttempt("emr", "j-1/s-1", status="COMPLETED"), price_core_hour=1.0)
    figures = {name: value for name, value in made.record().items() if value not in (None, [], {})}
    assert figures == {"source": "emr", "app_id": "j-1/s-1", "status": "COMPLETED"}
