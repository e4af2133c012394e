"""All engines give the same figures on the same table: those of counting one by one."""

from __future__ import annotations

import tempfile
from collections import defaultdict
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from metaplat.model.table import BucketFunction, Engine, MonitoredTable
from metaplat.monitor.bucket_functions import buckets_of
from metaplat.monitor.profile import profile_table
from metaplat.monitor.profilers.athena import AthenaProfiler
from metaplat.monitor.profilers.spark import SparkProfiler
from metaplat.settings import S3Settings
from metaplat.stores.local_objects import LocalObjects
from metaplat.stores.tables import athena as athena_module
from metaplat.stores.tables.athena import Athena
from metaplat.stores.tables.files import open_table_files
from metaplat_tests.standins.athena_sql import AthenaSql, athena_sql
from metaplat_tests.standins.key_tables import true_figures, write_table
from metaplat_tests.standins.local_spark import local_spark

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from metaplat.model.table_metrics import TableProfile

pytestmark = pytest.mark.filterwarnings(
    "ignore::ResourceWarning"
)  # Spark leaves sockets to the end of the process

NOW = datetime(2025, 3, 1, tzinfo=UTC)
FIGURES = ["id_bucket", "key_nulls", "distinct_keys", "duplicate_rows", "duplicate_keys", "misplaced_keys"]
KINDS: dict[pa.DataType, Sequence[Any]] = {
    pa.string(): ["", "a", "A", "ä\U0001f600", "twelve bytes", "a'\"\\", " a"],
    pa.int64(): [0, 7, -1, 2**40, -(2**63)],
    pa.int32(): [0, 7, -1, 2**31 - 1],
    pa.decimal128(12, 3): [Decimal("0.001"), Decimal("-3.5"), Decimal(7)],
    pa.binary(): [b"", b"\x00", b"\xff\xfe", b"ab"],
}


@dataclass(frozen=True)
class Example:
    """A small table: keys by bucket and file, and how a key is said to find its bucket."""

    kind: pa.DataType
    keys: dict[int, list[list[Any]]]
    function: BucketFunction | None
    count: int


@st.composite
def tables(draw: st.DrawFn) -> Example:
    """Draw a table with few different keys; in half of them every key lies where it belongs."""
    kind = draw(st.sampled_from(list(KINDS)))
    count = draw(st.integers(2, 4))
    function = draw(st.sampled_from([None, *BucketFunction][:4]))
    files = st.lists(st.sampled_from([None, *KINDS[kind]]), max_size=6)
    keys = draw(
        st.dictionaries(st.integers(0, count - 1), st.lists(files, min_size=1, max_size=2), min_size=1)
    )
    if function is not None and draw(st.booleans()):
        keys = placed(keys, kind, function, count)
    return Example(kind, keys, function, count)


def placed(
    keys: dict[int, list[list[Any]]], kind: pa.DataType, function: BucketFunction, count: int
) -> dict[int, list[list[Any]]]:
    """Put every key where it belongs; NULLs belong nowhere, and go to the first bucket."""
    found: defaultdict[int, list[list[Any]]] = defaultdict(lambda: [[]])
    for key in (key for files in keys.values() for file in files for key in file):
        series = pl.Series(values=pl.from_arrow(pa.array([key], kind)))
        found[0 if key is None else int(buckets_of(series, function, count)[0])][0].append(key)
    return dict(found) or {0: [[]]}


@pytest.fixture(scope="module")
def services() -> Iterator[AthenaSql]:
    """Athena with SQL, and a Spark session that is there."""
    with pytest.MonkeyPatch.context() as patch, athena_sql() as athena, local_spark():
        patch.setenv("AWS_ACCESS_KEY_ID", "testing")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
        patch.setenv("AWS_ENDPOINT_URL_ATHENA", athena.address)
        patch.setattr(athena_module, "FIRST_PAUSE", 0.001)
        athena.states = ()
        yield athena


def profile(table: MonitoredTable, state: Path) -> TableProfile:
    return profile_table(
        table,
        open_table_files(table.location, S3Settings()),
        LocalObjects(state / table.engine),
        run_id="run",
        now=NOW,
        profilers={
            Engine.ATHENA: AthenaProfiler(Athena("us-east-1")),
            Engine.SPARK: SparkProfiler(None, "local[1]"),
        },
        clear_samples=True,
    )


def expected(example_table: Example, engine: Engine) -> list[dict[str, int | None]]:
    """Say what an engine is to find: the truth, but for what it cannot know."""
    function = example_table.function
    if engine is Engine.ATHENA and function is BucketFunction.SPARK_MURMUR3:
        function = None
    truth = true_figures(example_table.keys, example_table.kind, function, example_table.count)
    if engine is not Engine.FOOTER:
        return truth
    unknown = dict.fromkeys(FIGURES[2:])
    return [{**row, **unknown} for row in truth]


@settings(
    max_examples=8,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(example_table=tables())
@example(
    example_table=Example(  # inside and across buckets, in several files, NULL keys, a bucket without rows
        pa.string(),
        {0: [["a", "b", None, "a"], ["a", "c"]], 1: [["a", None, "c"], []], 2: [[]]},
        BucketFunction.CRC32,
        4,
    )
)
def test_all_engines_give_the_same_figures(services: AthenaSql, example_table: Example) -> None:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        write_table(root / "t", example_table.keys, example_table.kind)
        partitions = {b: sorted(map(str, root.glob(f"t/id_bucket={b}/*"))) for b in example_table.keys}
        services.register("sales", "part_t", partitions)
        table = MonitoredTable(
            "part_t",
            str(root / "t"),
            "k",
            example_table.count,
            bucket_function=example_table.function or BucketFunction.INFER,
            database="sales",
        )
        profiles = {engine: profile(replace(table, engine=engine), root / "state") for engine in Engine}
    for engine, found in profiles.items():
        frame = found.frame.filter(pl.col("id_bucket").is_in(list(example_table.keys)))
        assert frame.select(FIGURES).to_dicts() == expected(example_table, engine), engine
    assert samples_of(profiles[Engine.ATHENA]) == samples_of(profiles[Engine.SPARK])
    assert samples_of(profiles[Engine.GLOBAL]) == samples_of(profiles[Engine.SPARK])


def samples_of(found: TableProfile) -> set[tuple[int, str, int]]:
    """Duplicate keys as they are shown, with their rows."""
    return {(item.bucket, item.key, item.rows) for item in found.samples if item.kind == "duplicate"}
