"""Profiles kept as history: in order of time, the newest first chosen, a broken one named."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import polars as pl
import pytest

from metaplat.model.errors import InvalidInputError, PermanentStoreError
from metaplat.model.polars_schema import polars_schema
from metaplat.model.table_metrics import METRICS
from metaplat.monitor.history import History
from metaplat.stores.local_objects import LocalObjects
from metaplat_tests.monitor.small_tables import NOW, SmallTable

if TYPE_CHECKING:
    from pathlib import Path

    from metaplat.model.table_metrics import TableProfile


@pytest.fixture
def history(tmp_path: Path) -> History:
    return History(LocalObjects(tmp_path / "home"))


@pytest.fixture
def profile(tmp_path: Path) -> TableProfile:
    profile = SmallTable(tmp_path).write({0: [["a", "a"]]}).profile()
    return replace(profile, table=replace(profile.table, database="lake"))


def at(profile: TableProfile, moment: datetime, run_id: str = "run") -> TableProfile:
    zone = polars_schema(METRICS)["profiled_at"]
    frame = profile.frame.with_columns(
        pl.lit(run_id).alias("run_id"), pl.lit(moment, dtype=zone).alias("profiled_at")
    )
    return replace(profile, frame=frame)


def test_a_run_is_one_object_below_its_table_and_day(history: History, profile: TableProfile) -> None:
    info = history.append(at(profile, datetime(2025, 3, 1, 23, 59, 58, 7, UTC), "run/1"))
    assert info.key == "lake/table_profiles/table=part_t=40lake/date=2025-03-01/235958.000007-run=2F1.parquet"


def test_what_was_kept_is_loaded_again(history: History, profile: TableProfile) -> None:
    history.append(profile)
    assert history.load("part_t@lake", 5).equals(profile.frame)
    latest = history.latest("part_t@lake")
    assert latest is not None
    assert latest.equals(profile.frame)


def test_the_newest_runs_are_loaded_oldest_first(history: History, profile: TableProfile) -> None:
    for minutes in (50, 10, 2000, 30):
        history.append(at(profile, NOW + timedelta(minutes=minutes), f"run-{minutes}"))
    frame = history.load("part_t@lake", 3)
    assert frame["run_id"].unique(maintain_order=True).to_list() == ["run-30", "run-50", "run-2000"]
    assert frame.height == 12
    assert dict(frame.schema) == polars_schema(METRICS)
    assert history.load("part_t@lake", 0).is_empty()


def test_the_same_run_again_replaces_itself(history: History, profile: TableProfile) -> None:
    history.append(profile)
    history.append(profile)
    assert history.load("part_t@lake", 5).height == 4


def test_a_table_without_history_has_none(history: History) -> None:
    assert dict(history.load("part_t@lake", 5).schema) == polars_schema(METRICS)
    assert history.latest("part_t@lake") is None


def test_tables_of_similar_or_odd_names_are_kept_apart(history: History, profile: TableProfile) -> None:
    names = ["part_t", "part_t2", "part_t/x", "a'b;--", "..", ""]
    for name in names:
        frame = profile.frame.with_columns(pl.lit(name).alias("table"))
        history.append(replace(profile, table=replace(profile.table, name=name), frame=frame))
    kept = [history.load(f"{name}@lake", 9)["table"].unique().to_list() for name in names]
    assert kept == [[name] for name in names]
    assert [history.identities(name) for name in names] == [[f"{name}@lake"] for name in names]


def test_tables_of_one_name_are_told_apart_by_their_database_or_place(
    history: History, profile: TableProfile
) -> None:
    here = replace(profile.table, database=None)
    for table in (profile.table, replace(profile.table, database="other db"), here):
        history.append(replace(profile, table=table))
    assert sorted(history.identities("part_t")) == sorted(["part_t@lake", "part_t@other db", here.identity])
    assert history.identities("part_t@other db") == ["part_t@other db"]
    assert history.identities("part") == []


def test_an_unreadable_run_is_an_error_that_names_it(history: History, profile: TableProfile) -> None:
    info = history.append(profile)
    history.objects.put(info.key, b"PAR1 no more")
    with pytest.raises(PermanentStoreError, match=r"table=part_t=40lake/date=2025-03-01/.*read a profile"):
        history.load("part_t@lake", 5)


def test_a_column_added_or_removed_since_is_no_obstacle(history: History, profile: TableProfile) -> None:
    import io

    info = history.append(profile)
    buffer = io.BytesIO()
    profile.frame.drop("misplaced_keys").with_columns(old=1).write_parquet(buffer)
    history.objects.put(info.key, buffer.getvalue())
    frame = history.load("part_t@lake", 5)
    assert dict(frame.schema) == polars_schema(METRICS)
    assert frame["misplaced_keys"].null_count() == 4


def test_only_metrics_frames_are_kept(history: History, profile: TableProfile) -> None:
    for frame in (profile.frame.drop("rows"), profile.frame.clear()):
        with pytest.raises(InvalidInputError, match="metrics frames only"):
            history.append(replace(profile, frame=frame))
