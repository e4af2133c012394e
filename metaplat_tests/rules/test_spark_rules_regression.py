"""Runs of an application against those before: what is worse than usual, and what only looks so."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from metaplat.model.errors import InvalidInputError
from metaplat.model.verdict import Outcome, Severity, Verdict
from metaplat.rules.spark.recurring_name import recurring_name
from metaplat.rules.spark.regression import regression
from metaplat_tests.rules.spark_rule_samples import DAY, applications, judged_rule

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl

RULE = regression()
MINUTE, GIB = 60_000, 2**30


def earlier(*values: Any, column: str = "duration_ms", **common: Any) -> list[dict[str, Any]]:
    """Make a completed attempt a day before the partition for each value, the last one the day before."""
    first = DAY - timedelta(days=len(values))
    return [
        {column: value, "application_time": first + timedelta(days=place, hours=3)} | common
        for place, value in enumerate(values)
    ]


def history(*rows: dict[str, Any]) -> pl.DataFrame:
    assert RULE.history is not None
    return applications(*rows).select("application_time", *RULE.history.columns).sort("application_time")


def judged_run(before: Sequence[dict[str, Any]], *today: dict[str, Any]) -> Verdict:
    return judged_rule(RULE, applications(*today), history(*before))


def test_a_run_of_many_times_the_usual_duration_is_told() -> None:
    verdict = judged_run(earlier(*[40 * MINUTE] * 10), {"duration_ms": 128 * MINUTE})
    assert (RULE.severity, verdict.outcome) == (Severity.WARN, Outcome.FAILED)
    (sample,) = verdict.samples
    assert sample == {
        "source": "event-logs",
        "app_id": "application_1_0",
        "attempt_id": None,
        "app_name": "nightly",
        "metric": "duration_ms",
        "value": 128.0 * MINUTE,
        "usual": 40.0 * MINUTE,
        "ratio": 3.2,
        "earlier_attempts": 10,
    }
    assert verdict.sentence.startswith(
        "1 of 1 recurring attempt is worse than usual, most of all nightly (application_1_0): "
        "duration 2.1 h, usually 40 min."
    )
    assert verdict.numbers["regressed"] == verdict.numbers["regressed_duration_ms"] == 1


@pytest.mark.parametrize(
    ("usual", "now"),
    [
        (40 * MINUTE, 42 * MINUTE),
        (40 * MINUTE, 59 * MINUTE),
        (40 * MINUTE, 5 * MINUTE),
        (200, 4000),
        (10_000, 69_000),
    ],
)
def test_a_little_slower_faster_or_short_runs_are_usual(usual: int, now: int) -> None:
    verdict = judged_run(earlier(*[usual] * 10), {"duration_ms": now})
    assert (verdict.outcome, verdict.sentence) == (Outcome.PASSED, "1 recurring attempt is as usual.")


def test_a_history_that_scatters_has_a_wider_usual() -> None:
    scattering = [10 * MINUTE, 60 * MINUTE, 12 * MINUTE, 80 * MINUTE, 30 * MINUTE, 45 * MINUTE, 20 * MINUTE]
    assert judged_run(earlier(*scattering), {"duration_ms": 120 * MINUTE}).outcome is Outcome.PASSED


def test_spill_cost_and_core_time_are_compared_too() -> None:
    cases = [
        ("disk_spilled_bytes", 0, 5 * GIB, "spill 5.0 GiB, usually 0 MiB"),
        ("estimated_cost", 1.0, 2.5, "cost 2.50, usually 1.00"),
        ("core_seconds_used", 36_000.0, 90_000.0, "core time 25.0 core hours, usually 10.0 core hours"),
    ]
    for column, usual, now, words in cases:
        verdict = judged_run(earlier(*[usual] * 6, column=column), {column: now})
        assert words in verdict.sentence
        assert verdict.numbers[f"regressed_{column}"] == 1
    (spilled,) = judged_run(
        earlier(*[0] * 6, column="disk_spilled_bytes"), {"disk_spilled_bytes": GIB}
    ).samples
    assert spilled["ratio"] is None


def test_it_warms_up_until_there_are_five_attempts() -> None:
    verdict = judged_run(earlier(*[MINUTE] * 4), {"duration_ms": 100 * MINUTE})
    assert verdict.outcome is Outcome.NOT_EVALUATED
    assert verdict.sentence == (
        "Warming up: none of 1 completed attempt has 5 earlier ones of its recurring application."
    )
    assert judged_run(earlier(*[MINUTE] * 5), {"duration_ms": 100 * MINUTE}).outcome is Outcome.FAILED


def test_only_completed_runs_of_the_same_source_user_and_name_are_compared() -> None:
    slow = {"duration_ms": 100 * MINUTE}
    fast = earlier(*[MINUTE] * 10)
    for other in ({"status": "FAILED"}, {"source": "emr"}, {"user": "bob"}, {"app_name": "hourly"}):
        assert judged_run([row | other for row in fast], slow).outcome is Outcome.NOT_EVALUATED
        if "status" not in other:
            assert judged_run([row | other for row in fast], slow | other).outcome is Outcome.FAILED
    assert judged_run(fast, slow | {"status": "FAILED"}).sentence == (
        "No completed attempt of a recurring application."
    )
    nobody = {"user": None}
    assert judged_run([row | nobody for row in fast], slow | nobody).outcome is Outcome.FAILED


def test_names_recur_without_what_is_different_each_time() -> None:
    rows = earlier(*[10 * MINUTE] * 6)
    dated = [row | {"app_name": f"etl-2025-11-{14 + place}"} for place, row in enumerate(rows)]
    verdict = judged_run(dated, {"app_name": "etl-2025-11-20", "duration_ms": 30 * MINUTE})
    assert verdict.samples[0]["app_name"] == "etl-2025-11-20"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("etl-2026-11-20", "etl-*"),
        ("etl_20261120", "etl_*"),
        ("etl 2026-11-20T03:00:00.123Z", "etl *"),
        ("etl_2026_11_20_03", "etl_*"),
        ("etl-20261120T0300", "etl-*"),
        ("load 3fa85f64-5717-4562-b3fc-2c963f66afa6", "load *"),
        ("run-1763600000000", "run-*"),
        ("build 9f8c1d2e", "build *"),
        ("load-shard-3", "load-shard-3"),
        ("version 3.5.1", "version 3.5.1"),
        ("top100", "top100"),
        ("deadbeef cafe", "deadbeef cafe"),
        ("2026-11-20", None),
        ("PySparkShell", None),
        ("pyspark-shell", None),
        ("", None),
    ],
)
def test_what_is_different_each_time_is_a_date_a_number_or_a_hash(name: str, expected: str | None) -> None:
    assert recurring_name(name) == expected


@given(st.text(max_size=60))
def test_a_name_without_digits_stays_and_names_are_stable(name: str) -> None:
    found = recurring_name(name)
    assert found is None or recurring_name(found) == found
    if found is not None and not any(character.isdigit() for character in name):
        assert found == name.strip()


def test_earlier_runs_of_the_same_day_count_and_later_ones_do_not() -> None:
    today = [
        {"duration_ms": MINUTE * (100 if hour == 10 else 1), "application_time": DAY + timedelta(hours=hour)}
        for hour in range(12)
    ]
    verdict = judged_run([], *today)
    assert verdict.outcome is Outcome.FAILED
    assert [sample["app_id"] for sample in verdict.samples] == ["application_1_10"]
    assert (verdict.numbers["judged"], verdict.numbers["warming_up"]) == (7, 5)


def test_the_last_thirty_runs_decide_so_that_a_new_level_becomes_usual() -> None:
    times = [MINUTE] * 60 + [100 * MINUTE] * 30
    rows = [
        {"duration_ms": value, "application_time": DAY - timedelta(hours=len(times) - place)}
        for place, value in enumerate(times)
    ]
    assert judged_run(rows, {"duration_ms": 100 * MINUTE}).outcome is Outcome.PASSED


def test_figures_of_records_that_lost_a_part_are_no_measure_but_their_duration() -> None:
    lossy = {"data_quality": ["compacted"]}
    spilled = earlier(*[0] * 6, column="disk_spilled_bytes", duration_ms=MINUTE, **lossy)
    assert judged_run(spilled, {"duration_ms": MINUTE, "disk_spilled_bytes": GIB}).outcome is Outcome.PASSED
    assert judged_run(spilled, {"duration_ms": 9 * MINUTE}).outcome is Outcome.FAILED
    whole = earlier(*[0] * 6, column="disk_spilled_bytes", duration_ms=MINUTE)
    now = {"duration_ms": MINUTE, "disk_spilled_bytes": GIB}
    assert judged_run(whole, now | lossy).outcome is Outcome.PASSED
    assert judged_run(whole, now).outcome is Outcome.FAILED


def test_costs_are_compared_within_one_currency() -> None:
    dollars = earlier(*[1.0] * 6, column="estimated_cost", cost_currency="USD", duration_ms=None)
    today = {"estimated_cost": 100.0, "duration_ms": None}
    assert judged_run(dollars, today | {"cost_currency": "JPY"}).outcome is Outcome.NOT_EVALUATED
    assert (
        "cost 100.00 USD, usually 1.00 USD" in judged_run(dollars, today | {"cost_currency": "USD"}).sentence
    )


def test_without_earlier_rows_or_columns_nothing_is_judged() -> None:
    assert judged_rule(RULE, applications({})).outcome is Outcome.NOT_EVALUATED
    assert judged_run([]).outcome is Outcome.NOT_EVALUATED
    with pytest.raises(InvalidInputError, match="rule regression: no column"):
        judged_rule(RULE, applications({}).drop("app_name"))


@pytest.mark.parametrize(
    "wrong", [{"warm_up": 1}, {"runs": 4}, {"days": 0}, {"least_ratio": 0.5}, {"threshold": 0}]
)
def test_limits_that_make_no_sense_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="regression: needs"):
        regression(**wrong)


@settings(deadline=None, max_examples=50)
@given(
    before=st.lists(st.one_of(st.none(), st.integers(0, 2**62)), max_size=40),
    today=st.lists(st.one_of(st.none(), st.integers(0, 2**62)), max_size=5),
)
def test_any_history_gives_a_verdict_whose_regressions_are_larger_than_usual(
    before: list[int | None], today: list[int | None]
) -> None:
    moment: datetime = DAY - timedelta(days=20)
    rows = [
        {"duration_ms": value, "application_time": moment + timedelta(hours=place)}
        for place, value in enumerate(before)
    ]
    now = [
        {"duration_ms": value, "application_time": DAY + timedelta(hours=n)} for n, value in enumerate(today)
    ]
    verdict = judged_run(rows, *now)
    assert verdict.numbers.get("judged", 0) + verdict.numbers.get("warming_up", 0) == len(today)
    for sample in verdict.samples:
        value, usual = sample["value"], sample["usual"]
        assert isinstance(value, float)
        assert isinstance(usual, float)
        assert value >= 1.5 * usual
        assert value - usual >= MINUTE
