"""Every form of text that headers hold times in, through ``observed_time``."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metaplat.collectors.headers.time_keys import TimeKey, TimeKeys
from metaplat.collectors.headers.times import ObservedTime, observed_time

if TYPE_CHECKING:
    from metaplat.collectors.headers.header import Value

KEYS = TimeKeys(begin=(TimeKey("DATE-OBS", clock=("TIME-OBS", "UT")),))


def begin_of(value: Value, keys: TimeKeys = KEYS, **others: Value) -> ObservedTime:
    values = {name.replace("_", "-"): each for name, each in others.items()}
    return observed_time({"DATE-OBS": value, **values}, keys)[0]


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "expected", "rule"),
    [
        ("2026-03-01T12:00:00", "2026-03-01T12:00:00", "DATE-OBS"),
        ("2026-03-01T12:00:00.5", "2026-03-01T12:00:00.500000", "DATE-OBS"),
        ("2026-03-01T12:00:00.123456789", "2026-03-01T12:00:00.123456", "DATE-OBS"),
        ("2026-03-01T12:00:00.", "2026-03-01T12:00:00", "DATE-OBS"),
        ("2026-03-01T12:00:00Z", "2026-03-01T12:00:00", "DATE-OBS"),
        ("2026-03-01T12:00:00.25z", "2026-03-01T12:00:00.250000", "DATE-OBS"),
        ("2026-03-01 12:00:00 UTC", "2026-03-01T12:00:00", "DATE-OBS"),
        ("2026-03-01T12:00:00+05:30", "2026-03-01T06:30:00", "DATE-OBS"),
        ("2026-03-01T12:00:00-0800", "2026-03-01T20:00:00", "DATE-OBS"),
        ("2026-03-01 12:00:00", "2026-03-01T12:00:00", "DATE-OBS"),
        ("2026-03-01T12:00", "2026-03-01T12:00:00", "DATE-OBS"),
        ("  2026-03-01T12:00:00  ", "2026-03-01T12:00:00", "DATE-OBS"),
        ("+02026-03-01T12:00:00", "2026-03-01T12:00:00", "DATE-OBS"),
        ("2026-03-01", "2026-03-01T00:00:00", "DATE-OBS (date-only)"),
        ("2026/03/01 12:00:00", "2026-03-01T12:00:00", "DATE-OBS"),
        ("2026.03.01_12:00:00", "2026-03-01T12:00:00", "DATE-OBS"),
        ("2026-060T12:00:00", "2026-03-01T12:00:00", "DATE-OBS"),
        ("2026:060:12:00:00", "2026-03-01T12:00:00", "DATE-OBS"),
        ("20260301T120000Z", "2026-03-01T12:00:00", "DATE-OBS"),
        ("20260301T120000.75", "2026-03-01T12:00:00.750000", "DATE-OBS"),
        ("01-MAR-2026 12:00:00", "2026-03-01T12:00:00", "DATE-OBS"),
        ("1 March 2026", "2026-03-01T00:00:00", "DATE-OBS (date-only)"),
        ("24/12/97", "1997-12-24T00:00:00", "DATE-OBS (dd/mm/yy, date-only)"),
        ("07/06/11", "1911-06-07T00:00:00", "DATE-OBS (dd/mm/yy, date-only)"),
        ("24/12/1997", "1997-12-24T00:00:00", "DATE-OBS (dd/mm/yyyy, date-only)"),
        ("07/07/2011 01:02:03", "2011-07-07T01:02:03", "DATE-OBS (dd/mm/yyyy)"),
        ("2024-02-29T23:59:59.999999", "2024-02-29T23:59:59.999999", "DATE-OBS"),
    ],
)
def test_a_form_is_read_as_it_means(text: str, expected: str, rule: str) -> None:
    found = begin_of(text)
    assert (found.time, found.rule, found.flags) == (utc(expected), rule, ())
    assert found.raw == (text if text == found.raw else text.strip())


def test_an_ambiguous_date_is_read_day_first_and_flagged() -> None:
    found = begin_of("07/06/2011", TIME_OBS="00:00:00.000")
    assert found.time == utc("2011-06-07T00:00:00")
    assert found.rule == "DATE-OBS+TIME-OBS (dd/mm/yyyy, ambiguous)"
    assert found.flags == ("date_ambiguous",)


def test_a_date_that_only_month_first_can_be_is_read_so_and_flagged() -> None:
    found = begin_of("06/24/2011")
    assert (found.time, found.flags) == (utc("2011-06-24T00:00:00"), ("date_mdy",))


@pytest.mark.parametrize(("order", "expected"), [("mdy", "2011-07-06"), ("dmy", "2011-06-07")])
def test_a_mission_that_states_its_order_of_dates_is_not_ambiguous(order: str, expected: str) -> None:
    found = begin_of("07/06/2011", TimeKeys(date_order=order))
    assert (found.time, found.flags) == (utc(f"{expected}T00:00:00"), ())


@pytest.mark.parametrize(
    "text", ["2016-12-31T23:59:60", "2016-12-31T23:59:60.75", "2017-01-01T05:29:60+05:30"]
)
def test_a_leap_second_is_the_last_microsecond_before(text: str) -> None:
    found = begin_of(text)
    assert found.time == utc("2016-12-31T23:59:59.999999")
    assert (found.raw, found.flags) == (text, ("leap_second",))


@pytest.mark.parametrize(
    "value",
    ["2026-02-30T12:00:00", "2026-13-01", "2026-03-01T25:00:00", "2026-03-01T12:60:00", "2026-03-01T12:00:60",
     "2026-03-01T24:00:00", "2026-366", "2026-W09-1", "2026-03", "32/12/97", "13/13/2011", "1-Mrz-2026",
     "1979.00", "2026-03-01T12:00:00+99:00", "\u0662026-03-01", "2026-03-01T12:00:00 2026", "yesterday",
     2026.5, True, ["a", "b"]],
)  # fmt: skip
def test_what_is_no_time_is_null_and_flagged(value: Value) -> None:
    found = begin_of(value)
    assert (found.time, found.rule, found.flags) == (None, None, ("time_unreadable",))
    assert found.raw == str(value)
    assert found.keywords == ()


@pytest.mark.parametrize("text", ["+12026-03-01T12:00:00", "-00044-03-15", "0000-01-01T00:00:00"])
def test_a_year_that_no_datetime_holds_is_null_and_flagged(text: str) -> None:
    assert begin_of(text)[:4] == (None, text, None, ("time_out_of_range",))


@pytest.mark.parametrize("blank", [None, "", "   "])
def test_a_blank_value_is_missing_and_nothing_odd(blank: str | None) -> None:
    assert begin_of(blank) == ObservedTime(None, None, None)


@pytest.mark.parametrize(
    ("clock", "expected"),
    [
        ("18:38:15", "18:38:15"),
        ("18:38:15.5Z", "18:38:15.500000"),
        (" 8:05 ", "08:05:00"),
        ("183815", "18:38:15"),
    ],
)
def test_a_date_is_joined_with_the_time_of_day_of_another_card(clock: str, expected: str) -> None:
    found = begin_of("1998-04-20", TIME_OBS=clock)
    assert (found.time, found.rule) == (utc(f"1998-04-20T{expected}"), "DATE-OBS+TIME-OBS")
    assert (found.raw, found.keywords) == (f"1998-04-20 {clock.strip()}", ("DATE-OBS", "TIME-OBS"))


def test_the_first_time_of_day_that_is_there_is_joined() -> None:
    found = begin_of("11/03/76", TIME_OBS="  ", UT="17:38:00.00")
    assert (found.time, found.rule) == (utc("1976-03-11T17:38:00"), "DATE-OBS+UT (dd/mm/yy)")


def test_a_whole_time_is_not_joined_with_another_card() -> None:
    assert begin_of("2004-03-01T00:00:10.515", TIME_OBS="09:09:09").time == utc("2004-03-01T00:00:10.515")


@pytest.mark.parametrize("clock", ["25:00:00", "noon", 12.5, True])
def test_a_time_of_day_that_cannot_be_read_leaves_the_date(clock: Value) -> None:
    found = begin_of("1998-04-20", TIME_OBS=clock)
    assert (found.time, found.flags) == (utc("1998-04-20T00:00:00"), ("time_unreadable",))
    assert found.rule == "DATE-OBS (date-only)"


def test_a_list_of_one_is_its_value() -> None:
    assert begin_of(["2026-03-01T12:00:00"]).time == utc("2026-03-01T12:00:00")


@given(st.datetimes())
def test_every_moment_is_read_back_from_its_iso_text(moment: datetime) -> None:
    for separator in "T ":
        assert begin_of(moment.isoformat(separator)).time == moment.replace(tzinfo=UTC)


@given(st.one_of(st.text(), st.from_regex(r"[0-9+TZ:/. -]{1,30}", fullmatch=True)), st.text(max_size=12))
def test_no_text_raises_and_none_is_lost(text: str, clock: str) -> None:
    found = begin_of(text, TIME_OBS=clock)
    assert found.time is None or found.time.tzinfo is UTC
    assert (found.raw is None) == (not text.strip())
    assert found.time or found.flags or not text.strip()
