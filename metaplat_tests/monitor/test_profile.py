"""The profile of a table: what its metrics frame says of faults of every kind."""

from __future__ import annotations

import zlib
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from metaplat.model.polars_schema import polars_schema
from metaplat.model.table import BucketFunction, Engine
from metaplat.model.table_metrics import METRICS
from metaplat.monitor.profile_state import encoded_name
from metaplat_tests.monitor.small_tables import NOW, SmallTable, column

if TYPE_CHECKING:
    from pathlib import Path

KEY_FIGURES = (
    "key_nulls",
    "distinct_keys",
    "duplicate_rows",
    "duplicate_keys",
    "surplus_rows",
    "misplaced_keys",
)


@pytest.fixture
def small(tmp_path: Path) -> SmallTable:
    return SmallTable(tmp_path)


def by_crc32(keys: range, count: int = 4) -> dict[int, list[list[str]]]:
    """Put keys into the buckets that CRC-32 says, one file each."""
    found: dict[int, list[list[str]]] = {bucket: [[]] for bucket in range(count)}
    for number in keys:
        key = f"key-{number}"
        found[zlib.crc32(key.encode()) % count][0].append(key)
    return found


def row(profile: Any, bucket: int) -> dict[str, Any]:
    return dict(profile.frame.row(bucket, named=True))


def test_the_frame_has_a_row_for_each_bucket_and_the_declared_columns(small: SmallTable) -> None:
    profile = small.write({0: [["a", "b", None], ["b"]], 2: [["c"]], 3: [[]]}).profile()
    assert dict(profile.frame.schema) == polars_schema(METRICS)
    assert column(profile, "id_bucket") == [0, 1, 2, 3]
    assert column(profile, "files") == [2, 0, 1, 1]
    assert column(profile, "rows") == [4, 0, 1, 0]
    assert column(profile, "key_nulls") == [1, 0, 0, 0]
    assert column(profile, "distinct_keys") == [2, 0, 1, 0]
    assert column(profile, "duplicate_rows") == [2, 0, 0, 0]
    assert column(profile, "duplicate_keys") == [1, 0, 0, 0]
    assert column(profile, "surplus_rows") == [1, 0, 0, 0]
    assert column(profile, "measured_by") == ["run-1", None, "run-1", "run-1"]
    assert column(profile, "engine") == ["bucket", None, "bucket", "bucket"]
    assert column(profile, "schemas") == [1, 0, 1, 1]
    assert set(column(profile, "run_id")) == {"run-1"}
    assert set(column(profile, "profiled_at")) == {NOW}
    assert set(column(profile, "in_glue")) == {None}
    assert profile.files_read == 4
    assert [item.rows for item in profile.files] == [3, 1, 1, 0]


def test_sizes_and_times_are_those_of_the_listing(small: SmallTable) -> None:
    small.write({1: [["a"], ["b"] * 50]})
    files = small.watched().list_objects()
    found = row(small.profile(), 1)
    assert found["bytes"] == sum(item.size for item in files)
    assert found["smallest_file_bytes"] == min(item.size for item in files)
    assert found["largest_file_bytes"] == max(item.size for item in files)
    assert found["newest_modified"] == max(item.modified for item in files)
    assert row(small.profile(), 0)["smallest_file_bytes"] is None


@pytest.mark.parametrize(
    ("kind", "keys"),
    [
        (pa.string(), ["a", "b", "b", None]),
        (pa.large_string(), ["a", "b", "b", None]),
        (pa.dictionary(pa.int32(), pa.string()), ["a", "b", "b", None]),
        (pa.binary(), [b"a", b"\xff", b"\xff", None]),
        (pa.binary(3), [b"abc", b"\xff\xff\xff", b"\xff\xff\xff", None]),
        (pa.int8(), [1, -2, -2, None]),
        (pa.int64(), [1, -(2**63), -(2**63), None]),
        (pa.uint64(), [1, 2**64 - 1, 2**64 - 1, None]),
        (pa.decimal128(38, 4), [Decimal(1), Decimal("-9.0001"), Decimal("-9.0001"), None]),
        (pa.timestamp("us", "UTC"), [datetime(2025, 1, day, tzinfo=UTC) for day in (1, 2, 2)] + [None]),
        (pa.date32(), [datetime(2025, 1, day, tzinfo=UTC).date() for day in (1, 2, 2)] + [None]),
        (pa.float64(), [1.5, -0.5, -0.5, None]),
    ],
    ids=str,
)
@pytest.mark.parametrize("engine", [Engine.BUCKET, Engine.GLOBAL])
@pytest.mark.parametrize("function", [BucketFunction.NONE, BucketFunction.SPARK_MURMUR3])
def test_keys_of_any_scalar_type_are_counted(
    small: SmallTable, engine: Engine, function: BucketFunction, kind: pa.DataType, keys: list[Any]
) -> None:
    small.engine, small.function = engine, function
    found = row(small.write({1: [keys]}, kind).profile(), 1)
    assert [found[name] for name in KEY_FIGURES[:5]] == [1, 2, 2, 1, 1]
    assert (found["misplaced_keys"] is None) == (function is BucketFunction.NONE)


