"""The source ``event-logs``: what is read, what is read again, and what never is."""

from __future__ import annotations

import gzip
import os
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
import zstandard

from metaplat.collectors.collector import CollectRequest
from metaplat.collectors.spark.event_logs import collect, waiting
from metaplat.model.errors import UsageError
from metaplat.settings import Settings, SparkSettings
from metaplat_tests.standins.event_log_lines import START, application_end, head, job, whole_log

if TYPE_CHECKING:
    from pathlib import Path

NOW = datetime.fromtimestamp(START / 1000, UTC) + timedelta(hours=1)


class Notebook:
    """A memory that keeps at once what it is told: every record counts as landed."""

    def __init__(self) -> None:
        self.kept: dict[str, tuple[str, bytes]] = {}

    def fingerprint(self, name: str) -> str | None:
        """Return what is kept."""
        return self.kept[name][0] if name in self.kept else None

    def note(self, name: str) -> bytes | None:
        """Return what is kept."""
        return self.kept[name][1] if name in self.kept else None

    def remember(self, name: str, fingerprint: str, note: bytes = b"") -> None:
        """Keep it."""
        self.kept[name] = (fingerprint, note)


@dataclass
class Source:
    """A folder of event logs, and the collections of it."""

    folder: Path
    settings: SparkSettings = field(default_factory=SparkSettings)
    notebook: Notebook = field(default_factory=Notebook)
    warnings: list[str] = field(default_factory=list)
    rejected: list[tuple[str, str]] = field(default_factory=list)

    def put(self, name: str, content: bytes) -> Path:
        """Write a file of the folder."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return path

    def request(self, **changes: Any) -> CollectRequest:
        """Return what is asked, with changes; what was told before is forgotten."""
        self.warnings.clear()
        self.rejected.clear()
        request = CollectRequest(
            Settings(home=self.folder / "home", spark=self.settings),
            NOW,
            self.warnings.append,
            path=self.folder,
            reject=lambda name, reason: self.rejected.append((name.rpartition("/")[2], reason)),
            memory=self.notebook,
        )
        return replace(request, **changes)

    def collect(self, **changes: Any) -> dict[str, dict[str, Any]]:
        """Collect once; records by application id."""
        records = list(collect(self.request(**changes)))
        assert len({record["app_id"] for record in records}) == len(records)
        return {record["app_id"]: dict(record) for record in records}


@pytest.fixture
def source(tmp_path: Path) -> Source:
    folder = tmp_path / "logs"
    folder.mkdir()
    return Source(folder)


def test_a_log_is_read_once(source: Source) -> None:
    source.put("app-1", whole_log("app-1"))
    record = source.collect()["app-1"]
    assert (record["source"], record["status"], record["total_tasks"]) == ("event-logs", "COMPLETED", 3)
    assert record["log_address"].endswith("/logs/app-1")
    assert source.collect() == {}
    source.put("app-2", whole_log("app-2"))
    assert list(source.collect()) == ["app-2"]


def test_a_log_that_was_written_anew_is_read_again(source: Source) -> None:
    source.put("app-1", whole_log("app-1", tasks=3))
    source.collect()
    source.put("app-1", whole_log("app-1", tasks=4))
    assert source.collect()["app-1"]["total_tasks"] == 4


def test_logs_are_read_again_under_other_thresholds(source: Source) -> None:
    source.put("app-1", whole_log("app-1"))
    assert source.collect()["app-1"]["estimated_cost"] is None
    source.settings = SparkSettings(price_core_hour=1.0)
    assert source.collect()["app-1"]["estimated_cost"] > 0
    source.settings = SparkSettings(price_core_hour=1.0, batch_size=7, processes=2)
    assert source.collect() == {}


def test_a_running_application_is_updated_until_it_ends(source: Source) -> None:
    log = source.put("app-1.inprogress", head("app-1") + job(0, 0, 3))
    first = source.collect()["app-1"]
    assert (first["status"], first["end_time"], first["total_tasks"]) == ("RUNNING", None, 3)
    assert "incomplete" in first["data_quality"]
    assert source.collect() == {}
    with log.open("ab") as file:
        file.write(job(1, 1, 2, START + 10_000))
    assert source.collect()["app-1"]["total_tasks"] == 5
    with log.open("ab") as file:
        file.write(application_end())
    log.rename(log.with_name("app-1"))
    last = source.collect()["app-1"]
    assert (last["status"], last["total_tasks"], last["data_quality"]) == (
        "COMPLETED",
        5,
        ["submit_time_missing"],
    )


def test_a_line_half_written_is_whole_the_next_time(source: Source) -> None:
    content = head("app-1") + job(0, 0, 3)
    log = source.put("app-1.inprogress", content[:-700])
    first = source.collect()["app-1"]
    assert "broken_lines" not in first["data_quality"]
    with log.open("ab") as file:
        file.write(content[-700:] + application_end())
    last = source.collect()["app-1"]
    assert (last["total_tasks"], last["broken_lines"], last["status"]) == (3, 0, "COMPLETED")


def test_a_growing_log_that_is_another_one_is_read_from_its_start(source: Source) -> None:
    source.put("app-1.inprogress", head("app-1") + job(0, 0, 3))
    source.collect()
    source.put("app-1.inprogress", head("app-1", name="other") + job(0, 0, 3) + job(1, 1, 1, START + 9_000))
    record = source.collect()["app-1"]
    assert (record["app_name"], record["total_tasks"]) == ("other", 4)


def rolled(source: Source, number: int, content: bytes, *, compact: bool = False) -> Path:
    ending = ".compact" if compact else ""
    return source.put(f"eventlog_v2_app-1/events_{number}_app-1{ending}", content)


def test_rolled_files_are_counted_once_also_when_they_are_compacted_later(source: Source) -> None:
    status = source.put("eventlog_v2_app-1/appstatus_app-1.inprogress", b"")
    first = rolled(source, 1, head("app-1") + job(0, 0, 3))
    second = rolled(source, 2, job(1, 1, 2, START + 10_000))
    assert source.collect()["app-1"]["total_tasks"] == 5
    first.unlink()
    second.unlink()
    rolled(source, 1, head("app-1"), compact=True)
    rolled(source, 2, job(1, 1, 2, START + 10_000))
    rolled(source, 3, job(2, 2, 4, START + 20_000) + application_end())
    status.unlink()
    source.put("eventlog_v2_app-1/appstatus_app-1", b"")
    last = source.collect()["app-1"]
    assert (last["total_tasks"], last["status"]) == (9, "COMPLETED")
    assert "compacted" not in last["data_quality"]


def test_an_ended_log_that_is_compacted_later_stays_as_it_was(source: Source) -> None:
    source.put("eventlog_v2_app-1/appstatus_app-1", b"")
    files = [
        rolled(source, 1, head("app-1") + job(0, 0, 3)),
        rolled(source, 2, job(1, 1, 2, START + 10_000)),
        rolled(source, 3, application_end()),
    ]
    before = source.collect()["app-1"]
    for file in files[:2]:
        file.unlink()
    rolled(source, 2, head("app-1"), compact=True)
    assert source.collect().get("app-1", before) == before


def test_the_rotated_log_of_a_databricks_cluster_is_counted_once_as_it_grows(source: Source) -> None:
    folder = "0101-cluster/eventlog/0101-cluster_10_0_0_1/77"
    source.put(f"{folder}/eventlog-2025-11-23--12-00.gz", gzip.compress(head("app-1") + job(0, 0, 3)))
    open_one = source.put(f"{folder}/eventlog", job(1, 1, 2, START + 10_000))
    assert source.collect()["app-1"]["total_tasks"] == 5
    open_one.write_bytes(job(1, 1, 2, START + 10_000) + job(2, 2, 1, START + 15_000))
    assert source.collect()["app-1"]["total_tasks"] == 6
    source.put(f"{folder}/eventlog-2025-11-23--13-00.gz", gzip.compress(open_one.read_bytes()))
    open_one.write_bytes(job(3, 3, 4, START + 20_000))
    assert source.collect()["app-1"]["total_tasks"] == 10
    assert source.collect() == {}


def test_a_log_that_was_compacted_before_it_was_seen_is_flagged(source: Source) -> None:
    source.put("eventlog_v2_app-1/appstatus_app-1", b"")
    rolled(source, 2, head("app-1"), compact=True)
    rolled(source, 3, job(1, 1, 2, START + 10_000) + application_end())
    record = source.collect()["app-1"]
    assert record["total_tasks"] == 2
    assert "compacted" in record["data_quality"]


def test_of_two_logs_of_one_application_the_fuller_one_counts(source: Source) -> None:
    source.put("app-1", whole_log("app-1", tasks=5))
    source.put("app-1.inprogress", head("app-1"))
    source.put("copy", whole_log("app-1", tasks=2))
    assert source.collect()["app-1"]["total_tasks"] == 5
    assert len(source.warnings) == 2
    assert all("is a log of the same attempt, and as full" in warning for warning in source.warnings)
    assert source.collect() == {}


def test_filters_leave_out_and_are_no_reason_to_forget(source: Source) -> None:
    source.put("app-1", whole_log("app-1", name="etl-orders", user="alice", spark__yarn__tags="team=orders"))
    source.put("app-2", whole_log("app-2", name="report", user="bob"))
    assert list(source.collect(user="bob")) == ["app-2"]
    assert source.collect(user="bob") == {}
    assert list(source.collect(name="etl-*")) == ["app-1"]
    source.notebook.kept.clear()
    assert list(source.collect(tags={"team": "orders"})) == ["app-1"]
    assert list(source.collect()) == ["app-2"]


def test_since_leaves_out_what_ended_before(source: Source) -> None:
    source.put("app-1", whole_log("app-1"))
    source.put("app-2", whole_log("app-2", at=START + 600_000))
    source.put("app-3.inprogress", head("app-3"))
    since = datetime.fromtimestamp(START / 1000 + 300, UTC)
    assert set(source.collect(since=since)) == {"app-2", "app-3"}
    assert source.collect(since=since) == {}
    assert list(source.collect(since=since - timedelta(hours=1))) == ["app-1"]


def test_a_running_log_that_fell_silent_is_told_once(source: Source) -> None:
    source.put("app-1.inprogress", head("app-1"))
    assert "silent" not in source.collect()["app-1"]["data_quality"]
    later = NOW + timedelta(days=2)
    assert "silent" in source.collect(now=later)["app-1"]["data_quality"]
    assert source.collect(now=later) == {}


def test_one_bad_log_never_stops_the_others(source: Source) -> None:
    source.put("app-1", whole_log("app-1"))
    source.put("empty", b"")
    source.put("noise", os.urandom(20_000))
    source.put("text", b"hello\nworld\n")
    source.put("app-2", whole_log("app-2"))
    assert set(source.collect()) == {"app-1", "app-2"}
    assert sorted(name for name, _ in source.rejected) == ["empty", "noise", "text"]
    assert source.collect() == {}
    assert sorted(name for name, _ in source.rejected) == ["empty", "noise", "text"]
    assert list(waiting(source.request())) == []


def test_a_log_without_its_start_is_known_by_its_name(source: Source) -> None:
    source.put("application_1_7_2", whole_log("application_1_7").split(b"\n", 4)[4])
    record = source.collect()["application_1_7"]
    assert (record["attempt_id"], record["app_name"], record["total_tasks"]) == ("2", None, 3)
    assert {"application_start_missing", "app_id_from_file_name"} <= set(record["data_quality"])


def test_a_cut_frame_gives_what_came_before_the_cut(source: Source) -> None:
    whole = whole_log("app-1", tasks=400)
    packed = zstandard.ZstdCompressor().compress(whole)
    source.put("app-1.zstd", packed[: len(packed) // 2])
    record = source.collect()["app-1"]
    assert record["status"] == "RUNNING"
    assert "truncated" in record["data_quality"]


def test_many_large_logs_are_read_in_other_processes_with_the_same_result(
    source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(6):
        source.put(f"app-{number}", whole_log(f"app-{number}", tasks=number + 1))
    source.put("noise", b"no event log")
    alone = source.collect(memory=Notebook())
    monkeypatch.setattr("metaplat.collectors.spark.log_workers.WORTH_BYTES", 1)
    source.settings = SparkSettings(processes=2)
    assert source.collect(memory=Notebook()) == alone
    assert [name for name, _ in source.rejected] == ["noise"]


def test_a_place_must_be_named_or_set(source: Source) -> None:
    with pytest.raises(UsageError, match=r"--path: .* or set spark\.event_logs"):
        source.collect(path=None)
    source.put("app-1", whole_log("app-1"))
    source.settings = SparkSettings(event_logs=str(source.folder))
    assert list(source.collect(path=None)) == ["app-1"]
    with pytest.raises(UsageError, match="nowhere"):
        source.collect(path=source.folder / "nowhere")


def test_of_two_logs_with_equal_counts_the_one_with_fewer_flags_wins(source: Source) -> None:
    whole = whole_log("app-1")
    source.put("a-middle", head("app-1").split(b"\n", 3)[1] + b"\n" + whole.split(b"\n", 4)[4])
    source.put("z-whole", whole)
    assert source.collect()["app-1"]["app_name"] == "etl"
