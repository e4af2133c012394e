"""The partition rule: a partition against its landing folder, the table against its calendar."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from metaplat.model.errors import InvalidInputError
from metaplat.model.verdict import Outcome
from metaplat.rules.partition_complete import partition_complete
from metaplat_tests.rules.small_domain import (
    BUCKETS,
    DAY,
    HOURLY,
    domain,
    evidence_of,
    frame_of,
    judged,
    landed_object,
    many,
    receipt_of,
    table_of,
)

RULE = partition_complete()
A, B = landed_object("a.json"), landed_object("b.json")


def test_a_partition_whose_landed_objects_were_all_ingested_passes() -> None:
    verdict = judged(RULE, evidence_of(many(2), receipt_of(A, B), [A, B]))
    assert verdict.outcome is Outcome.PASSED
    assert verdict.numbers == {
        "landed_objects": 2,
        "not_ingested": 0,
        "vanished": 0,
        "quarantined": 0,
        "foreign_rows": 0,
    }
    assert verdict.sentence == "2 of 2 objects under jobs/2025/11/20/ ingested."


def test_an_object_that_landed_later_fails_with_the_command_to_run() -> None:
    verdict = judged(RULE, evidence_of(many(2), receipt_of(A), [A, B]))
    assert (verdict.outcome, verdict.numbers["not_ingested"]) == (Outcome.FAILED, 1)
    assert [sample["object"] for sample in verdict.samples] == [B.key]
    assert verdict.sentence.endswith("Run `metaplat materialize jobs --partition 2025-11-20`.")


def test_an_object_that_was_rewritten_counts_as_not_ingested() -> None:
    verdict = judged(RULE, evidence_of(many(1), receipt_of(A), [landed_object("a.json", etag="2")]))
    assert verdict.outcome is Outcome.FAILED
    assert (verdict.numbers["not_ingested"], verdict.numbers["vanished"]) == (1, 1)


def test_a_partition_that_landed_and_was_never_ingested_fails() -> None:
    verdict = judged(RULE, evidence_of(frame_of(), None, [A]))
    assert (verdict.outcome, verdict.numbers["not_ingested"]) == (Outcome.FAILED, 1)


def test_nothing_landed_and_nothing_ingested_is_not_evaluated() -> None:
    assert judged(RULE, evidence_of(frame_of())).outcome is Outcome.NOT_EVALUATED


def test_landing_objects_may_expire() -> None:
    verdict = judged(RULE, evidence_of(many(2), receipt_of(A, B), [A]))
    assert (verdict.outcome, verdict.numbers["vanished"]) == (Outcome.PASSED, 1)


def test_quarantined_records_are_said_and_left_to_their_own_rule() -> None:
    verdict = judged(RULE, evidence_of(many(1), receipt_of(A, quarantined=2), [A]))
    assert verdict.outcome is Outcome.PASSED
    assert "2 records in quarantine" in verdict.sentence


@pytest.mark.parametrize(
    ("moment", "foreign"),
    [
        (DAY, 0),
        (DAY + timedelta(days=1) - timedelta(microseconds=1), 0),
        (DAY + timedelta(days=1), 1),
        (DAY - timedelta(microseconds=1), 1),
        (None, 1),
    ],
)
def test_rows_outside_the_day_are_foreign(moment: datetime | None, foreign: int) -> None:
    verdict = judged(RULE, evidence_of(frame_of({}, {"started": moment}), receipt_of(A), [A]))
    assert verdict.numbers["foreign_rows"] == foreign
    assert (verdict.outcome is Outcome.FAILED) == bool(foreign)


def test_rows_outside_the_hour_are_foreign() -> None:
    frame = frame_of({}, {"started": DAY + timedelta(minutes=59)}, {"started": DAY + timedelta(hours=1)})
    verdict = judged(
        RULE, evidence_of(frame, receipt_of(A), [A], domain=HOURLY, partition="2025-11-20-00:00")
    )
    assert verdict.numbers["foreign_rows"] == 1


def test_rows_of_another_bucket_of_none_and_of_an_impossible_one_are_foreign() -> None:
    frame = frame_of(*({"id_bucket": number} for number in (3, 3, 1, None, 99)), declared=BUCKETS)
    verdict = judged(RULE, evidence_of(frame, receipt_of(A), [A], domain=BUCKETS, partition="3"))
    assert verdict.numbers["foreign_rows"] == 3


def test_a_partitioning_column_of_a_wrong_type_makes_every_row_foreign() -> None:
    frame = many(2).with_columns(started=pl.lit("2025-11-20"))
    assert judged(RULE, evidence_of(frame, receipt_of(A), [A])).numbers["foreign_rows"] == 2


def test_without_the_partitioning_column_it_cannot_be_judged() -> None:
    with pytest.raises(InvalidInputError, match="no column started"):
        judged(RULE, evidence_of(many(1).drop("started"), receipt_of(A), [A]))


def days(first: int, last: int) -> dict[str, int]:
    return {f"2025-11-{day:02}": 5 for day in range(first, last + 1)}


def test_a_table_without_gaps_passes() -> None:
    verdict = RULE.summarize(table_of(days(3, 9)))
    assert (verdict.outcome, verdict.numbers["missing_partitions"]) == (Outcome.PASSED, 0)
    assert verdict.sentence.startswith("None of 7 partitions from 2025-11-03 to 2025-11-09 is missing.")


def test_days_without_rows_between_others_are_missing_newest_first() -> None:
    rows = days(1, 20) | {"2025-11-12": 0}
    del rows["2025-11-04"], rows["2025-11-05"]
    verdict = RULE.summarize(table_of(rows))
    assert (verdict.outcome, verdict.numbers["missing_partitions"]) == (Outcome.FAILED, 3)
    assert [row["partition"] for row in verdict.samples] == ["2025-11-12", "2025-11-05", "2025-11-04"]
    assert "first 2025-11-04, last 2025-11-12" in verdict.sentence
    assert "from 2025-11-01 to 2025-11-20" in verdict.sentence
    assert "`metaplat materialize jobs --missing`" in verdict.sentence


def test_days_before_the_first_and_after_the_last_are_not_missing() -> None:
    rows = {"2025-11-01": 0} | days(3, 4) | {"2025-11-06": 0}
    assert RULE.summarize(table_of(rows)).numbers["missing_partitions"] == 0


def test_the_count_of_missing_days_is_exact_while_the_samples_are_capped() -> None:
    verdict = RULE.summarize(table_of({"2025-01-01": 1, "2025-11-20": 1}))
    assert verdict.numbers["missing_partitions"] == 322
    assert len(verdict.samples) == 20
    assert verdict.samples[0]["partition"] == "2025-11-19"


def test_failing_partitions_fail_the_table_and_are_counted() -> None:
    outcomes = dict.fromkeys(days(3, 9), Outcome.PASSED) | {"2025-11-05": Outcome.FAILED}
    verdict = RULE.summarize(table_of(days(3, 9), outcomes))
    assert verdict.outcome is Outcome.FAILED
    assert (verdict.numbers["failed_partitions"], verdict.numbers["missing_partitions"]) == (1, 0)
    assert list(verdict.samples) == [{"partition": "2025-11-05", "problem": "fails"}]


def test_every_bucket_is_expected() -> None:
    verdict = RULE.summarize(table_of({"1": 5, "2": 0}, declared=BUCKETS))
    assert (verdict.outcome, verdict.numbers["missing_partitions"]) == (Outcome.FAILED, 3)
    assert [row["partition"] for row in verdict.samples] == ["3", "2", "0"]


def test_an_hour_is_missing_between_others() -> None:
    rows = {"2025-11-20-00:00": 1, "2025-11-20-02:00": 1}
    verdict = RULE.summarize(table_of(rows, declared=HOURLY))
    assert [row["partition"] for row in verdict.samples] == ["2025-11-20-01:00"]


def test_a_table_of_which_nothing_is_known_is_not_evaluated() -> None:
    assert RULE.summarize(table_of({})).outcome is Outcome.NOT_EVALUATED
    assert RULE.summarize(table_of({"2025-11-01": 0}, {})).outcome is Outcome.NOT_EVALUATED


def test_a_gap_fails_although_no_partition_was_judged_and_no_gap_does_not_pass() -> None:
    assert RULE.summarize(table_of({"2025-11-01": 1, "2025-11-03": 1}, {})).outcome is Outcome.FAILED
    assert RULE.summarize(table_of(days(1, 3), {})).outcome is Outcome.NOT_EVALUATED


def test_a_failing_partition_counts_although_no_partition_has_rows() -> None:
    verdict = RULE.summarize(table_of({"2025-11-01": 0}, {"2025-11-01": Outcome.FAILED}))
    assert verdict.outcome is Outcome.FAILED
    assert verdict.sentence.startswith("No partition has rows yet.")


def test_a_huge_partition_is_compared_in_one_go() -> None:
    frame = pl.DataFrame({"started": [datetime(2025, 11, 20, 5, tzinfo=UTC)]}).sample(
        200_000, with_replacement=True
    )
    assert judged(RULE, evidence_of(frame, receipt_of(A), [A], domain=domain())).numbers["foreign_rows"] == 0
