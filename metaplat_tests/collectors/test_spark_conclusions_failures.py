"""Findings about the application: failures, lost executors, waste, the driver alone, unused memory."""

from __future__ import annotations

from typing import Any

import pytest

from metaplat.collectors.spark.attempt import Job
from metaplat_tests.collectors.spark_conclusion_samples import (
    END,
    GIB,
    MIB,
    after,
    attempt,
    executor,
    findings,
    local_attempt,
    stage,
)

YARN_KILL = (
    "Container killed by YARN for exceeding memory limits. 5.5 GB of 4.5 GB physical memory used. "
    "Consider boosting spark.yarn.executor.memoryOverhead."
)
FETCH = "org.apache.spark.shuffle.MetadataFetchFailedException: Missing an output location for shuffle 0"
DYNAMIC = "spark.dynamicAllocation.enabled"
WASTEFUL: dict[str, Any] = {"run_time_ms": 2 * 3_600_000}


def lost(reason: str, count: int = 1, **changes: Any) -> dict[str, Any]:
    """Executors of which the first ones were removed after an hour."""
    gone = [executor(f"g{number}", removed_reason=reason, remove_time=after(60)) for number in range(count)]
    return {"executors": [*gone, *(executor(str(number)) for number in range(4 - count))]} | changes


def test_failed_jobs_are_one_finding() -> None:
    jobs = [Job(0, "SUCCEEDED"), *(Job(number, "FAILED") for number in range(1, 13)), Job(13)]
    finding = findings(attempt(job_list=jobs, jobs=14, failed_jobs=12))["failed_jobs"]
    assert finding.severity == "high"
    assert finding.evidence == "12 of 14 jobs failed: 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 and 2 more."
    assert findings(attempt(jobs=3, failed_jobs=1))["failed_jobs"].evidence == "1 of 3 jobs failed."
    assert findings(attempt(job_list=[Job(0, "SUCCEEDED"), Job(1)], jobs=2, failed_jobs=0)) == {}


def test_a_stage_that_never_succeeded_is_told_once_with_its_last_reason() -> None:
    stages = [
        stage(4, 0, status="FAILED", failure_reason=FETCH),
        stage(
            4, 1, status="FAILED", failure_reason="Job aborted due to stage failure:\n ValueError: bad row"
        ),
    ]
    finding = findings(attempt(stages=stages, total_stages=2))["failed_stage"]
    assert (finding.severity, finding.stage_attempt_id) == ("high", 1)
    assert finding.evidence.endswith("failed 2 times: Job aborted due to stage failure: ValueError: bad row")
    assert "a new run helps only where its cause is gone" in finding.advice


def test_a_stage_that_succeeded_after_all_was_retried() -> None:
    stages = [stage(4, 0, status="FAILED", failure_reason=FETCH, failed_tasks=9), stage(4, 1)]
    found = findings(attempt(stages=stages, total_stages=2))
    assert set(found) == {"retried_stage"}
    assert found["retried_stage"].severity == "medium"
    assert "spark.shuffle.service.enabled=true (it is off)" in found["retried_stage"].advice
    on = {"spark.shuffle.service.enabled": "true"}
    advice = findings(attempt(stages=stages, total_stages=2, environment=on))["retried_stage"].advice
    assert "spark.network.timeout" in advice


def test_failed_tasks_are_told_by_their_share() -> None:
    found = findings(attempt(stages=[stage(failed_tasks=20)]))["failed_tasks"]
    assert (found.severity, "20 of 200 tasks failed (10 %)" in found.evidence) == ("high", True)
    assert findings(attempt(stages=[stage(failed_tasks=2)]))["failed_tasks"].severity == "medium"
    assert findings(attempt(stages=[stage(failed_tasks=1)])) == {}


@pytest.mark.parametrize(
    ("reason", "severity", "advice"),
    [
        (YARN_KILL, "high", "Raise spark.executor.memoryOverhead to 820m (now 410m)"),
        ("Command exited with code 137", "high", "Raise spark.executor.memoryOverhead"),
        (
            "java.lang.OutOfMemoryError: Java heap space",
            "high",
            "Raise spark.executor.memory to 8192m (now 4096m)",
        ),
        ("Executor heartbeat timed out after 123456 ms", "medium", "Look for long garbage collection"),
        ("Container marked as failed: preempted", "low", "Set spark.decommission.enabled=true"),
        ("Remote RPC client disassociated.", "medium", "Look at the end of the log"),
    ],
)
def test_an_executor_lost_is_told_with_what_helps(reason: str, severity: str, advice: str) -> None:
    finding = findings(attempt(**lost(reason)))["lost_executors"]
    assert finding.severity == severity
    assert finding.evidence.startswith("1 of 4 executors was lost: 1 ")
    assert finding.advice.startswith(advice)


def test_losing_most_executors_is_severe_whatever_the_cause() -> None:
    found = findings(attempt(**lost("worker lost", 3)))["lost_executors"]
    assert (found.severity, found.evidence[:31]) == ("high", "3 of 4 executors were lost: 3 w")


@pytest.mark.parametrize(
    "reason",
    [
        "Executor killed by driver.",
        "Executor 3 idle for 60 s",
        "Executor decommission finished: worker decommissioned",
        "Command exited with code 0",
        "",
        None,
    ],
)
def test_executors_given_back_are_not_lost(reason: str) -> None:
    assert findings(attempt(**lost(reason))) == {}


def test_executors_removed_at_the_end_are_not_lost() -> None:
    ended = [executor(str(number), removed_reason="worker lost", remove_time=END) for number in range(4)]
    assert findings(attempt(executors=ended)) == {}


