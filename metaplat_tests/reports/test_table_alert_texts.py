"""Alert texts of the table monitor: to the letter, and the same from a stored verdict."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metaplat.model.table import MonitoredTable, SourceTable
from metaplat.model.verdict import Outcome, Severity, Verdict
from metaplat.reports.tables.alert_texts import TEXTS, alert_texts
from metaplat.reports.verdict_log import VerdictLog
from metaplat.stores.local_objects import LocalObjects
from metaplat_tests.rules.tables.facts_builder import NOW, RULES, healthy, verdict_of
from metaplat_tests.rules.tables.planted_faults import FAULTS, Fault

if TYPE_CHECKING:
    from pathlib import Path

TABLE = MonitoredTable(
    "part_x", "s3://lake/db/part_x", "customer_user_id", database="db", source=SourceTable("ext_x", "db")
)


def failed(numbers: dict[str, int | float] | None = None, *samples: dict[str, object]) -> Verdict:
    return Verdict.judged(passed=False, sentence="It fails.", numbers=numbers or {}, samples=samples)


@pytest.mark.parametrize("fault", FAULTS.values(), ids=list(FAULTS))
def test_a_planted_fault_makes_exactly_these_texts(fault: Fault) -> None:
    facts = fault.plant(healthy())
    assert [
        text
        for name, rule in RULES.items()
        for text in alert_texts(facts.table, name, rule.judge_facts(facts))
    ] == list(fault.texts)


@pytest.mark.parametrize("fault", FAULTS.values(), ids=list(FAULTS))
def test_a_stored_verdict_makes_the_same_texts_as_a_fresh_one(fault: Fault, tmp_path: Path) -> None:
    facts = fault.plant(healthy())
    verdicts = {name: (verdict_of(name, facts), Severity.WARN) for name in RULES}
    log = VerdictLog(LocalObjects(tmp_path))
    log.record("part_x", None, verdicts, now=NOW, run_id=None)
    stored = {record.rule: record for record in log.load("part_x")}
    texts = [text for name in RULES for text in alert_texts(facts.table, name, stored[name])]
    assert texts == list(fault.texts)


def test_every_rule_has_a_text_of_its_own() -> None:
    assert set(TEXTS) == set(RULES)


def test_the_texts_of_the_classic_monitor_are_kept_to_the_letter() -> None:
    missing: list[dict[str, object]] = [
        {"id_bucket": bucket, "problem": "missing"} for bucket in (3, 7, 9, 11, 200, 201)
    ]
    issues: dict[str, int | float] = {"missing_in_glue": 6, "dangling": 0, "wrong_location": 0}
    counts: dict[str, int | float] = {
        "rows": 99,
        "source_rows": 100,
        "difference_pct": 1.0,
        "source_found": 1,
    }
    said = {
        "s3_partition": failed({"present": 254, "expected": 256}),
        "glue_partition": failed(issues, *missing),
        "repair": failed({}, {"mode": "msck", "reason": "time-out"}),
        "table_format": failed({"issues": 1}),
        "table_contract": failed({"issues": 2}, {"problem": "a"}, {"problem": "b"}),
        "data_freshness": failed({}, {"snapshot": "2025-01-01", "problem": "too old"}),
        "row_count_match": failed(counts),
        "key_completeness": failed({"null_rows": 5}),
        "key_uniqueness": failed({"duplicate_rows": 10}),
    }
    assert [text for rule, verdict in said.items() for text in alert_texts(TABLE, rule, verdict)] == [
        "part_x: S3 has 254/256 id_bucket partitions",
        "part_x: Glue missing 6 partitions (e.g., [3, 7, 9, 11, 200])",
        "part_x: MSCK failed (time-out)",
        "part_x: schema mismatch (EXTERNAL/Parquet/Serde)",
        "part_x: schema contract issues: a; b",
        "part_x: processed snapshot too old/missing (snap=2025-01-01)",
        "[COUNT_MISMATCH] part_x: db.part_x=99 vs db.ext_x=100 (Δ=1.000000%)",
        "[PK_NULL] part_x: customer_user_id NULL rows=5",
        "[PK_DUPES] part_x: customer_user_id duplicate rows=10",
    ]


def test_a_failed_repair_names_its_own_mode() -> None:
    modes = {mode: failed({}, {"mode": mode, "reason": "no"}) for mode in ("glue", "athena", "msck")}
    assert [alert_texts(TABLE, "repair", verdict) for verdict in modes.values()] == [
        ["part_x: Glue failed (no)"],
        ["part_x: Athena failed (no)"],
        ["part_x: MSCK failed (no)"],
    ]


def test_a_difference_that_rounds_to_nothing_is_told_in_rows() -> None:
    numbers: dict[str, int | float] = {
        "source_found": 1,
        "rows": 10**9 + 1,
        "source_rows": 10**9,
        "row_difference": 1,
        "difference_pct": 1e-7,
    }
    assert alert_texts(TABLE, "row_count_match", failed(numbers)) == [
        "[COUNT_MISMATCH] part_x: db.part_x=1000000001 vs db.ext_x=1000000000 (Δ=0.000000%, rows=1)"
    ]


def test_a_table_outside_glue_is_named_without_a_database() -> None:
    table = replace(TABLE, database=None, source=SourceTable("ext_x"))
    counts: dict[str, int | float] = {"source_found": 1, "rows": 1, "source_rows": 2, "difference_pct": 50.0}
    assert alert_texts(table, "row_count_match", failed(counts)) == [
        "[COUNT_MISMATCH] part_x: part_x=1 vs ext_x=2 (Δ=50.000000%)"
    ]
    assert alert_texts(table, "row_count_match", failed({"source_found": 0})) == [
        "source table not found ext_x; count match skipped"
    ]


@pytest.mark.parametrize("outcome", [Outcome.PASSED, Outcome.NOT_EVALUATED])
def test_only_failures_are_alerts(outcome: Outcome) -> None:
    assert all(alert_texts(TABLE, rule, Verdict(outcome, "Fine.")) == [] for rule in RULES)


def test_a_rule_or_a_verdict_that_is_not_known_is_told_by_its_sentence() -> None:
    assert alert_texts(TABLE, "tomorrows_rule", failed()) == ["part_x: tomorrows_rule: It fails."]
    assert alert_texts(TABLE, "key_completeness", failed()) == ["part_x: key_completeness: It fails."]


@given(st.text(max_size=30), st.text(max_size=30))
def test_a_text_is_one_line_whatever_the_names(name: str, key: str) -> None:
    table = replace(TABLE, name=name, key_column=key)
    for rule in ("key_completeness", "s3_partition", "tomorrows_rule"):
        verdict = failed({"null_rows": 1, "present": 1, "expected": 2})
        (text,) = alert_texts(table, rule, verdict)
        assert not any(character < " " or character == "\x7f" for character in text)
