"""Partition keys, folders and segments name the same windows in every place."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metaplat.model.errors import UsageError
from metaplat.model.partitioning import Daily, Hourly, IdBuckets, Partitioning, stretches

DAILY, HOURLY, BUCKETS = Daily("2025-01-01"), Hourly("2025-01-01-00:00"), IdBuckets(256)
NOW = datetime(2025, 3, 4, 5, 6, tzinfo=UTC)
moments = st.datetimes(datetime(1000, 1, 1), datetime(9999, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


@pytest.mark.parametrize(
    ("partitions", "key", "folder", "segment"),
    [
        (DAILY, "2025-03-04", "2025/03/04", "2025-03-04"),
        (HOURLY, "2025-03-04-05:00", "2025/03/04/05", "2025-03-04-05"),
        (BUCKETS, "17", "id_bucket=17", "17"),
    ],
)
def test_a_key_has_one_folder_and_one_segment(
    partitions: Partitioning, key: str, folder: str, segment: str
) -> None:
    assert (partitions.folder(key), partitions.segment(key)) == (folder, segment)
    assert partitions.key_of_folder(folder) == partitions.key_of_segment(segment) == key
    assert partitions.check(key, NOW) == key


@given(moments, st.sampled_from([DAILY, HOURLY]))
def test_every_moment_lies_in_the_window_of_its_key(moment: datetime, partitions: Daily | Hourly) -> None:
    key = partitions.key_of(moment)
    start, end = partitions.window(key)
    assert start <= moment < end
    assert partitions.key_of(start) == key != partitions.key_of(end)
    assert partitions.key_of_folder(partitions.folder(key)) == key
    assert partitions.key_of_segment(partitions.segment(key)) == key


@given(
    st.text()
    | st.from_regex(r"[0-9]{1,4}[-/][0-9]{2}[-/][0-9]{2}([-/][0-9]{2}(:[0-9]{2})?)?", fullmatch=True)
)
def test_any_text_is_the_folder_segment_and_key_of_what_is_written_so_or_of_nothing(text: str) -> None:
    partitions: Partitioning
    for partitions in (DAILY, HOURLY, BUCKETS):
        of_folder, of_segment = partitions.key_of_folder(text), partitions.key_of_segment(text)
        assert of_folder is None or partitions.folder(of_folder) == text
        assert of_segment is None or partitions.segment(of_segment) == text
        try:
            key = partitions.check(text, NOW)
        except UsageError as error:
            assert "no partition" in str(error)  # noqa: PT017
        else:
            assert key in partitions.keys(NOW)


@pytest.mark.parametrize(
    "folder",
    ["2025/3/4", "2025/03/04/", "/2025/03/04", "2025/02/30", "0000/01/01", "٢٠٢٥/03/04", "0999/01/01"],
)
def test_a_folder_written_otherwise_is_none(folder: str) -> None:
    assert DAILY.key_of_folder(folder) is None


@pytest.mark.parametrize("text", ["256", "017", "-1", "1.0", "", "٣", "9" * 5000])
def test_a_bucket_written_otherwise_is_none(text: str) -> None:
    assert BUCKETS.key_of_folder(f"id_bucket={text}") is None
    assert BUCKETS.key_of_segment(text) is None
    with pytest.raises(UsageError, match="buckets run from 0 to 255"):
        BUCKETS.check(text, NOW)


@pytest.mark.parametrize(
    ("partitions", "key", "said"),
    [
        (DAILY, "2024-12-31", "partitions run from 2025-01-01 to 2025-03-04"),
        (DAILY, "2025-03-05", "partitions run from 2025-01-01 to 2025-03-04"),
        (DAILY, "2025-3-4", "a date partition is written like 2025-01-01"),
        (DAILY, "2025-02-29", "a date partition is written like 2025-01-01"),
        (DAILY, "today", "a date partition is written like 2025-01-01"),
        (HOURLY, "2025-03-04-06:00", "partitions run from 2025-01-01-00:00 to 2025-03-04-05:00"),
        (HOURLY, "2025-03-04-05:30", "a hour partition is written like 2025-01-01-00:00"),
        (HOURLY, "2025-03-04", "a hour partition is written like 2025-01-01-00:00"),
    ],
)
def test_a_partition_that_does_not_exist_is_said_to_be_none(
    partitions: Partitioning, key: str, said: str
) -> None:
    with pytest.raises(UsageError, match=f"no partition '{key}'.*{said}"):
        partitions.check(key, NOW)


def test_keys_run_from_the_start_to_the_window_that_holds_now() -> None:
    assert DAILY.keys(datetime(2025, 1, 3, tzinfo=UTC)) == ["2025-01-01", "2025-01-02", "2025-01-03"]
    assert DAILY.keys(datetime(2024, 12, 31, 23, 59, tzinfo=UTC)) == []
    assert len(HOURLY.keys(datetime(2025, 1, 2, tzinfo=UTC))) == 25
    assert BUCKETS.keys(NOW) == [str(number) for number in range(256)]


def test_the_zone_of_a_time_does_not_matter_and_one_without_zone_is_refused() -> None:
    tokyo = timezone(timedelta(hours=9))
    assert DAILY.key_of(datetime(2025, 3, 4, 8, 59, tzinfo=tokyo)) == "2025-03-03"
    assert HOURLY.key_of(datetime(2025, 3, 4, 9, 1, tzinfo=tokyo)) == "2025-03-04-00:00"
    for wrong in (datetime(2025, 3, 4), "2025-03-04", 5, None):  # noqa: DTZ001
        with pytest.raises(TypeError, match="aware time"):
            DAILY.key_of(wrong)


@pytest.mark.parametrize("wrong", [-1, 256, True, "3", 3.0, None])
def test_what_is_no_bucket_number_is_refused(wrong: object) -> None:
    with pytest.raises(TypeError, match="whole number from 0 to 255"):
        BUCKETS.key_of(wrong)


@pytest.mark.parametrize("start", ["2025-1-1", "yesterday", ""])
def test_a_start_that_is_no_key_is_refused_when_declared(start: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        Daily(start)


def test_an_hourly_start_off_the_hour_is_refused_when_declared() -> None:
    with pytest.raises(ValueError, match="not the start of a window"):
        Hourly("2025-01-01-00:30")


@given(st.lists(st.integers(0, 30), unique=True), st.sets(st.integers(0, 40)))
def test_stretches_cover_exactly_the_keys_that_exist_in_the_fewest_pieces(
    existing: list[int], wanted: set[int]
) -> None:
    order = [str(number) for number in sorted(existing)]
    found = stretches({str(number) for number in wanted}, order)
    places = [(order.index(first), order.index(last)) for first, last in found]
    covered = [order[place] for first, last in places for place in range(first, last + 1)]
    assert covered == [key for key in order if int(key) in wanted]
    assert all(last + 1 < first for (_, last), (first, _) in pairwise(places))
