"""A store fails in the middle of a run: what is good stays, what is not is told, nothing is judged bad."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import dagster as dg
import pytest

from metaplat.model.errors import PermanentStoreError, TransientStoreError
from metaplat.orchestration import assets, checks
from metaplat.settings import Settings
from metaplat.stores.home import open_stores
from metaplat_tests.orchestration.conftest import evaluations
from metaplat_tests.orchestration.small_domains import COUNTS, land
from metaplat_tests.orchestration.watched_objects import WatchedObjects

if TYPE_CHECKING:
    from pathlib import Path

    from metaplat.stores.home import Stores
    from metaplat_tests.orchestration.conftest import Run

DAY, NEXT, THIRD = "2025-11-01", "2025-11-02", "2025-11-03"


@pytest.fixture(autouse=True)
def quick_retries(monkeypatch: pytest.MonkeyPatch) -> None:
    quick = dg.RetryPolicy(max_retries=2)
    monkeypatch.setattr(assets, "RETRIES", quick)
    monkeypatch.setattr(checks, "RETRIES", quick)


@pytest.fixture
def three_days(stores: Stores) -> Stores:
    for day in (DAY, NEXT, THIRD):
        land(stores, COUNTS, day, "a.json", a=1)
    return stores


def retries(result: dg.ExecuteInProcessResult) -> int:
    return sum(event.event_type is dg.DagsterEventType.STEP_RESTARTED for event in result.all_events)


def failure_of(result: dg.ExecuteInProcessResult) -> tuple[str, object]:
    """Return the text of the one failed step, and what it says has failed."""
    [event] = [event for event in result.all_events if event.is_step_failure]
    told = event.step_failure_data.user_failure_data
    assert told is not None
    failed = told.metadata.get("failed")
    return str(told.description), failed.value if failed else None


def materialized(result: dg.ExecuteInProcessResult) -> set[str | None]:
    return {event.partition for event in result.get_asset_materialization_events()}


def test_good_partitions_are_materialized_and_the_failing_one_is_named(three_days: Stores, run: Run) -> None:
    landing = WatchedObjects(
        three_days.landing,
        lambda operation, key: PermanentStoreError if (operation, "11/02" in key) == ("get", True) else None,
    )
    result = run(DAY, THIRD, stores=replace(three_days, landing=landing))
    assert not result.success
    assert materialized(result) == {DAY, THIRD}
    assert retries(result) == 0
    text, failed = failure_of(result)
    assert text.startswith(f"1 of 3 partitions failed: {NEXT}: store of the test")
    assert failed == [NEXT]
    assert three_days.lake.partitions(COUNTS) == [DAY, THIRD]

    repaired = run(DAY, THIRD)
    assert repaired.success
    assert all(evaluation.passed for evaluation in evaluations(repaired, "amount").values())


def test_a_transient_failure_is_retried_and_what_was_done_is_not_done_again(
    three_days: Stores, run: Run
) -> None:
    failures = 1

    def fails(operation: str, key: str) -> type[TransientStoreError] | None:
        nonlocal failures
        if operation == "get" and "11/02" in key and failures:
            failures -= 1
            return TransientStoreError
        return None

    landing = WatchedObjects(three_days.landing, fails)
    result = run(DAY, THIRD, stores=replace(three_days, landing=landing))
    assert result.success
    assert retries(result) == 1
    assert materialized(result) == {DAY, NEXT, THIRD}
    assert landing.asked["get"] == 4  # one of the three objects was asked for twice


def test_retries_end_where_a_store_stays_down(three_days: Stores, run: Run) -> None:
    landing = WatchedObjects(three_days.landing, lambda *_: TransientStoreError)
    result = run(DAY, stores=replace(three_days, landing=landing))
    assert not result.success
    assert retries(result) == 2
    assert result.get_asset_check_evaluations() == []


def test_a_partition_that_cannot_be_read_is_not_judged_and_the_others_are(
    three_days: Stores, run: Run
) -> None:
    run(DAY, THIRD)
    objects = WatchedObjects(
        three_days.lake.objects,
        lambda operation, key: PermanentStoreError if operation == "get" and NEXT in key else None,
    )
    lake = replace(three_days.lake, objects=objects)
    result = run(DAY, THIRD, job="check", stores=replace(three_days, lake=lake))
    assert not result.success
    assert retries(result) == 0
    found = evaluations(result, "amount")
    assert {day: evaluation.passed for day, evaluation in found.items()} == {DAY: True, THIRD: True}
    assert evaluations(result, "amount__summary")[None].passed
    assert "amount of 2025-11-02" in failure_of(result)[0]


def test_verdicts_of_partitions_are_recorded_though_the_table_cannot_be_judged(
    three_days: Stores, run: Run
) -> None:
    run(DAY)
    state = WatchedObjects(
        three_days.state,
        lambda operation, key: (
            TransientStoreError if (operation, "__table__" in key) == ("put", True) else None
        ),
    )
    land(three_days, COUNTS, DAY, "a.json", a=500)
    result = run(DAY, stores=replace(three_days, state=state))
    assert not result.success
    assert retries(result) == 2
    assert not evaluations(result, "amount")[DAY].passed
    assert evaluations(result, "amount__summary") == {}


def test_settings_that_do_not_fit_fail_the_step_at_once(tmp_path: Path, run: Run) -> None:
    settings = Settings(home=tmp_path / "home", privacy={"drop": ["counts.nothing_of_this_name"]})
    stores = open_stores(settings)
    result = run(DAY, stores=stores)
    assert not result.success
    assert retries(result) == 0
    assert "nothing_of_this_name" in failure_of(result)[0]
