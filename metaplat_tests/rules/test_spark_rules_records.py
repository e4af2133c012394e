"""Rules about single records: ranges, lost events, what must be known of executors."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from metaplat.model.errors import InvalidInputError
from metaplat.model.verdict import MAX_SAMPLES, Outcome, Severity
from metaplat.rules.spark.all_rules import APPLICATION_RULES, EXECUTOR_RULES, STAGE_RULES
from metaplat.rules.spark.event_loss import LOSSES
from metaplat_tests.rules.spark_rule_samples import (
    APPLICATIONS,
    DAY,
    EXECUTORS,
    GOOD,
    STAGES,
    applications,
    judged_rule,
    rows_of,
)

RULES = {rule.name: rule for rule in APPLICATION_RULES}
RANGES, EVENT_LOSS = RULES["ranges"], RULES["event_loss"]
CORES, EXECUTORS_KNOWN = RULES["completeness_executor_cores"], RULES["completeness_num_executors"]


def test_good_and_unknown_values_are_within_their_ranges() -> None:
    unknown = dict.fromkeys((name for name in GOOD if APPLICATIONS.field(name).nullable), None)
    verdict = judged_rule(RANGES, applications({}, unknown))
    assert (verdict.outcome, verdict.sentence) == (Outcome.PASSED, "0 of 2 rows contradict themselves.")
    assert verdict.numbers == {"rows": 2, "invalid_rows": 0, "failure_cases": 0}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"failed_tasks": 101}, "failed_tasks at most total_tasks"),
        ({"killed_tasks": 101}, "killed_tasks at most total_tasks"),
        ({"total_stages": 3, "failed_stages": 4}, "failed_stages at most total_stages"),
        ({"jobs": 0, "failed_jobs": 1}, "failed_jobs at most jobs"),
        ({"end_time": DAY}, "start_time at most end_time"),
        ({"num_executors": 6}, "num_executors at most num_executors_added"),
        ({"num_executors": 0}, "num_executors at least 1 where tasks ran on a cluster"),
        ({"run_time_ms": 10, "cpu_time_ms": 10_000_000}, "cpu_time_ms at most 2 times run_time_ms"),
    ],
)
def test_an_application_that_contradicts_itself_is_told(changes: dict[str, Any], expected: str) -> None:
    verdict = judged_rule(RANGES, applications({}, changes))
    assert (RANGES.severity, verdict.outcome) == (Severity.ERROR, Outcome.FAILED)
    assert verdict.numbers == {"rows": 2, "invalid_rows": 1, "failure_cases": 1}
    (sample,) = verdict.samples
    assert (sample["app_id"], sample["expected"]) == ("application_1_1", expected)
    assert "collect them again" in verdict.sentence


@pytest.mark.parametrize(
    "changes",
    [
        {"master": "local[*]"},
        {"master": "local"},
        {"master": None},
        {"total_tasks": 0, "failed_tasks": 0},
        {"data_quality": ["compacted"]},
    ],
)
def test_no_executor_is_lawful_where_none_is_expected(changes: dict[str, Any]) -> None:
    none = {"num_executors": 0, "num_executors_added": 0, "executor_cores": None} | changes
    assert judged_rule(RANGES, applications(none)).outcome is Outcome.PASSED
    assert judged_rule(CORES, applications(none)).outcome is Outcome.NOT_EVALUATED


def test_a_local_cluster_has_executors() -> None:
    frame = applications({"master": "local-cluster[2,1,1024]", "num_executors": 0})
    assert judged_rule(RANGES, frame).outcome is Outcome.FAILED


def test_samples_of_ranges_are_few_and_numbers_exact() -> None:
    verdict = judged_rule(RANGES, applications(*[{"failed_tasks": 101, "killed_tasks": 102}] * 30))
    assert verdict.numbers == {"rows": 30, "invalid_rows": 30, "failure_cases": 60}
    assert len(verdict.samples) == MAX_SAMPLES
    assert verdict.samples[0]["found"] == "failed_tasks 101, total_tasks 100"


@pytest.mark.parametrize(
    ("changes", "outcome"),
    [
        ({"task_ms_median": 10.0, "task_ms_p95": 20.0, "task_ms_max": 21.0}, Outcome.PASSED),
        ({"task_ms_p95": 20.2, "task_ms_max": 20.0}, Outcome.PASSED),
        ({"task_ms_p95": 30.0, "task_ms_max": 20.0}, Outcome.FAILED),
        ({"task_ms_median": 30.0, "task_ms_p95": 20.0}, Outcome.FAILED),
        ({"tasks": 3, "failed_tasks": 4}, Outcome.FAILED),
        ({"submission_time": DAY, "completion_time": DAY - timedelta(seconds=1)}, Outcome.FAILED),
        ({"input_bytes_median": 9.0, "input_bytes_max": 1.0}, Outcome.FAILED),
    ],
)
def test_stages_have_ranges_of_their_own(changes: dict[str, Any], outcome: Outcome) -> None:
    (rule,) = STAGE_RULES
    stage = {"stage_id": 1, "stage_attempt_id": 0, "app_status": "COMPLETED", "failed_tasks": None} | changes
    assert judged_rule(rule, rows_of(STAGES, stage), domain=STAGES).outcome is outcome


def test_executors_have_ranges_of_their_own() -> None:
    (rule,) = EXECUTOR_RULES
    executor = {"executor_id": "1", "app_status": "COMPLETED", "add_time": DAY, "failed_tasks": 0, "tasks": 0}
    gone = executor | {"remove_time": DAY - timedelta(seconds=1)}
    verdict = judged_rule(rule, rows_of(EXECUTORS, executor, gone), domain=EXECUTORS)
    assert verdict.numbers["invalid_rows"] == 1
    assert verdict.samples[0]["executor_id"] == "1"


@pytest.mark.parametrize("rule", [RANGES, EVENT_LOSS, CORES, EXECUTORS_KNOWN], ids=lambda rule: rule.name)
def test_without_rows_nothing_is_judged(rule: Any) -> None:
    assert judged_rule(rule, applications()).outcome is Outcome.NOT_EVALUATED


@pytest.mark.parametrize("rule", [RANGES, EVENT_LOSS, CORES], ids=lambda rule: rule.name)
def test_a_frame_of_another_declaration_is_refused(rule: Any) -> None:
    with pytest.raises(InvalidInputError, match=f"rule {rule.name}: no column"):
        judged_rule(rule, applications({}).select("app_id"))


@pytest.mark.parametrize("flag", LOSSES)
def test_a_lost_part_is_a_warning_with_what_to_do(flag: str) -> None:
    verdict = judged_rule(EVENT_LOSS, applications({}, {"data_quality": ["incomplete", flag]}))
    assert (EVENT_LOSS.severity, verdict.outcome) == (Severity.WARN, Outcome.FAILED)
    assert (verdict.numbers["rows"], verdict.numbers["lossy_rows"], verdict.numbers[flag]) == (2, 1, 1)
    assert verdict.sentence == f"1 of 2 applications lost a part of what was logged. {LOSSES[flag]}"


def test_the_sample_of_a_lost_part_says_what_was_lost() -> None:
    lossy = {
        "data_quality": ["event_loss", "submit_time_missing", "broken_lines"],
        "dropped_events": 1200,
        "broken_lines": 1,
        "tasks_without_end": 2,
        "jobs_without_end": 0,
    }
    (sample,) = judged_rule(EVENT_LOSS, applications(lossy)).samples
    assert (sample["app_name"], sample["flags"]) == ("nightly", "event_loss, broken_lines")
    assert sample["lost"] == "1,200 dropped events, 1 broken line, 2 tasks without an end"
    (unknown,) = judged_rule(EVENT_LOSS, applications({"data_quality": ["compacted"]})).samples
    assert unknown["lost"] == "not known how much"


def test_what_is_no_loss_passes() -> None:
    frame = applications({}, {"status": "RUNNING", "data_quality": ["incomplete", "silent"]})
    verdict = judged_rule(EVENT_LOSS, frame)
    assert (verdict.outcome, verdict.numbers["lossy_rows"]) == (Outcome.PASSED, 0)


@pytest.mark.parametrize("rule", [CORES, EXECUTORS_KNOWN], ids=lambda rule: rule.name)
def test_what_executors_had_must_be_known_where_the_source_can_tell(rule: Any) -> None:
    column = rule.name.removeprefix("completeness_")
    frame = applications({}, {column: None}, {column: None, "source_coverage": [column]})
    verdict = judged_rule(rule, frame)
    assert verdict.outcome is Outcome.FAILED
    assert verdict.numbers == {"rows": 2, "missing": 1, "missing_pct": 50.0}
    assert [sample["app_id"] for sample in verdict.samples] == ["application_1_1"]
    assert verdict.sentence.startswith(f"1 of 2 applications on a cluster lacks {column}.")
    assert judged_rule(rule, applications({})).outcome is Outcome.PASSED


def test_an_ended_application_has_an_end() -> None:
    rule = RULES["completeness_end_time"]
    frame = applications({}, {"status": "RUNNING", "end_time": None}, {"status": "FAILED", "end_time": None})
    verdict = judged_rule(rule, frame)
    assert (verdict.outcome, verdict.numbers["rows"], verdict.numbers["missing"]) == (Outcome.FAILED, 2, 1)
