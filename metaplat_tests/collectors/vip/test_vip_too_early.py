"""Too early: which answers mean it, and which of the times in them is believed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from email.utils import format_datetime
from typing import TYPE_CHECKING

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from metaplat.collectors.vip.times_in_text import pause_in, times_in
from metaplat.collectors.vip.too_early import is_too_early, next_slot
from metaplat.model.errors import SettingsError
from metaplat.settings import VipSettings

if TYPE_CHECKING:
    from collections.abc import Callable

NOW = datetime(2022, 2, 8, 8, 30, tzinfo=UTC)
NINE = datetime(2022, 2, 8, 9, tzinfo=UTC)
SETTINGS = VipSettings()
TEXTS = st.text() | st.from_regex(
    r"(Next job at |)[0-9]{1,4}[-/. ][0-9]{1,2}[-/. ][0-9]{1,4}[T ,]{1,2}[0-9]{1,2}:[0-9]{2}(:[0-9]{2})?"
    r"( ?[AP]M|Z| ?[+-][0-9]{2}:?[0-9]{2}|)( in [0-9]{1,9} (seconds|minutes)|)",
    fullmatch=True,
)


@pytest.mark.parametrize(
    "told",
    [
        "2022-02-08T09:00:00Z", "2022-02-08T09:00:00", "2022-02-08 09:00", "2022-02-08T09:00:00.0000000Z",
        "2022-02-08T10:00:00+01:00", "2022-02-08T04:00:00-0500", "2022-02-08 10:00:00 +01:00",
        "2022/02/08 09:00",
        "2/8/2022 9:00:00 AM", "02/08/2022 09:00 AM", "02/08/2022 9:00 a.m.", "8/2/2022 9:00:00",
        "08.02.2022 09:00",
        "8-2-2022 09:00", "2/8/2022 at 9:00 AM", "2/8/2022, 9:00 AM", "2/8/2022 9:00:00 AM (UTC)",
        "2/8/2022 9:00:00 AM +00:00", "2/8/2022 4:00 AM EST", "08/02/2022 10:00 CET",
        "Tue, 08 Feb 2022 09:00:00 GMT", "Tue, 08 Feb 2022 10:00:00 +0100", "8 February 2022 09:00",
        "08-Feb-2022 09:00:00", "Feb 8, 2022 9:00 AM", "February 8th, 2022, at 9:00 AM UTC",
    ],
)  # fmt: skip
def test_a_time_is_found_in_the_forms_that_servers_write(told: str) -> None:
    for text in (told, f"Next job can be triggered at {told}.", f"({told})", f"too early; next={told}; bye"):
        assert next_slot(text, None, NOW, SETTINGS) == NINE


def test_an_afternoon_is_no_morning() -> None:
    now = NOW.replace(hour=20)
    assert next_slot("02/08/2022 09:00 PM", None, now, SETTINGS) == NINE.replace(hour=21)
    midnight = datetime(2022, 2, 9, tzinfo=UTC)
    assert next_slot("2/9/2022 12:00:00 AM", None, midnight - timedelta(minutes=9), SETTINGS) == midnight
    noon = midnight + timedelta(hours=12)
    assert next_slot("2/9/2022 12:00:00 PM", None, noon - timedelta(minutes=9), SETTINGS) == noon


@pytest.mark.parametrize(
    "told",
    [
        None, "", "too early", "1644310800", "/Date(1644310800000)/", "at 09:00", "2022-02-08",
        "2022-13-08 09:00",
        "2022-02-30T09:00:00Z", "2022-02-08T25:00:00Z", "2022-02-08T09:61", "2/8/22 9:00 AM",
        "0000-00-00 00:00:00",
        "12022-02-08 09:00", "one job in 60 minutes", "try again in 0 minutes",
    ],
)  # fmt: skip
def test_what_names_no_time_is_not_guessed(told: str | None) -> None:
    assert next_slot(told, None, NOW, SETTINGS) is None


def test_a_time_is_believed_within_the_longest_wait_only() -> None:
    for told in (
        "2022-02-08T08:29:59Z",
        "2022-02-08T08:30:00Z",
        "2022-02-08T09:45:01Z",
        "2023-02-08T09:00:00Z",
    ):
        assert next_slot(told, None, NOW, SETTINGS) is None
    assert next_slot("2022-02-08T09:45:00Z", None, NOW, SETTINGS) == NOW + timedelta(minutes=75)
    further = VipSettings(max_wait_minutes=200)
    assert next_slot("2022-02-08T09:45:01Z", None, NOW, further) is not None


def test_of_several_times_the_earliest_to_come_counts() -> None:
    told = "Last job at 2022-02-08T08:00:00Z. Next at 2022-02-08T09:00:00Z, then at 2022-02-08T09:30:00Z."
    assert next_slot(told, None, NOW, SETTINGS) == NINE


def test_the_message_comes_before_retry_after_and_that_before_a_pause_in_words() -> None:
    words = "Try again in 10 minutes."
    assert next_slot("at 2022-02-08T09:00:00Z", "60", NOW, SETTINGS) == NINE
    assert next_slot("at 2021-02-08T09:00:00Z", "60", NOW, SETTINGS) == NOW + timedelta(seconds=60)
    assert next_slot(words, "60", NOW, SETTINGS) == NOW + timedelta(seconds=60)
    assert next_slot(words, "0", NOW, SETTINGS) == NOW + timedelta(minutes=10)
    assert next_slot("Please retry after 45 seconds", None, NOW, SETTINGS) == NOW + timedelta(seconds=45)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("120", 120), (" 5 ", 5), ("1.9", 1), ("0", None), ("-5", None), ("", None), ("soon", None),
        (None, None),
        ("Tue, 08 Feb 2022 08:31:00 GMT", 60), ("Tue, 08 Feb 2022 08:30:00 GMT", None),
        ("Mon, 07 Feb 2022 09:00:00 GMT", None), ("9" * 12, None), ("9" * 400, None), ("inf", None),
        ("nan", None),
    ],
)  # fmt: skip
def test_retry_after_is_seconds_or_a_time_and_else_no_hint(header: str | None, seconds: float | None) -> None:
    assert pause_in(header, NOW) == seconds


def test_a_time_without_a_zone_is_of_the_zone_in_the_settings() -> None:
    zoned = VipSettings(too_early_zone="America/New_York")
    assert next_slot("2022-02-08 04:00", None, NOW, zoned) == NINE
    assert next_slot("2022-02-08 09:00Z", None, NOW, zoned) == NINE


@pytest.mark.parametrize("zone", ["Mars/Olympus", "", "../../etc/passwd", "Europe", "\x00"])
def test_a_zone_or_pattern_that_is_none_is_named(zone: str) -> None:
    with pytest.raises(SettingsError, match=r"vip\.too_early_zone"):
        next_slot("2022-02-08 09:00", None, NOW, VipSettings(too_early_zone=zone))
    with pytest.raises(SettingsError, match=r"vip\.too_early_text"):
        is_too_early(400, "x", VipSettings(too_early_text="("))


@pytest.mark.parametrize(
    ("status", "message", "expected"),
    [
        (429, None, True), (429, "anything", True), (400, "Next job can be triggered later", True),
        (403, "TOO EARLY", True), (400, "come back at 2/8/2022 9:00:00 AM", True),
        (400, "Unknown configName onDemandExtract1DayTest", False), (403, "no access", False),
        (400, None, False),
        (500, "too early", False), (404, "2022-02-08T09:00:00Z", False),
        (409, "Next job can be triggered at 2022-02-08T09:00:00Z", True),
        (500, "The next allowed run is at 2/8/2022 9:00:00 AM, next job then", True),
        (401, "Next job can be triggered at 2022-02-08T09:00:00Z", False),
    ],
)  # fmt: skip
def test_429_is_too_early_and_other_statuses_by_their_message(
    status: int, message: str | None, expected: bool
) -> None:
    assert is_too_early(status, message, SETTINGS) is expected


def test_statuses_and_words_are_settings() -> None:
    changed = VipSettings(too_early_statuses=[503], too_early_text="zu früh")
    assert is_too_early(503, "Zu Früh", changed)
    assert not is_too_early(400, "too early", changed)
    assert is_too_early(429, None, changed)


@given(TEXTS, st.none() | TEXTS | st.integers().map(str), st.datetimes(timezones=st.just(UTC)))
@example("0001-01-01T00:00:00+23:59", "0001-01-01T00:00:00+23:59", datetime(1, 1, 1, tzinfo=UTC))
@example("9999-12-31T23:59:59-23:59", "9999-12-31 23:59", datetime(9999, 12, 31, tzinfo=UTC))
@example("9999-12-31T23:59:59+99:99", "9" * 30, datetime(9999, 12, 31, tzinfo=UTC))
def test_no_text_breaks_it_and_no_slot_lies_in_the_past_or_far_off(
    text: str, retry_after: str | None, now: datetime
) -> None:
    slot = next_slot(text, retry_after, now, SETTINGS)
    assert slot is None or now < slot <= now + timedelta(minutes=75)
    assert is_too_early(200, text, SETTINGS) is False


WRITTEN: dict[str, Callable[[datetime], str]] = {
    "iso": lambda time: time.isoformat(),
    "http": format_datetime,
    "us": lambda time: f"{time.month}/{time.day}/{time:%Y %I:%M:%S %p %z}",
    "european": lambda time: f"{time:%d.%m.%Y %H:%M:%S %z}",
    "named": lambda time: f"{time:%B %d, %Y %I:%M:%S %p %z}",
}


@pytest.mark.parametrize("form", WRITTEN)
@given(
    time=st.integers(631_152_000, 3_786_912_000).map(lambda seconds: datetime.fromtimestamp(seconds, UTC)),
    minutes=st.integers(-720, 720),
    before=st.sampled_from(["", "at ", "next: ", "((", "since 5 jobs, "]),
)
def test_a_written_time_is_read_as_it_was_meant(form: str, time: datetime, minutes: int, before: str) -> None:
    meant = time.replace(tzinfo=timezone(timedelta(minutes=minutes)))
    found = times_in(f"{before}{WRITTEN[form](meant)}.", meant.astimezone(UTC), UTC)
    assert found == [meant.astimezone(UTC)]