def test_a_column_of_nulls_alone_is_nulls(small: SmallTable) -> None:
    small.write({1: [[None, None]]}, pa.null())
    found = row(small.profile(), 1)
    assert [found[name] for name in KEY_FIGURES[:5]] == [2, 0, 0, 0, 0]


def test_a_nested_key_column_is_told_for_its_file(small: SmallTable) -> None:
    profile = small.write({1: [[["a"], ["a"]]]}, pa.list_(pa.string())).profile()
    assert "cannot be a key" in (profile.files[0].problem or "")
    assert row(profile, 1)["rows"] is None


def test_keys_of_different_types_are_compared_as_text(small: SmallTable) -> None:
    small.write({1: [["7", "x"]]})
    small.write_file("id_bucket=1/part-9.parquet", [7, 8], pa.int64())
    small.write_file("id_bucket=2/part-0.parquet", [8], pa.int32())
    assert column(small.profile(), "duplicate_rows") == [0, 2, 0, 0]
    small.engine = Engine.GLOBAL
    profile = small.profile()
    assert column(profile, "duplicate_rows") == [0, 3, 1, 0]
    assert column(profile, "duplicate_keys") == [0, 2, 0, 0]
    assert column(profile, "schemas") == [0, 2, 1, 0]


def test_a_file_without_the_key_column_counts_rows_but_neither_nulls_nor_repeats(small: SmallTable) -> None:
    small.write({1: [["a", None]]})
    for bucket in (1, 2):
        path = small.location / f"id_bucket={bucket}" / "keyless.parquet"
        path.parent.mkdir(exist_ok=True)
        pq.write_table(pa.table({"other": [1, 2, 3]}), path)
    profile = small.profile()
    assert column(profile, "keyless_files") == [0, 1, 1, 0]
    assert column(profile, "rows") == [0, 5, 3, 0]
    assert column(profile, "key_nulls") == [0, 1, None, 0]  # of bucket 2 nothing is known
    assert column(profile, "surplus_rows") == [0, 0, None, 0]
    assert [item.key_nulls for item in profile.files] == [None, 1, None]


@pytest.mark.parametrize("engine", [Engine.FOOTER, Engine.BUCKET, Engine.GLOBAL])
def test_a_key_column_of_another_case_is_the_key(small: SmallTable, engine: Engine) -> None:
    """Glue knows names in lower case, Spark writes them as they were."""
    small.engine = engine
    small.write({1: [["a", None]]})
    pq.write_table(pa.table({"K": ["a", "b", None]}), small.location / "id_bucket=1" / "upper.parquet")
    pq.write_table(pa.table({"K": ["c"], "k": ["d"]}), small.location / "id_bucket=1" / "both.parquet")
    profile = small.profile()
    assert column(profile, "keyless_files") == [0, 0, 0, 0]
    assert column(profile, "key_nulls") == [0, 2, 0, 0]
    if engine is not Engine.FOOTER:
        assert column(profile, "duplicate_rows") == [0, 2, 0, 0]
        assert column(profile, "distinct_keys") == [0, 3, 0, 0]


