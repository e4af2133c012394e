"""Monitored tables in Dagster: one asset each, a verdict per bucket, a sensor that asks for what changed."""

from __future__ import annotations

import json
import zlib
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import dagster as dg
import polars as pl
import pytest

from metaplat.model.errors import SettingsError
from metaplat.model.table import BucketFunction, MonitoredTable
from metaplat.monitor.discover import save_tables
from metaplat.orchestration.build import build_definitions
from metaplat.orchestration.jobs import partition_tags
from metaplat.orchestration.tables import sensors
from metaplat.orchestration.tables.declared import tables_at_load
from metaplat.settings import Settings, load_settings
from metaplat.stores.home import Stores, open_stores
from metaplat_tests.orchestration.conftest import evaluations

if TYPE_CHECKING:
    from pathlib import Path

COUNT = 32
KEY = dg.AssetKey(["table_profile", "part_t"])


def keys_of(bucket: int, count: int = 3, prefix: str = "key") -> list[str]:
    """Return keys whose CRC leads to a bucket."""
    found: list[str] = []
    number = 0
    while len(found) < count:
        key = f"{prefix}-{number}"
        if zlib.crc32(key.encode()) % COUNT == bucket:
            found.append(key)
        number += 1
    return found


@dataclass
class Watched:
    """A table of 32 buckets in a folder, and a home that monitors it."""

    folder: Path
    stores: Stores
    instance: dg.DagsterInstance
    cursor: str | None = None
    skipped: str | None = None
    run_keys: list[str | None] = field(default_factory=list)

    @property
    def table(self) -> MonitoredTable:
        """Its declaration."""
        return MonitoredTable("part_t", str(self.folder), "k", COUNT, bucket_function=BucketFunction.CRC32)

    def write(self, bucket: int, keys: list[str], name: str = "part-0") -> None:
        """Write one file of a bucket."""
        folder = self.folder / f"id_bucket={bucket}"
        folder.mkdir(parents=True, exist_ok=True)
        pl.DataFrame({"k": keys}, schema={"k": pl.String}).write_parquet(folder / f"{name}.parquet")

    def definitions(self) -> dg.Definitions:
        """Return what Dagster serves of it."""
        return build_definitions(domains=[], tables=[self.table])

    def run(self, first: int, last: int, job: str = "profile_part_t") -> dg.ExecuteInProcessResult:
        """Run a job over the buckets from ``first`` to ``last``."""
        return (
            self.definitions()
            .resolve_job_def(job)
            .execute_in_process(
                instance=self.instance,
                tags=partition_tags(str(first), str(last)),
                resources={"stores": self.stores},
                raise_on_error=False,
            )
        )

    def tick(self) -> list[tuple[str, str]]:
        """Evaluate one tick of the sensor; returns the first and last bucket of each run asked for."""
        context = dg.build_sensor_context(cursor=self.cursor, resources={"stores": self.stores})
        with context:
            told = self.definitions().resolve_sensor_def("part_t_changed").evaluate_tick(context)
        self.cursor, self.skipped = told.cursor, told.skip_message
        self.run_keys = [request.run_key for request in told.run_requests or ()]
        spans = []
        for request in told.run_requests or ():
            tags = request.tags
            one = tags.get("dagster/partition")
            start = one or tags["dagster/asset_partition_range_start"]
            spans.append((start, one or tags["dagster/asset_partition_range_end"]))
        return spans


@pytest.fixture
def watched(tmp_path: Path, stores: Stores, instance: dg.DagsterInstance) -> Watched:
    watched = Watched(tmp_path / "part_t", stores, instance)
    for bucket in range(COUNT):
        watched.write(bucket, keys_of(bucket))
    return watched


def test_a_range_of_buckets_is_one_run_with_a_verdict_per_bucket(watched: Watched) -> None:
    watched.write(7, [*keys_of(7), keys_of(7)[0]])
    result = watched.run(0, COUNT - 1)
    assert result.success
    assert len(watched.instance.get_runs()) == 1
    found = evaluations(result, "key_uniqueness")
    assert [bucket for bucket, evaluation in found.items() if not evaluation.passed] == ["7"]
    assert list(found) == [str(bucket) for bucket in range(COUNT)]
    assert {each.target_materialization_data.run_id for each in found.values()} == {result.run_id}
    [summary] = evaluations(result, "key_uniqueness__summary").values()
    assert not summary.passed
    assert "🟥" in summary.metadata["heat_map"].value
    materialized = watched.instance.get_materialized_partitions(KEY)
    assert materialized == {str(bucket) for bucket in range(COUNT)}


def test_a_new_file_makes_the_sensor_ask_for_its_bucket_only_and_no_other_is_read(watched: Watched) -> None:
    assert watched.tick() == [("0", "31")]
    assert watched.tick() == []  # it was asked for, and the run may still wait
    watched.run(0, COUNT - 1)
    assert watched.tick() == []
    watched.write(17, keys_of(17, 1, "another"), "part-1")
    assert watched.tick() == [("17", "17")]
    result = watched.run(17, 17)
    logged = [entry.user_message for entry in watched.instance.all_logs(result.run_id)]
    assert "part_t: 2 files read" in logged  # those of bucket 17: a key may be in both
    rows = evaluations(result, "key_uniqueness")
    assert list(rows) == ["17"]
    assert watched.tick() == []


