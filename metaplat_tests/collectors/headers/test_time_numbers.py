"""Times written as numbers, against astropy and netCDF4."""

# ruff: noqa: DTZ001 - a clock reading of a scale has no zone

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import netCDF4
import numpy as np
import pytest
from astropy.time import Time
from astropy.utils import iers
from hypothesis import example, given, settings
from hypothesis import strategies as st

from metaplat.collectors.headers.time_keys import TimeKey, TimeKeys
from metaplat.collectors.headers.times import ObservedTime, observed_time

if TYPE_CHECKING:
    from metaplat.collectors.headers.header import Value

iers.conf.auto_download = False
MJD = TimeKeys(begin=(TimeKey("MJD-OBS", form="mjd"),))
JD = TimeKeys(begin=(TimeKey("JD-OBS", form="jd"),))
UNITS = {"milliseconds": 1e-3, "seconds": 1.0, "minutes": 60.0, "hours": 3600.0, "days": 86400.0}


def begin_of(keys: TimeKeys, value: Value, timesys: str | None = None) -> ObservedTime:
    return observed_time({keys.begin[0].name: value, "TIMESYS": timesys}, keys)[0]


def span_of(first: float, last: float, units: str, calendar: str | None = None) -> ObservedTime:
    return observed_time({}, TimeKeys(), (first, last, units, calendar))[0]


def astropy_utc(number: float, form: str, scale: str) -> datetime:
    """Return what astropy makes of it; a leap second is the last microsecond before, as with us."""
    time = Time(number, format=form, scale=scale)
    time.precision = 6
    found = str(time.utc.isot)
    return datetime.fromisoformat(found[:17] + "59.999999" if found[17:19] == "60" else found).replace(
        tzinfo=UTC
    )


@pytest.mark.parametrize("scale", ["utc", "tt", "tai"])
@settings(max_examples=60)
@given(mjd=st.floats(41318, 61400))
@example(mjd=57753.9999)  # in the day that ended with the last leap second
@example(mjd=57753.999995)  # in that second
@example(mjd=57753.5)
@example(mjd=57754.0)
def test_a_modified_julian_date_is_that_of_astropy(scale: str, mjd: float) -> None:
    found = begin_of(MJD, mjd, scale.upper())
    assert found.time is not None
    assert abs(found.time - astropy_utc(mjd, "mjd", scale)) <= timedelta(microseconds=2)
    assert set(found.flags) <= {"leap_second"}


@settings(max_examples=60)
@given(jd=st.floats(2441319, 2461400))
def test_a_julian_date_is_that_of_astropy_as_far_as_a_double_can_tell(jd: float) -> None:
    found = begin_of(JD, jd)
    assert found.time is not None
    assert abs(found.time - astropy_utc(jd, "jd", "utc")) <= timedelta(microseconds=50)


@pytest.mark.parametrize("value", [59000, 59000.0, "59000", " 59000.0 ", "5.9D4"])
def test_a_number_may_be_text(value: Value) -> None:
    assert begin_of(MJD, value).time == datetime(2020, 5, 31, tzinfo=UTC)


@pytest.mark.parametrize("value", [math.nan, math.inf, True, "today", [1.0, 2.0], "nan"])
def test_what_is_no_number_is_null_and_flagged(value: Value) -> None:
    found = begin_of(MJD, value)
    assert (found.time, found.flags) == (None, ("time_unreadable",))


@pytest.mark.parametrize("value", [1e9, -1e9, 1e300, 2973483.9999999999, 10**400])
def test_a_number_beyond_the_calendar_is_null_and_flagged(value: Value) -> None:
    found = begin_of(MJD, value)
    assert found.time is None
    assert set(found.flags) <= {"time_out_of_range", "time_unreadable"}


def test_seconds_since_1970_and_since_1980_are_read() -> None:
    keys = TimeKeys(begin=(TimeKey("T", form="unix"), TimeKey("G", form="gps")))
    assert observed_time({"T": 1_772_366_400, "TIMESYS": "TT"}, keys)[0].time == datetime(
        2026, 3, 1, 12, tzinfo=UTC
    )
    found = observed_time({"G": "1456401618.5"}, keys)[0]
    assert (found.time, found.rule) == (datetime(2026, 3, 1, 12, 0, 0, 500_000, UTC), "G (GPS)")


