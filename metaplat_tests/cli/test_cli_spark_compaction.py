"""Rolled logs that a real History Server compacts: it throws away what was, or was not, collected before."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

import pytest

from metaplat_tests.cli.conftest import contents_below
from metaplat_tests.standins.history_server import history_server
from metaplat_tests.standins.spark_jobs import SparkLogs, spark_logs
from metaplat_tests.standins.spark_workloads import ROLLED_JOBS

if TYPE_CHECKING:
    from pathlib import Path

    from metaplat_tests.cli.conftest import Invoke


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> SparkLogs:
    return spark_logs(tmp_path_factory)


def compact(folder: Path, work: Path, left: int) -> None:
    """Let a History Server throw away what it can of rolled logs, until so many files are left."""
    settings = {
        "spark.history.fs.eventLog.rolling.maxFilesToRetain": "1",
        "spark.history.fs.eventLog.rolling.compaction.score.threshold": "0",
    }
    with history_server(folder, work, len(list(folder.iterdir())), settings) as server:
        server.until(lambda: len(list(folder.glob("*/events_*"))) == left, f"leave {left} files")


def collect_all(metaplat: Invoke, folder: Path) -> list[Any]:
    """Collect and land what changed in a folder."""
    answer = metaplat("collect", "spark_applications", "--source", "event-logs", "--path", folder, "--json")
    assert (answer.code, len(answer.err.splitlines())) == (0, 1)
    return answer.lines


def test_what_was_collected_before_a_compaction_stays_and_what_comes_after_is_flagged(
    metaplat: Invoke, logs: SparkLogs, home: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "watched"
    for log in (logs.rolled("rolling"), logs.rolled("rolling-zstd")):
        shutil.copytree(log, folder / log.name)
    assert [record["data_quality"] for record in collect_all(metaplat, folder)] == [[], []]
    landed = contents_below(home, "landing")
    assert len(landed) == 2
    compact(folder, tmp_path / "server", left=4)
    collect_all(metaplat, folder)
    assert contents_below(home, "landing") == landed
    shutil.rmtree(home)
    for after in collect_all(metaplat, folder):
        assert after["data_quality"] == ["compacted"]
        assert after["total_tasks"] < 2 * ROLLED_JOBS


def test_files_rolled_and_collected_while_it_runs_are_counted_though_compacted_before_it_ends(
    metaplat: Invoke, logs: SparkLogs, tmp_path: Path
) -> None:
    log = logs.rolled("rolling")
    folder = tmp_path / "watched"
    shutil.copytree(log, folder / log.name)
    last, status = (next((folder / log.name).glob(name)) for name in ("events_3_*", "appstatus_*"))
    last.rename(tmp_path / last.name)
    status.rename(f"{status}.inprogress")
    [running] = collect_all(metaplat, folder)
    assert running["data_quality"] == ["incomplete"]
    compact(folder, tmp_path / "server", left=2)
    (tmp_path / last.name).rename(last)
    status.with_name(f"{status.name}.inprogress").rename(status)
    [ended] = collect_all(metaplat, folder)
    assert (ended["total_tasks"], ended["data_quality"]) == (2 * ROLLED_JOBS, [])
