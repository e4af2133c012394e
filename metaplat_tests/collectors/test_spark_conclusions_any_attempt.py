"""Whatever a source says, conclusions never fail or contradict themselves, and repeating changes nothing."""

from __future__ import annotations

import copy
import json
import math
import re
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any, get_type_hints

from hypothesis import given, settings
from hypothesis import strategies as st

from metaplat.collectors.spark.attempt import ApplicationAttempt, Executor, Job, StageAttempt
from metaplat.collectors.spark.conclusions import conclude
from metaplat.collectors.spark.conclusions.findings import KINDS, MAX_PER_KIND, SEVERITIES
from metaplat.collectors.spark.conclusions.findings.wording import mebibytes, percent, size, span, times
from metaplat.collectors.spark.conclusions.properties import size_of
from metaplat.settings import SparkSettings
from metaplat_tests.collectors.spark_conclusion_samples import after, executor, stage
from metaplat_tests.collectors.spark_conclusion_samples import attempt as sample

NOW = datetime(2025, 11, 21, tzinfo=UTC)
CONCLUDED = (
    "core_seconds_reserved",
    "core_seconds_used",
    "wasted_executor_seconds",
    "memory_gb_seconds_reserved",
    "driver_only_ms",
    "peak_executor_memory_bytes",
    "spill_ratio",
    "gc_ratio",
    "failure_rate",
    "estimated_cost",
)
OF_A_STAGE = ("task_time_skew", "input_skew", "shuffle_skew", "spill_ratio", "gc_ratio", "failure_rate")
ADAPTIVE = "spark.sql.adaptive.enabled"

amounts = st.one_of(st.integers(0, 10**7), st.integers(0, 2**62), st.integers(-(2**70), 2**70))
figures = st.one_of(st.floats(0, 1e7), st.floats(), st.floats(0, 1e18))
moments = st.integers(-10_000, 10_000).map(lambda seconds: NOW + timedelta(seconds=seconds))
PROPERTIES = {
    ADAPTIVE: ["true", "false", "?"],
    "spark.task.cpus": ["1", "4", "0", "-1", "x"],
    "spark.sql.shuffle.partitions": ["10", "100000", "auto", ""],
    "spark.sql.adaptive.advisoryPartitionSizeInBytes": ["1b", "64MB", "1t", "?"],
    "spark.dynamicAllocation.enabled": ["true", "false"],
    "spark.databricks.clusterUsageTags.clusterAllTags": ["[", '[{"key": "a", "value": null}]'],
    "spark.yarn.tags": ["a", "a=b,c", ",="],
    "spark.my.password": ["hunter2"],
}
environments = st.fixed_dictionaries(
    {}, optional={name: st.sampled_from(values) for name, values in PROPERTIES.items()}
)
CHOSEN: dict[str, st.SearchStrategy[Any]] = {
    "status": st.sampled_from(["RUNNING", "COMPLETED", "FAILED", "KILLED"]),
    "master": st.sampled_from([None, "yarn", "local[2]", "local", "local-cluster[2,1,1024]", "k8s://x", ""]),
    "spark_version": st.sampled_from([None, "", "1.6.0", "2.4.8", "3.1.1", "3.5.0", "4.0.0", "custom"]),
    "executor_id": st.sampled_from(["driver", "1", "2"]),
    "removed_reason": st.sampled_from([None, "Command exited with code 137", "lost", "killed by driver"]),
    "failure_reason": st.sampled_from([None, "FetchFailed", "OutOfMemoryError", "x" * 999, "token=hunter2"]),
    "data_quality": st.lists(st.sampled_from(["compacted", "truncated", "incomplete"]), max_size=2),
    "environment": environments,
    "findings": st.just([]),
    "job_ids": st.just([]),
    "stage_ids": st.just([]),
    "task_ms_histogram": st.none(),
    "tags": st.just({}),
    "source_coverage": st.just([]),
    "stage_id": st.integers(0, 3),
    "stage_attempt_id": st.integers(0, 2),
}
STAGE_STATES = st.sampled_from(["COMPLETE", "FAILED", "ACTIVE", "SKIPPED"])


