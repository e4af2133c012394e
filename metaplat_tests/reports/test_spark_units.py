"""Quantities as people read them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metaplat.reports.spark import units


@pytest.mark.parametrize(
    ("ms", "text"),
    [
        (None, "not known"),
        (0, "0 ms"),
        (0.25, "0.25 ms"),
        (850, "850 ms"),
        (999.7, "1.0 s"),
        (12_340, "12.3 s"),
        (59_949, "59.9 s"),
        (59_970, "1 min"),
        (184_000, "3 min 4 s"),
        (3_599_900, "1 h"),
        (7_500_000, "2 h 5 min"),
        (86_399_000, "1 d"),
        (3 * 86_400_000 + 4 * 3_600_000, "3 d 4 h"),
        (-1500, "-1.5 s"),
    ],
)
def test_durations(ms: float | None, text: str) -> None:
    assert units.duration_text(ms) == text


@pytest.mark.parametrize(
    ("size", "text"),
    [(None, "not known"), (0, "0 B"), (1023, "1023 B"), (1.2 * 2**30, "1.2 GiB"), (-2048, "-2 KiB")],
)
def test_sizes(size: float | None, text: str) -> None:
    assert units.bytes_text(size) == text


@pytest.mark.parametrize(
    ("share", "text"),
    [(None, "not known"), (0, "0 %"), (0.0004, "0.04 %"), (0.12, "12 %"), (0.9996, "100 %"), (1, "100 %")],
)
def test_shares(share: float | None, text: str) -> None:
    assert units.share_text(share) == text


@pytest.mark.parametrize(
    ("cost", "currency", "text"),
    [
        (None, "USD", "not known"),
        (0, "USD", "0.00 USD"),
        (1.342, "USD", "1.34 USD"),
        (0.00423, None, "0.0042"),
    ],
)
def test_costs(cost: float | None, currency: str | None, text: str) -> None:
    assert units.cost_text(cost, currency) == text


def test_factors() -> None:
    assert [units.times_text(each) for each in (None, 1.25, 9.96, 41.3)] == [
        "not known",
        f"1.2 {units.TIMES}",
        f"10 {units.TIMES}",
        f"41 {units.TIMES}",
    ]


@given(st.floats(0, 1e18) | st.integers(0, 2**62))
def test_no_duration_is_written_with_sixty_of_anything(ms: float) -> None:
    words = units.duration_text(ms).split()
    limits = {"s": 60, "min": 60, "h": 24, "ms": 1000}
    for count, unit in zip(words[::2], words[1::2], strict=True):
        assert float(count.replace(",", "")) < limits.get(unit, float("inf"))
