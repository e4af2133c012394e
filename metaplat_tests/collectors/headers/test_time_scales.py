"""Time scales against astropy, which computes them from the definitions."""

# ruff: noqa: DTZ001 - a clock reading of another scale has no zone

from __future__ import annotations

import warnings
from datetime import UTC, datetime, timedelta

import pytest
from astropy.time import Time
from astropy.utils import iers
from hypothesis import given, settings
from hypothesis import strategies as st

from metaplat.collectors.headers.leap_seconds import has_leap_second
from metaplat.collectors.headers.time_keys import TimeKey, TimeKeys
from metaplat.collectors.headers.time_numbers import read_seconds
from metaplat.collectors.headers.times import ObservedTime, observed_time

iers.conf.auto_download = False
TABLED = st.datetimes(datetime(1972, 1, 2), datetime(2027, 1, 1))
NEAR_LEAP = st.builds(
    lambda day, seconds: day + timedelta(seconds=seconds),
    st.sampled_from([datetime(1972, 7, 1), datetime(1999, 1, 1), datetime(2015, 7, 1), datetime(2017, 1, 1)]),
    st.floats(-120, 120),
)


def begin_of(text: str, timesys: object, **keys: str) -> ObservedTime:
    return observed_time({"DATE-OBS": text, "TIMESYS": timesys}, TimeKeys(**keys))[0]  # type: ignore[arg-type,dict-item]


def astropy_utc(text: str, scale: str) -> datetime:
    """Return what astropy makes of it; a leap second is the last microsecond before, as with us."""
    time = Time(text, scale=scale)
    time.precision = 6
    found = str(time.utc.isot)
    text = found[:17] + "59.999999" if found[17:19] == "60" else found
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("scale", "microseconds"), [("TT", 1), ("TAI", 1), ("TCG", 1), ("TDB", 12), ("TCB", 12)]
)
@settings(max_examples=60)
@given(moment=st.one_of(TABLED, NEAR_LEAP))
def test_a_scale_is_converted_as_astropy_does(scale: str, microseconds: int, moment: datetime) -> None:
    text = moment.isoformat(timespec="microseconds")
    found = begin_of(text, scale)
    assert found.time is not None
    assert abs(found.time - astropy_utc(text, scale.lower())) <= timedelta(microseconds=microseconds)
    assert set(found.flags) <= {"leap_second"}


@settings(max_examples=60)
@given(seconds=st.floats(0, 1.4e9))
def test_gps_seconds_are_those_of_astropy(seconds: float) -> None:
    expected = Time(seconds, format="gps").tai.to_datetime()
    found = read_seconds(seconds, "gps").moment
    assert found is not None
    assert abs(found + timedelta(seconds=19) - expected) <= timedelta(microseconds=2)


@pytest.mark.parametrize(
    ("text", "timesys", "expected"),
    [
        ("2010-06-01T12:00:00", "TT", "2010-06-01T11:58:53.816"),
        ("2026-03-01T12:00:00", "TT", "2026-03-01T11:58:50.816"),
        ("2026-03-01T12:00:00", "tai", "2026-03-01T11:59:23"),
        ("2026-03-01T12:00:00", "GPS", "2026-03-01T11:59:42"),
        ("2026-03-01T12:00:00", " tdt ", "2026-03-01T11:58:50.816"),
        ("2026-03-01T12:00:00", "TT(BIPM)", "2026-03-01T11:58:50.816"),
        ("2026-03-01T12:00:00", "UTC(NIST)", "2026-03-01T12:00:00"),
        ("2026-03-01T12:00:00", "IAT", "2026-03-01T11:59:23"),
        ("2026-03-01T12:00:00", "", "2026-03-01T12:00:00"),
        ("2026-03-01T12:00:00", None, "2026-03-01T12:00:00"),
    ],
)
def test_timesys_names_the_scale(text: str, timesys: object, expected: str) -> None:
    found = begin_of(text, timesys)
    assert found.time == datetime.fromisoformat(expected).replace(tzinfo=UTC)
    assert found.flags == ()


@pytest.mark.parametrize("timesys", ["MJD", "1979.00", "LOCAL", "Universal Time", 7, True, ["TT"]])
def test_a_timesys_that_is_no_scale_is_taken_as_utc_and_flagged(timesys: object) -> None:
    found = begin_of("2026-03-01T12:00:00", timesys)
    assert found.time == datetime(2026, 3, 1, 12, tzinfo=UTC)
    assert (found.rule, found.flags) == ("DATE-OBS", ("timesys_unknown",))


def test_the_rule_names_a_scale_that_is_not_utc() -> None:
    assert begin_of("2026-03-01", "TT").rule == "DATE-OBS (date-only, TT)"


def test_ut1_is_taken_as_utc_and_flagged() -> None:
    found = begin_of("2026-03-01T12:00:00", "UT1")
    assert found.time == datetime(2026, 3, 1, 12, tzinfo=UTC)
    assert (found.rule, found.flags) == ("DATE-OBS (UT1)", ("ut1_as_utc",))


def test_a_conversion_before_1972_is_flagged_and_utc_itself_is_not() -> None:
    assert begin_of("1969-07-20T20:17:40", "TAI").flags == ("before_1972",)
    assert begin_of("1969-07-20T20:17:40", "UTC").flags == ()


def test_a_moment_within_a_leap_second_is_the_last_microsecond_before() -> None:
    found = begin_of("2017-01-01T00:00:36.5", "TAI")
    assert (found.time, found.flags) == (datetime(2016, 12, 31, 23, 59, 59, 999999, UTC), ("leap_second",))


def test_an_offset_from_utc_outweighs_timesys() -> None:
    assert begin_of("2026-03-01T12:00:00+01:00", "TT").time == datetime(2026, 3, 1, 11, tzinfo=UTC)


@pytest.mark.parametrize("scale", ["TT", "TAI", "GPS", "TDB", "TCB", "TCG"])
def test_the_ends_of_the_calendar_are_null_or_read_but_never_an_error(scale: str) -> None:
    first, last = begin_of("0001-01-01T00:00:00", scale), begin_of("9999-12-31T23:59:59", scale)
    for found in (first, last):
        assert found.time is not None or found.flags == ("time_out_of_range",)


def test_a_mission_may_have_a_scale_of_its_own_and_a_keyword_as_well() -> None:
    values = {"DATE-OBS": "2026-03-01T12:00:00"}
    assert observed_time(values, TimeKeys(scale="TAI"))[0].rule == "DATE-OBS (TAI)"
    keys = TimeKeys(begin=(TimeKey("DATE-OBS", scale="TT"),))
    assert observed_time(values, keys)[0].time == datetime(2026, 3, 1, 11, 58, 50, 816000, UTC)


def test_the_table_of_leap_seconds_is_that_of_the_iers() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # astropy warns of the age of its own copy
        table = iers.LeapSeconds.from_iers_leap_seconds(iers.IERS_LEAP_SECOND_FILE)
    since = [datetime(int(row["year"]), int(row["month"]), 1) for row in table]
    after_first = [day for day in since if day > datetime(1972, 1, 1)]
    assert all(has_leap_second((day - timedelta(days=1)).date()) for day in after_first)
    days = (datetime(1972, 1, 1) + timedelta(days=count) for count in range(20_100))
    assert sum(has_leap_second(day.date()) for day in days) == len(after_first)
