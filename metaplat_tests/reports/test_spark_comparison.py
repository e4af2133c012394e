"""Two attempts side by side: what is clearly worse, which settings differ, which stages changed."""

from __future__ import annotations

import pytest

from metaplat.reports.spark.comparison import clear_change, compare
from metaplat_tests.reports.spark_report_samples import attempt, stage


@pytest.mark.parametrize(
    ("first", "second", "floor", "mark"),
    [
        (100, 130, 1, "worse"),
        (130, 100, 1, "better"),
        (100, 110, 1, ""),
        (0, 3, 1, "worse"),
        (3, 0, 1, "better"),
        (0, 0, 1, ""),
        (1, 2, 5, ""),
        (100, 200, None, ""),
        (None, 200, 1, ""),
        (100, None, 1, ""),
    ],
)
def test_only_a_clear_change_is_marked(
    first: float | None, second: float | None, floor: float | None, mark: str
) -> None:
    assert clear_change(first, second, floor) == mark


def test_a_ratio_is_known_where_both_numbers_are() -> None:
    found = compare(attempt(failed_tasks=0, total_tasks=None), attempt(duration_ms=1_448_000))
    measures = {each.field: each for each in found.measures}
    assert measures["duration_ms"].ratio == 2
    assert measures["duration_ms"].mark == "worse"
    assert measures["failed_tasks"].ratio is None
    assert measures["failed_tasks"].mark == "worse"
    assert measures["total_tasks"].ratio is None
    assert measures["input_bytes"].mark == ""


def test_costs_of_two_currencies_do_not_compare() -> None:
    found = compare(attempt(), attempt(cost_currency="EUR", estimated_cost=90.0))
    [cost] = [each for each in found.measures if each.field == "estimated_cost"]
    assert (cost.second, cost.ratio, cost.mark) == (None, None, "")


def test_settings_of_one_run_are_no_difference() -> None:
    first = attempt(
        app_id="app-1",
        environment={
            "spark.app.id": "app-1",
            "spark.driver.port": "4040",
            "spark.driver.host": "a",
            "spark.app.startTime": "1",
            "spark.eventLog.dir": "/logs/app-1",
            "spark.executor.memory": "8g",
            "spark.sql.shuffle.partitions": "200",
        },
    )
    second = attempt(
        app_id="app-2",
        environment={
            "spark.app.id": "app-2",
            "spark.driver.port": "4041",
            "spark.driver.host": "b",
            "spark.app.startTime": "2",
            "spark.eventLog.dir": "/logs/app-2",
            "spark.executor.memory": "16g",
            "spark.executor.cores": "4",
            "spark.sql.shuffle.partitions": "200",
        },
    )
    assert [(each.name, each.first, each.second) for each in compare(first, second).settings] == [
        ("spark.executor.cores", None, "4"),
        ("spark.executor.memory", "8g", "16g"),
    ]


def test_stages_are_the_same_by_name_and_order_whatever_their_line() -> None:
    first = attempt(
        stages=[
            stage(0, 0, 10, name="count at App.scala:10"),
            stage(1, 10, 10, name="count at App.scala:12"),
            stage(2, 20, 5, name="gone at App.scala:13"),
        ]
    )
    second = attempt(
        stages=[
            stage(3, 0, 11, name="count at App.scala:30"),
            stage(4, 11, 40, name="count at App.scala:32"),
            stage(5, 60, 7, name="new at App.scala:34"),
            stage(6, 60, 900, name="skipped at App.scala:34", status="SKIPPED"),
        ]
    )
    pairs = compare(first, second).stages
    assert [(each.name, each.labels, each.change_ms) for each in pairs] == [
        ("count at App.scala", ("1", "4"), 30_000),
        ("new at App.scala", ("", "5"), None),
        ("gone at App.scala", ("2", ""), None),
        ("count at App.scala", ("0", "3"), 1000),
    ]
