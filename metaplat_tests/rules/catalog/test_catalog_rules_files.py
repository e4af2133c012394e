"""Rules about single files: gone, unreadable, cut, oddly timed or graded, there twice, incomplete."""

from __future__ import annotations

from typing import Any

import pytest

from metaplat.model.errors import InvalidInputError
from metaplat.model.verdict import MAX_SAMPLES, Outcome, Severity
from metaplat.rules.catalog.duplicates_by_content import duplicates_by_content
from metaplat.rules.catalog.file_states import rejected_files, vanished_files
from metaplat.rules.catalog.flagged_files import doubtful_times, quality_in_range, truncated_files
from metaplat.rules.catalog.observation_time import observation_time
from metaplat.rules.completeness import completeness
from metaplat_tests.rules.catalog.catalog_evidence import (
    NOON_AFTER,
    OBSERVATIONS,
    UNKNOWN,
    files,
    judged,
    table_of,
)

GONE = {"file_state": "vanished"}
UNREADABLE = {
    "file_state": "rejected",
    "extraction_status": "failed",
    "extraction_reason": "empty: the file has no bytes",
    "observation_timestamp": None,
    "mission_id": None,
    "attempts": 1,
    "next_attempt": NOON_AFTER,
}
QUARANTINED = UNREADABLE | {"extraction_status": "quarantined", "extraction_reason": "html: an HTML page"}


def test_vanished_files_are_a_warning_that_names_them() -> None:
    rule = vanished_files()
    verdict = judged(rule, files({}, GONE, GONE | {"processing_status": "archived"}))
    assert (rule.severity, verdict.outcome) == (Severity.WARN, Outcome.FAILED)
    assert verdict.numbers == {"files": 3, "vanished": 1, "put_away": 1}
    assert [sample["file_path"] for sample in verdict.samples] == ["/archive/0001.fits"]
    assert verdict.sentence.startswith("1 of 3 files has vanished; none expected.")


def test_a_file_that_was_put_away_may_be_gone() -> None:
    verdict = judged(vanished_files(), files(GONE | {"processing_status": "archived"}))
    assert verdict.outcome is Outcome.PASSED
    assert verdict.sentence == "0 of 1 file have vanished; none expected."


def test_counts_are_exact_where_samples_are_capped() -> None:
    verdict = judged(vanished_files(), files(*[GONE] * 1030))
    assert verdict.numbers["vanished"] == 1030
    assert len(verdict.samples) == MAX_SAMPLES
    assert verdict.sentence.startswith("1,030 of 1,030 files have vanished")


def test_rejected_files_are_told_by_reason_the_most_frequent_first() -> None:
    odd = UNREADABLE | {"extraction_reason": None}
    verdict = judged(rejected_files(), files({}, UNREADABLE, QUARANTINED, UNREADABLE, odd), partition=UNKNOWN)
    assert (verdict.outcome, verdict.numbers) == (
        Outcome.FAILED,
        {"files": 5, "rejected": 4, "quarantined": 1},
    )
    assert "4 of 5 files cannot be read (empty 2, html 1, unknown 1); none expected." in verdict.sentence
    assert verdict.samples[0]["extraction_reason"] == "empty: the file has no bytes"


def test_more_than_three_reasons_are_told_as_others() -> None:
    rows = [UNREADABLE | {"extraction_reason": f"code{number}: text"} for number in range(5)]
    assert "(code0 1, code1 1, code2 1, others)" in judged(rejected_files(), files(*rows)).sentence


def test_a_partition_of_readable_files_that_are_there_passes() -> None:
    rules = (vanished_files(), rejected_files(), truncated_files(), doubtful_times(), quality_in_range())
    for rule in rules:
        assert judged(rule, files({}, {})).outcome is Outcome.PASSED
        assert judged(rule, files()).outcome is Outcome.NOT_EVALUATED


@pytest.mark.parametrize("how", [{"extraction_status": "incomplete"}, {"flags": "non_ascii,truncated"}])
def test_a_truncated_file_is_a_warning(how: dict[str, Any]) -> None:
    rule = truncated_files()
    verdict = judged(rule, files({}, how | {"extraction_reason": "ends 2 bytes early"}))
    assert (rule.severity, verdict.outcome) == (Severity.WARN, Outcome.FAILED)
    assert verdict.numbers == {"files": 2, "odd_files": 1, "truncated": 1, "odd_pct": 50}
    assert verdict.samples[0]["extraction_reason"] == "ends 2 bytes early"
    assert "none expected" in verdict.sentence


def test_flags_are_compared_as_whole_codes() -> None:
    assert judged(truncated_files(), files({"flags": "not_truncated,truncated_2"})).outcome is Outcome.PASSED


@pytest.mark.parametrize(("good", "outcome"), [(19, Outcome.PASSED), (18, Outcome.FAILED)])
def test_exactly_the_lawful_share_of_doubtful_times_passes(good: int, outcome: Outcome) -> None:
    doubtful = {"flags": "date_ambiguous,end_before_begin"}
    verdict = judged(doubtful_times(max_share=0.05), files(doubtful, *[{}] * good))
    assert verdict.outcome is outcome
    told = verdict.numbers
    assert (told["odd_files"], told["date_ambiguous"], told["end_before_begin"], told["date_mdy"]) == (
        1,
        1,
        1,
        0,
    )


