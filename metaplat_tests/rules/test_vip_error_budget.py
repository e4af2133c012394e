"""The error budget: what is allowed, what is left, and how fast it burns."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metaplat.rules.vip.error_budget import Budget, BurnLevel, Slo, error_budget

NOW = datetime(2022, 5, 31, 9, tzinfo=UTC)
HOUR = timedelta(hours=1)
SLO = Slo()


def budget(bad_ages: set[int], hours: int = 720, slo: Slo = SLO, **other: int) -> Budget:
    """Compute the budget of the newest ``hours``; bad ones by age, 1 is the newest hour."""
    ages = range(hours, 0, -1)
    return error_budget(
        [NOW - age * HOUR for age in ages], [age not in bad_ages for age in ages], slo, NOW, **other
    )


def test_a_month_without_a_bad_hour_has_all_of_its_budget() -> None:
    found = budget(set())
    assert (found.hours, found.bad, found.ratio, found.left) == (720, 0, 1.0, 1.0)
    assert found.allowed_bad == pytest.approx(7.2)
    assert (found.burn_1h, found.burn_6h, found.burn_3d, found.level) == (0, 0, 0, BurnLevel.NONE)


def test_the_first_bad_hour_warns_and_burns_at_the_rates_that_are_known() -> None:
    found = budget({1})
    assert found.level is BurnLevel.WARN
    assert found.burn_1h == pytest.approx(100)
    assert found.burn_6h == pytest.approx(16.67, abs=0.01)
    assert found.burn_3d == pytest.approx(1.39, abs=0.01)
    assert found.left == pytest.approx(1 - 1 / 7.2)


def test_two_bad_hours_in_six_page() -> None:
    found = budget({1, 6})
    assert (found.level, found.bad_6h) == (BurnLevel.PAGE, 2)
    assert found.burn_6h == pytest.approx(33.3, abs=0.1)
    assert budget({1, 7}).level is BurnLevel.WARN


def test_three_bad_hours_in_three_days_page() -> None:
    found = budget({1, 40, 72})
    assert (found.level, found.bad_3d) == (BurnLevel.PAGE, 3)
    assert found.burn_3d == pytest.approx(4.17, abs=0.01)
    assert budget({1, 40, 73}).level is BurnLevel.WARN


def test_bad_hours_older_than_three_days_cost_budget_and_warn_no_more() -> None:
    found = budget({100, 200})
    assert (found.level, found.bad) == (BurnLevel.NONE, 2)
    assert found.left == pytest.approx(1 - 2 / 7.2)


def test_a_budget_that_is_overspent_is_below_nothing() -> None:
    found = budget(set(range(100, 108)))
    assert found.left == pytest.approx(1 - 8 / 7.2)
    assert found.ratio == pytest.approx(712 / 720)


def test_hours_before_the_objective_and_after_now_do_not_count() -> None:
    hours = [NOW - timedelta(days=31), NOW - timedelta(days=30), NOW - HOUR, NOW]
    found = error_budget(hours, [False, True, True, False], SLO, NOW)
    assert (found.hours, found.bad, found.level) == (2, 0, BurnLevel.NONE)


def test_excused_hours_leave_what_is_allowed_too() -> None:
    found = budget({1}, hours=698, excused=22)
    assert found.allowed_bad == pytest.approx(6.98)
    assert found.left == pytest.approx(1 - 1 / 6.98)


def test_a_young_history_has_the_budget_of_all_its_days() -> None:
    found = budget({20}, hours=24)
    assert found.left == pytest.approx(1 - 1 / 7.2)
    assert found.ratio == pytest.approx(23 / 24)


def test_of_no_hour_nothing_is_known() -> None:
    found = error_budget([], [], SLO, NOW, excused=720)
    assert (found.hours, found.ratio, found.left, found.level) == (0, None, 1.0, BurnLevel.NONE)
    assert (found.burn_1h, found.burn_6h, found.burn_3d) == (None, None, None)


def test_a_window_without_a_known_hour_has_no_burn_rate() -> None:
    found = error_budget([NOW - 10 * HOUR], [False], SLO, NOW)
    assert (found.burn_1h, found.burn_6h) == (None, None)
    assert found.burn_3d == pytest.approx(100)


@pytest.mark.parametrize("slo", [{"objective": 1.0}, {"objective": 0.0}, {"days": 0}], ids=str)
def test_an_objective_that_is_none_is_refused(slo: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="an objective is a share"):
        Slo(**slo)  # type: ignore[arg-type]  # hours are whole numbers in none of these


@given(st.sets(st.integers(1, 720)), st.permutations(range(1, 40)))
def test_budget_left_falls_with_every_bad_hour_and_order_does_not_matter(
    bad: set[int], order: list[int]
) -> None:
    found = budget(bad)
    assert found.left == pytest.approx(1 - len(bad) / 7.2)
    assert (found.left < 0) == (found.ratio is not None and found.ratio < SLO.objective)
    few = [age for age in order if age in bad]
    shuffled = error_budget([NOW - age * HOUR for age in order], [age not in few for age in order], SLO, NOW)
    assert shuffled == budget(set(few), hours=39)