def test_a_removed_file_is_a_change_too(watched: Watched) -> None:
    watched.run(0, COUNT - 1)
    (watched.folder / "id_bucket=5" / "part-0.parquet").unlink()
    assert watched.tick() == [("5", "5")]
    result = watched.run(5, 5)
    assert not evaluations(result, "s3_partition")["5"].passed
    assert watched.tick() == []


def test_a_file_that_is_put_back_is_asked_for_under_another_run_key(watched: Watched, tmp_path: Path) -> None:
    watched.run(0, COUNT - 1)
    file, aside = watched.folder / "id_bucket=5" / "part-0.parquet", tmp_path / "aside"
    asked = []
    for here, there in [(file, aside), (aside, file), (file, aside), (aside, file)]:
        here.rename(there)  # the file is the same one, to the nanosecond
        assert watched.tick() == [("5", "5")]
        asked += watched.run_keys
        watched.run(5, 5)
    assert len(set(asked)) == 4  # Dagster starts nothing for a key that it has seen


def test_a_bucket_whose_run_came_to_nothing_is_asked_for_again_later(
    watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = datetime.now(UTC)
    monkeypatch.setattr(sensors, "utc_now", lambda: now)
    watched.run(0, COUNT - 1)
    watched.write(5, keys_of(5, 4))
    assert watched.tick() == [("5", "5")]
    first = watched.run_keys
    now += timedelta(minutes=59)
    watched.write(9, keys_of(9, 4))
    assert watched.tick() == [("9", "9")]
    now += timedelta(minutes=1)
    assert watched.tick() == [("5", "5")]
    assert watched.run_keys != first
    watched.run(0, COUNT - 1)
    now += timedelta(days=1)
    assert watched.tick() == []


def test_runs_of_one_table_carry_its_tag_so_that_the_queue_starts_one_at_a_time(watched: Watched) -> None:
    for job in ("profile_part_t", "check_part_t"):
        assert watched.definitions().resolve_job_def(job).tags["metaplat/table"] == "part_t"


def test_a_table_that_cannot_be_listed_fails_the_tick(watched: Watched) -> None:
    watched.folder.rename(watched.folder.with_name("gone"))
    with pytest.raises(Exception, match="part_t"):
        watched.tick()


def test_checks_alone_judge_what_was_measured_last(watched: Watched) -> None:
    watched.run(0, COUNT - 1)
    watched.write(3, [*keys_of(3), keys_of(3)[0]])
    result = watched.run(0, COUNT - 1, "check_part_t")
    assert result.success
    assert evaluations(result, "key_uniqueness")["3"].passed
    assert not [event for event in result.all_events if event.is_step_materialization]


def test_a_table_that_is_gone_fails_the_run_with_one_line(watched: Watched) -> None:
    watched.folder.rename(watched.folder.with_name("gone"))
    result = watched.run(0, 1)
    assert not result.success
    [failure] = [event for event in result.all_events if event.is_step_failure]
    told = failure.step_failure_data.user_failure_data
    assert told is not None
    assert "part_t" in (told.description or "")


def test_tables_are_known_at_load_from_settings_and_from_what_discovery_saved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert tables_at_load() == []
    (tmp_path / "metaplat.toml").write_text(
        '[[monitor.tables]]\nname = "part_a"\nlocation = "tables/part_a"\n'
    )
    saved = MonitoredTable("part_b; drop table x", "s3://bucket/b", "k", database="lake")
    save_tables(tmp_path / ".metaplat" / "monitored_tables.json", [saved])
    assert [table.name for table in tables_at_load()] == ["part_a", "part_b; drop table x"]
    definitions = build_definitions(domains=[])
    dg.Definitions.validate_loadable(definitions)
    keys = {key.to_user_string() for key in definitions.resolve_asset_graph().get_all_asset_keys()}
    [odd] = keys - {"table_profile/part_a"}
    assert odd.startswith("table_profile/part_b_3b__20_drop_20_table_20_x")


def test_names_that_differ_in_odd_letters_only_are_two_assets() -> None:
    names = ["part_a'b", "part_a_27_b", "part_a;b"]
    tables = [MonitoredTable(name, f"s3://bucket/{at}", "k", COUNT) for at, name in enumerate(names)]
    definitions = build_definitions(domains=[], tables=tables)
    dg.Definitions.validate_loadable(definitions)
    assert len(definitions.resolve_asset_graph().get_all_asset_keys()) == len(names)


def test_tables_can_be_declared_in_the_environment_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("METAPLAT_MONITOR__TABLES", '[{"name": "part_e", "location": "s3://bucket/e"}]')
    assert [table.location for table in tables_at_load()] == ["s3://bucket/e"]


def test_settings_that_cannot_be_read_cost_the_tables_and_not_the_location(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "metaplat.toml").write_text("[monitor]\nbucket_cuont = 3\n")
    with pytest.raises(SettingsError):
        load_settings()
    assert tables_at_load() == []
    assert "bucket_cuont" in caplog.text


def test_a_bucket_of_an_other_home_is_measured_there(watched: Watched, tmp_path: Path) -> None:
    watched.run(0, COUNT - 1)
    other = Watched(watched.folder, open_stores(Settings(home=tmp_path / "other")), watched.instance)
    assert other.tick() == [("0", "31")]
    assert json.loads(other.cursor or "")[1].keys() == {str(bucket) for bucket in range(COUNT)}
