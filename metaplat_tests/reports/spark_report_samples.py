"""Attempts of Spark applications as pages and texts are given them: made by hand, the same in every run."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from typing import Any

from metaplat.collectors.spark.attempt import ApplicationAttempt, Executor, Finding, Job, StageAttempt

START = datetime(2025, 11, 20, 2, 15, tzinfo=UTC)
ATTACK = '"><script>alert(1)</script><img src=http://127.0.0.1:9/x.png>'
MIB = 2**20


def after(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def stage(number: int, begin: float, seconds: float, **other: Any) -> StageAttempt:
    """Return a stage of 200 tasks that wrote and read a shuffle."""
    made = StageAttempt(
        stage_id=number,
        stage_attempt_id=0,
        name=f"count at Orders.scala:{20 + number}",
        status="COMPLETE",
        job_ids=[number // 2],
        submission_time=after(begin),
        completion_time=after(begin + seconds),
        duration_ms=int(seconds * 1000),
        planned_tasks=200,
        tasks=200,
        failed_tasks=0,
        killed_tasks=0,
        run_time_ms=int(seconds * 4000),
        cpu_time_ms=int(seconds * 3000),
        gc_time_ms=int(seconds * 200),
        input_bytes=number * 300 * MIB,
        output_bytes=0,
        shuffle_read_bytes=int(seconds * MIB),
        shuffle_write_bytes=int(seconds * MIB / 2),
        memory_spilled_bytes=0,
        disk_spilled_bytes=0,
        task_ms_min=30.0,
        task_ms_median=250.0,
        task_ms_p95=900.0,
        task_ms_max=1400.0,
        task_ms_histogram=[0, 0, 0, 0, 0, 4, 21, 56, 80, 30, 8, 1],
        task_time_skew=5.6,
        gc_ratio=0.05,
        failure_rate=0.0,
    )
    for name, value in other.items():
        setattr(made, name, value)
    return made


def attempt(**other: Any) -> ApplicationAttempt:
    """Return an attempt of three stages, one of them skewed and retried, and of three executors."""
    made = ApplicationAttempt(
        source="event-logs",
        app_id="application_1763600000000_0042",
        attempt_id="1",
        app_name="nightly orders",
        user="etl",
        status="COMPLETED",
        start_time=START,
        end_time=after(724),
        observed_start=START,
        observed_end=after(724),
        duration_ms=724_000,
        spark_version="3.5.1",
        master="yarn",
        executor_cores=4,
        executor_memory_mb=8192,
        num_executors=2,
        num_executors_added=3,
        executor_seconds=1800.0,
        total_tasks=812,
        failed_tasks=3,
        killed_tasks=9,
        total_stages=4,
        failed_stages=1,
        skipped_stages=1,
        jobs=2,
        failed_jobs=0,
        cpu_time_ms=2_100_000,
        run_time_ms=2_900_000,
        gc_time_ms=232_000,
        input_bytes=120_000 * MIB,
        output_bytes=900 * MIB,
        shuffle_read_bytes=700 * MIB,
        shuffle_write_bytes=350 * MIB,
        memory_spilled_bytes=9000 * MIB,
        disk_spilled_bytes=1229 * MIB,
        log_address="s3://logs/spark/application_1763600000000_0042_1",
        tags={"team": "orders"},
        environment={"spark.sql.shuffle.partitions": "200", "spark.executor.memory": "8g"},
        data_quality=["submit_time_missing"],
        wasted_executor_seconds=1075.0,
        driver_only_ms=41_000,
        gc_ratio=0.08,
        estimated_cost=1.342,
        cost_currency="USD",
        findings=[
            Finding(
                "spill", "medium", "stage 2: 1.2 GiB spilled to disk.", "Raise spark.executor.memory.", 2, 0
            ),
            Finding(
                "task_skew",
                "high",
                "stage 2: slowest task 41 times the median (184 s against 4.5 s) of 200 tasks.",
                "Enable spark.sql.adaptive.skewJoin.enabled=true, or salt the key.",
                2,
                0,
            ),
        ],
        job_list=[
            Job(0, "SUCCEEDED", after(4), after(330), [0, 1]),
            Job(1, "FAILED", after(331), after(720), [2, 3]),
        ],
        stages=[
            stage(0, 5, 120),
            stage(1, 126, 200.5),
            stage(
                2, 332, 60, status="FAILED", failure_reason="FetchFailed: executor 3 was lost", failed_tasks=3
            ),
            stage(
                2,
                395,
                320,
                stage_attempt_id=1,
                disk_spilled_bytes=1229 * MIB,
                task_time_skew=41.0,
                task_ms_max=184_000.0,
                task_ms_p95=21_000.0,
                task_ms_median=4500.0,
                task_ms_histogram=[0, 0, 0, 0, 0, 4, 21, 56, 80, 30, 8, 1, 0, 0, 0, 0, 0, 2, 1],
            ),
            StageAttempt(3, 0, "save at Orders.scala:31", status="SKIPPED"),
        ],
        executors=[
            Executor("1", "node-a", after(3), None, None, 4, 8192, 819, 721_000, 410, 0, 1_500_000),
            Executor("2", "node-b", after(3), None, None, 4, 8192, 819, 721_000, 380, 2, 1_300_000),
            Executor(
                "3",
                "node-c",
                after(60),
                after(390),
                "Container killed by YARN for exceeding memory limits",
                4,
                8192,
            ),
        ],
    )
    for name, value in other.items():
        setattr(made, name, value)
    return made


def large(stages: int = 3000, executors: int = 400) -> ApplicationAttempt:
    """Return an attempt of very many stages, jobs and executors."""
    chosen = random.Random(4)
    begins = sorted(chosen.uniform(0, 20_000) for _ in range(stages))
    made = [stage(each, begin, chosen.expovariate(1 / 12)) for each, begin in enumerate(begins)]
    jobs = [
        Job(each, chosen.choice(["SUCCEEDED"] * 20 + ["FAILED"]), after(begin), after(begin + 40), [each])
        for each, begin in enumerate(begins[::3])
    ]
    lives = [(chosen.uniform(0, 15_000), chosen.uniform(60, 5000)) for _ in range(executors)]
    return attempt(
        end_time=after(20_300),
        observed_end=after(20_300),
        duration_ms=20_300_000,
        stages=made,
        total_stages=stages,
        job_list=jobs,
        executors=[
            Executor(
                str(each),
                f"node-{each % 40}",
                after(begin),
                after(begin + life),
                "idle",
                4,
                8192,
                lifetime_ms=int(life * 1000),
                run_time_ms=int(life * 900),
            )
            for each, (begin, life) in enumerate(lives, 1)
        ],
    )


def unknown() -> ApplicationAttempt:
    """Return an attempt of which next to nothing is known, as a cloud's inventory has it."""
    return ApplicationAttempt(
        source="emr",
        app_id="s-1ABC",
        status="COMPLETED",
        start_time=START,
        data_quality=["no_event_log"],
        source_coverage=["total_tasks", "input_bytes"],
    )
