"""Profiles run after run: nothing unchanged is read twice, and nothing stale is taken for new."""

from __future__ import annotations

import os
import zlib
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from metaplat.model.errors import PermanentStoreError
from metaplat.model.table import BucketFunction, Engine
from metaplat.monitor.profile_state import encoded_name
from metaplat.stores.local_objects import LocalObjects
from metaplat.stores.objects import check_key
from metaplat_tests.monitor.small_tables import NOW, SmallTable, column

if TYPE_CHECKING:
    from pathlib import Path

    from metaplat.model.landed import ObjectInfo
    from metaplat.model.table_metrics import TableProfile


@pytest.fixture
def small(tmp_path: Path) -> SmallTable:
    """Write a table whose 400 keys lie where CRC-32 says."""
    found: dict[int, list[list[str]]] = {bucket: [[]] for bucket in range(4)}
    for number in range(400):
        found[zlib.crc32(b"key-%d" % number) % 4][0].append(f"key-{number}")
    return SmallTable(tmp_path, BucketFunction.INFER).write(found)


def state_key(small: SmallTable) -> str:
    return f"tables/{encoded_name(small.table.identity)}/profile.json"


def key_of(bucket: int, number: int = 0) -> str:
    """Return a key that CRC-32 puts into a bucket."""
    keys = (f"new-{candidate}" for candidate in range(10_000))
    return [key for key in keys if zlib.crc32(key.encode()) % 4 == bucket][number]


def same_but_for_the_run(first: TableProfile, second: TableProfile) -> bool:
    run = ["run_id", "profiled_at"]
    return (
        first.frame.drop(run).equals(second.frame.drop(run))
        and first.files == second.files
        and first.samples == second.samples
        and first.schemas == second.schemas
        and (first.engine, first.bucket_function, first.notes)
        == (second.engine, second.bucket_function, second.notes)
    )


@pytest.mark.parametrize("engine", [Engine.BUCKET, Engine.GLOBAL, Engine.FOOTER])
def test_an_unchanged_table_costs_one_listing(small: SmallTable, engine: Engine) -> None:
    small.engine = engine
    small.write_file("id_bucket=0/more.parquet", [key_of(0), key_of(0), None])
    first = small.profile()
    files = small.watched()
    second = small.profile(files, now=NOW + timedelta(days=1))
    assert same_but_for_the_run(first, second)
    assert (second.files_read, dict(files.listed), dict(files.read)) == (0, {".": 1}, {})
    assert set(column(second, "run_id")) == {"run-2"}
    assert set(column(second, "measured_by")) == {"run-1"}
    assert set(column(second, "profiled_at")) == {NOW + timedelta(days=1)}


def test_a_new_file_costs_its_bucket(small: SmallTable) -> None:
    small.profile()
    key = key_of(2)
    small.write_file("id_bucket=2/new.parquet", [key, key])
    files = small.watched()
    profile = small.profile(files)
    assert {name.partition("/")[0] for name in files.read} == {"id_bucket=2"}
    assert column(profile, "measured_by") == ["run-1", "run-1", "run-2", "run-1"]
    assert column(profile, "duplicate_rows") == [0, 0, 2, 0]
    assert profile.bucket_function is BucketFunction.CRC32
    assert profile.files_read == 2


def test_a_removed_file_and_a_removed_bucket_are_forgotten(small: SmallTable) -> None:
    small.write_file("id_bucket=2/new.parquet", [key_of(2), key_of(2)])
    small.profile()
    (small.location / "id_bucket=2/new.parquet").unlink()
    (small.location / "id_bucket=3/part-0.parquet").unlink()
    profile = small.profile()
    assert column(profile, "duplicate_rows") == [0, 0, 0, 0]
    assert column(profile, "files") == [1, 1, 1, 0]
    assert column(profile, "rows")[3] == 0
    assert column(profile, "measured_by") == ["run-1", "run-1", "run-2", None]
    assert not profile.samples
    assert len(profile.files) == 3


def test_only_the_buckets_asked_for_are_measured_anew(small: SmallTable) -> None:
    first = small.profile()
    for bucket in (1, 2):
        small.write_file(f"id_bucket={bucket}/new.parquet", [key_of(bucket)])
    profile = small.profile(buckets=[2])
    assert column(profile, "measured_by") == ["run-1", "run-1", "run-2", "run-1"]
    assert column(profile, "rows")[1] == column(first, "rows")[1]
    assert column(profile, "files")[1] == 1  # as it was measured
    assert [item.rows for item in profile.files if item.key == "id_bucket=1/new.parquet"] == [None]
    assert small.profile(buckets=[3]).files_read == 0
    last = small.profile()
    assert column(last, "measured_by") == ["run-1", "run-4", "run-2", "run-1"]
    assert column(last, "rows")[1] == column(first, "rows")[1] + 1


def test_a_run_of_other_buckets_that_ends_meanwhile_is_not_forgotten(small: SmallTable) -> None:
    small.profile()
    for bucket in (1, 3):
        small.write_file(f"id_bucket={bucket}/more.parquet", [key_of(bucket), key_of(bucket)])
    slow = small.watched(after_listing=lambda: small.profile(buckets={1}))
    assert column(small.profile(slow, buckets={3}), "duplicate_rows") == [0, 2, 0, 2]
    assert small.profile(buckets=()).files_read == 0
    assert small.profile().files_read == 0


def test_buckets_that_were_never_measured_are_unknown_and_not_zero(small: SmallTable) -> None:
    small.function = BucketFunction.NONE
    (small.location / "id_bucket=3/part-0.parquet").unlink()
    profile = small.profile(buckets=[0])
    assert [value is None for value in column(profile, "rows")] == [False, True, True, True]
    assert [value is None for value in column(profile, "measured_by")] == [False, True, True, True]
    assert column(profile, "files") == [1, 1, 1, 0]
    profile = small.profile()
    assert column(profile, "measured_by") == ["run-1", "run-2", "run-2", None]
    assert column(profile, "rows")[3] == 0


