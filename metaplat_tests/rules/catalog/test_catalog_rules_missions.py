"""Missions that fall silent, and hours in which they observe unusually much or little."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from metaplat.model.verdict import Outcome, Severity
from metaplat.rules.catalog.freshness_per_mission import freshness_per_mission
from metaplat.rules.catalog.volume_per_mission import volume_per_mission
from metaplat_tests.rules.catalog.catalog_evidence import (
    DAY,
    NOON_AFTER,
    OBSERVATIONS,
    ONE_DAY,
    PARTITION,
    UNKNOWN,
    files,
    judged,
    table_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from metaplat.model.verdict import Verdict

HOUR = timedelta(hours=1)
EVERY_DAY = range(1, 29)


def key(days_before: int) -> str:
    return f"{DAY - days_before * ONE_DAY:%Y-%m-%d}"


def at_noon(mission: str, days_before: Iterable[int], delay: timedelta = HOUR) -> list[dict[str, Any]]:
    times = [DAY - days * ONE_DAY + 12 * HOUR for days in days_before]
    return [
        {"mission_id": mission, "observation_timestamp": each, "first_seen": each + delay} for each in times
    ]


def silence(
    earlier: Iterable[Mapping[str, Any]],
    today: Iterable[Mapping[str, Any]] = (),
    windows: Mapping[str, tuple[datetime | None, datetime | None]] | None = None,
    **facts: Any,
) -> Verdict:
    history = files(*earlier).sort("observation_timestamp")
    rule = freshness_per_mission(lambda: windows or {})
    return judged(rule, files(*today), history=history, **facts)


@pytest.mark.parametrize(
    ("newest", "outcome"), [(0, Outcome.PASSED), (1, Outcome.PASSED), (2, Outcome.FAILED)]
)
def test_a_daily_mission_may_be_silent_for_two_days_and_its_delivery(newest: int, outcome: Outcome) -> None:
    """As of noon of the day after the partition, where nothing is newer; files come an hour later."""
    verdict = silence(at_noon("A", [*range(newest, 28)]), now=NOON_AFTER + HOUR)
    assert (verdict.outcome, verdict.numbers["missions"]) == (outcome, 1)


def test_a_silent_mission_is_told_with_what_is_usual() -> None:
    verdict = silence(at_noon("A", range(5, 28)) + at_noon("B", EVERY_DAY), at_noon("B", [0]))
    assert verdict.outcome is Outcome.FAILED
    assert verdict.numbers == {"missions": 2, "stale": 1, "warming_up": 0, "ended": 0}
    assert list(verdict.samples) == [
        {
            "mission_id": "A",
            "newest": DAY - 5 * ONE_DAY + 12 * HOUR,
            "age_hours": 144.0,
            "allowed_hours": 49.0,
            "usual_gap_days": 1.0,
        }
    ]
    assert verdict.sentence.startswith(
        "As of 2026-03-21 12:00 UTC, 1 of 2 missions fell silent, most of all A: its newest observation is "
        "6 days old, at most 2 days expected."
    )


def test_a_partition_of_the_past_is_judged_as_of_its_end() -> None:
    earlier = at_noon("A", range(1, 28))
    later = {key(0): 1, "2026-04-20": 5}
    now = DAY + 400 * ONE_DAY
    verdict = silence(earlier, row_history=later, now=now)
    assert (verdict.outcome, verdict.sentence[:24]) == (Outcome.PASSED, "As of 2026-03-21 00:00 U")
    assert silence(earlier, row_history={key(0): 1, "2026-04-20": 0}, now=now).outcome is Outcome.FAILED


def test_a_mission_that_pauses_at_weekends_or_delivers_late_is_not_stale() -> None:
    weekly = [days for days in EVERY_DAY if days % 7 not in {0, 1}]  # silent for the last two days too
    assert silence(at_noon("A", weekly), now=NOON_AFTER + ONE_DAY).outcome is Outcome.PASSED
    late = at_noon("A", range(4, 28), delay=3 * ONE_DAY)
    assert silence(late).outcome is Outcome.PASSED
    assert silence(late, now=NOON_AFTER + HOUR).outcome is Outcome.FAILED
    assert silence(at_noon("A", range(4, 28)), now=DAY).outcome is Outcome.FAILED


def test_an_archive_that_was_cataloged_at_once_says_nothing_about_delivery() -> None:
    archive = at_noon("A", range(4, 28), delay=900 * ONE_DAY)
    assert silence(archive, now=DAY + 10 * HOUR).outcome is Outcome.FAILED


def test_one_outage_does_not_make_outages_usual() -> None:
    days = [*range(3, 10), *range(18, 28)]
    assert silence(at_noon("A", days)).outcome is Outcome.FAILED


@pytest.mark.parametrize(("end", "outcome"), [(10, Outcome.NOT_EVALUATED), (-10, Outcome.FAILED)])
def test_a_mission_that_has_ended_is_not_stale(end: int, outcome: Outcome) -> None:
    verdict = silence(at_noon("ROSAT", range(10, 28)), windows={"Rosat": (None, DAY - end * ONE_DAY)})
    assert (verdict.outcome, verdict.numbers["ended"]) == (outcome, int(outcome is Outcome.NOT_EVALUATED))


def test_a_mission_with_few_days_warms_up() -> None:
    verdict = silence(at_noon("A", range(20, 26)) + at_noon("B", range(20, 25)))
    assert (verdict.numbers["missions"], verdict.numbers["warming_up"]) == (1, 1)
    assert silence(at_noon("B", range(20, 25))).outcome is Outcome.NOT_EVALUATED


def test_what_has_no_time_or_mission_is_not_judged() -> None:
    nobody = [row | {"mission_id": None} for row in at_noon("A", EVERY_DAY)]
    assert silence(nobody).outcome is Outcome.NOT_EVALUATED
    rules = (freshness_per_mission(dict), volume_per_mission())
    for rule in rules:
        assert rule.severity is Severity.WARN
        unknown = judged(rule, files({"observation_timestamp": None}), partition=UNKNOWN, history=None)
        assert unknown.outcome is Outcome.NOT_EVALUATED


def test_the_table_is_as_its_newest_partition_is() -> None:
    rule = freshness_per_mission(dict)
    passed, failed, unknown = Outcome.PASSED, Outcome.FAILED, Outcome.NOT_EVALUATED
    verdict = rule.summarize(table_of(OBSERVATIONS, {key(3): failed, key(2): passed, key(1): unknown}))
    assert (verdict.outcome, verdict.numbers["failed_partitions"]) == (passed, 0)
    assert verdict.numbers["failed_before"] == 1
    assert verdict.sentence == f"The newest judged partition, {key(2)}, passes."
    verdict = rule.summarize(table_of(OBSERVATIONS, {key(3): passed, key(2): failed}))
    assert (verdict.outcome, list(verdict.samples)) == (failed, [{"partition": key(2)}])
    assert rule.summarize(table_of(OBSERVATIONS, {key(1): unknown})).outcome is unknown


def test_an_unusual_hour_is_told_of_the_table_for_seven_partitions() -> None:
    rule, days = volume_per_mission(), {key(number): Outcome.PASSED for number in reversed(range(9))}
    verdict = rule.summarize(table_of(OBSERVATIONS, days | {key(6): Outcome.FAILED, key(3): Outcome.FAILED}))
    assert verdict.outcome is Outcome.FAILED
    assert [sample["partition"] for sample in verdict.samples] == [key(3), key(6)]
    assert verdict.sentence == (
        f"2 of the last 7 judged partitions, to {key(0)}, fail. See what volume_per_mission says of {key(3)}."
    )
    assert rule.summarize(table_of(OBSERVATIONS, days | {key(7): Outcome.FAILED})).outcome is Outcome.PASSED


def hours(mission: str, days_before: int, counts: Mapping[int, int]) -> list[dict[str, Any]]:
    start = DAY - days_before * ONE_DAY
    return [
        {
            "mission_id": mission,
            "observation_timestamp": start + hour * HOUR + number * timedelta(seconds=1),
            "first_seen": start + hour * HOUR + HOUR,
        }
        for hour, count in counts.items()
        for number in range(count)
    ]


NIGHT = {21: 30, 22: 40, 23: 30}
KNOWN = {key(days): 100 for days in reversed(EVERY_DAY)} | {PARTITION: 1}


def volume(
    today: Iterable[Mapping[str, Any]], earlier: Iterable[Mapping[str, Any]] | None = None, **facts: Any
) -> Verdict:
    usual = [row for days in EVERY_DAY for row in hours("A", days, NIGHT)] if earlier is None else earlier
    history = files(*usual).sort("observation_timestamp")
    return judged(volume_per_mission(), files(*today), history=history, **({"row_history": KNOWN} | facts))


def test_a_usual_night_passes() -> None:
    verdict = volume(hours("A", 0, {21: 33, 22: 36, 23: 28}))
    assert (verdict.outcome, verdict.sentence) == (Outcome.PASSED, "24 hours of missions are as usual.")
    assert verdict.numbers == {"missions": 1, "warming_up": 0, "hours": 24, "low_hours": 0, "high_hours": 0}


def test_an_hour_without_files_is_told_and_the_others_are_not() -> None:
    verdict = volume(hours("A", 0, {21: 30, 22: 0, 23: 30}))
    assert (verdict.outcome, verdict.numbers["low_hours"]) == (Outcome.FAILED, 1)
    sample = verdict.samples[0]
    assert (sample["mission_id"], sample["hour"]) == ("A", DAY + 22 * HOUR)
    assert (sample["files"], sample["usual"]) == (0, 40)
    assert (
        "1 of 24 hours of missions is unusual, most of all A at 2026-03-20 22:00 UTC: 0 files, usually 40"
        in (verdict.sentence)
    )


def test_an_hour_of_the_day_is_compared_with_that_hour_and_not_with_the_night() -> None:
    verdict = volume(hours("A", 0, NIGHT | {9: 40}))
    assert (verdict.numbers["high_hours"], verdict.samples[0]["hour"]) == (1, DAY + 9 * HOUR)
    assert "delivered twice" in verdict.sentence


def test_missions_are_judged_apart_and_a_new_one_warms_up() -> None:
    both = [row for days in EVERY_DAY for name in "AB" for row in hours(name, days, NIGHT)]
    verdict = volume(hours("A", 0, NIGHT) + hours("C", 0, NIGHT), both)
    assert verdict.numbers == {"missions": 2, "warming_up": 1, "hours": 48, "low_hours": 3, "high_hours": 0}
    assert {sample["mission_id"] for sample in verdict.samples} == {"B"}


def test_days_that_are_not_in_the_lake_are_unknown_and_not_empty() -> None:
    some = [row for days in range(1, 14) for row in hours("A", days, NIGHT)]
    known = {key(days): 100 for days in reversed(range(1, 14))} | {PARTITION: 0}
    verdict = volume([], some, row_history=known)
    assert (verdict.outcome, verdict.numbers["hours"]) == (Outcome.NOT_EVALUATED, 0)
    more = some + hours("A", 20, NIGHT)
    verdict = volume([], more, row_history={key(20): 100} | known)
    assert (verdict.numbers["low_hours"], verdict.samples[0]["usual"]) == (3, 40)


def test_hours_that_still_fill_are_not_too_empty_yet() -> None:
    nothing = volume([], now=DAY + 23 * HOUR)
    assert (nothing.numbers["hours"], nothing.outcome) == (22, Outcome.FAILED)
    assert [sample["hour"] for sample in nothing.samples] == [DAY + 21 * HOUR]
    late = [row | {"first_seen": row["first_seen"] + 5 * HOUR} for row in hours("A", 1, NIGHT)]
    usual = [row for days in range(2, 29) for row in hours("A", days, NIGHT)]
    very_late = [row | {"first_seen": row["first_seen"] + 5 * HOUR} for row in usual] + late
    assert volume([], very_late, now=DAY + 25 * HOUR).outcome is Outcome.PASSED
    assert volume(hours("A", 0, {22: 400}), very_late, now=DAY + 23 * HOUR).numbers["high_hours"] == 1


@settings(max_examples=30)
@given(
    st.lists(st.integers(0, 60), min_size=28, max_size=28),
    st.integers(0, 400),
)
def test_whatever_the_counts_the_score_grows_with_them_and_the_median_passes(
    counts: list[int], count: int
) -> None:
    earlier = [row for days in EVERY_DAY for row in hours("A", days, {5: counts[days - 1]})]
    middle = sorted(counts)[14]
    if not earlier or max(days for days in EVERY_DAY if counts[days - 1]) < 14:
        return
    assert volume(hours("A", 0, {5: middle}), earlier).outcome is not Outcome.FAILED
    verdict = volume(hours("A", 0, {5: count}), earlier)
    for sample in verdict.samples:
        assert (sample["score"] > 0) == (count > sample["usual"])  # type: ignore[operator]


def test_thresholds_that_make_no_sense_are_refused() -> None:
    with pytest.raises(ValueError, match="warm_up"):
        volume_per_mission(warm_up=1)
    with pytest.raises(ValueError, match="factor"):
        freshness_per_mission(dict, factor=0.5)