@pytest.mark.parametrize(
    ("stated", "number"),
    [
        ({"flags": "quality_out_of_range"}, "out_of_range"),
        ({"flags": "quality_unreadable"}, "unreadable"),
        ({"data_quality_score": 1.5}, "out_of_range"),
        ({"data_quality_score": float("nan")}, "out_of_range"),
        ({"header_completeness": -0.1}, "out_of_range"),
    ],
)
def test_a_quality_beyond_its_range_is_told(stated: dict[str, Any], number: str) -> None:
    verdict = judged(
        quality_in_range(), files({"data_quality_score": 0.0}, {"data_quality_score": 1.0}, stated)
    )
    assert verdict.outcome is Outcome.FAILED
    assert (verdict.numbers["odd_files"], verdict.numbers[number]) == (1, 1)


def test_only_files_that_are_there_are_looked_at() -> None:
    flagged = {"flags": "truncated,quality_unreadable,date_ambiguous", "content_digest": "same"}
    frame = files({}, flagged | GONE, flagged | GONE)
    for rule in (truncated_files(), doubtful_times(), quality_in_range(), duplicates_by_content()):
        assert judged(rule, frame).outcome is Outcome.PASSED
    frame = files(flagged | GONE)
    for rule in (truncated_files(), doubtful_times(), quality_in_range(), duplicates_by_content()):
        assert judged(rule, frame).outcome is Outcome.NOT_EVALUATED


def test_files_with_the_same_content_are_told_by_the_bytes_they_waste() -> None:
    small, large = {"content_digest": "a", "file_size": 10}, {"content_digest": "b", "file_size": 1000}
    verdict = judged(duplicates_by_content(), files(small, small, small, large, {}, large))
    assert verdict.outcome is Outcome.FAILED
    assert verdict.numbers == {"files": 6, "duplicated": 2, "duplicates": 3, "duplicate_bytes": 1020}
    assert verdict.samples[0] == {
        "content_digest": "b",
        "files": 2,
        "file_size": 1000,
        "first": "/archive/0003.fits",
        "second": "/archive/0005.fits",
    }
    assert "3 of 6 files repeat another one" in verdict.sentence


def test_files_without_a_digest_are_no_duplicates() -> None:
    unknown = {"content_digest": None}
    assert judged(duplicates_by_content(), files({}, unknown, unknown)).outcome is Outcome.PASSED
    assert judged(duplicates_by_content(), files(unknown, unknown)).outcome is Outcome.NOT_EVALUATED


@pytest.mark.parametrize(("timed", "outcome"), [(19, Outcome.PASSED), (18, Outcome.FAILED)])
def test_files_without_a_time_are_judged_against_all_files(timed: int, outcome: Outcome) -> None:
    rule = observation_time(0.05)
    evidence = table_of(OBSERVATIONS, {}, rows={UNKNOWN: 1, "2026-03-19": timed - 4, "2026-03-20": 4})
    verdict = rule.summarize(evidence)
    assert (rule.summary_name, verdict.outcome) == ("completeness_observation_timestamp", outcome)
    assert verdict.numbers == {"files": timed + 1, "missing": 1, "missing_pct": 100 / (timed + 1)}
    assert f"1 of {timed + 1} files ({100 / (timed + 1):.3g} %) has no usable time" in verdict.sentence


def test_a_catalog_whose_files_all_have_a_time_passes_and_an_empty_one_is_not_judged() -> None:
    rule = observation_time()
    assert rule.summarize(table_of(OBSERVATIONS, {}, rows={"2026-03-20": 4})).outcome is Outcome.PASSED
    assert rule.summarize(table_of(OBSERVATIONS, {})).outcome is Outcome.NOT_EVALUATED
    assert rule.summarize(table_of(OBSERVATIONS, {}, rows={UNKNOWN: 0})).outcome is Outcome.NOT_EVALUATED


def test_a_required_field_is_asked_of_files_that_are_there_and_advice_fits_a_catalog() -> None:
    rule = completeness("mission_id", 0.1, {"file_state": ("present",)}, shown=("file_path",))
    lacking = {"mission_id": None}
    verdict = judged(rule, files({}, lacking, UNREADABLE, GONE | lacking))
    assert (verdict.numbers["rows"], verdict.numbers["missing"]) == (2, 1)
    assert verdict.samples[0]["file_path"] == "/archive/0001.fits"
    assert "catalog.mappings" in verdict.sentence
    assert "land" not in verdict.sentence


@pytest.mark.parametrize(
    "rule",
    [truncated_files(), doubtful_times(), quality_in_range(), duplicates_by_content(), vanished_files()],
)
def test_a_partition_written_without_a_column_cannot_be_judged(rule: Any) -> None:
    with pytest.raises(InvalidInputError, match=f"rule {rule.name}: no column file_state"):
        judged(rule, files({}).drop("file_state"))


@pytest.mark.parametrize("make", [truncated_files, doubtful_times, quality_in_range, observation_time])
def test_a_share_beyond_one_is_refused(make: Any) -> None:
    with pytest.raises(ValueError, match="share from 0 to 1"):
        make(5)