def test_advice_for_lost_executors_fits_the_version_and_what_is_set() -> None:
    old = findings(attempt(**lost(YARN_KILL, spark_version="2.2.1")))["lost_executors"].advice
    assert old.startswith("Raise spark.yarn.executor.memoryOverhead")
    older = findings(attempt(**lost("spot reclaim", spark_version="3.0.1")))["lost_executors"].advice
    assert older.startswith("Use machines that stay")
    on = {"spark.decommission.enabled": "true", "spark.storage.decommission.shuffleBlocks.enabled": "true"}
    set_already = findings(attempt(**lost("spot reclaim", environment=on)))["lost_executors"].advice
    assert set_already.startswith("Blocks already move")


def test_idle_executors_are_told_with_how_many_would_do() -> None:
    found = findings(attempt(**WASTEFUL))["wasted_executors"]
    assert found.severity == "high"
    assert "idle for 94 % of the core time reserved: 30.0 h of 32.0 h of core time" in found.evidence
    assert (
        found.advice == f"Set {DYNAMIC}=true, or lower spark.executor.instances to 1 (at most 4 were alive)."
    )
    half = findings(attempt(run_time_ms=14 * 3_600_000))["wasted_executors"]
    assert half.severity == "medium"
    assert "spark.executor.instances to 3" in half.advice


@pytest.mark.parametrize(
    ("environment", "version", "advice"),
    [
        ({}, "3.3.0", f"Set {DYNAMIC}=true with spark.dynamicAllocation.shuffleTracking.enabled=true"),
        ({}, "2.4.0", f"Set {DYNAMIC}=true with spark.shuffle.service.enabled=true"),
        ({"spark.shuffle.service.enabled": "true"}, "2.4.0", f"Set {DYNAMIC}=true, or"),
        ({DYNAMIC: "true"}, "3.5.0", "Lower spark.dynamicAllocation.executorIdleTimeout (now 60s)"),
        (
            {DYNAMIC: "true", "spark.dynamicAllocation.minExecutors": "4"},
            "3.5.0",
            "Lower spark.dynamicAllocation.minExecutors (now 4)",
        ),
        ({"spark.databricks.io.cache.enabled": "true"}, None, "Lower the workers of the cluster"),
    ],
)
def test_advice_against_waste_fits_how_executors_are_asked_for(
    environment: dict[str, str], version: str | None, advice: str
) -> None:
    made = attempt(**WASTEFUL, environment=environment, spark_version=version)
    assert findings(made)["wasted_executors"].advice.startswith(advice)


def test_little_waste_unknown_waste_and_a_local_driver_are_not_told() -> None:
    assert findings(attempt(**WASTEFUL), waste_floor_hours=31.0) == {}
    assert findings(attempt(**WASTEFUL, data_quality=["compacted"])) == {}
    assert findings(attempt(run_time_ms=None)) == {}
    assert findings(local_attempt(run_time_ms=0)) == {}


def test_a_driver_alone_for_long_is_told() -> None:
    found = findings(attempt(stages=[stage(completion_time=after(12))]))["driver_only"]
    assert (found.severity, found.stage_id) == ("medium", None)
    assert found.evidence == "No stage was active for 108.0 min of 2.0 h (90 %)."
    assert f"{DYNAMIC}=true gives executors back" in found.advice
    half = findings(attempt(stages=[stage(completion_time=after(60))], environment={DYNAMIC: "true"}))
    assert half["driver_only"].severity == "low"
    assert DYNAMIC not in half["driver_only"].advice
    assert findings(attempt(stages=[stage(completion_time=after(61))])) == {}


def test_a_short_or_running_application_may_have_its_driver_alone() -> None:
    short: dict[str, Any] = {"end_time": after(0.9), "stages": [], "total_stages": 0}
    assert findings(attempt(**short)) == {}
    assert "driver_only" not in findings(attempt(status="RUNNING", end_time=None, stages=[], total_stages=0))


def test_heap_that_was_never_filled_is_told_with_what_would_do() -> None:
    peaks = [executor(str(number), peak_heap_bytes=700 * MIB) for number in range(4)]
    found = findings(attempt(executors=peaks))["memory_overprovisioned"]
    assert found.severity == "low"
    assert found.evidence == "No executor ever filled more than 700.0 MiB of its heap of 4.0 GiB (17 %)."
    assert found.advice.startswith("Lower spark.executor.memory to 1024m (now 4096m)")


@pytest.mark.parametrize(
    "changes",
    [
        {"disk_spilled_bytes": 1},
        {"gc_time_ms": 28 * 360_000},
        {"status": "RUNNING", "end_time": None},
        {"executor_memory_mb": 1024},
        {"executor_memory_mb": None},
        {"stages": [stage(status="FAILED", failure_reason="java.lang.OutOfMemoryError")]},
    ],
)
def test_heap_that_may_be_needed_is_not_called_unused(changes: dict[str, Any]) -> None:
    peaks = [executor(str(number), peak_heap_bytes=700 * MIB) for number in range(4)]
    assert "memory_overprovisioned" not in findings(attempt(**({"executors": peaks} | changes)))


def test_heap_is_not_called_unused_where_a_peak_is_large_or_not_logged() -> None:
    for peak in (None, 0, 2 * GIB):
        some = [executor("0", peak_heap_bytes=peak), executor("1", peak_heap_bytes=MIB)]
        assert findings(attempt(executors=some, num_executors_added=2, run_time_ms=14 * 3_600_000)) == {}
    idle = [executor("0", peak_heap_bytes=None, tasks=0), executor("1", peak_heap_bytes=MIB)]
    assert set(findings(attempt(executors=idle, num_executors_added=2, run_time_ms=14 * 3_600_000))) == {
        "memory_overprovisioned"
    }
