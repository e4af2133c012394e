"""Parts of event logs that are not there, or not for this user, are told as what they are."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from metaplat.collectors.collector import CollectRequest
from metaplat.collectors.spark.event_logs import collect
from metaplat.collectors.spark.sources import COLLECTORS
from metaplat.model.errors import UsageError
from metaplat.settings import Settings
from metaplat_tests.collectors.log_request import Asked
from metaplat_tests.standins.event_log_lines import START, application_end, head, job, line

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

NOW = datetime.fromtimestamp(START / 1000, UTC)
PARTS = (head("app-1") + job(0, 0, 3), job(1, 1, 2), job(2, 2, 1), application_end())


def roll(folder: Path, *numbers: int, ending: str = "") -> None:
    log = folder / "eventlog_v2_app-1"
    log.mkdir(exist_ok=True)
    (log / "appstatus_app-1").touch()
    for number in numbers:
        (log / f"events_{number}_app-1{ending}").write_bytes(PARTS[number - 1])


def collected(folder: Path, **changes: Any) -> list[Mapping[str, Any]]:
    return list(collect(CollectRequest(Settings(), NOW, list[str]().append, path=folder, **changes)))


def test_a_rolling_log_without_one_of_its_files_lost_events_also_where_whole_jobs_are_gone(
    tmp_path: Path,
) -> None:
    roll(tmp_path, 1, 3, 4)
    [record] = collected(tmp_path)
    assert (record["total_tasks"], record["jobs_without_end"]) == (4, 0)
    assert "event_loss" in record["data_quality"]


def test_a_whole_rolling_log_lost_nothing_and_a_compacted_file_stands_for_those_before(
    tmp_path: Path,
) -> None:
    roll(tmp_path, 1, 2, 3, 4)
    assert "event_loss" not in collected(tmp_path)[0]["data_quality"]
    for number in (1, 2):
        (tmp_path / f"eventlog_v2_app-1/events_{number}_app-1").unlink()
    (tmp_path / "eventlog_v2_app-1/events_2_app-1.compact").write_bytes(head("app-1"))
    [record] = collected(tmp_path)
    assert "compacted" in record["data_quality"]
    assert "event_loss" not in record["data_quality"]


def test_a_second_way_into_a_rolling_log_is_no_log_without_files(tmp_path: Path) -> None:
    roll(tmp_path, 1)
    (tmp_path / "eventlog_v2_link").symlink_to("eventlog_v2_app-1")
    asked = Asked(tmp_path)
    assert asked.names() == ["eventlog_v2_app-1"]
    assert asked.rejected == {}


def test_a_log_whose_events_have_no_time_is_read_once(tmp_path: Path) -> None:
    class Notebook(dict[str, tuple[str, bytes]]):
        def fingerprint(self, name: str) -> str | None:
            return self[name][0] if name in self else None

        def note(self, name: str) -> bytes | None:
            return self[name][1] if name in self else None

        def remember(self, name: str, fingerprint: str, note: bytes = b"") -> None:
            self[name] = (fingerprint, note)

    (tmp_path / "local-1").write_bytes(line("SparkListenerLogStart", Spark_Version="4.0.0"))
    notebook = Notebook()
    assert [record["start_time"] for record in collected(tmp_path, memory=notebook)] == [None]
    assert collected(tmp_path, memory=notebook) == []


def test_an_address_that_cannot_be_read_is_told_with_its_scheme() -> None:
    with pytest.raises(UsageError, match="cannot be read from 'gs://bucket/logs'"):
        Asked(url="gs://bucket/logs").logs()


@pytest.mark.parametrize("source", sorted(set(COLLECTORS) - {"history-server"}))
def test_a_source_with_one_way_refuses_another(source: str, tmp_path: Path) -> None:
    request = CollectRequest(Settings(), NOW, list[str]().append, path=tmp_path, via="rest")
    with pytest.raises(UsageError, match=f"only one way to read {source}"):
        COLLECTORS[source](request)


def test_two_places_at_once_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--path and --url"):
        collected(tmp_path, url="s3://bucket/logs")
