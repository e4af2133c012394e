"""Times and cones as the command line takes them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from metaplat.catalog.search import parse_cone, parse_time
from metaplat.model.errors import UsageError
from metaplat.model.filters import Cone

DAY = datetime(2026, 3, 1, tzinfo=UTC)
TIMES = {
    "2026-03-01": DAY,
    " 2026-03-01 ": DAY,
    "2026-03-01T12:00Z": DAY + timedelta(hours=12),
    "2026-03-01T12:00": DAY + timedelta(hours=12),
    "2026-03-01 12:00:00.5+02:00": DAY + timedelta(hours=10, milliseconds=500),
    "2026-03-01t12:00:00z": DAY + timedelta(hours=12),
}


@pytest.mark.parametrize("text", TIMES)
def test_times_of_the_command_line_are_utc_where_no_zone_is_given(text: str) -> None:
    assert parse_time(text) == TIMES[text]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "now",
        "20260301",
        "2026-3-1",
        "2026-W09",
        "2026-03-01T25:00",
        "1e9",
        "\u0662\u0660\u0662\u0666-03-01",
    ],
)
def test_other_times_are_refused_with_an_example(text: str) -> None:
    with pytest.raises(UsageError, match=r"example: 2026-03-01 or 2026-03-01T12:00Z"):
        parse_time(text)


def test_cones_of_the_command_line_are_three_numbers() -> None:
    assert parse_cone("10.5,-20,0.5") == Cone(10.5, -20.0, 0.5)
    assert parse_cone(" 1e1 , +2 , .5 ") == Cone(10.0, 2.0, 0.5)
    for text in ("", "1", "1,2,3,4", "a,b,c", "nan,0,1", "1,2,inf", "1 2 3", "1,2,3" + "0" * 100, "1_0,2,3"):
        with pytest.raises(UsageError, match=r"is no cone; example: 10.68,41.27,0.5"):
            parse_cone(text)
