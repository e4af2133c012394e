"""The history of weeks of realistic deliveries, on a disk and in a bucket."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from metaplat.model.extract import JOB_METRICS_FIELDS, JOB_SIZE_FIELDS, TABLE_METRICS_FIELDS
from metaplat.model.polars_schema import polars_schema
from metaplat.settings import S3Settings, Settings, VipSettings
from metaplat.stores.deliveries import open_deliveries
from metaplat.vip.history.build import build_history
from metaplat.vip.history.calendar import known_range
from metaplat.vip.history.histories import Histories
from metaplat_tests.standins.vip.history_tree import HistoryFaults, copy_to_s3, write_history

if TYPE_CHECKING:
    from pathlib import Path

    from metaplat_tests.standins.vip.history_tree import TreeFacts

FIRST = datetime(2022, 2, 8, 8, tzinfo=UTC)
HOURS = 1_008


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> tuple[TreeFacts, Histories]:
    root = tmp_path_factory.mktemp("deliveries")
    facts = write_history(root, FIRST, HOURS, faults=HistoryFaults.spread_over(HOURS, seed=3))
    settings = Settings(vip=VipSettings(environment="Prod", target=str(root)))
    return facts, _history(settings, facts)


def _history(settings: Settings, facts: TreeFacts) -> Histories:
    deliveries = open_deliveries(settings)
    return build_history(settings, deliveries, facts.all_hours(), Histories.empty(), {}, settings.vip.config)


def _hours(frame: pl.DataFrame) -> list[datetime]:
    return frame["hour_utc"].to_list()


def test_every_hour_has_a_row_and_every_column_its_type(tree: tuple[TreeFacts, Histories]) -> None:
    facts, made = tree
    assert _hours(made.jobs) == _hours(made.sizes) == facts.all_hours()
    assert dict(made.jobs.schema) == polars_schema(JOB_METRICS_FIELDS)
    assert dict(made.tables.schema) == polars_schema(TABLE_METRICS_FIELDS)
    assert dict(made.sizes.schema) == polars_schema(JOB_SIZE_FIELDS)
    assert made.tables.select("hour_utc", "table").is_unique().all()


def test_missing_hours_are_zeros_and_not_absent(tree: tuple[TreeFacts, Histories]) -> None:
    facts, made = tree
    missing = made.jobs.filter(pl.col("status") == "missing")
    assert _hours(missing) == sorted(facts.missing)
    assert missing["completeness"].unique().to_list() == [0.0]
    assert missing["file_completeness"].unique().to_list() == [0.0]
    assert all(names == sorted(facts.tables) for names in missing["missing_tables"].to_list())
    sizes = made.sizes.filter(pl.col("hour_utc").is_in(missing["hour_utc"].implode()))
    assert sizes.select("n_files", "bytes_total", "bytes_data").unique().rows() == [(0, 0, 0)]
    rows = made.tables.filter(pl.col("hour_utc") == facts.missing[0])
    assert rows.select("expected", "delivered", "failure").unique().rows() == [(True, False, True)]


def test_each_planted_fault_has_its_status(tree: tuple[TreeFacts, Histories]) -> None:
    facts, made = tree
    incomplete = {*facts.incomplete, *facts.short}
    assert set(_hours(made.jobs.filter(pl.col("status") == "incomplete"))) == incomplete
    assert _hours(made.jobs.filter(pl.col("status") == "late")) == sorted(facts.late)
    for hour, gone in facts.incomplete.items():
        row = made.jobs.row(by_predicate=pl.col("hour_utc") == hour, named=True)
        assert row["missing_tables"] == list(gone)
        assert row["n_tables_delivered"] == row["n_tables_expected"] - len(gone)
        assert row["n_files_delivered"] < row["n_files_promised"]
    short = made.jobs.filter(pl.col("n_files_size_mismatch") > 0)
    assert _hours(short) == sorted(facts.short)
    unexpected = made.jobs.filter(pl.col("unexpected_tables").list.len() > 0)
    assert {row["hour_utc"]: row["unexpected_tables"] for row in unexpected.to_dicts()} == {
        hour: [table] for hour, table in facts.unexpected.items()
    }


def test_files_and_bytes_are_those_in_the_folders(tree: tuple[TreeFacts, Histories]) -> None:
    facts, made = tree
    counted = {hour: len(facts.files.get(hour, {})) for hour in facts.all_hours()}
    assert dict(made.sizes.select("hour_utc", "n_files").iter_rows()) == counted
    told = {hour: facts.bytes_of(hour) for hour in facts.all_hours()}
    assert dict(made.sizes.select("hour_utc", "bytes_total").iter_rows()) == told
    rest = pl.col("bytes_total") - pl.col("bytes_data") - pl.col("bytes_schema") - pl.col("bytes_script")
    foreign = {hour for hour in facts.all_hours() for key in facts.foreign if facts.folder(hour) in key}
    assert set(_hours(made.sizes.filter(rest > 0))) == foreign


def test_jobs_and_times_are_those_of_the_manifest(tree: tuple[TreeFacts, Histories]) -> None:
    facts, made = tree
    hour = next(each for each in facts.all_hours() if each in facts.late)
    row = made.jobs.row(by_predicate=pl.col("hour_utc") == hour, named=True)
    assert row["job_guid"] == facts.job_guids[hour]
    assert (row["started_at"], row["completed_at"]) == (facts.accepted[hour], facts.finished[hour])
    assert row["lag_min"] == 85.0
    assert row["duration_s"] == (facts.finished[hour] - facts.accepted[hour]).total_seconds()


def test_schema_changes_are_told_in_the_hour_they_came(tree: tuple[TreeFacts, Histories]) -> None:
    facts, made = tree
    columns = {"added": "fields_added", "removed": "fields_removed", "retyped": "fields_changed"}
    changed = made.tables.filter(
        (pl.concat_list(list(columns.values())).list.len() > 0) | pl.col("fields_reordered")
    )
    seen = _seen_from(facts)
    assert {(row["hour_utc"], row["table"]) for row in changed.to_dicts()} == {
        (seen[change.hour], change.table) for change in facts.schema_changes
    }
    for change in facts.schema_changes:
        row = changed.row(by_predicate=pl.col("table") == change.table, named=True)
        told = row[columns[change.kind]] if change.kind in columns else [change.field]
        assert [name.partition(":")[0] for name in told] == [change.field]
        assert row["fields_reordered"] is (change.kind == "reordered")


def _seen_from(facts: TreeFacts) -> dict[datetime, datetime]:
    """Return when a change shows: in the next hour with a schema file."""
    silent = {*facts.missing, *facts.no_schema}
    seen = {}
    for change in facts.schema_changes:
        seen[change.hour] = change.hour
        while seen[change.hour] in silent:
            seen[change.hour] += timedelta(hours=1)
    return seen


def test_an_hour_without_a_schema_file_is_judged_by_earlier_jobs(tree: tuple[TreeFacts, Histories]) -> None:
    facts, made = tree
    (hour,) = facts.no_schema
    row = made.jobs.row(by_predicate=pl.col("hour_utc") == hour, named=True)
    assert (row["status"], row["expected_source"], row["completeness"]) == ("ok", "jobs", 1.0)
    assert set(made.jobs["expected_source"].to_list()) == {"schema", "jobs"}


def test_hours_without_a_readable_promise_have_none(tree: tuple[TreeFacts, Histories]) -> None:
    facts, made = tree
    without = made.jobs.filter(pl.col("n_files_promised").is_null() & (pl.col("status") != "missing"))
    assert _hours(without) == sorted(facts.no_promise + facts.broken_promise)
    assert without["file_completeness"].to_list() == [None, None]
    assert without["status"].to_list() == ["ok", "ok"]


def test_planted_volumes_are_found_and_few_others(tree: tuple[TreeFacts, Histories]) -> None:
    facts, made = tree
    flagged = made.sizes.filter(pl.col("anomaly").is_in(["low", "high"]))
    found = set(_hours(flagged)) & set(facts.volumes)
    false = set(_hours(flagged)) - set(facts.volumes) - set(facts.incomplete) - set(facts.short)
    assert len(found) >= 0.9 * len(facts.volumes)
    assert len(false) <= HOURS / 1000
    low = flagged.filter(pl.col("anomaly") == "low")
    assert all(facts.volumes.get(hour, 0.0) < 1 for hour in _hours(low))


def test_the_known_range_ends_at_the_outermost_files(tmp_path: Path) -> None:
    faults = HistoryFaults(missing=[0, 1, 29], foreign=[5])
    facts = write_history(tmp_path, FIRST, 30, tables=2, faults=faults)
    (tmp_path / "IMOSDL/Hourly/20220101/09").mkdir(parents=True)
    (tmp_path / "IMOSDL/Hourly/20229999/09").mkdir(parents=True)
    settings = Settings(vip=VipSettings(environment="Prod", target=str(tmp_path)))
    known = known_range(open_deliveries(settings), settings, {})
    assert known == (facts.hour(2), facts.hour(28))


def test_a_bucket_gives_the_same_history_as_a_folder(
    tmp_path: Path, s3_bucket: str, s3_client: Any, moto_endpoint: str
) -> None:
    faults = HistoryFaults(
        missing=[4], incomplete=[6], foreign=[8], broken_promise=[9], schema_changes={7: "added"}
    )
    facts = write_history(tmp_path, FIRST, 12, tables=3, mean_bytes=3_000, faults=faults)
    copy_to_s3(tmp_path, s3_client, s3_bucket, "lake/")
    local = Settings(vip=VipSettings(environment="Prod", target=str(tmp_path)))
    bucket = Settings(
        s3=S3Settings(endpoint_url=moto_endpoint),
        vip=VipSettings(environment="Prod", target=f"s3://{s3_bucket}/lake"),
    )
    from_disk, from_bucket = _history(local, facts), _history(bucket, facts)
    assert from_bucket.jobs.equals(from_disk.jobs)
    assert from_bucket.tables.equals(from_disk.tables)
    assert from_bucket.sizes.equals(from_disk.sizes)
    assert known_range(open_deliveries(bucket), bucket, {}) == (facts.first, facts.last)
