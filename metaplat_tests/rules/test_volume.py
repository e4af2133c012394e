"""The volume rule: warming up, seasons, outages, and days that are not over."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from metaplat.model.verdict import Outcome, Severity, Verdict
from metaplat.rules.volume import usual_band, volume
from metaplat_tests.rules.small_domain import (
    BUCKETS,
    DAY,
    HOURLY,
    NOON_AFTER,
    evidence_of,
    frame_of,
    judged,
    many,
    receipt_of,
)

RULE = volume()


def history(*counts: int) -> dict[str, int]:
    """Rows of the days up to 19 November 2025, oldest first."""
    first = DAY - timedelta(days=len(counts))
    return {f"{first + timedelta(days=place):%Y-%m-%d}": count for place, count in enumerate(counts)}


def judged_day(rows: int, before: dict[str, int], now: datetime | None = None) -> Verdict:
    frame = pl.select(job=pl.int_range(rows).cast(pl.String))
    known = before | {"2025-11-20": rows}
    return judged(RULE, evidence_of(frame, receipt_of(), row_history=known, now=now or NOON_AFTER))


def test_it_says_how_long_it_still_warms_up() -> None:
    verdict = judged_day(5, history(*[100] * 13))
    assert verdict.outcome is Outcome.NOT_EVALUATED
    assert verdict.sentence == "Warming up: 13 of 14 days."
    assert judged_day(100, history(*[100] * 14)).outcome is Outcome.PASSED


def test_days_that_were_never_ingested_are_unknown_and_not_zero() -> None:
    before = history(*[100] * 28)
    sparse = {key: rows for place, (key, rows) in enumerate(before.items()) if place % 2}
    verdict = judged_day(100, sparse)
    assert (verdict.outcome, verdict.numbers["median"]) == (Outcome.PASSED, 100)


def test_days_that_were_ingested_empty_count_as_zero() -> None:
    assert judged_day(0, history(*[0] * 28)).numbers["median"] == 0
    assert judged_day(100, history(*[0] * 28)).outcome is Outcome.FAILED


def test_older_and_later_days_do_not_count() -> None:
    old = history(*[5] * 200, *[100] * 28)
    later = {f"2025-11-{day}": 5 for day in range(21, 31)}
    verdict = judged_day(100, old | later)
    assert (verdict.outcome, verdict.numbers["median"]) == (Outcome.PASSED, 100)


def test_one_row_more_or_less_than_ever_is_no_alarm() -> None:
    for usual in (0, 1, 3, 20, 1000, 100_000):
        for rows in (max(usual - 1, 0), usual, usual + 1):
            assert judged_day(rows, history(*[usual] * 28)).outcome is Outcome.PASSED


@pytest.mark.parametrize(("rows", "sign"), [(40, -1), (0, -1), (200, 1), (1_000_000, 1)])
def test_far_fewer_and_far_more_rows_are_a_warning(rows: int, sign: int) -> None:
    verdict = judged_day(rows, history(*[98, 100, 103, 101, 99, 100, 102] * 4))
    assert (RULE.severity, verdict.outcome) == (Severity.WARN, Outcome.FAILED)
    assert math.copysign(1, verdict.numbers["score"]) == sign
    assert not verdict.numbers["low"] <= rows <= verdict.numbers["high"]
    assert set(verdict.numbers) == {"rows", "median", "low", "high", "score"}


@pytest.mark.parametrize("weeks", [2, 3, 4])
def test_a_quiet_weekend_is_usual_on_a_weekend_only(weeks: int) -> None:
    week = [300, 300, 300, 300, 300, 5, 5]
    saturday = datetime(2025, 11, 22, tzinfo=UTC)
    monday = saturday - timedelta(days=5, weeks=weeks)
    before = {f"{monday + timedelta(days=place):%Y-%m-%d}": week[place % 7] for place in range(7 * weeks + 5)}

    def on(day: datetime, rows: int) -> Outcome:
        frame, key = many(rows), f"{day:%Y-%m-%d}"
        now = day + timedelta(days=2)
        return judged(
            RULE, evidence_of(frame, receipt_of(), partition=key, row_history=before | {key: rows}, now=now)
        ).outcome

    assert on(saturday, 5) is Outcome.PASSED
    assert on(saturday, 300) is Outcome.FAILED
    assert on(saturday - timedelta(days=1), 300) is Outcome.PASSED
    assert on(saturday - timedelta(days=1), 5) is Outcome.FAILED


def test_an_outage_in_the_history_does_not_hide_the_next_one() -> None:
    counts = [100] * 28
    counts[3] = counts[10] = 0
    assert judged_day(0, history(*counts)).outcome is Outcome.FAILED
    assert judged_day(100, history(*counts)).outcome is Outcome.PASSED


def test_a_day_that_is_not_over_is_not_yet_too_low_but_may_be_too_high() -> None:
    before, noon = history(*[100] * 28), DAY + timedelta(hours=12)
    assert judged_day(10, before, noon).outcome is Outcome.NOT_EVALUATED
    assert "still fills until 2025-11-21 00:00 UTC" in judged_day(10, before, noon).sentence
    assert judged_day(10, before, DAY + timedelta(days=1)).outcome is Outcome.FAILED
    assert judged_day(100, before, noon).outcome is Outcome.PASSED
    assert judged_day(500, before, noon).outcome is Outcome.FAILED


def test_buckets_and_partitions_never_ingested_are_not_evaluated() -> None:
    bucket = evidence_of(frame_of(declared=BUCKETS), receipt_of(), domain=BUCKETS, partition="3")
    assert judged(RULE, bucket).outcome is Outcome.NOT_EVALUATED
    assert (
        judged(RULE, evidence_of(frame_of(), row_history=history(*[9] * 28))).outcome is Outcome.NOT_EVALUATED
    )


def test_hours_are_compared_with_the_same_hour_of_the_week() -> None:
    key, start = "2025-11-20-00:00", DAY - timedelta(days=28)
    moments = [start + timedelta(hours=place) for place in range(28 * 24)]
    before = {f"{moment:%Y-%m-%d-%H:%M}": 500 if moment.hour else 2 for moment in moments}
    for rows, outcome in ((2, Outcome.PASSED), (500, Outcome.FAILED)):
        evidence = evidence_of(many(rows), receipt_of(), domain=HOURLY, partition=key, row_history=before)
        assert judged(RULE, evidence).outcome is outcome


def test_a_rule_that_could_never_judge_is_refused() -> None:
    for arguments in ({"days": 7}, {"warm_up": 0}, {"threshold": 0}, {"threshold": math.nan}):
        with pytest.raises(ValueError, match="volume: needs"):
            volume(**arguments)


COUNTS = st.integers(0, 2**63 - 1) | st.integers(0, 5)


@settings(deadline=None)
@given(COUNTS, st.dictionaries(st.integers(1, 60), COUNTS, min_size=1, max_size=28), st.floats(0.1, 1e6))
def test_numbers_are_finite_and_the_band_is_where_the_score_is_small(
    rows: int, days_ago: dict[int, int], threshold: float
) -> None:
    before = {DAY - timedelta(days=days): count for days, count in days_ago.items()}
    band = usual_band(rows, DAY, before, threshold)
    assert all(map(math.isfinite, (band.median, band.low, band.high, band.score)))
    assert 0 <= band.low <= band.median <= band.high
    if abs(band.score) > 1.001 * threshold:
        assert rows <= band.low or rows >= band.high * (1 - 1e-9)
    elif abs(band.score) < 0.999 * threshold:
        assert band.low - 1e-6 <= rows * (1 + 1e-9) + 1e-6
        assert rows * (1 - 1e-9) - 1e-6 <= band.high