def made(kind: type, **chosen: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Make instances of a record with any value of its types in every field, more often sensible ones."""
    by_type = {int: amounts, float: figures, datetime: moments, str: st.text(max_size=5)}
    fields: dict[str, st.SearchStrategy[Any]] = {}
    for name, hint in get_type_hints(kind).items():
        optional = type(None) in getattr(hint, "__args__", ())
        plain = next((each for each in getattr(hint, "__args__", (hint,)) if each in by_type), None)
        known = CHOSEN | chosen
        drawn = known[name] if name in known else by_type[plain or str]
        fields[name] = st.one_of(st.none(), drawn) if optional and name not in chosen else drawn
    return st.builds(kind, **fields)


def attempt_with(
    stages: list[StageAttempt], peak_heap_bytes: int | None, **changes: Any
) -> ApplicationAttempt:
    """Make a completed application whose executors all filled so much of their heap."""
    executors = [executor(str(number), peak_heap_bytes=peak_heap_bytes) for number in range(4)]
    return sample(stages=stages, total_stages=len(stages), executors=executors, **changes)


anything = made(
    ApplicationAttempt,
    stages=st.lists(made(StageAttempt, status=STAGE_STATES), max_size=8),
    executors=st.lists(made(Executor), max_size=4),
    job_list=st.lists(made(Job, status=st.sampled_from(["RUNNING", "SUCCEEDED", "FAILED"])), max_size=3),
)
plausible = st.builds(
    attempt_with,
    run_time_ms=st.sampled_from([None, 0, 3_600_000, 100 * 3_600_000]),
    spark_version=CHOSEN["spark_version"],
    master=CHOSEN["master"],
    environment=environments,
    stages=st.lists(
        st.builds(
            stage,
            st.integers(0, 9),
            tasks=st.sampled_from([None, 0, 1, 3, 5000]),
            task_ms_median=st.sampled_from([None, 0.0, 5.0, 2000.0]),
            completion_time=st.sampled_from([None, after(1), after(5), after(120)]),
            shuffle_read_bytes=st.sampled_from([None, 0, 10**9, 10**12]),
            input_bytes=st.sampled_from([None, 0, 10**9]),
            disk_spilled_bytes=st.sampled_from([None, 0, 10**10]),
        ),
        max_size=4,
    ),
    peak_heap_bytes=st.sampled_from([None, 0, 10**8, 10**10]),
)
"""Applications with executors and stages as they are, of which only some figures are unusual."""
attempts = st.one_of(anything, plausible)
thresholds = st.builds(
    SparkSettings,
    price_core_hour=st.one_of(st.none(), st.floats(0, 10)),
    price_gb_hour=st.one_of(st.none(), st.floats(0, 10)),
    spill_medium_mb=st.sampled_from([0.0, 512.0]),
    skew_floor_seconds=st.sampled_from([0.0, 30.0]),
    skew_floor_mb=st.sampled_from([0.0, 128.0]),
    small_task_count=st.sampled_from([1, 1000]),
    waste_floor_hours=st.sampled_from([0.0, 1.0]),
    driver_share=st.sampled_from([0.0, 0.5]),
)


@settings(deadline=None, max_examples=100)
@given(attempt=attempts, chosen=thresholds)
def test_figures_are_unknown_or_finite_and_never_negative(
    attempt: ApplicationAttempt, chosen: SparkSettings
) -> None:
    conclude(attempt, chosen, NOW)
    values = [getattr(attempt, name) for name in CONCLUDED]
    values += [getattr(stage, name) for stage in attempt.stages for name in OF_A_STAGE]
    assert all(value is None or (math.isfinite(value) and value >= 0) for value in values)
    assert attempt.failure_rate is None or attempt.failure_rate <= 1
    assert (attempt.estimated_cost is None) == (attempt.cost_currency is None)


@settings(deadline=None, max_examples=100)
@given(attempt=attempts, chosen=thresholds)
def test_findings_are_few_sorted_free_of_secrets_and_true_to_what_is_set(
    attempt: ApplicationAttempt, chosen: SparkSettings
) -> None:
    adaptive = attempt.environment.get(ADAPTIVE) == "true"
    dynamic = attempt.environment.get("spark.dynamicAllocation.enabled") == "true"
    conclude(attempt, chosen, NOW)
    found = attempt.findings
    assert max(Counter(finding.kind for finding in found).values(), default=0) <= MAX_PER_KIND
    assert {finding.kind for finding in found} <= set(KINDS)
    severities = [SEVERITIES.index(finding.severity) for finding in found]
    assert severities == sorted(severities)
    advice = " ".join(finding.advice for finding in found)
    assert not (adaptive and f"{ADAPTIVE}=true" in advice)
    assert not (dynamic and "spark.dynamicAllocation.enabled=true" in advice)
    for finding in found:
        assert finding.advice.endswith(".")
        assert not re.search(r"\b(?:nan|inf|None)\b", finding.evidence + finding.advice)
    shown = [attempt.tags, attempt.environment, *(finding.evidence for finding in found)]
    assert "hunter2" not in json.dumps(shown)


@settings(deadline=None, max_examples=60)
@given(attempt=attempts, chosen=thresholds)
def test_concluding_again_changes_nothing(attempt: ApplicationAttempt, chosen: SparkSettings) -> None:
    conclude(attempt, chosen, NOW)
    once = repr(attempt.record())
    again = copy.deepcopy(attempt)
    conclude(again, chosen, NOW)
    assert repr(again.record()) == once


@given(st.floats(0, 1e19))
def test_numbers_are_worded_whatever_their_size(value: float) -> None:
    for words in (size(value), span(value), times(value), percent(value)):
        number, _, unit = words.partition(" ")
        assert float(number.replace(",", "")) >= 0
        assert unit
    assert (size_of(mebibytes(value)) or 0) >= 2**20


def test_sizes_are_worded_in_the_unit_that_fits() -> None:
    assert [size(value) for value in (0, 1023, 1024, 2**20 - 1, 1.5 * 2**30, 2**63)] == [
        "0 B",
        "1023 B",
        "1.0 KiB",
        "1.0 MiB",
        "1.5 GiB",
        "8.0 EiB",
    ]
    assert [span(value) for value in (0, 999, 1000, 82_100, 600_000, 7_200_000)] == [
        "0 ms",
        "999 ms",
        "1.0 s",
        "82.1 s",
        "10.0 min",
        "2.0 h",
    ]
    assert [times(value) for value in (1.0, 2.5, 41.04, 12_000)] == [
        "1 times",
        "2.5 times",
        "41 times",
        "12,000 times",
    ]


def test_sizes_are_read_as_spark_writes_them() -> None:
    read = [size_of(text) for text in ("6G", "512m", "64MB", "10", "1tb", "", "many", "1.5g", "-1")]
    assert read == [6 * 2**30, 512 * 2**20, 64 * 2**20, 10, 2**40, None, None, None, None]
    assert size_of("512", unit="m") == 512 * 2**20
