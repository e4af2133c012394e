"""``metaplat collect spark_applications``: options, exit codes, and everything that is no good event log."""

from __future__ import annotations

import gzip
import json
from typing import TYPE_CHECKING

import pytest

from metaplat_tests.cli.conftest import answer_of, bound_process, process
from metaplat_tests.standins.event_log_lines import START, application_end, head, job, task, whole_log

if TYPE_CHECKING:
    from pathlib import Path

    from metaplat_tests.cli.conftest import Answer, Invoke

COLLECT = ("collect", "spark_applications", "--source", "event-logs", "--path")


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    folder = tmp_path / "logs"
    folder.mkdir()
    return folder


def by_id(answer: Answer) -> dict[str, dict[str, object]]:
    return {record["app_id"]: record for record in answer.lines}


def test_one_line_per_attempt_landed_or_not(metaplat: Invoke, logs: Path, home: Path) -> None:
    for number in (1, 2):
        (logs / f"app-{number}").write_bytes(whole_log(f"app-{number}"))
    dry = metaplat(*COLLECT, logs, "--dry-run", "--json")
    assert (dry.code, len(dry.lines)) == (0, 2)
    assert not (home / "landing").exists()
    landed = metaplat(*COLLECT, logs, "--json")
    assert landed.lines == dry.lines
    assert len(list((home / "landing").rglob("*.json"))) == 2
    assert metaplat(*COLLECT, logs, "--json").lines == []
    assert metaplat(*COLLECT, logs, "--dry-run", "--json").lines == dry.lines


def test_people_are_told_what_is_landed_and_what_comes_next(metaplat: Invoke, logs: Path) -> None:
    (logs / "app-1").write_bytes(whole_log("app-1"))
    answer = metaplat(*COLLECT, logs)
    assert "landed" in answer.out
    assert "next: metaplat materialize spark_applications --missing" in answer.err
    assert "nothing new was found" in metaplat(*COLLECT, logs).err


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("empty", b"", "is empty"),
        ("notes.txt", b"remember the milk\n", "no event log"),
        ("binary", bytes(range(256)) * 100, "no event log"),
        ("array.json", json.dumps([{"Event": 1}]).encode(), "no event log"),
        ("packed.zstd", gzip.compress(b"no event\n" * 10, mtime=0), "no event log"),
    ],
)
def test_what_is_no_event_log_is_listed_and_the_rest_is_landed(
    metaplat: Invoke, logs: Path, name: str, content: bytes, reason: str
) -> None:
    (logs / "app-1").write_bytes(whole_log("app-1"))
    (logs / name).write_bytes(content)
    answer = metaplat(*COLLECT, logs, "--json")
    assert answer.code == 1
    assert list(by_id(answer)) == ["app-1"]
    [rejected] = [line for line in answer.err.splitlines() if line.startswith("rejected: ")]
    assert name in rejected
    assert reason in rejected


def test_a_log_that_starts_in_the_middle_or_has_no_end_is_kept_with_flags(
    metaplat: Invoke, logs: Path
) -> None:
    whole = whole_log("app-1")
    (logs / "app-1").write_bytes(whole.split(b"\n", 4)[4])
    (logs / "app-2").write_bytes(head("app-2") + job(0, 0, 2))
    answer = metaplat(*COLLECT, logs, "--dry-run", "--json")
    assert answer.code == 0
    middle, endless = by_id(answer)["app-1"], by_id(answer)["app-2"]
    assert (middle["start_time"], middle["app_name"], middle["total_tasks"]) == (None, None, 3)
    assert (endless["status"], endless["end_time"], endless["duration_ms"]) == ("RUNNING", None, None)
    assert "incomplete" in str(endless["data_quality"])


def test_a_broken_line_costs_that_line(metaplat: Invoke, logs: Path) -> None:
    half = task(77, 0, START)[:-300]
    (logs / "app-1").write_bytes(head("app-1") + half + b"\n" + job(0, 0, 3) + application_end())
    [record] = metaplat(*COLLECT, logs, "--dry-run", "--json").lines
    assert (record["total_tasks"], record["broken_lines"]) == (3, 1)
    assert "broken_lines" in record["data_quality"]


