"""The sensor on a folder of event logs, tick by tick, and the job it asks for."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest

from metaplat.domains import all_domains
from metaplat.model.errors import MetaplatError
from metaplat.orchestration.build import build_definitions
from metaplat.orchestration.collecting import JOB
from metaplat.settings import Settings, SparkSettings
from metaplat.stores.home import Stores, open_stores
from metaplat_tests.standins.event_log_lines import START, head, job, whole_log

MOMENT = datetime.fromtimestamp(START / 1000, UTC) + timedelta(hours=1)
DAY = "2025-11-23"
SENSOR = "spark_applications_event_logs"


def set_clock(monkeypatch: pytest.MonkeyPatch, moment: datetime) -> None:
    monkeypatch.setattr("metaplat.orchestration.collecting.utc_now", lambda: moment)


@dataclass
class Watching:
    """The code location with a folder of event logs, and the cursor of its sensor."""

    folder: Path
    stores: Stores
    instance: dg.DagsterInstance
    cursor: str | None = None
    skipped: str | None = None

    def __post_init__(self) -> None:
        self.definitions = build_definitions(domains=all_domains(), tables=[])

    def tick(self, sensor: str = SENSOR) -> list[dg.RunRequest]:
        """Evaluate one tick."""
        cursor = self.cursor if sensor == SENSOR else None
        context = dg.build_sensor_context(self.instance, cursor=cursor, resources={"stores": self.stores})
        with context:
            told = self.definitions.resolve_sensor_def(sensor).evaluate_tick(context)
        self.skipped = told.skip_message
        if sensor == SENSOR:
            self.cursor = told.cursor
        return list(told.run_requests or ())

    def collect(self) -> dg.ExecuteInProcessResult:
        """Run the job once."""
        found = self.definitions.resolve_job_def(JOB)
        return found.execute_in_process(
            instance=self.instance, resources={"stores": self.stores}, raise_on_error=False
        )

    def landed(self) -> list[str]:
        """Return the names of the landed attempts."""
        listed = self.stores.landing.list_objects("spark-applications/")
        return [item.key.rpartition("/")[2] for item in listed]


@pytest.fixture
def watching(tmp_path: Path, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch) -> Watching:
    folder = tmp_path / "spark-events"
    folder.mkdir()
    set_clock(monkeypatch, MOMENT)
    settings = Settings(home=tmp_path / "home", spark=SparkSettings(event_logs=str(folder)))
    return Watching(folder, open_stores(settings), instance)


def test_new_logs_are_asked_for_once(watching: Watching) -> None:
    assert watching.tick() == []
    assert "has changed" in str(watching.skipped)
    (watching.folder / "app-1").write_bytes(whole_log("app-1"))
    (watching.folder / "app-2.inprogress").write_bytes(head("app-2"))
    [asked] = watching.tick()
    assert asked.run_key
    assert watching.tick() == []
    assert "asked for before" in str(watching.skipped)
    assert watching.collect().success
    assert watching.landed() == ["event-logs-app-1-0-completed.json", "event-logs-app-2-0-running.json"]
    assert watching.tick() == []


def test_a_log_that_grows_is_asked_for_every_ten_minutes_and_at_once_when_it_ends(
    watching: Watching, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = watching.folder / "app-2.inprogress"
    log.write_bytes(head("app-2"))
    [asked] = watching.tick()
    watching.collect()
    log.write_bytes(head("app-2") + job(0, 0, 2))
    assert watching.tick() == []
    assert "1 growing" in str(watching.skipped)
    set_clock(monkeypatch, MOMENT + timedelta(minutes=10))
    [again] = watching.tick()
    assert again.run_key != asked.run_key
    watching.collect()
    log.unlink()
    (watching.folder / "app-2").write_bytes(whole_log("app-2"))
    assert len(watching.tick()) == 1


def test_a_file_of_a_rolling_log_that_was_closed_is_asked_for_at_once(watching: Watching) -> None:
    folder = watching.folder / "eventlog_v2_app-3"
    folder.mkdir()
    (folder / "appstatus_app-3.inprogress").touch()
    (folder / "events_1_app-3").write_bytes(head("app-3"))
    assert len(watching.tick()) == 1
    watching.collect()
    (folder / "events_1_app-3").write_bytes(head("app-3") + job(0, 0, 2))
    assert watching.tick() == []
    (folder / "events_2_app-3").write_bytes(job(1, 1, 2))
    assert len(watching.tick()) == 1


def test_nothing_is_asked_for_while_a_collection_is_under_way(watching: Watching) -> None:
    (watching.folder / "app-1").write_bytes(whole_log("app-1"))
    run = watching.instance.create_run_for_job(watching.definitions.resolve_job_def(JOB))
    assert watching.tick() == []
    assert "has not ended" in str(watching.skipped)
    watching.instance.report_run_failed(run)
    assert len(watching.tick()) == 1


def test_what_no_run_could_collect_is_asked_for_again_after_an_hour(
    watching: Watching, monkeypatch: pytest.MonkeyPatch
) -> None:
    (watching.folder / "app-1").write_bytes(whole_log("app-1"))
    [asked] = watching.tick()
    set_clock(monkeypatch, MOMENT + timedelta(hours=1, minutes=1))
    [again] = watching.tick()
    assert again.run_key != asked.run_key


def test_what_is_no_event_log_is_told_and_asked_for_no_more(watching: Watching) -> None:
    (watching.folder / "noise").write_bytes(os.urandom(1000))
    (watching.folder / "app-1").write_bytes(whole_log("app-1"))
    assert len(watching.tick()) == 1
    result = watching.collect()
    assert result.success
    [output] = [event for event in result.all_events if event.is_successful_output]
    assert output.step_output_data.metadata["rejected"].value == 1
    assert watching.tick() == []


def test_a_folder_that_is_gone_fails_the_tick_and_the_run(watching: Watching) -> None:
    watching.folder.rmdir()
    with pytest.raises(MetaplatError, match="spark-events"):
        watching.tick()
    assert not watching.collect().success


def test_without_a_folder_the_sensor_says_so(watching: Watching) -> None:
    watching.stores = open_stores(Settings(home=watching.stores.settings.home))
    assert watching.tick() == []
    assert watching.skipped == "spark.event_logs is not set"


def test_what_the_job_lands_is_asked_for_by_the_sensors_of_the_three_domains(watching: Watching) -> None:
    (watching.folder / "app-1").write_bytes(whole_log("app-1"))
    watching.collect()
    for domain, rows in (("spark_applications", 1), ("spark_stages", 1), ("spark_executors", 1)):
        [request] = watching.tick(f"{domain}_landed")
        assert request.tags["dagster/partition"] == DAY
        result = watching.definitions.resolve_job_def(f"ingest_{domain}").execute_in_process(
            instance=watching.instance,
            resources={"stores": watching.stores},
            tags=dict(request.tags),
        )
        [written] = result.asset_materializations_for_node(domain)
        assert written.metadata["dagster/partition_row_count"].value == rows
        if domain == "spark_applications":
            table = written.metadata["applications"]
            assert isinstance(table, dg.TableMetadataValue)
            [row] = table.records
            assert Path(str(row.data["page"])).read_text(encoding="utf-8").count("etl") > 0
            assert Path(str(written.metadata["overview"].value)).is_file()
