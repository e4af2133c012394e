"""The primary-key rule: in the lake, and among what landed."""

from __future__ import annotations

from collections import Counter

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from metaplat.model.errors import InvalidInputError
from metaplat.model.field import Field, Personal
from metaplat.model.verdict import Outcome
from metaplat.rules.primary_key import judge_primary_key, primary_key
from metaplat_tests.rules.small_domain import DAY, domain, evidence_of, frame_of, judged, many, receipt_of

RULE = primary_key()


def test_a_key_that_occurs_three_times_counts_as_two_duplicate_rows() -> None:
    verdict = judge_primary_key(pl.DataFrame({"job": ["a", "a", "a", "b", None]}), ["job"])
    assert verdict.numbers == {"null_keys": 1, "duplicate_rows": 2, "conflicts": 0, "repeated": 0}
    assert verdict.sentence == "3 of 5 rows break the key (job)."
    assert list(verdict.samples) == [
        {"job": None, "problem": "null in the key"},
        {"job": "a", "problem": "occurs more than once"},
    ]


def test_an_empty_partition_passes_and_so_do_different_keys() -> None:
    assert judged(RULE, evidence_of(frame_of())).outcome is Outcome.PASSED
    assert judged(RULE, evidence_of(many(3))).outcome is Outcome.PASSED


def test_a_key_of_nulls_only_fails_as_null_and_not_as_duplicate() -> None:
    frame = pl.DataFrame({"job": [None, None]}, schema={"job": pl.String})
    numbers = judge_primary_key(frame, ["job"]).numbers
    assert (numbers["null_keys"], numbers["duplicate_rows"]) == (2, 0)


def test_identical_deliveries_are_counted_and_do_not_fail() -> None:
    verdict = judged(RULE, evidence_of(many(1), receipt_of(repeated=4)))
    assert (verdict.outcome, verdict.numbers["repeated"]) == (Outcome.PASSED, 4)


def test_a_conflict_that_ingest_resolved_fails_and_shows_both_objects() -> None:
    conflict = {"job": "a", "started": DAY, "kept_object": "jobs/2.json", "dropped_object": "jobs/1.json"}
    verdict = judged(RULE, evidence_of(many(1), receipt_of(conflicts=1, conflict_samples=[conflict])))
    assert (verdict.outcome, verdict.numbers["conflicts"]) == (Outcome.FAILED, 1)
    assert verdict.samples[0] == {**conflict, "problem": "landed with other content"}
    assert "`metaplat materialize jobs --partition 2025-11-20`" in verdict.sentence


def test_personal_keys_are_not_shown() -> None:
    fields = (
        Field("person", str, key=True, personal=Personal.HASH, doc="Person."),
        Field("started", domain().field("started").dtype, doc="Start."),
    )
    declared = domain(fields=fields)
    frame = frame_of({"person": "jane"}, {"person": "jane"}, declared=declared)
    receipt = receipt_of(conflicts=1, conflict_samples=[{"person": "jane"}])
    verdict = judged(RULE, evidence_of(frame, receipt, domain=declared))
    assert [sample["person"] for sample in verdict.samples] == ["(personal, not shown)"] * 2


def test_a_missing_key_column_cannot_be_judged() -> None:
    with pytest.raises(InvalidInputError, match="rule primary_key: no column job among"):
        judged(RULE, evidence_of(many(1).drop("job")))


PART = st.none() | st.sampled_from("ab")


@settings(deadline=None)
@given(st.lists(st.tuples(PART, PART), max_size=12))
def test_the_numbers_agree_with_counting_by_hand(rows: list[tuple[str | None, str | None]]) -> None:
    frame = pl.DataFrame(rows, schema={"x": pl.String, "y": pl.String}, orient="row")
    whole = Counter(row for row in rows if None not in row)
    verdict = judge_primary_key(frame, ["x", "y"])
    assert verdict.numbers["null_keys"] == len(rows) - whole.total()
    assert verdict.numbers["duplicate_rows"] == whole.total() - len(whole)
    assert (verdict.outcome is Outcome.PASSED) == (len(whole) == len(rows))
    assert {(row["x"], row["y"]) for row in verdict.samples} == {
        row for row in rows if None in row or whole[row] > 1
    }
