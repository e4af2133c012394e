"""Each planted fault is found by its rules and by no other, in the table and in its bucket."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import orjson
import polars as pl
import pytest

from metaplat.model.verdict import MAX_SAMPLES, Outcome
from metaplat_tests.rules.tables.facts_builder import (
    NOW,
    RULES,
    bucket_verdict,
    healthy,
    outcomes,
    without_bucket,
)
from metaplat_tests.rules.tables.planted_faults import FAULTS, Fault

EVERY_FAULT = pytest.mark.parametrize("fault", FAULTS.values(), ids=list(FAULTS))
EVERY_RULE = pytest.mark.parametrize("name", RULES)
IN_ONE_BUCKET = {
    "an unreadable file": ("parquet_file", 2),
    "an empty object beside data": ("parquet_file", 2),
    "a file without the key": ("file_schema", 3),
    "a file with another type": ("file_schema", 3),
    "a bucket is missing on S3": ("s3_partition", 3),
    "buckets that Glue does not list": ("glue_partition", 3),
    "a registration that points elsewhere": ("glue_partition", 6),
    "a bucket whose data are gone, and Glue still lists it": ("glue_partition", 3),
    "NULL keys": ("key_completeness", 1),
    "duplicate keys": ("key_uniqueness", 1),
    "misplaced keys": ("key_placement", 1),
    "a bucket of many times the rows": ("bucket_skew", 7),
    "rows that doubled": ("volume", 5),
    "a tiny file": ("file_size", 0),
}


@pytest.mark.parametrize("buckets", [1, 8, 256])
def test_a_healthy_table_fails_no_rule_and_neither_do_its_buckets(buckets: int) -> None:
    facts = healthy(buckets=buckets, file_size_check=True)
    silent = {"partition_projection"}
    assert {name for name, outcome in outcomes(facts).items() if outcome is not Outcome.PASSED} == silent
    for name, rule in RULES.items():
        if rule.judge is not None:
            found = {bucket_verdict(name, facts, bucket).outcome for bucket in range(buckets)}
            assert found <= {Outcome.PASSED, Outcome.NOT_EVALUATED}, name


@EVERY_FAULT
def test_a_fault_is_found_by_its_rules_and_by_no_other(fault: Fault) -> None:
    planted = fault.plant(healthy())
    failed = {name for name, outcome in outcomes(planted).items() if outcome is Outcome.FAILED}
    assert failed == set(fault.rules)


@EVERY_FAULT
def test_a_fault_fails_no_other_rule_of_any_bucket(fault: Fault) -> None:
    planted = fault.plant(healthy())
    failing = {
        name
        for name, rule in RULES.items()
        for bucket in range(planted.table.bucket_count)
        if rule.judge is not None and bucket_verdict(name, planted, bucket).outcome is Outcome.FAILED
    }
    assert failing <= set(fault.rules)


@pytest.mark.parametrize(("fault", "rule", "bucket"), [(f, *where) for f, where in IN_ONE_BUCKET.items()])
def test_a_fault_in_one_bucket_fails_that_bucket(fault: str, rule: str, bucket: int) -> None:
    planted = FAULTS[fault].plant(healthy())
    assert bucket_verdict(rule, planted, bucket).outcome is Outcome.FAILED
    assert bucket_verdict(rule, healthy(), bucket).outcome is not Outcome.FAILED


def test_every_rule_has_a_planted_fault() -> None:
    assert {rule for fault in FAULTS.values() for rule in fault.rules} == set(RULES)


@EVERY_FAULT
def test_a_verdict_is_plain_capped_and_the_same_in_an_equal_run(fault: Fault) -> None:
    planted = fault.plant(healthy())
    for name in fault.rules:
        verdict = RULES[name].judge_facts(planted)
        assert len(verdict.samples) <= MAX_SAMPLES
        assert all(isinstance(number, int | float) for number in verdict.numbers.values())
        assert orjson.loads(orjson.dumps(verdict.samples)) == list(verdict.samples)
        assert verdict == RULES[name].judge_facts(planted)
        assert "this-run" not in verdict.sentence
        assert NOW.isoformat()[:10] not in verdict.sentence


@EVERY_RULE
def test_numbers_have_the_same_names_whether_a_rule_passes_or_fails(name: str) -> None:
    fault = next(fault for fault in FAULTS.values() if name in fault.rules)
    before, after = (
        RULES[name].judge_facts(healthy(file_size_check=True)),
        RULES[name].judge_facts(fault.plant(healthy())),
    )
    if before.outcome is Outcome.PASSED:
        assert set(before.numbers) == set(after.numbers)


def test_a_table_without_any_file_misses_its_buckets_and_nothing_else_is_said() -> None:
    facts = healthy(buckets=3)
    facts = replace(facts, history=facts.history.clear())
    for bucket in range(3):
        facts = without_bucket(facts, bucket)
    found = outcomes(facts)
    assert [name for name, outcome in found.items() if outcome is Outcome.FAILED] == ["s3_partition"]
    for name in ("parquet_file", "file_schema", "key_completeness", "key_uniqueness", "bucket_skew"):
        assert found[name] is Outcome.NOT_EVALUATED
    assert found["row_count_match"] is Outcome.PASSED  # no rows on both sides


def test_loading_the_rules_imports_no_heavy_library() -> None:
    loaded = "metaplat.rules.tables.all_rules, metaplat.reports.tables.alert_texts"
    program = f"import sys, {loaded}; print(*sys.modules)"
    answer = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    assert {"polars", "numpy", "pandera", "boto3", "dagster"}.isdisjoint(answer.stdout.split())


def test_judging_leaves_the_metrics_frame_as_it_is() -> None:
    facts = healthy()
    before = facts.profile.frame.clone()
    outcomes(facts)
    assert pl.DataFrame.equals(facts.profile.frame, before)