def broken_pages(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[4:60] = b"\xff" * 56
    path.write_bytes(content)


@pytest.mark.parametrize(
    "damage",
    [
        lambda path: path.write_bytes(path.read_bytes()[:-20]),
        lambda path: path.write_bytes(b"no parquet at all"),
        lambda path: path.write_bytes(b"x"),
        broken_pages,
    ],
    ids=["cut", "not parquet", "one byte", "broken pages"],
)
@pytest.mark.parametrize("engine", [Engine.BUCKET, Engine.GLOBAL])
def test_a_file_that_cannot_be_read_leaves_its_bucket_unknown_and_the_others_known(
    small: SmallTable, engine: Engine, damage: Any
) -> None:
    small.engine = engine
    small.write({0: [["a", "a"]], 1: [["b", "b"], ["c", "d"]]})
    damage(small.location / "id_bucket=1/part-1.parquet")
    profile = small.profile()
    assert column(profile, "unreadable_files") == [0, 1, 0, 0]
    assert column(profile, "rows") == [2, None, 0, 0]
    assert [row(profile, 1)[name] for name in KEY_FIGURES] == [None] * 6
    assert row(profile, 0)["duplicate_rows"] == 2
    problems = [item.problem or "" for item in profile.files]
    assert [bool(problem) for problem in problems] == [False, False, True]
    assert "\n" not in problems[2]
    assert small.profile().files_read == 0  # known to be unreadable, until it is written anew


def test_footers_tell_rows_and_nulls_and_no_key_is_read(small: SmallTable) -> None:
    small.engine = Engine.FOOTER
    small.write({0: [["a", "a", None]], 1: [["b"]]})
    broken_pages(small.location / "id_bucket=0/part-0.parquet")  # nobody looks at them
    profile = small.profile()
    assert column(profile, "rows") == [3, 1, 0, 0]
    assert column(profile, "key_nulls") == [1, 0, 0, 0]
    assert {value for name in KEY_FIGURES[1:] for value in column(profile, name)} == {None}


def test_without_statistics_the_nulls_are_counted_in_the_column(small: SmallTable) -> None:
    small.engine = Engine.FOOTER
    small.write({0: [["a", None]]})
    path = small.location / "id_bucket=1" / "part-0.parquet"
    path.parent.mkdir()
    pq.write_table(pa.table({"k": ["a", None, None]}), path, write_statistics=False)
    assert column(small.profile(), "key_nulls") == [1, 2, 0, 0]


def test_a_sample_proves_the_function_and_every_key_is_verified(small: SmallTable) -> None:
    small.function = BucketFunction.INFER
    profile = small.write(by_crc32(range(400))).profile()
    assert (profile.engine, profile.bucket_function) == (Engine.BUCKET, BucketFunction.CRC32)
    assert column(profile, "misplaced_keys") == [0, 0, 0, 0]
    assert set(column(profile, "bucket_function")) == {"crc32"}
    assert not profile.notes


def test_a_misplaced_key_makes_the_whole_table_be_compared(small: SmallTable) -> None:
    small.function = BucketFunction.INFER
    keys = by_crc32(range(400))
    stray = keys[3][0][5]
    keys[0].append([stray])
    profile = small.write(keys).profile()
    assert profile.engine is Engine.GLOBAL
    assert profile.notes == (
        "1 rows lie in another bucket than crc32 says for their key, "
        "so keys were compared across the whole table.",
    )
    assert column(profile, "misplaced_keys") == [1, 0, 0, 0]
    assert column(profile, "duplicate_rows") == [1, 0, 0, 1]
    assert column(profile, "duplicate_keys") == [1, 0, 0, 0]
    assert profile.frame["distinct_keys"].sum() == 400
    assert {(item.bucket, item.kind, item.rows, item.belongs_in) for item in profile.samples} == {
        (0, "duplicate", 2, None),
        (3, "duplicate", 2, None),
        (0, "misplaced", 1, 3),
    }


def test_keys_put_anywhere_are_compared_across_the_whole_table(small: SmallTable) -> None:
    small.function = BucketFunction.INFER
    keys = {bucket: [[f"key-{bucket * 100 + n}" for n in range(100)]] for bucket in range(4)}
    keys[0][0].append("key-399")
    profile = small.write(keys).profile()
    assert (profile.engine, profile.bucket_function) == (Engine.GLOBAL, None)
    assert "No bucket function is proved by a sample of 301 keys" in profile.notes[0]
    assert column(profile, "misplaced_keys") == [None] * 4
    assert column(profile, "duplicate_rows") == [1, 0, 0, 1]


def test_partitioning_taken_at_its_word_is_not_verified(small: SmallTable) -> None:
    profile = small.write({0: [["a"]], 1: [["a"]]}).profile()
    assert profile.engine is Engine.BUCKET
    assert column(profile, "duplicate_rows") == [0, 0, 0, 0]
    assert column(profile, "misplaced_keys") == [None] * 4


def test_a_table_without_keys_falls_back_to_nothing(small: SmallTable) -> None:
    small.function = BucketFunction.INFER
    profile = small.write({0: [[]], 1: [[None]]}).profile()
    assert column(profile, "key_nulls") == [0, 1, 0, 0]
    small.location.joinpath("id_bucket=0/part-0.parquet").unlink()
    small.location.joinpath("id_bucket=1/part-0.parquet").unlink()
    profile = small.profile()
    assert column(profile, "files") == [0, 0, 0, 0]
    assert not profile.notes


def test_samples_are_digests_unless_clear_text_is_allowed(small: SmallTable) -> None:
    small.write({0: [["secret", "secret"]]})
    assert [item.key for item in small.profile(clear_samples=True).samples] == ["secret"]
    assert [item.key for item in small.profile(clear_samples=False).samples] == ["2bb80d537b1da3e3"]
    stored = small.state.get(f"tables/{encoded_name(small.table.identity)}/profile.json")
    assert b"secret" not in stored


def test_samples_are_capped_and_figures_are_not(small: SmallTable) -> None:
    small.function = BucketFunction.CRC32
    keys = [f"key-{n}" for n in range(300)]
    profile = small.write({0: [[*keys, *keys]]}).profile()
    assert row(profile, 0)["duplicate_keys"] == 300
    assert {
        kind: sum(item.kind == kind for item in profile.samples) for kind in ("duplicate", "misplaced")
    } == {
        "duplicate": 20,
        "misplaced": 20,
    }
