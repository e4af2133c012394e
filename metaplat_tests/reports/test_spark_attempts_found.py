"""Attempts are found in the lake by every name they have, whole, the newest first."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from metaplat.model.errors import UsageError
from metaplat.reports.spark.attempts import find_attempts
from metaplat.settings import Settings
from metaplat.stores.home import Stores, open_stores
from metaplat_tests.reports.spark_lake import DOMAINS, filled
from metaplat_tests.reports.spark_report_samples import START, attempt

if TYPE_CHECKING:
    from pathlib import Path

    from metaplat.collectors.spark.attempt import ApplicationAttempt

NOW = START + timedelta(days=200)


@pytest.fixture
def stores(tmp_path: Path) -> Stores:
    return open_stores(Settings(home=tmp_path))


def on_day(day: float, **other: Any) -> ApplicationAttempt:
    """Return an attempt that began so many days after the first one."""
    begin, end = START + timedelta(days=day), START + timedelta(days=day, minutes=10)
    times = {"start_time": begin, "end_time": end, "observed_start": begin, "observed_end": end}
    return attempt(**(times | {"stages": [], "job_list": [], "executors": []} | other))


def test_an_attempt_comes_back_as_it_was_landed_by_id_key_name_and_pattern(stores: Stores) -> None:
    made = attempt()
    tables = filled(stores, NOW, made)
    for name in (made.app_id, f"event-logs/{made.app_id}/1", "nightly orders", "nightly*"):
        assert find_attempts(tables, name) == [made.record()]


def test_parts_that_are_not_in_the_lake_yet_come_from_the_landing_object(stores: Stores) -> None:
    made = attempt()
    tables = filled(stores, NOW, made, domains=DOMAINS[:1])
    assert find_attempts(tables, made.app_id) == [made.record()]
    [landed] = stores.landing.list_objects()
    stores.landing.delete(landed.key)
    [without] = find_attempts(tables, made.app_id)
    assert (without["stages"], without["executors"], without["total_stages"]) == ([], [], 4)


def test_parts_come_from_the_lake_where_the_landing_object_is_gone(stores: Stores) -> None:
    made = attempt()
    tables = filled(stores, NOW, made)
    for item in stores.landing.list_objects():
        stores.landing.delete(item.key)
    assert find_attempts(tables, made.app_id) == [made.record()]


def test_the_newest_attempt_comes_first_and_of_one_attempt_the_fullest_source(stores: Stores) -> None:
    tables = filled(
        stores,
        NOW,
        on_day(0, attempt_id="1"),
        on_day(1, attempt_id="2", source="history-server"),
        on_day(1.0000001, attempt_id="2", source="emr"),
        on_day(1, attempt_id="2"),
    )
    found = find_attempts(tables, attempt().app_id)
    assert [(each["attempt_id"], each["source"]) for each in found] == [
        ("2", "event-logs"),
        ("2", "history-server"),
        ("2", "emr"),
        ("1", "event-logs"),
    ]
    assert [each["attempt_id"] for each in find_attempts(tables, attempt().app_id, attempt_id="1")] == ["1"]
    only = find_attempts(tables, "nightly orders", source="emr")
    assert [each["source"] for each in only] == ["emr"]


def test_old_days_are_asked_where_new_ones_know_nothing(stores: Stores) -> None:
    streaming: dict[str, Any] = {"app_id": "application_9_9", "app_name": "stream"}
    tables = filled(
        stores,
        NOW,
        on_day(0, app_id="old", app_name="yearly"),
        on_day(100, **streaming, attempt_id="1"),
        on_day(148, **streaming, attempt_id="2"),
        on_day(150, app_id="new"),
    )
    assert [each["app_id"] for each in find_attempts(tables, "yearly")] == ["old"]
    assert [each["attempt_id"] for each in find_attempts(tables, "application_9_9")] == ["2", "1"]
    assert [each["app_id"] for each in find_attempts(tables, "nightly orders")] == ["new"]


def test_only_the_first_ones_need_their_parts(stores: Stores) -> None:
    tables = filled(stores, NOW, attempt(), attempt(attempt_id="2"))
    found = find_attempts(tables, attempt().app_id, whole=1)
    assert [len(each["stages"]) for each in found] == [5, 0]


def test_near_names_are_told_where_there_is_none(stores: Stores) -> None:
    tables = filled(stores, NOW, attempt())
    with pytest.raises(UsageError, match=r"did you mean 'nightly orders'\?"):
        find_attempts(tables, "nightly order")
    with pytest.raises(UsageError, match="did you mean 'application_1763600000000_0042'"):
        find_attempts(tables, "_0042")
    with pytest.raises(UsageError, match="metaplat collect spark_applications"):
        find_attempts(tables, "something else entirely")


def test_an_empty_lake_says_how_to_fill_it(stores: Stores) -> None:
    with pytest.raises(UsageError, match=r"it holds none\. Collect it with `metaplat collect"):
        find_attempts(filled(stores, NOW), "x")


@pytest.mark.parametrize("name", ["'; drop table x; --", "a'b", "[", "*", "\\", "%", "\x00", "\ud800"])
def test_a_name_is_any_text(stores: Stores, name: str) -> None:
    tables = filled(stores, NOW, attempt(app_name="a'b"))
    try:
        found = find_attempts(tables, name)
    except UsageError:
        assert name not in ("a'b", "*")
    else:
        assert [each["app_name"] for each in found] == ["a'b"]
