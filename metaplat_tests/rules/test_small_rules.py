"""Row count, quarantine, freshness and completeness."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from metaplat.model.errors import InvalidInputError
from metaplat.model.field import Field, Personal
from metaplat.model.verdict import Outcome, Severity
from metaplat.rules.completeness import completeness
from metaplat.rules.freshness import freshness
from metaplat.rules.quarantine import quarantine
from metaplat.rules.row_count import row_count
from metaplat_tests.rules.small_domain import (
    BUCKETS,
    NOON_AFTER,
    domain,
    evidence_of,
    frame_of,
    judged,
    landed_object,
    many,
    receipt_of,
    table_of,
)

if TYPE_CHECKING:
    import polars as pl


def test_the_smallest_lawful_count_passes_and_one_less_fails() -> None:
    assert judged(row_count(3), evidence_of(many(3))).outcome is Outcome.PASSED
    verdict = judged(row_count(3), evidence_of(many(2)))
    assert (verdict.outcome, verdict.numbers) == (Outcome.FAILED, {"rows": 2, "minimum": 3})


def test_too_few_rows_say_where_they_may_have_stayed() -> None:
    landed = landed_object()
    rule, empty = row_count(), frame_of()
    assert "No object lies under jobs/2025/11/20/" in judged(rule, evidence_of(empty)).sentence
    assert "1 landed object not ingested yet" in judged(rule, evidence_of(empty, None, [landed])).sentence
    rejected = evidence_of(empty, receipt_of(landed, records=4, quarantined=4), [landed])
    assert "Ingest read 4 records and put 4 in quarantine" in judged(rule, rejected).sentence


def test_quarantined_records_are_a_warning_with_their_reasons() -> None:
    rule = quarantine()
    receipt = receipt_of(records=8, quarantined=2, reasons={"no status": 1, "naive time": 1})
    verdict = judged(rule, evidence_of(many(6), receipt))
    assert (rule.severity, verdict.outcome) == (Severity.WARN, Outcome.FAILED)
    assert verdict.numbers == {"quarantined": 2, "records": 8, "share": 0.25}
    assert list(verdict.samples) == [
        {"reason": "naive time", "records": 1},
        {"reason": "no status", "records": 1},
    ]
    assert "metaplat materialize jobs --partition 2025-11-20" in verdict.sentence


def test_no_quarantined_record_passes_and_no_ingest_is_not_evaluated() -> None:
    assert judged(quarantine(), evidence_of(frame_of(), receipt_of())).outcome is Outcome.PASSED
    assert judged(quarantine(), evidence_of(frame_of())).outcome is Outcome.NOT_EVALUATED


@pytest.mark.parametrize(
    ("age", "outcome"),
    [
        (timedelta(hours=24), Outcome.PASSED),
        (timedelta(hours=24, microseconds=1), Outcome.FAILED),
        (timedelta(minutes=-4), Outcome.PASSED),
        (timedelta(days=30), Outcome.FAILED),
    ],
)
def test_freshness_is_the_age_of_the_newest_row(age: timedelta, outcome: Outcome) -> None:
    rule = freshness(within=timedelta(days=1))
    evidence = table_of({"2025-11-19": 1, "2025-11-20": 1}, newest=NOON_AFTER - age)
    verdict = rule.summarize(evidence)
    assert (rule.summary_name, verdict.outcome) == ("freshness", outcome)
    assert verdict.numbers == {"age_hours": age / timedelta(hours=1), "allowed_hours": 24}
    assert f"{NOON_AFTER - age:%Y-%m-%d %H:%M} UTC" in verdict.sentence


def test_a_table_without_times_has_no_age() -> None:
    rule = freshness(within=timedelta(days=1))
    assert rule.summarize(table_of({})).outcome is Outcome.NOT_EVALUATED
    assert rule.summarize(table_of({"1": 5}, declared=BUCKETS)).outcome is Outcome.NOT_EVALUATED


@pytest.mark.parametrize(
    ("within", "words"),
    [(timedelta(minutes=20), "20 min"), (timedelta(hours=1.5), "1.5 h"), (timedelta(days=45), "45 days")],
)
def test_ages_are_said_in_fitting_units(within: timedelta, words: str) -> None:
    assert freshness(within).doc == f"The newest row is at most {words} old."


def test_a_rule_that_could_never_pass_is_refused() -> None:
    with pytest.raises(ValueError, match="within"):
        freshness(timedelta(0))
    with pytest.raises(ValueError, match="share from 0 to 1"):
        completeness("memory_gb", max_missing=5)


TERMINAL = {"status": ("SUCCESS", "FAILED")}


def runs(present: int, missing: int, running: int = 0) -> pl.DataFrame:
    return frame_of(
        *({"job": f"p{n}"} for n in range(present)),
        *({"job": f"m{n}", "memory_gb": None, "status": "FAILED"} for n in range(missing)),
        *({"job": f"r{n}", "memory_gb": None, "status": "RUNNING"} for n in range(running)),
    )


@pytest.mark.parametrize(
    ("present", "missing", "outcome"),
    [
        (19, 1, Outcome.PASSED),
        (57, 3, Outcome.PASSED),
        (18, 1, Outcome.FAILED),
        (1, 0, Outcome.PASSED),
        (0, 3, Outcome.FAILED),
    ],
)
def test_exactly_the_lawful_share_of_nulls_passes(present: int, missing: int, outcome: Outcome) -> None:
    rule = completeness("memory_gb", max_missing=0.05, where=TERMINAL)
    verdict = judged(rule, evidence_of(runs(present, missing, running=9)))
    assert (rule.name, verdict.outcome) == ("completeness_memory_gb", outcome)
    total = present + missing
    assert verdict.numbers == {"rows": total, "missing": missing, "missing_pct": 100 * missing / total}
    assert [row["job"] for row in verdict.samples] == [f"m{n}" for n in range(missing)]


def test_a_day_without_matching_rows_is_not_evaluated() -> None:
    rule = completeness("memory_gb", where=TERMINAL)
    assert judged(rule, evidence_of(runs(0, 0, running=3))).outcome is Outcome.NOT_EVALUATED
    assert judged(completeness("memory_gb"), evidence_of(frame_of())).outcome is Outcome.NOT_EVALUATED


def test_without_a_condition_all_rows_count() -> None:
    numbers = judged(completeness("memory_gb"), evidence_of(runs(1, 0, running=1))).numbers
    assert (numbers["rows"], numbers["missing"]) == (2, 1)


def test_incomplete_rows_do_not_show_personal_keys() -> None:
    person = Field("person", str, key=True, personal=Personal.HASH, doc="Person.")
    declared = domain(fields=(person, *domain().fields))
    frame = frame_of({"person": "jane", "memory_gb": None}, declared=declared)
    verdict = judged(completeness("memory_gb"), evidence_of(frame, domain=declared))
    assert verdict.samples[0]["person"] == "(personal, not shown)"


def test_a_missing_column_cannot_be_judged() -> None:
    for column in ("memory_gb", "status"):
        with pytest.raises(InvalidInputError, match=f"no column {column}"):
            judged(completeness("memory_gb", where=TERMINAL), evidence_of(runs(1, 1).drop(column)))