def test_a_key_that_turns_up_in_a_wrong_bucket_makes_the_whole_table_be_compared(small: SmallTable) -> None:
    small.profile()
    stray = small.write_file("id_bucket=1/stray.parquet", [key_of(3)])
    small.write_file("id_bucket=3/new.parquet", [key_of(3)])
    profile = small.profile()
    assert profile.engine is Engine.GLOBAL
    assert column(profile, "misplaced_keys") == [0, 1, 0, 0]
    assert column(profile, "duplicate_rows") == [0, 1, 0, 1]
    assert set(column(profile, "measured_by")) == {"run-2"}
    assert small.profile().files_read == 0

    stray.unlink()
    profile = small.profile()
    assert column(profile, "duplicate_rows") == [0, 0, 0, 0]
    assert not profile.notes
    small.write_file("id_bucket=0/new.parquet", [key_of(0)])
    profile = small.profile()
    assert profile.engine is Engine.BUCKET
    assert column(profile, "measured_by") == ["run-5", "run-4", "run-4", "run-4"]


def test_an_engine_that_compares_across_buckets_counts_all_of_them_again(small: SmallTable) -> None:
    small.engine = Engine.GLOBAL
    small.profile()
    small.write_file("id_bucket=0/new.parquet", [key_of(0)])
    assert set(column(small.profile(buckets=[0]), "measured_by")) == {"run-2"}
    small.write_file("id_bucket=0/newer.parquet", [key_of(0, 1)])
    assert set(column(small.profile(buckets=[1]), "measured_by")) == {"run-2"}


def test_a_table_that_is_bucketed_anew_by_another_function_is_seen_through(small: SmallTable) -> None:
    small.profile()
    found: dict[int, list[list[str]]] = {bucket: [[]] for bucket in range(4)}
    for number in range(300):
        found[int(hash_md5(f"key-{number}")) % 4][0].append(f"key-{number}")
    small.write(found)
    profile = small.profile()
    assert (profile.engine, profile.bucket_function) == (Engine.BUCKET, BucketFunction.MD5)


def hash_md5(key: str) -> int:
    import hashlib

    return int.from_bytes(hashlib.md5(key.encode()).digest(), "big")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("function", BucketFunction.CRC32),
        ("engine", Engine.GLOBAL),
        ("count", 5),
    ],
)
def test_other_settings_measure_everything_again(small: SmallTable, name: str, value: object) -> None:
    small.profile()
    setattr(small, name, value)
    assert small.profile().files_read == 4


def test_asking_for_clear_samples_measures_everything_again(small: SmallTable) -> None:
    small.profile(clear_samples=False)
    assert small.profile(clear_samples=True).files_read == 4


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"{}", b'{"valid_for": {}}', b"\xff"])
def test_a_state_that_cannot_be_read_counts_as_none(small: SmallTable, content: bytes) -> None:
    first = small.profile()
    small.state.put(state_key(small), content)
    second = small.profile()
    assert second.files_read == 4
    assert column(second, "rows") == column(first, "rows")


@given(at=st.integers(0, 10_000), byte=st.integers(0, 255))
@settings(max_examples=50, deadline=None)
def test_a_damaged_state_never_gives_an_error(
    tmp_path_factory: pytest.TempPathFactory, at: int, byte: int
) -> None:
    small = SmallTable(tmp_path_factory.mktemp("t")).write({0: [["a", "a"]]})
    small.profile()
    content = bytearray(small.state.get(state_key(small)))
    content[at % len(content)] = byte
    small.state.put(state_key(small), bytes(content))
    assert small.profile().frame.height == 4


@dataclass(frozen=True)
class FullDisk(LocalObjects):
    """A state store that can be read and not written, as if the run ended before that."""

    def put(self, key: str, content: bytes) -> ObjectInfo:
        """Refuse."""
        del content
        raise PermanentStoreError("state", f"write {key}", "disk full", "Free some space.")


def test_a_run_that_ends_before_its_state_is_kept_leaves_the_next_one_right(small: SmallTable) -> None:
    small.profile()
    small.write_file("id_bucket=2/new.parquet", [key_of(2), key_of(2)])
    with pytest.raises(PermanentStoreError, match="disk full"):
        small.profile(state=FullDisk(small.folder / "state"))
    profile = small.profile()
    assert column(profile, "duplicate_rows") == [0, 0, 2, 0]
    assert column(profile, "measured_by") == ["run-1", "run-1", "run-3", "run-1"]


def test_the_time_of_writing_is_that_of_now_where_the_content_is_the_same(small: SmallTable) -> None:
    small.profile()
    path = small.location / "id_bucket=0/part-0.parquet"
    later = path.stat().st_mtime + 100
    os.utime(path, (later, later))
    profile = small.profile()
    assert column(profile, "newest_modified")[0].timestamp() == pytest.approx(later)


def test_two_tables_keep_their_states_apart(small: SmallTable, tmp_path: Path) -> None:
    other = SmallTable(tmp_path / "other", BucketFunction.NONE).write({0: [["a"]]})
    small.profile()
    profile = other.profile(state=small.state)  # the same name, elsewhere
    assert profile.files_read == 1


@given(st.text(), st.text())
def test_a_table_of_any_name_has_a_key_of_its_own(first: str, second: str) -> None:
    keys = [f"tables/{encoded_name(name)}/profile.json" for name in (first, second)]
    assert all(check_key(key) and len(key) < 230 for key in keys)
    assert (keys[0] == keys[1]) == (first == second)
