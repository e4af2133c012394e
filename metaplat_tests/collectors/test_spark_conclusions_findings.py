"""Findings about stages: what is told, with which numbers, and advice that fits what is set."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from metaplat_tests.collectors.spark_conclusion_samples import (
    GIB,
    MIB,
    after,
    attempt,
    concluded,
    executor,
    findings,
    local_attempt,
    stage,
)

if TYPE_CHECKING:
    from metaplat.collectors.spark.attempt import ApplicationAttempt

SKEWED: dict[str, Any] = {
    "task_ms_median": 2000.0,
    "task_ms_max": 82_100.0,
    "shuffle_read_bytes": 20 * GIB,
    "shuffle_read_bytes_median": 30.0 * MIB,
    "shuffle_read_bytes_max": 900.0 * MIB,
}
ADAPTIVE = "spark.sql.adaptive.enabled"
SKEW_JOIN = "spark.sql.adaptive.skewJoin.enabled"
THRESHOLD = "spark.sql.adaptive.skewJoin.skewedPartitionThresholdInBytes"


def with_stage(
    environment: dict[str, str] | None = None, version: str | None = "3.5.1", **of_stage: Any
) -> ApplicationAttempt:
    return attempt(stages=[stage(4, **of_stage)], environment=environment or {}, spark_version=version)


def test_an_application_with_nothing_wrong_has_no_findings() -> None:
    assert findings(attempt()) == {}
    assert findings(local_attempt()) == {}


def test_a_skewed_stage_is_told_with_its_cause() -> None:
    finding = findings(with_stage(**SKEWED))["task_skew"]
    assert (finding.severity, finding.stage_id, finding.stage_attempt_id) == ("high", 4, 0)
    assert finding.evidence == (
        "Stage 4, count at job.py:12: the slowest task took 82.1 s, 41 times the median of 2.0 s "
        "over 200 tasks; its largest shuffle read is 30 times the median."
    )


@pytest.mark.parametrize(
    ("changes", "settings"),
    [
        ({"task_ms_max": 9999.0}, {"skew_floor_seconds": 10.0}),
        ({"task_ms_max": 9999.0}, {}),
        ({}, {"skew_medium": 50.0, "skew_high": 60.0}),
        ({"task_ms_median": None}, {}),
        ({"tasks": 1}, {}),
    ],
)
def test_short_even_and_unknown_task_times_are_no_skew(
    changes: dict[str, Any], settings: dict[str, Any]
) -> None:
    assert "task_skew" not in findings(with_stage(**(SKEWED | changes)), **settings)


def test_the_severity_of_skew_follows_the_settings() -> None:
    found = findings(with_stage(**SKEWED), skew_medium=41.0, skew_high=42.0)
    assert found["task_skew"].severity == "medium"


@pytest.mark.parametrize(
    ("environment", "version", "advice"),
    [
        ({ADAPTIVE: "false"}, "3.5.1", f"Set {ADAPTIVE}=true (it is off)"),
        ({}, "3.1.2", f"Set {ADAPTIVE}=true (it is off)"),
        (
            {ADAPTIVE: "false", SKEW_JOIN: "false"},
            "3.5.1",
            f"Set {ADAPTIVE}=true and {SKEW_JOIN}=true (they are off)",
        ),
        ({SKEW_JOIN: "false"}, "3.5.1", f"Set {SKEW_JOIN}=true (it is off)"),
        ({}, None, f"From Spark 3.0 on, set {ADAPTIVE}=true"),
        ({}, "2.4.8", "Salt the key or aggregate in two steps"),
        ({THRESHOLD: "1g"}, "3.5.1", f"Lower {THRESHOLD} to 450m (now 1024m, above the largest read)"),
        ({}, "3.5.1", "Salt the key or aggregate in two steps: adaptive execution is on"),
        ({"spark.databricks.clusterUsageTags.clusterId": "1"}, None, "Salt the key"),
        (
            {"spark.sql.adaptive.skewJoin.skewedPartitionFactor": "40"},
            "4.0.0",
            "Lower spark.sql.adaptive.skewJoin.skewedPartitionFactor to 2 (now 40)",
        ),
    ],
)
def test_advice_against_shuffle_skew_fits_what_is_set(
    environment: dict[str, str], version: str | None, advice: str
) -> None:
    assert findings(with_stage(environment, version, **SKEWED))["task_skew"].advice.startswith(advice)


def test_skew_of_the_input_and_of_neither_have_other_advice() -> None:
    times: dict[str, Any] = {"task_ms_median": 2000.0, "task_ms_max": 82_100.0}
    inputs: dict[str, Any] = {"input_bytes_median": 10.0 * MIB, "input_bytes_max": 900.0 * MIB}
    found = findings(with_stage(**times, **inputs))["task_skew"]
    assert "spark.sql.files.maxPartitionBytes (now 128m), so its file cannot be split" in found.advice
    assert "spark.speculation=true" in findings(with_stage(**times))["task_skew"].advice
    on = findings(with_stage({"spark.speculation": "true"}, **times))["task_skew"]
    assert "spark.speculation is on and did not help" in on.advice
    local = findings(local_attempt(stages=[stage(**times)]))["task_skew"]
    assert "speculation" not in local.advice


def test_uneven_sizes_alone_are_told_a_grade_lower_and_only_once() -> None:
    even: dict[str, Any] = {"task_ms_median": 2000.0, "task_ms_max": 2100.0}
    found = findings(with_stage(**(SKEWED | even)))
    assert set(found) == {"shuffle_skew"}
    assert found["shuffle_skew"].severity == "medium"
    assert (
        "the largest shuffle read of a task is 900.0 MiB, 30 times the median of 30.0 MiB"
        in found["shuffle_skew"].evidence
    )
    inputs: dict[str, Any] = {"input_bytes_median": 30.0 * MIB, "input_bytes_max": 200.0 * MIB}
    assert findings(with_stage(**inputs))["input_skew"].severity == "medium"
    assert findings(with_stage(**inputs), skew_floor_mb=201.0) == {}


def test_spill_is_told_from_the_threshold_on() -> None:
    medium = findings(
        with_stage(
            disk_spilled_bytes=512 * MIB, memory_spilled_bytes=2 * GIB, input_bytes=GIB, shuffle_read_bytes=0
        )
    )
    assert medium["spill"].severity == "medium"
    assert (
        "512.0 MiB spilled to disk (2.0 GiB in memory) by 200 tasks, 0.5 times what it read."
        in medium["spill"].evidence
    )
    assert findings(with_stage(disk_spilled_bytes=10 * GIB))["spill"].severity == "high"
    assert findings(with_stage(disk_spilled_bytes=512 * MIB - 1)) == {}
    assert findings(with_stage(disk_spilled_bytes=1), spill_medium_mb=0)["spill"].severity == "medium"
    assert findings(with_stage(disk_spilled_bytes=0), spill_medium_mb=0, spill_high_mb=0) == {}


@pytest.mark.parametrize(
    ("environment", "changes", "advice"),
    [
        (
            {ADAPTIVE: "false"},
            {"shuffle_read_bytes": GIB},
            "Raise spark.sql.shuffle.partitions to 400 (now 200); or raise spark.executor.memory (now 4096m)",
        ),
        (
            {"spark.sql.shuffle.partitions": "2000"},
            {"shuffle_read_bytes": 200 * 80 * MIB},
            "Lower spark.sql.adaptive.advisoryPartitionSizeInBytes to 40m (now 64m)",
        ),
        (
            {"spark.sql.shuffle.partitions": "2000", ADAPTIVE: "false"},
            {"shuffle_read_bytes": GIB},
            "Repartition to 400 partitions (the stage has 200)",
        ),
        ({}, {"input_bytes": 200 * 128 * MIB}, "Lower spark.sql.files.maxPartitionBytes to 64m (now 128m)"),
        ({}, {"input_bytes": 100}, "Repartition before what spills"),
    ],
)
def test_advice_against_spill_fits_where_the_stage_reads(
    environment: dict[str, str], changes: dict[str, Any], advice: str
) -> None:
    made = with_stage(environment, disk_spilled_bytes=GIB, **changes)
    assert findings(made)["spill"].advice.startswith(advice)


def test_what_tasks_held_says_into_how_many_they_should_be_cut() -> None:
    made = with_stage(
        {ADAPTIVE: "false"},
        disk_spilled_bytes=GIB,
        memory_spilled_bytes=200 * 2 * GIB,
        shuffle_read_bytes=GIB,
    )
    assert "spark.sql.shuffle.partitions to 1000 (now 200)" in findings(made)["spill"].advice


def test_garbage_collection_is_told_with_a_floor() -> None:
    made = with_stage(run_time_ms=600_000, gc_time_ms=180_000)
    finding = findings(made)["gc"]
    assert finding.severity == "high"
    assert (
        "30 % of the run time of its tasks was garbage collection (3.0 min of 10.0 min)" in finding.evidence
    )
    assert "spark.executor.memory (now 4096m), or lower spark.executor.cores to 2 (now 4)" in finding.advice
    assert findings(with_stage(run_time_ms=59_000, gc_time_ms=58_000)) == {}
    assert findings(with_stage(run_time_ms=600_000, gc_time_ms=59_000)) == {}
    local = findings(local_attempt(stages=[stage(run_time_ms=600_000, gc_time_ms=70_000)]))
    assert local["gc"].advice.startswith("Raise spark.driver.memory (now 2048m), and unpersist")


def test_many_small_tasks_are_told_with_what_merges_them() -> None:
    small: dict[str, Any] = {"tasks": 1000, "task_ms_median": 12.0, "shuffle_read_bytes": 640 * MIB}
    first = "spark.sql.adaptive.coalescePartitions.parallelismFirst"
    assert findings(with_stage(**small))["small_tasks"].advice.startswith(f"Set {first}=false (it is on)")
    assert findings(with_stage(**(small | {"tasks": 10_000})))["small_tasks"].severity == "medium"
    raised = findings(with_stage({first: "false"}, **small))["small_tasks"].advice
    assert raised.startswith(
        "Raise spark.sql.adaptive.advisoryPartitionSizeInBytes (now 64m); or use coalesce(10)"
    )
    off = findings(with_stage({ADAPTIVE: "false"}, **small))["small_tasks"].advice
    assert off == (
        f"Set {ADAPTIVE}=true (it is off), which merges small partitions; "
        "or lower spark.sql.shuffle.partitions to 10 (now 200)."
    )
    coalesce = "spark.sql.adaptive.coalescePartitions.enabled"
    assert f"Set {coalesce}=true" in findings(with_stage({coalesce: "false"}, **small))["small_tasks"].advice
    old = findings(with_stage({}, "2.4.0", **small))["small_tasks"].advice
    assert old == "Lower spark.sql.shuffle.partitions to 10 (now 200)."
    files = findings(with_stage(**(small | {"shuffle_read_bytes": 0, "input_bytes": GIB})))["small_tasks"]
    assert files.advice.startswith("Merge small input files")
    nothing = findings(with_stage(**(small | {"shuffle_read_bytes": 0})))["small_tasks"]
    assert nothing.advice.startswith("Make fewer partitions where the data is made")


@pytest.mark.parametrize("changes", [{"tasks": 999}, {"task_ms_median": 100.0}, {"task_ms_median": None}])
def test_few_or_longer_tasks_are_not_small_ones(changes: dict[str, Any]) -> None:
    assert "small_tasks" not in findings(with_stage(**({"tasks": 1000, "task_ms_median": 12.0} | changes)))


def test_a_long_stage_with_few_tasks_leaves_cores_idle() -> None:
    found = findings(with_stage(tasks=1))["few_tasks"]
    assert found.severity == "medium"
    assert "1 task ran for 2.0 h, with room for 16 at once." in found.evidence
    assert "coalesce(1)" in found.advice
    read = findings(with_stage(tasks=4, input_bytes=6 * GIB))["few_tasks"].advice
    assert read.startswith("Use repartition(32) after reading")
    smaller = findings(with_stage(tasks=4, input_bytes=GIB))["few_tasks"].advice
    assert smaller.startswith("Lower spark.sql.files.maxPartitionBytes to 32m (now 128m)")
    shuffled = findings(with_stage(tasks=4, shuffle_read_bytes=GIB))["few_tasks"].advice
    assert shuffled.startswith("Lower spark.sql.adaptive.advisoryPartitionSizeInBytes to 32m")
    fixed = {ADAPTIVE: "false", "spark.sql.shuffle.partitions": "4"}
    raised = findings(with_stage(fixed, tasks=4, shuffle_read_bytes=GIB))["few_tasks"].advice
    assert raised.startswith("Raise spark.sql.shuffle.partitions to 32 (now 4)")


def test_a_stage_is_not_blamed_for_cores_that_others_used_or_that_were_not_there() -> None:
    beside = attempt(stages=[stage(0, tasks=1), stage(1, tasks=100)], total_stages=2)
    assert findings(beside) == {}
    late = [executor(str(number), add_time=after(number * 20)) for number in range(4)]
    assert findings(attempt(stages=[stage(tasks=3)], executors=late)) == {}
    short = stage(tasks=1, completion_time=after(0.9), duration_ms=54_000)
    assert "few_tasks" not in findings(attempt(stages=[short]))
    follows = [
        stage(0, tasks=100, completion_time=after(60), duration_ms=3_600_000),
        stage(1, tasks=2, submission_time=after(61), duration_ms=3_540_000),
    ]
    assert findings(attempt(stages=follows, total_stages=2))["few_tasks"].stage_id == 1


def test_only_the_weightiest_of_a_kind_are_shown_and_the_last_says_how_many_more() -> None:
    stages = [stage(number, disk_spilled_bytes=(number + 1) * GIB) for number in range(9)]
    found = concluded(attempt(stages=stages, total_stages=9)).findings
    assert [finding.stage_id for finding in found] == [8, 7, 6, 5, 4]
    assert found[-1].evidence.endswith("4 more like this are not shown.")
    assert [finding.severity for finding in found] == ["medium"] * 5


def test_findings_are_sorted_worst_first_whatever_the_order_of_the_stages() -> None:
    stages = [
        stage(0, disk_spilled_bytes=GIB),
        stage(1, disk_spilled_bytes=100 * GIB),
        stage(2, **(SKEWED | {"disk_spilled_bytes": GIB})),
        stage(3, 1, tasks=2000, task_ms_median=1.0),
    ]
    one = concluded(attempt(stages=stages, total_stages=4)).findings
    other = concluded(attempt(stages=stages[::-1], total_stages=4)).findings
    assert one == other
    assert [(finding.severity, finding.kind) for finding in one] == [
        ("high", "spill"),
        ("high", "task_skew"),
        ("medium", "spill"),
        ("medium", "spill"),
        ("low", "small_tasks"),
    ]
    assert one[-1].evidence.startswith("Stage 3 (attempt 1), count at job.py:12: ")
