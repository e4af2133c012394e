"""Which of several times a header states is believed, and where the end comes from."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from metaplat.collectors.headers.mappings import load_mappings
from metaplat.collectors.headers.time_keys import TimeKey, TimeKeys
from metaplat.collectors.headers.times import observed_time

if TYPE_CHECKING:
    from metaplat.collectors.headers.header import Value

KEYS = load_mappings().plan("fits", None).times
NAMED = TimeKeys(paths=(re.compile(r"_(?P<year>\d{4})(?P<doy>\d{3})(?P<hour>\d\d)(?P<minute>\d\d)"),))


def at(hour: int, minute: int = 0, second: int = 0) -> datetime:
    return datetime(2026, 3, 1, hour, minute, second, tzinfo=UTC)


def test_keywords_are_believed_in_their_order() -> None:
    stated: dict[str, Value] = {
        "DATE-OBS": "2026-03-01T01:00:00",
        "DATE-BEG": "2026-03-01T02:00:00",
        "DATE_OBS": "2026-03-01T03:00:00",
        "MJD-OBS": 61100 + 4 / 24,
        "MJD-BEG": 61100 + 5 / 24,
    }
    order: list[str | None] = []
    while stated:
        found, _ = observed_time(stated, KEYS)
        assert found.time == at(len(order) + 1)
        order.append(found.rule)
        stated.pop(found.keywords[0])
    assert order == ["DATE-OBS", "DATE-BEG", "DATE_OBS", "MJD-OBS", "MJD-BEG"]


def test_an_unreadable_keyword_gives_way_to_the_next_and_stays_flagged() -> None:
    found, _ = observed_time({"DATE-OBS": "unknown", "MJD-OBS": 61100.5}, KEYS)
    assert (found.time, found.rule, found.flags) == (at(12), "MJD-OBS", ("time_unreadable",))


def test_a_blank_keyword_gives_way_silently() -> None:
    found, _ = observed_time({"DATE-OBS": "   ", "DATE-BEG": "2026-03-01T12:00:00"}, KEYS)
    assert (found.time, found.flags) == (at(12), ())


def test_a_keyword_is_believed_before_a_time_variable_and_that_before_a_path() -> None:
    span = (6.0, 7.0, "hours since 2026-03-01", None)
    path = "/data/x_20260600800_v1.nc"
    assert observed_time({"DATE-OBS": "2026-03-01T05:00:00"}, NAMED, span, path)[0].time == at(5)
    assert observed_time({}, NAMED, span, path)[0].rule == "time variable"
    found, end = observed_time({}, NAMED, None, path)
    assert (found.time, found.rule, found.raw, end) == (at(8), "path", "_20260600800", None)


def test_a_path_without_a_date_or_with_an_impossible_one_says_nothing() -> None:
    for path in ("/data/x.nc", "/data/x_20269990800.nc", None):
        assert observed_time({}, NAMED, None, path)[0].time is None


@pytest.mark.parametrize(
    ("stated", "end"),
    [
        ({"DATE-END": "2026-03-01T12:00:30"}, at(12, 0, 30)),
        ({"DATE-END": "2026-03-01", "TIME-END": "12:01:00"}, at(12, 1)),
        ({"MJD-END": 61101.0}, datetime(2026, 3, 2, tzinfo=UTC)),
        ({"EXPTIME": 90.0}, at(12, 1, 30)),
        ({"EXPTIME": "90"}, at(12, 1, 30)),
        ({"EXPTIME": 0}, at(12)),
        ({"EXPTIME": -1.0}, None),
        ({"EXPTIME": 1e300}, None),
        ({"EXPTIME": True}, None),
        ({}, None),
    ],
)
def test_the_end_is_stated_or_follows_from_the_exposure(
    stated: dict[str, Value], end: datetime | None
) -> None:
    begin, found = observed_time({"DATE-OBS": "2026-03-01T12:00:00", **stated}, KEYS)
    assert (found, begin.flags) == (end, ())


def test_begin_and_end_are_in_the_same_scale() -> None:
    stated = {"DATE-OBS": "2026-03-01T12:01:09.184", "DATE-END": "2026-03-01T12:02:09.184", "TIMESYS": "TT"}
    begin, end = observed_time(stated, KEYS)
    assert (begin.time, end) == (at(12), at(12, 1))


def test_an_end_before_the_begin_is_flagged_and_the_exposure_used() -> None:
    stated: dict[str, Value] = {
        "DATE-OBS": "2026-03-01T12:00:00",
        "DATE-END": "2026-03-01T11:00:00",
        "EXPTIME": 60.0,
    }
    begin, end = observed_time(stated, KEYS)
    assert (end, begin.flags) == (at(12, 1), ("end_before_begin",))


def test_an_unreadable_end_is_flagged() -> None:
    begin, end = observed_time({"DATE-OBS": "2026-03-01T12:00:00", "DATE-END": "soon"}, KEYS)
    assert (begin.time, end, begin.flags) == (at(12), None, ("end_unreadable",))


def test_an_exposure_says_nothing_of_the_end_where_only_the_date_is_known() -> None:
    assert observed_time({"DATE-OBS": "2026-03-01", "EXPTIME": 60.0}, KEYS)[1] is None


def test_the_end_of_a_time_variable_counts_where_no_keyword_states_one() -> None:
    span = (6.0, 7.0, "hours since 2026-03-01", None)
    keys = TimeKeys(begin=(TimeKey("time_coverage_start"),), end=(TimeKey("time_coverage_end"),))
    assert observed_time({"time_coverage_start": "2026-03-01T05:30:00Z"}, keys, span)[1] == at(7)
    assert observed_time({"time_coverage_end": "2026-03-01T08:00:00Z"}, keys, span)[1] == at(8)


def test_an_end_alone_is_kept_without_a_begin() -> None:
    begin, end = observed_time({"DATE-END": "2026-03-01T12:00:00"}, KEYS)
    assert (begin.time, end) == (None, at(12))


def test_an_end_of_a_time_variable_that_is_no_time_is_unknown_and_not_the_begin() -> None:
    found, end = observed_time({}, KEYS, (0.0, 20.0, "days since 9999-12-30", None))
    assert found.time == datetime(9999, 12, 30, tzinfo=UTC)
    assert (end, found.flags) == (None, ("time_out_of_range",))


def test_a_begin_of_a_time_variable_that_is_no_time_is_unknown_and_not_the_end() -> None:
    found, end = observed_time({}, KEYS, (-1000.0, 20.0, "days since 0001-01-01", "proleptic_gregorian"))
    assert (found.time, found.rule) == (None, None)
    assert end == datetime(1, 1, 21, tzinfo=UTC)
    assert found.flags == ("time_out_of_range",)
