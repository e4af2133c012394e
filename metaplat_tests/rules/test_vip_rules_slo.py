"""Rules about the objective: what is left of the error budget, and how fast it burns."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from metaplat.model.errors import SettingsError
from metaplat.model.verdict import Outcome, Severity, Verdict
from metaplat.rules.vip.error_budget import Slo
from metaplat.rules.vip.slo_rules import error_budget_left, slo_burn
from metaplat_tests.rules.vip_evidence import DAY, HOUR, JOBS, PARTITION, PROD, TEST, judged, rows_of, summary

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    import polars as pl

    from metaplat.model.rule import Rule

BUDGET, BURN = error_budget_left(Slo), slo_burn(Slo)
BOTH = pytest.mark.parametrize("rule", [BUDGET, BURN], ids=lambda rule: rule.name)


def month(
    bad: Mapping[int, str], excused: Collection[int] = (), config: str = PROD, hours: int = 24 * 32
) -> pl.DataFrame:
    """Build the hours to midnight after the day; states of bad ones by age, 1 is the newest hour."""
    ages = range(hours, 0, -1)
    return rows_of(
        JOBS,
        [
            {
                "config_name": config,
                "hour_utc": DAY + timedelta(days=1) - age * HOUR,
                "status": bad.get(age, "ok"),
                "excused": age in excused,
            }
            for age in ages
        ],
    )


def judge(rule: Rule, *months: pl.DataFrame, **facts: Any) -> Verdict:
    rows = months[0].vstack(months[1]) if len(months) > 1 else months[0]
    frame, history = rows.filter(rows["hour_utc"] >= DAY), rows.filter(rows["hour_utc"] < DAY)
    return judged(rule, JOBS, frame, **({"history": history} | facts))


def test_a_month_of_good_hours_passes_both_rules() -> None:
    verdict = judge(BUDGET, month({5: "late", 700: "late"}))
    assert (verdict.outcome, BUDGET.severity, BURN.severity) == (
        Outcome.PASSED,
        Severity.WARN,
        Severity.ERROR,
    )
    assert verdict.numbers == {
        "left": 1.0,
        "ratio": 1.0,
        "hours": 720,
        "bad": 0,
        "allowed_bad": pytest.approx(7.2),
        "bad_6h": 0,
        "bad_3d": 0,
        "burn_1h": 0.0,
        "burn_6h": 0.0,
        "burn_3d": 0.0,
        "configurations": 1,
    }
    assert verdict.sentence == (
        "As of 2026-03-21 00:00 UTC, 0 bad hours of 720 in 30 days (onDemandExtract1DayProd); 99 % good "
        "allows 7.2, so 100 % of the budget is left."
    )
    assert judge(BURN, month({})).outcome is Outcome.PASSED


def test_one_bad_hour_warns_and_is_not_worth_a_page() -> None:
    bad = month({3: "incomplete"})
    warning = judge(BUDGET, bad)
    assert (warning.outcome, judge(BURN, bad).outcome) == (Outcome.FAILED, Outcome.PASSED)
    assert warning.sentence.endswith("look at missing_hours and incomplete_jobs.")
    assert warning.samples == ({"config_name": PROD, "hour_utc": DAY + 21 * HOUR, "status": "incomplete"},)


def test_a_bad_hour_of_last_week_costs_budget_and_warns_no_more() -> None:
    verdict = judge(BUDGET, month({150: "failed"}))
    assert verdict.outcome is Outcome.PASSED
    assert verdict.numbers["left"] == pytest.approx(1 - 1 / 7.2)


def test_a_budget_used_up_long_ago_warns() -> None:
    verdict = judge(BUDGET, month(dict.fromkeys(range(200, 208), "missing")))
    assert (verdict.outcome, verdict.numbers["bad"]) == (Outcome.FAILED, 8)
    assert "0 % of the budget is left. It is used up" in verdict.sentence


@pytest.mark.parametrize("ages", [(2, 5), (2, 30, 70)], ids=str)
def test_bad_hours_thick_and_fast_are_worth_a_page(ages: tuple[int, ...]) -> None:
    verdict = judge(BURN, month(dict.fromkeys((*ages, 500), "missing")))
    assert verdict.outcome is Outcome.FAILED
    assert [sample["hour_utc"] for sample in verdict.samples] == [
        DAY + timedelta(days=1) - age * HOUR for age in ages
    ]
    assert f"{len(ages)} in 3 days (onDemandExtract1DayProd); fewer than 2 and 3 expected" in verdict.sentence


@BOTH
def test_excused_hours_are_neither_good_nor_bad(rule: Rule) -> None:
    hours = range(1, 23)
    verdict = judge(rule, month(dict.fromkeys(hours, "missing"), excused=hours))
    assert verdict.outcome is Outcome.PASSED
    assert (verdict.numbers["hours"], verdict.numbers["bad"]) == (698, 0)
    assert verdict.numbers["allowed_bad"] == pytest.approx(6.98)
    assert "burn_6h" not in verdict.numbers


@BOTH
def test_configurations_have_budgets_of_their_own_and_the_worst_is_told(rule: Rule) -> None:
    verdict = judge(rule, month({1: "missing"}), month({1: "missing", 2: "failed"}, config=TEST))
    assert verdict.outcome is Outcome.FAILED
    assert (verdict.numbers["configurations"], verdict.numbers["bad"]) == (2, 2)
    assert TEST in verdict.sentence
    assert len(verdict.samples) == 3
    apart = judge(BURN, month({1: "missing"}), month({2: "missing"}, config=TEST))
    assert apart.outcome is Outcome.PASSED


@BOTH
def test_a_configuration_that_the_day_does_not_hold_is_not_judged(rule: Rule) -> None:
    old = month({30: "missing", 31: "missing", 32: "missing"}, config=TEST)
    rows = old.filter(old["hour_utc"] < DAY)
    verdict = judged(rule, JOBS, month({}, hours=24), history=rows)
    assert (verdict.outcome, verdict.numbers["configurations"]) == (Outcome.PASSED, 1)


@BOTH
def test_the_newest_day_is_judged_as_of_its_last_closed_hour(rule: Rule) -> None:
    noon = DAY + timedelta(hours=12, minutes=20)
    rows = month({12: "missing", 13: "missing"})  # 12:00 and 11:00; the first is not over yet
    verdict = judge(rule, rows.filter(rows["hour_utc"] <= noon), now=noon)
    assert verdict.numbers["bad_6h"] == 1
    assert "As of 2026-03-20 12:00 UTC" in verdict.sentence


@BOTH
def test_an_earlier_day_is_judged_as_of_its_end(rule: Rule) -> None:
    verdict = judge(rule, month({1: "missing", 2: "missing"}), row_history={PARTITION: 24, "2026-03-21": 9})
    assert (verdict.outcome, verdict.numbers["bad_6h"]) == (Outcome.FAILED, 2)


@BOTH
def test_without_hours_that_count_nothing_is_evaluated(rule: Rule) -> None:
    assert judged(rule, JOBS, []).outcome is Outcome.NOT_EVALUATED
    assert judged(rule, JOBS, [{"excused": True}]).outcome is Outcome.NOT_EVALUATED
    assert judged(rule, JOBS, [{}], history=None).outcome is Outcome.NOT_EVALUATED


def test_the_objective_is_asked_for_when_a_day_is_judged() -> None:
    chosen = Slo(objective=0.5, days=1, page_bad_hours_6h=7, page_bad_hours_3d=80)
    verdict = judge(slo_burn(lambda: chosen), month(dict.fromkeys(range(1, 7), "missing")))
    assert (verdict.outcome, verdict.numbers["left"]) == (Outcome.PASSED, 0.5)


def test_an_objective_over_more_days_than_are_known_is_an_error_of_the_settings() -> None:
    with pytest.raises(SettingsError, match=r"vip\.slo_days: 93 days are more than rules know"):
        judge(error_budget_left(lambda: Slo(days=93)), month({}))


@BOTH
def test_the_table_is_as_its_newest_day_is(rule: Rule) -> None:
    outcomes = {"2026-03-19": Outcome.FAILED, PARTITION: Outcome.PASSED}
    assert summary(rule, JOBS, outcomes).outcome is Outcome.PASSED
    assert summary(rule, JOBS, {PARTITION: Outcome.FAILED}).outcome is Outcome.FAILED
