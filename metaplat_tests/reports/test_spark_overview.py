"""The page of all applications: who is slow, spills, wastes and fails, one line an application, linked."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from metaplat.collectors.spark.attempt import ApplicationAttempt, Finding
from metaplat.domains import domain_named
from metaplat.model.polars_schema import polars_schema
from metaplat.reports.plain_values import plain
from metaplat.reports.spark.overview_figures import COLUMNS, OverviewFigures, overview_figures
from metaplat.reports.spark.overview_page import overview_page
from metaplat.reports.spark.page_names import OVERVIEW, page_name
from metaplat.reports.spark.pages import (
    recent_applications,
    write_named_pages,
    write_overview,
    write_pages,
)
from metaplat.settings import Settings
from metaplat.stores.home import Stores, open_stores
from metaplat_tests.reports.spark_attempt_strategies import MOMENTS, STRATEGIES
from metaplat_tests.reports.spark_lake import filled
from metaplat_tests.reports.spark_report_samples import ATTACK, START, attempt

if TYPE_CHECKING:
    from pathlib import Path

    import polars as pl

NOW = START + timedelta(days=29)
GIB = 2**30
SPILL = Finding("spill", "medium", "stage 1 spilled", "Raise memory.", 1, 0)
SKEW = Finding("task_skew", "high", "stage 2 is skewed", "Salt the key.", 2, 0)


def run(day: float, minutes: float = 10, name: str = "etl", **other: Any) -> ApplicationAttempt:
    """Return a quiet attempt of an application: nothing spilled, wasted, failed or found."""
    begin = START + timedelta(days=day)
    end = begin + timedelta(minutes=minutes)
    values: dict[str, Any] = {
        "app_id": f"{name}-{day}",
        "app_name": name,
        "start_time": begin,
        "end_time": end,
        "observed_start": begin,
        "observed_end": end,
        "duration_ms": int(minutes * 60_000),
        "disk_spilled_bytes": 0,
        "wasted_executor_seconds": 0.0,
        "failed_tasks": 0,
        "failed_stages": 0,
        "findings": [],
    }
    return attempt(**(values | other))


@pytest.fixture
def stores(tmp_path: Path) -> Stores:
    return open_stores(Settings(home=tmp_path))


def figures(stores: Stores, *attempts: ApplicationAttempt) -> OverviewFigures:
    return overview_figures(recent_applications(filled(stores, NOW, *attempts), NOW))


def test_an_application_is_slow_against_its_own_history_only(stores: Stores) -> None:
    steady = [run(day, 60, "always slow") for day in range(6)]
    slower = [run(day, 10 if day < 5 else 25, f"etl-2025-11-{20 + day}") for day in range(6)]
    young = [run(day, 10 if day < 2 else 90, "young") for day in range(3)]
    [found] = figures(stores, *steady, *slower, *young).slowest
    assert (found.name, found.attempts) == ("etl-2025-11-25", 6)
    assert found.numbers == {"ratio": 2.5, "duration_ms": 1_500_000, "usual_ms": 600_000.0}


def test_failed_attempts_and_small_differences_are_not_slow(stores: Stores) -> None:
    failed = [
        run(day, 10 if day < 5 else 60, status="COMPLETED" if day < 5 else "FAILED") for day in range(6)
    ]
    short = [run(day, 0.1 if day < 5 else 0.2, "short") for day in range(6)]
    assert figures(stores, *failed, *short).slowest == []


def test_each_application_is_one_line_with_its_worst_attempt(stores: Stores) -> None:
    found = figures(
        stores,
        run(0, name="a", disk_spilled_bytes=2 * GIB, wasted_executor_seconds=100.0),
        run(1, name="a", disk_spilled_bytes=7 * GIB, wasted_executor_seconds=50.0),
        run(1, name="b", disk_spilled_bytes=3 * GIB),
        run(1, name="c", disk_spilled_bytes=None, wasted_executor_seconds=None),
    )
    assert [(each.app_id, each.numbers["disk_spilled_bytes"] // GIB) for each in found.spill] == [
        ("a-1", 7),
        ("b-1", 3),
    ]
    assert [each.app_id for each in found.waste] == ["a-0"]
    assert found.totals["disk_spilled_bytes"] == 12 * GIB


def test_a_driver_that_waits_in_local_mode_wastes_no_executors(stores: Stores) -> None:
    found = figures(
        stores,
        run(0, name="local", executor_seconds=0.0, wasted_executor_seconds=260.0),
        run(0, name="cluster", executor_seconds=1_000.0, wasted_executor_seconds=40.0),
    )
    assert [each.name for each in found.waste] == ["cluster"]
    assert (found.totals["wasted_executor_seconds"], found.totals["executor_seconds"]) == (40.0, 1_000.0)


def test_failures_are_counted_by_application(stores: Stores) -> None:
    found = figures(
        stores,
        run(0, name="a", status="FAILED", failed_tasks=4),
        run(1, name="a", status="FAILED", failed_tasks=8),
        run(2, name="a"),
        run(1, name="b", failed_tasks=100),
        run(1, name="c"),
    ).failures
    numbers = [(each.app_id, each.numbers["failed_attempts"], each.numbers["failed_tasks"]) for each in found]
    assert numbers == [("a-1", 2, 12), ("b-1", 0, 100)]


def test_findings_are_counted_by_kind_the_severe_ones_first(stores: Stores) -> None:
    found = figures(
        stores,
        run(0, name="a", findings=[SPILL, SPILL]),
        run(1, name="a", findings=[SPILL, SKEW]),
        run(2, name="b", findings=[SPILL]),
    ).findings
    assert [(each.kind, each.attempts, each.applications, each.newest.app_id) for each in found] == [
        ("task_skew", 1, 1, "a-1"),
        ("spill", 3, 2, "b-2"),
    ]


def test_an_attempt_that_two_sources_know_is_counted_once(stores: Stores) -> None:
    found = figures(
        stores,
        run(0, disk_spilled_bytes=GIB, source="history-server"),
        run(0, disk_spilled_bytes=GIB),
    )
    assert found.totals["attempts"] == 1
    assert [each.source for each in found.spill] == ["event-logs"]


def test_the_page_links_to_the_pages_that_there_are(stores: Stores) -> None:
    spilling, hostile = run(0, disk_spilled_bytes=GIB), run(0, name=ATTACK, disk_spilled_bytes=2 * GIB)
    tables = filled(stores, NOW, spilling, hostile)
    write_pages(stores, [spilling.record()])
    assert write_overview(tables, NOW) == OVERVIEW
    page = stores.reports.get(OVERVIEW).decode()
    assert '<a class="name" href="etl-0-1-event-logs.html">etl</a>' in page
    assert ATTACK not in page
    assert page.count("<a ") == 1
    written = write_named_pages(tables, NOW)
    assert len(written) == 2
    write_overview(tables, NOW)
    assert stores.reports.get(OVERVIEW).decode().count("<a ") == 2


def test_a_page_that_says_nothing_new_is_not_written_again(stores: Stores) -> None:
    record = attempt().record()
    [key] = write_pages(stores, [record])
    assert key == "spark/application_1763600000000_0042-1-event-logs.html"
    first = stores.reports.info(key)
    assert write_pages(stores, [record]) == [key]
    assert stores.reports.info(key) == first
    write_pages(stores, [{**record, "status": "FAILED"}])
    assert stores.reports.info(key) != first


def test_a_lake_without_applications_has_a_page_too(stores: Stores) -> None:
    write_overview(filled(stores, NOW), NOW)
    assert "No Spark application was seen" in stores.reports.get(OVERVIEW).decode()


@pytest.mark.parametrize(
    "app_id", ["../../etc/passwd", "a/b", "", ".", "x" * 500, "名前", "a b", "\ud800", "-a"]
)
def test_a_name_of_a_page_is_safe_whatever_the_id(stores: Stores, app_id: str) -> None:
    record = {**attempt().record(), "app_id": app_id}
    [key] = write_pages(stores, [record])
    assert key.startswith("spark/")
    assert key.count("/") == 1
    assert key != page_name(attempt().record())


def test_attempts_have_pages_of_their_own() -> None:
    names = {
        page_name({"app_id": app_id, "attempt_id": attempt_id, "source": source})
        for app_id in ("a", "a-1", "a/1")
        for attempt_id in (None, "1", "1-1", "2")
        for source in ("event-logs", "emr")
    }
    assert len(names) == 24


ROWS = st.fixed_dictionaries(
    {
        "source": st.sampled_from(["event-logs", "emr", "unheard of"]),
        "app_id": st.sampled_from(["a", "b", ATTACK]),
        "attempt_id": st.sampled_from([None, "1", "2"]),
        "app_name": st.none() | st.sampled_from(["etl", "etl-2025-11-20", "pyspark-shell", ATTACK]),
        "user": st.none() | st.just("u"),
        "status": st.sampled_from(["RUNNING", "COMPLETED", "FAILED", "KILLED"]),
        "application_time": MOMENTS,
        "findings": STRATEGIES["list[Finding]"].map(lambda found: [plain(each.__dict__) for each in found]),
        **{
            name: st.none() | st.integers(0, 2**50)
            for name in COLUMNS
            if name.endswith(("_ms", "_bytes", "_tasks", "_stages", "_jobs"))
        },
        **{
            name: st.none() | st.floats(0, 1e15)
            for name in ("executor_seconds", "wasted_executor_seconds", "estimated_cost")
        },
        "cost_currency": st.none() | st.sampled_from(["USD", ATTACK]),
    }
)


def frame_of(rows: list[dict[str, Any]]) -> pl.DataFrame:
    import polars as pl

    schema = polars_schema(domain_named("spark_applications").columns)
    return pl.DataFrame(rows, schema={name: schema[name] for name in COLUMNS})


@given(st.lists(ROWS, max_size=8))
@settings(max_examples=60)
def test_any_rows_give_a_page_and_figures(rows: list[dict[str, Any]]) -> None:
    frame = frame_of(rows)
    page = overview_page(frame, NOW)
    assert ATTACK not in page
    assert page.count("<script>") == 1
    assert set(overview_figures(frame).entry()) == {
        "totals",
        "slowest",
        "spill",
        "waste",
        "failures",
        "findings",
    }