def test_a_line_of_fifty_megabytes_is_read(metaplat: Invoke, logs: Path) -> None:
    event = b'{"Event":"org.apache.spark.sql.execution.ui.SparkListenerSQLExecutionStart",'
    long = event + b'"physicalPlanDescription":"' + b"x" * 50_000_000 + b'"}\n'
    (logs / "app-1").write_bytes(head("app-1") + long + job(0, 0, 3) + application_end())
    [record] = metaplat(*COLLECT, logs, "--dry-run", "--json").lines
    assert (record["total_tasks"], record["broken_lines"], record["status"]) == (3, 0, "COMPLETED")


def test_a_wrong_suffix_says_nothing(metaplat: Invoke, logs: Path) -> None:
    (logs / "app-1.lz4").write_bytes(gzip.compress(whole_log("app-1")))
    [record] = metaplat(*COLLECT, logs, "--dry-run", "--json").lines
    assert (record["app_id"], record["total_tasks"], record["data_quality"]) == (
        "app-1",
        3,
        ["submit_time_missing"],
    )


def test_a_clock_that_goes_backwards_gives_no_negative_number(metaplat: Invoke, logs: Path) -> None:
    backwards = head("app-1") + job(0, 0, 3, START - 90_000) + application_end(START - 5_000)
    (logs / "app-1").write_bytes(backwards)
    answer = metaplat(*COLLECT, logs, "--json")
    [record] = answer.lines
    assert record["duration_ms"] is None
    assert "clock_skew" in record["data_quality"]
    assert [name for name, value in record.items() if isinstance(value, int | float) and value < 0] == []
    done = metaplat("materialize", "spark_applications", "--json")
    assert [item["quarantined"] for item in done.json["partitions"]] == [0]


def test_what_may_not_be_read_is_listed_and_the_rest_is_landed(logs: Path, home: Path) -> None:
    home.mkdir()
    home.chmod(0o777)
    (logs / "app-1").write_bytes(whole_log("app-1"))
    secret = logs / "app-2"
    secret.write_bytes(whole_log("app-2"))
    secret.chmod(0)
    answer = answer_of(bound_process(*COLLECT, logs, "--json"))
    assert answer.code == 1
    assert list(by_id(answer)) == ["app-1"]
    assert "app-2" in answer.err
    assert "ermission" in answer.err


def test_a_folder_with_very_many_other_files_is_no_obstacle(metaplat: Invoke, logs: Path) -> None:
    for number in range(3000):
        (logs / f"part-{number:05}.snappy.parquet").touch()
    (logs / "app-1").write_bytes(whole_log("app-1"))
    answer = metaplat(*COLLECT, logs, "--json")
    assert (answer.code, list(by_id(answer))) == (0, ["app-1"])


def test_a_killed_collection_loses_and_doubles_nothing(logs: Path, home: Path, metaplat: Invoke) -> None:
    for number in range(300):
        (logs / f"app-{number}").write_bytes(whole_log(f"app-{number}"))
    started = process(*COLLECT, logs, "--batch-size", "5", "--json")
    assert started.stdout
    for _ in range(20):  # some batches are landed by then, and others are not
        started.stdout.readline()
    started.kill()
    started.communicate()
    before = len(list((home / "landing").rglob("*.json")))
    assert 0 < before < 300
    rest = metaplat(*COLLECT, logs, "--json")
    assert rest.code == 0
    assert len(rest.lines) < 300
    assert len(list((home / "landing").rglob("*.json"))) == 300
    assert metaplat(*COLLECT, logs, "--json").lines == []


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--tag", "orders"), "--tag orders: write it as KEY=VALUE"),
        (("--since", "last week"), "--since last week"),
    ],
)
def test_a_wrong_option_is_one_line(
    metaplat: Invoke, logs: Path, arguments: tuple[str, ...], said: str
) -> None:
    answer = metaplat(*COLLECT, logs, *arguments)
    assert answer.code == 2
    assert said in answer.error


def test_a_place_that_is_not_there_is_one_line(metaplat: Invoke, tmp_path: Path) -> None:
    answer = metaplat(*COLLECT, tmp_path / "nowhere")
    assert answer.code == 2
    assert "nowhere" in answer.error
    assert "say --path" in metaplat(*COLLECT[:-1]).error


def test_children_have_no_source_of_their_own(metaplat: Invoke) -> None:
    answer = metaplat("collect", "spark_stages")
    assert (answer.code, "what is collected for spark_applications" in answer.error) == (2, True)
