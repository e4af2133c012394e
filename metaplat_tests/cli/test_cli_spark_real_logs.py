"""Logs that a real Spark wrote, collected by every way, against what a real History Server says of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from metaplat_tests.standins.history_server import HistoryServer, history_server
from metaplat_tests.standins.raw_figures import raw_figures
from metaplat_tests.standins.record_figures import differences, surplus
from metaplat_tests.standins.server_figures import server_figures
from metaplat_tests.standins.spark_jobs import SparkLogs, spark_logs
from metaplat_tests.standins.spark_workloads import SECRET

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from metaplat_tests.cli.conftest import Invoke
    from metaplat_tests.standins.record_figures import Figures

Attempt = tuple[str, str | None]
COUNTED = (
    "total_tasks",
    "failed_tasks",
    "killed_tasks",
    "total_stages",
    "failed_stages",
    "skipped_stages",
    "jobs",
    "failed_jobs",
    "cpu_time_ms",
    "run_time_ms",
    "gc_time_ms",
    "input_bytes",
    "output_bytes",
    "shuffle_read_bytes",
    "shuffle_write_bytes",
    "memory_spilled_bytes",
    "disk_spilled_bytes",
)


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> SparkLogs:
    return spark_logs(tmp_path_factory)


@pytest.fixture(scope="module")
def server(logs: SparkLogs, tmp_path_factory: pytest.TempPathFactory) -> Iterator[HistoryServer]:
    with history_server(logs.served, tmp_path_factory.mktemp("server"), logs.attempts) as started:
        yield started


@pytest.fixture(scope="module")
def served(server: HistoryServer) -> dict[Attempt, Figures]:
    return {attempt: server_figures(server, *attempt) for attempt in server.attempts()}


def collected(metaplat: Invoke, *options: object) -> dict[Attempt, dict[str, Any]]:
    answer = metaplat("collect", "spark_applications", *options, "--dry-run", "--json")
    assert (answer.code, answer.err) == (0, "")
    assert SECRET not in answer.out
    records = {(record["app_id"], record["attempt_id"]): record for record in answer.lines}
    assert len(records) == len(answer.lines)
    for record in records.values():
        for name in [name for name, value in record["environment"].items() if "redacted" in value]:
            del record["environment"][name]  # the words for it differ
    return records


def test_event_logs_say_what_the_history_server_says_and_count_tasks_better(
    metaplat: Invoke, logs: SparkLogs, served: dict[Attempt, Figures]
) -> None:
    records = collected(metaplat, "--source", "event-logs", "--path", logs.logs)
    assert set(records) == set(served)
    wrong = []
    for attempt, record in records.items():
        wrong += differences(record, served[attempt])
        wrong += differences(record, raw_figures(logs.events_of(*attempt)))
        wrong += surplus(record, served[attempt])
    assert wrong == []


def test_logs_of_many_forms_and_fates_are_among_them(metaplat: Invoke, logs: SparkLogs) -> None:
    records = collected(metaplat, "--source", "event-logs", "--path", logs.logs)
    named = {record["app_name"]: record for record in records.values()}
    assert {name: record["data_quality"] for name, record in named.items() if record["data_quality"]} == {
        "cut": ["incomplete"],
        "cut-zstd": ["incomplete"],
    }
    busy, cluster = named["busy"], named["cluster"]
    assert (busy["failed_tasks"], busy["killed_tasks"], busy["failed_jobs"]) == (6, 1, 1)
    assert min(busy["disk_spilled_bytes"], busy["skipped_stages"], busy["output_bytes"]) > 0
    assert cluster["num_executors_added"] > cluster["num_executors"] == 2
    assert min(cluster["resubmitted_tasks"], cluster["failed_tasks"]) > 0
    assert named["lzf"]["exit_code"] == 3
    assert sorted(attempt for _, attempt in records if attempt) == ["1", "2"]


def test_logs_from_the_history_server_give_the_same_records(
    metaplat: Invoke, logs: SparkLogs, server: HistoryServer
) -> None:
    ours = collected(metaplat, "--source", "event-logs", "--path", logs.logs)
    theirs = collected(metaplat, "--source", "history-server", "--url", server.url, "--via", "logs")
    assert set(theirs) == set(ours)
    for attempt, record in theirs.items():
        of_the_way = {name: ours[attempt][name] for name in ("source", "log_address", "source_coverage")}
        assert record | of_the_way == ours[attempt]


def test_rest_gives_the_same_figures_and_names_what_it_cannot_give(
    metaplat: Invoke, logs: SparkLogs, server: HistoryServer, served: dict[Attempt, Figures]
) -> None:
    records = collected(metaplat, "--source", "history-server", "--url", server.url, "--via", "rest")
    assert set(records) == set(served)
    wrong = []
    for attempt, record in records.items():
        counted = raw_figures(logs.events_of(*attempt))
        for part in counted.values():  # the server has medians of its own: the upper one of two
            for name in [name for name in part if name.endswith("_median")]:
                del part[name]
        wrong += differences(record, counted, may_lack=True)
        wrong += differences(record, served[attempt]) + surplus(record, served[attempt])
    assert wrong == []


def test_a_server_that_keeps_few_stages_and_jobs_gives_null_instead_of_too_little(
    metaplat: Invoke, logs: SparkLogs, tmp_path: Path
) -> None:
    few = {"spark.ui.retainedStages": "3", "spark.ui.retainedJobs": "2"}
    with history_server(logs.served, tmp_path / "server", logs.attempts, few) as server:
        records = collected(metaplat, "--source", "history-server", "--url", server.url, "--via", "rest")
    whole = collected(metaplat, "--source", "event-logs", "--path", logs.logs)
    cut = [record for record in records.values() if "hs_truncated" in record["data_quality"]]
    assert {"busy", "rolling", "rolling-zstd", "cluster"} <= {record["app_name"] for record in cut}
    for attempt, record in records.items():
        told = {name for name in COUNTED if record[name] is not None}
        assert {name: record[name] for name in told} == {name: whole[attempt][name] for name in told}
        assert set(COUNTED) - told <= set(record["source_coverage"])