def test_a_year_month_and_day_of_three_attributes_are_one_date() -> None:
    keys = TimeKeys(begin=(TimeKey("year", "ymd", ("month", "day")),))
    found = observed_time({"year": 2020, "month": 1, "day": "7"}, keys)[0]
    assert (found.time, found.rule) == (datetime(2020, 1, 7, tzinfo=UTC), "year+month+day (date-only)")
    assert observed_time({"year": 2020, "month": 1}, keys)[0].flags == ("time_unreadable",)


def netcdf4_time(value: float, units: str, calendar: str) -> Any:
    return netCDF4.num2date(np.array(value), units, calendar, only_use_cftime_datetimes=False)


@settings(max_examples=80)
@given(
    value=st.floats(0, 1e4),
    unit=st.sampled_from(sorted(UNITS)),
    start=st.datetimes(datetime(1600, 1, 1), datetime(2200, 1, 1)),
    calendar=st.sampled_from(["standard", "gregorian", "proleptic_gregorian", None]),
)
def test_a_time_variable_is_read_as_netcdf4_does(
    value: float, unit: str, start: datetime, calendar: str | None
) -> None:
    units = f"{unit} since {start.isoformat(' ', 'seconds')}"
    found = span_of(value, value, units, calendar)
    expected = np.ravel(netcdf4_time(value, units, calendar or "standard"))[0]
    assert found.time is not None
    assert abs(found.time.replace(tzinfo=None) - expected) <= timedelta(microseconds=2)
    assert (found.rule, found.flags, found.keywords) == ("time variable", (), ())


@pytest.mark.parametrize(
    "units", ["hours since 1-1-1 00:00:0.0", "days since 0001-01-01", "days since 1500-03-01"]
)
@pytest.mark.parametrize("calendar", ["standard", "proleptic_gregorian"])
def test_the_julian_days_before_1582_are_those_of_netcdf4(units: str, calendar: str) -> None:
    value = 17_600_000.0 if units.startswith("hours") else 700_000.0
    found = span_of(value, value, units, calendar)
    expected = netcdf4_time(value, units, calendar)
    assert found.time is not None
    assert found.time.replace(tzinfo=None) == expected


@pytest.mark.parametrize(
    ("units", "expected"),
    [
        ("seconds since 1970-01-01 00:00:00.0 UTC", "1970-01-01T00:01:00"),
        ("hours since 1996-1-1", "1996-01-03T12:00:00"),
        ("Minutes since 2000-01-01T00:00:00Z", "2000-01-01T01:00:00"),
        ("hours since 2000-01-01 00:00:00 -6:00", "2000-01-03T18:00:00"),
        ("hours since 2000-01-01 00:00 0:00", "2000-01-03T12:00:00"),
        ("sec after 2000-01-01 06:00", "2000-01-01T06:01:00"),
    ],
)
def test_units_are_read_as_udunits_writes_them(units: str, expected: str) -> None:
    assert span_of(60, 60, units).time == datetime.fromisoformat(expected).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    "calendar", ["noleap", "365_day", "360_day", "all_leap", "julian", "none", "martian"]
)
def test_a_day_of_another_calendar_is_no_moment(calendar: str) -> None:
    found = span_of(1, 2, "days since 2000-01-01", calendar)
    assert (found.time, found.flags) == (None, ("time_calendar",))
    assert found.raw == "1 days since 2000-01-01"


@pytest.mark.parametrize(
    "units", ["months since 2000-01-01", "years since 2000-01-01", "days", "K", "days since then", ""]
)
def test_units_of_no_fixed_length_or_none_at_all_are_flagged(units: str) -> None:
    assert span_of(1, 2, units).flags == ("time_units",)


@pytest.mark.parametrize("value", [math.nan, 9.969209968386869e36, -1e300])
def test_a_fill_value_in_a_time_variable_is_no_time(value: float) -> None:
    found = span_of(value, value, "days since 2000-01-01")
    assert found.time is None
    assert found.flags in {("time_unreadable",), ("time_out_of_range",)}


def test_a_time_variable_that_runs_backwards_still_begins_first() -> None:
    begin, end = observed_time({}, TimeKeys(), (10, 0, "days since 2000-01-01", None))
    assert (begin.time, end) == (datetime(2000, 1, 1, tzinfo=UTC), datetime(2000, 1, 11, tzinfo=UTC))


@given(st.floats(), st.floats(), st.text(max_size=40), st.one_of(st.none(), st.text(max_size=12)))
def test_no_time_variable_raises(first: float, last: float, units: str, calendar: str | None) -> None:
    found = span_of(first, last, units, calendar)
    assert (found.time is None) == bool(found.flags) or found.rule == "time variable"
