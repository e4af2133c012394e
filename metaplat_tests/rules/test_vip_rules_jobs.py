"""Rules about the history of jobs: missing hours, incomplete jobs, lateness, the calendar."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from metaplat.model.errors import InvalidInputError
from metaplat.model.verdict import Outcome, Severity, Verdict
from metaplat.rules.vip.calendar_complete import calendar_complete
from metaplat.rules.vip.closed_hours import shown_hours
from metaplat.rules.vip.incomplete_jobs import incomplete_jobs
from metaplat.rules.vip.lateness import lateness
from metaplat.rules.vip.missing_hours import missing_hours
from metaplat_tests.rules.vip_evidence import (
    DAY,
    HOUR,
    JOBS,
    PARTITION,
    PROD,
    TEST,
    judged,
    rows_of,
    summary,
)

if TYPE_CHECKING:
    from metaplat.model.rule import Rule

MISSING: dict[str, Any] = {"status": "missing", "completeness": 0.0, "lag_min": None, "n_files_delivered": 0}
EXCUSED = MISSING | {"excused": True, "excuse": "bucket moved"}


def jobs(rule: Rule, *rows: dict[str, Any], **facts: Any) -> Verdict:
    return judged(rule, JOBS, rows, **facts)


def test_a_missing_hour_is_an_error_that_says_it_is_lost_for_good() -> None:
    verdict = jobs(missing_hours(), {}, MISSING, MISSING, {}, MISSING)
    assert (missing_hours().severity, verdict.outcome) == (Severity.ERROR, Outcome.FAILED)
    assert verdict.numbers == {"expected": 5, "delivered": 2, "missing": 3, "excused": 0, "ratio": 0.4}
    assert [sample["hour_utc"] for sample in verdict.samples] == [DAY + hour * HOUR for hour in (1, 2, 4)]
    assert verdict.sentence.startswith(
        "3 of 5 closed hours are missing: 2026-03-20 01:00 to 02:00 and 04:00 UTC; none expected. The vendor "
        "exports the present only, so they can no longer be pulled"
    )
    assert "`metaplat materialize historical_job_metrics --partition 2026-03-20`" in verdict.sentence
    assert "[[vip.excused]]" in verdict.sentence


def test_a_day_without_a_missing_hour_passes_whatever_else_is_wrong() -> None:
    verdict = jobs(missing_hours(), {}, {"status": "failed"}, {"status": "incomplete"}, {"status": "late"})
    assert (verdict.outcome, verdict.numbers["ratio"]) == (Outcome.PASSED, 1.0)
    assert verdict.sentence == "4 closed hours, none of them missing."


def test_an_excused_hour_is_neither_expected_nor_missing() -> None:
    verdict = jobs(missing_hours(), {}, EXCUSED, {})
    assert verdict.outcome is Outcome.PASSED
    assert verdict.numbers == {"expected": 2, "delivered": 2, "missing": 0, "excused": 1, "ratio": 1.0}


@pytest.mark.parametrize("rule", [missing_hours(), incomplete_jobs(), lateness()], ids=lambda rule: rule.name)
def test_a_day_that_is_excused_as_a_whole_is_not_evaluated(rule: Rule) -> None:
    verdict = jobs(rule, EXCUSED, EXCUSED)
    assert (verdict.outcome, verdict.numbers["excused"]) == (Outcome.NOT_EVALUATED, 2)
    assert verdict.sentence == "No hour to judge: 2 hours are excused."


@pytest.mark.parametrize(
    "rule", [missing_hours(), incomplete_jobs(), lateness(), calendar_complete()], ids=lambda rule: rule.name
)
def test_a_day_without_rows_is_not_evaluated(rule: Rule) -> None:
    assert jobs(rule).outcome is Outcome.NOT_EVALUATED


def test_the_hour_that_still_runs_is_not_missing_yet() -> None:
    verdict = jobs(missing_hours(), {}, MISSING, now=DAY + timedelta(hours=1, minutes=40))
    assert (verdict.outcome, verdict.numbers["expected"]) == (Outcome.PASSED, 1)


def test_hours_of_two_configurations_are_counted_apart() -> None:
    both = [{}, MISSING, {"config_name": TEST, "hour_utc": DAY}, MISSING | {"config_name": TEST}]
    verdict = jobs(missing_hours(), *both)
    assert (verdict.numbers["expected"], verdict.numbers["missing"]) == (4, 2)
    assert [(sample["config_name"], sample["hour_utc"]) for sample in verdict.samples] == [
        (PROD, DAY + HOUR),
        (TEST, DAY + 3 * HOUR),
    ]


def test_a_history_without_the_column_of_states_cannot_be_judged() -> None:
    frame = rows_of(JOBS, [{}]).drop("status")
    with pytest.raises(InvalidInputError, match="rule missing_hours: no column status"):
        judged(missing_hours(), JOBS, frame)


def test_failed_and_incomplete_jobs_are_an_error() -> None:
    short = {"status": "incomplete", "n_files_delivered": 8, "missing_tables": ["Voyages"]}
    verdict = jobs(incomplete_jobs(), {}, short, {"status": "failed"}, MISSING, {"status": "late"})
    assert (incomplete_jobs().severity, verdict.outcome) == (Severity.ERROR, Outcome.FAILED)
    assert verdict.numbers == {
        "jobs": 4,
        "complete": 2,
        "incomplete": 1,
        "failed": 1,
        "excused": 0,
        "ratio": 0.5,
    }
    assert verdict.samples[0]["n_files_delivered"] == 8
    assert verdict.samples[0]["missing_tables"] == "['Voyages']"
    assert verdict.sentence.startswith(
        "2 of 4 extracts are not complete, 1 of them failed: 2026-03-20 01:00 to 02:00 UTC; none expected."
    )


def test_complete_jobs_pass_and_missing_hours_are_none_of_them() -> None:
    assert jobs(incomplete_jobs(), {}, MISSING).numbers["jobs"] == 1
    assert jobs(incomplete_jobs(), {}, MISSING).outcome is Outcome.PASSED
    assert jobs(incomplete_jobs(), MISSING).sentence == "No closed hour has an extract."


def test_an_incomplete_job_of_an_excused_hour_passes() -> None:
    verdict = jobs(incomplete_jobs(), {}, {"status": "incomplete", "excused": True})
    assert (verdict.outcome, verdict.numbers["jobs"], verdict.numbers["excused"]) == (Outcome.PASSED, 1, 1)


def test_a_late_job_is_a_warning_with_its_lag() -> None:
    verdict = jobs(lateness(), {"lag_min": 20.0}, {"status": "late", "lag_min": 95.0}, {"lag_min": None})
    assert (lateness().severity, verdict.outcome) == (Severity.WARN, Outcome.FAILED)
    assert verdict.numbers == {
        "jobs": 3,
        "late": 1,
        "excused": 0,
        "lag_min_median": 57.5,
        "lag_min_max": 95.0,
    }
    assert verdict.samples[0]["lag_min"] == 95.0
    assert verdict.sentence.startswith("1 of 3 complete extracts came late: 2026-03-20 01:00 UTC;")


def test_jobs_in_time_pass_and_lags_that_nobody_knows_are_no_numbers() -> None:
    verdict = jobs(lateness(), {"lag_min": None}, {"status": "incomplete", "lag_min": 500.0})
    assert verdict.outcome is Outcome.PASSED
    assert verdict.numbers == {"jobs": 1, "late": 0, "excused": 0}


def hours(*numbers: int, config: str = PROD) -> list[dict[str, Any]]:
    return [{"hour_utc": DAY + number * HOUR, "config_name": config} for number in numbers]


YESTERDAY = rows_of(JOBS, hours(-2, -1))
LATER = {PARTITION: 24, "2026-03-21": 10}


def test_a_hole_in_the_calendar_is_an_error() -> None:
    verdict = judged(calendar_complete(), JOBS, hours(8, 9, 12))
    assert (calendar_complete().severity, verdict.outcome) == (Severity.ERROR, Outcome.FAILED)
    assert verdict.numbers == {"configurations": 1, "expected": 5, "rows": 3, "absent": 2}
    assert [sample["hour_utc"] for sample in verdict.samples] == [DAY + 10 * HOUR, DAY + 11 * HOUR]
    assert "2 of 5 hours of the calendar lack a row: 2026-03-20 10:00 to 11:00 UTC" in verdict.sentence


def test_the_first_day_begins_with_its_first_row_and_the_newest_ends_with_its_last() -> None:
    verdict = judged(calendar_complete(), JOBS, hours(8, 9, 10))
    assert (verdict.outcome, verdict.numbers["expected"]) == (Outcome.PASSED, 3)


def test_a_day_after_a_known_one_begins_at_midnight() -> None:
    verdict = judged(calendar_complete(), JOBS, hours(2, 3), history=YESTERDAY)
    assert (verdict.numbers["expected"], verdict.numbers["absent"]) == (4, 2)


def test_a_day_before_a_known_one_ends_at_midnight() -> None:
    verdict = judged(calendar_complete(), JOBS, hours(*range(20)), history=YESTERDAY, row_history=LATER)
    assert (verdict.numbers["expected"], verdict.numbers["absent"]) == (24, 4)


def test_a_configuration_has_a_calendar_of_its_own() -> None:
    both = [*hours(*range(24)), *hours(5, 7, config=TEST)]
    verdict = judged(calendar_complete(), JOBS, both, history=YESTERDAY, row_history=LATER)
    assert verdict.numbers == {"configurations": 2, "expected": 27, "rows": 26, "absent": 1}
    assert verdict.samples == ({"config_name": TEST, "hour_utc": DAY + 6 * HOUR},)


def test_a_missing_or_excused_hour_with_a_row_is_no_hole() -> None:
    rows = [row | state for row, state in zip(hours(0, 1, 2), ({}, MISSING, EXCUSED), strict=True)]
    assert judged(calendar_complete(), JOBS, rows).outcome is Outcome.PASSED


def test_without_earlier_rows_the_calendar_is_not_evaluated() -> None:
    verdict = judged(calendar_complete(), JOBS, hours(1), history=None)
    assert verdict.outcome is Outcome.NOT_EVALUATED


def test_a_missing_hour_of_long_ago_does_not_keep_the_table_red() -> None:
    old = dict.fromkeys([f"2026-03-{day:02}" for day in range(1, 18)], Outcome.FAILED)
    newest = dict.fromkeys(["2026-03-18", "2026-03-19", "2026-03-20"], Outcome.PASSED)
    verdict = summary(missing_hours(), JOBS, old | newest)
    assert verdict.outcome is Outcome.PASSED
    assert (verdict.numbers["judged_partitions"], verdict.numbers["failed_before"]) == (3, 17)
    lost = summary(missing_hours(), JOBS, old | newest | {"2026-03-18": Outcome.FAILED})
    assert (lost.outcome, lost.samples) == (Outcome.FAILED, ({"partition": "2026-03-18"},))


def test_days_that_could_not_be_judged_do_not_push_a_failure_out_of_sight_nor_old_ones_in() -> None:
    outcomes = {"2026-03-10": Outcome.FAILED, "2026-03-19": Outcome.PASSED, PARTITION: Outcome.NOT_EVALUATED}
    assert summary(missing_hours(), JOBS, outcomes).outcome is Outcome.PASSED
    assert summary(missing_hours(), JOBS, {"2026-03-10": Outcome.FAILED}).outcome is Outcome.FAILED
    assert summary(missing_hours(), JOBS, {PARTITION: Outcome.NOT_EVALUATED}).outcome is Outcome.NOT_EVALUATED
    assert summary(missing_hours(), JOBS, {}).outcome is Outcome.NOT_EVALUATED


def test_hours_are_named_in_stretches_with_their_day_once() -> None:
    several = [DAY + number * HOUR for number in (-1, 0, 1, 5)]
    assert shown_hours(several) == "2026-03-19 23:00 to 2026-03-20 01:00 and 05:00 UTC"
    assert shown_hours(several[:1]) == "2026-03-19 23:00 UTC"
    many = [DAY + number * HOUR for number in range(0, 24, 2)]
    assert shown_hours(many).endswith("08:00, 10:00 and 6 more UTC")
