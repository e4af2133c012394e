"""The volume band: its formula, what trains it, and how it gets out of a new level."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from metaplat.rules.vip.volume_band import BandParameters, VolumeBands, score_volumes
from metaplat_tests.rules.vip_band_formula import naive_bands

if TYPE_CHECKING:
    import numpy.typing as npt

SMALL = BandParameters(
    k=3, level_hours=40, level_minimum=4, season_weeks=2, season_minimum=2, spread_hours=50, accept_after=5
)


def season(hours: int, noise: float = 0.05, seed: int = 0) -> npt.NDArray[np.float64]:
    """Make a series with a day and a week in it, from a Monday on."""
    time = np.arange(hours)
    shape = (1 + 0.3 * np.sin(2 * np.pi * time / 24)) * np.where(time % 168 >= 120, 0.6, 1)
    return 1e9 * shape * np.exp(np.random.default_rng(seed).normal(0, noise, hours))


def bands(values: npt.NDArray[np.float64], trainable: npt.NDArray[np.bool_] | None = None) -> VolumeBands:
    every = np.ones(len(values), dtype=bool)
    return score_volumes(values, 0, every if trainable is None else trainable)


VOLUMES = st.one_of(st.floats(0, 1e12), st.sampled_from([0.0, 1.0, 50.0, 100.0, 1e6, -1.0]))


@given(
    st.lists(st.tuples(VOLUMES, st.booleans() | st.just(value=True)), max_size=40),
    st.integers(1, 4),
    st.integers(0, 2**20),
)
@settings(max_examples=60, deadline=None)
def test_bands_are_those_of_the_formula_as_it_is_written(
    odd: list[tuple[float, bool]], level_hours: int, seed: int
) -> None:
    values = season(420, noise=0.2, seed=seed)
    trainable = np.ones(420, dtype=bool)
    places = np.random.default_rng(seed).permutation(420)[: len(odd)]
    for place, (value, trains) in zip(places, odd, strict=True):
        values[place], trainable[place] = value, trains
    values[200 : 200 + seed % 60] *= 1 + seed % 7
    parameters = BandParameters(
        **{**vars(SMALL), "level_hours": 10 * level_hours + seed % 20, "k": 1 + seed % 4}
    )
    found = score_volumes(values, 0, trainable, parameters)
    expected = naive_bands(values.tolist(), trainable.tolist(), parameters)
    for name in ("low", "high", "score"):
        numbers = [getattr(each, name) for each in expected]
        np.testing.assert_allclose(getattr(found, name), numbers, rtol=1e-9, atol=1e-9)
    assert found.baseline == [each.baseline for each in expected]
    assert found.anomaly == [each.anomaly for each in expected]


@given(st.integers(1, 2000), st.integers(0, 100))
@settings(max_examples=25, deadline=None)
def test_what_comes_later_changes_nothing_earlier(cut: int, seed: int) -> None:
    values = season(2000, seed=seed)
    values[::97] *= 3
    other = values.copy()
    other[cut:] = np.random.default_rng(seed).uniform(0, 1e10, 2000 - cut)
    one, two = bands(values), bands(other)
    assert one.anomaly[:cut] == two.anomaly[:cut]
    for name in ("low", "high", "score"):
        np.testing.assert_array_equal(getattr(one, name)[:cut], getattr(two, name)[:cut])


def test_a_series_of_another_size_has_the_same_anomalies() -> None:
    values = season(2000)
    values[1500], values[1700] = values[1500] * 0.4, 0
    small, large = bands(values), bands(values * 1000)
    assert small.anomaly == large.anomaly
    ordinary = np.flatnonzero(values > 0)
    np.testing.assert_allclose(small.score[ordinary], large.score[ordinary], atol=1e-4)


def test_the_band_is_where_the_score_stays_within_k() -> None:
    values = season(2000, noise=0.2)
    values[1000::50] *= 2.5
    found = bands(values)
    outside = (values < found.low) | (values > found.high)
    assert outside.any()
    assert [word in ("low", "high") for word in found.anomaly] == outside.tolist()
    assert {found.anomaly[hour] for hour in np.flatnonzero(values < found.low)} <= {"low"}


def test_a_series_warms_up_from_nothing_over_level_and_day_to_week() -> None:
    found = bands(season(1400))
    assert found.baseline[:96] == [None] * 96
    assert np.isnan(found.score[:96]).all()
    assert np.isnan(found.low[:96]).all()
    first = {word: found.baseline.index(word) for word in ("level", "hour of day", "hour of week")}
    assert first == {"level": 96, "hour of day": 120, "hour of week": 48 + 3 * 168}
    assert set(found.baseline[48 + 4 * 168 :]) == {"hour of week"}


def test_an_hour_without_a_value_has_a_band_and_no_score() -> None:
    values = season(1400)
    values[1200] = np.nan
    found = bands(values)
    assert found.low[1200] < values[1200 - 168] < found.high[1200]
    assert (found.anomaly[1200], np.isnan(found.score[1200])) == (None, True)


@pytest.mark.parametrize("weekend", [0.15, 0.5, 0.7, 1.3])
def test_first_weekends_are_not_flagged_while_nobody_knows_them(weekend: float) -> None:
    time = np.arange(6 * 168)
    values = season(len(time)) / np.where(time % 168 >= 120, 0.6, 1) * np.where(time % 168 >= 120, weekend, 1)
    assert set(bands(values).anomaly) == {None, "none"}


def test_a_weekly_peak_becomes_usual_though_it_is_flagged_while_warming_up() -> None:
    values = season(8 * 168)
    values[150::168] *= 50
    found = bands(values)
    assert [found.anomaly[hour] for hour in range(150, len(values), 168)] == ["high"] * 3 + ["none"] * 5


def test_an_anomaly_does_not_train_the_band() -> None:
    values = season(2000)
    flagged = values.copy()
    flagged[1500:1530] *= 3
    excused = np.ones(2000, dtype=bool)
    excused[1500:1530] = False
    one, two = bands(flagged), bands(values, excused)
    assert one.anomaly[1500:1530] == ["high"] * 30
    np.testing.assert_array_equal(one.low[1530:], two.low[1530:])


def test_values_of_hours_that_do_not_train_are_judged_and_teach_nothing() -> None:
    values = season(2000)
    other = values.copy()
    other[1500:1600] *= 1.1
    trainable = np.ones(2000, dtype=bool)
    trainable[1500:1600] = False
    one, two = bands(values, trainable), bands(other, trainable)
    np.testing.assert_array_equal(one.high, two.high)
    assert None not in one.anomaly[1500:1600]


@pytest.mark.parametrize("factor", [0.3, 2.0, 10.0])
def test_a_new_level_is_accepted_after_three_days(factor: float) -> None:
    values = season(3000)
    values[1500:] *= factor
    found = bands(values)
    side = "low" if factor < 1 else "high"
    assert found.anomaly[1500:1572] == [side] * 72
    assert set(found.anomaly[1572:]) == {"none"}


def test_a_new_level_is_not_accepted_sooner() -> None:
    values = season(3000)
    values[1500:1571] *= 2
    found = bands(values)
    assert found.anomaly[1500:1571] == ["high"] * 71
    assert set(found.anomaly[1571:]) == {"none"}


def test_missing_hours_do_not_end_a_run_of_anomalies() -> None:
    values = season(3000)
    values[1500:] *= 2
    values[1510:1530] = np.nan
    found = bands(values)
    assert (found.anomaly[1591], found.anomaly[1592]) == ("high", "none")


def test_after_a_long_hole_a_series_is_judged_again_by_its_weeks() -> None:
    values = season(3000)
    values[1500:1800] = np.nan
    found = bands(values)
    assert set(found.anomaly[1800:1848]) == {None}
    assert set(found.baseline[1900:]) == {"hour of week"}
    assert set(found.anomaly[1900:]) == {"none"}


def test_a_constant_series_has_a_narrow_band_and_no_division_by_nothing() -> None:
    values = np.full(1400, 1e6)
    values[1300] = 1.2e6
    found = bands(values)
    assert (found.anomaly[1300], found.anomaly[1301]) == ("high", "none")
    assert found.score[1299] == 0


def test_nothing_at_all_is_judged_in_an_empty_series_or_one_without_values() -> None:
    assert bands(np.array([])).anomaly == []
    found = bands(np.array([np.nan, np.inf, -5.0] * 100))
    assert set(found.anomaly) == set(found.baseline) == {None}


def test_arrays_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match="3 values, 2 flags"):
        score_volumes(np.zeros(3), 0, np.ones(2, dtype=bool))
    with pytest.raises(ValueError, match="first_hour_of_week=168"):
        score_volumes(np.zeros(3), 168, np.ones(3, dtype=bool))
