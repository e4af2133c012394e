"""One fault each, planted into healthy facts: the rules that must find it, and what the alerts must say."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING

from metaplat.model.glue_table import GluePartition
from metaplat.model.table import CompareSource, RepairMode, SourceTable
from metaplat.model.table_evidence import (
    RawInputFacts,
    RepairOutcome,
    RepairPlan,
    SnapshotFacts,
    SourceFacts,
    TableFacts,
)
from metaplat.model.table_metrics import Strange
from metaplat_tests.rules.tables.facts_builder import (
    BUCKETS,
    COLUMNS,
    FILE_BYTES,
    LOCATION,
    ROWS,
    SCHEMAS,
    glue_table,
    projected,
    with_cells,
    with_empty_file,
    with_file,
    with_file_size,
    with_glue,
    with_limits,
    with_profile,
    with_strange,
    without_bucket,
)

if TYPE_CHECKING:
    from collections.abc import Callable

KEYLESS = {"name": "string", "age": "int64"}
RETYPED = {**SCHEMAS["usual"], "age": "string"}


@dataclass(frozen=True)
class Fault:
    """A fault: how it is planted, the rules that find it (and no other), the alerts it makes."""

    plant: Callable[[TableFacts], TableFacts]
    rules: tuple[str, ...]
    texts: tuple[str, ...]


def _replaced(**changes: object) -> Callable[[TableFacts], TableFacts]:
    return lambda facts: replace(facts, **changes)  # type: ignore[arg-type]


def _snapshot(text: str | None, day: date | None) -> Callable[[TableFacts], TableFacts]:
    return _replaced(snapshot=SnapshotFacts("s3://lake/db/metadata/snapshot_dt.txt", text, day))


def _source(rows: int) -> Callable[[TableFacts], TableFacts]:
    return _replaced(source=SourceFacts(found=True, rows=rows, glue=glue_table("ext_x", COLUMNS, ())))


def _repair(
    mode: RepairMode, missing: tuple[int, ...], problem: str | None
) -> Callable[[TableFacts], TableFacts]:
    plan = RepairPlan(mode, [(3, f"{LOCATION}/id_bucket=3/"), (7, f"{LOCATION}/id_bucket=7/")])
    return _replaced(repair=RepairOutcome(plan, BUCKETS - 2, BUCKETS, missing, problem))


def _part_source(facts: TableFacts) -> TableFacts:
    """Compare with a table of the same name that is not partitioned as it should be."""
    table = replace(facts.table, source=SourceTable("part_x", "other", kind=CompareSource.PART))
    glue = glue_table("part_x", COLUMNS, (("day", "string"),))
    return replace(facts, table=table, source=SourceFacts(found=True, rows=ROWS * BUCKETS, glue=glue))


def _unregistered(facts: TableFacts, *buckets: int) -> TableFacts:
    values = {(str(bucket),) for bucket in buckets}
    partitions = [part for part in facts.partitions or () if part.values not in values]
    return with_cells(replace(facts, partitions=partitions), buckets, in_glue=False, glue_location=None)


def _registered(facts: TableFacts, value: str, location: str) -> TableFacts:
    """Register ``value`` at ``location``, in place of any earlier registration."""
    kept = [part for part in facts.partitions or () if part.values != (value,)]
    facts = replace(facts, partitions=[*kept, GluePartition((value,), location, COLUMNS)])
    return with_cells(facts, [int(value)], in_glue=True, glue_location=location) if value.isdigit() else facts


def _partition_columns(facts: TableFacts) -> TableFacts:
    narrow = [replace(part, columns=COLUMNS[:2]) for part in facts.partitions or () if part.values == ("4",)]
    kept = [part for part in facts.partitions or () if part.values != ("4",)]
    return replace(facts, partitions=[*kept, *narrow])


def _unreadable(facts: TableFacts) -> TableFacts:
    facts = with_file(facts, 2, rows=None, key_nulls=None, schema=None, problem="it is cut in the middle")
    unknown = dict.fromkeys(
        (
            "rows",
            "key_nulls",
            "distinct_keys",
            "duplicate_rows",
            "duplicate_keys",
            "surplus_rows",
            "misplaced_keys",
        )
    )
    return with_cells(facts, [2], unreadable_files=1, schemas=0, schema_fingerprint=None, **unknown)


def _schema(columns: dict[str, str], **cells: int) -> Callable[[TableFacts], TableFacts]:
    def plant(facts: TableFacts) -> TableFacts:
        facts = with_profile(facts, schemas={**SCHEMAS, "other": columns})
        return with_cells(with_file(facts, 3, schema="other"), [3], schema_fingerprint="other", **cells)

    return plant


FAULTS: dict[str, Fault] = {
    "a bucket is missing on S3": Fault(
        lambda facts: without_bucket(without_bucket(facts, 3), 5),
        ("s3_partition",),
        ("part_x: S3 has 6/8 id_bucket partitions",),
    ),
    "a bucket holds nothing but an empty object": Fault(
        lambda facts: with_empty_file(without_bucket(facts, 3), "id_bucket=3/part-0.parquet"),
        ("s3_partition",),
        ("part_x: S3 has 7/8 id_bucket partitions",),
    ),
    "folders of no bucket": Fault(
        lambda facts: with_strange(
            with_strange(facts, "id_bucket=256", Strange.UNKNOWN), "id_bucket=007", Strange.PADDED
        ),
        ("unexpected_partition",),
        ("part_x: 2 unexpected partitions (e.g., [id_bucket=256 (unknown), id_bucket=007 (padded)])",),
    ),
    "a folder of no number": Fault(
        lambda facts: with_strange(facts, "id_bucket=abc", Strange.NOT_A_NUMBER),
        ("unexpected_partition",),
        ("part_x: 1 unexpected partitions (e.g., [id_bucket=abc (not a number)])",),
    ),
    "the default partition, registered in Glue too": Fault(
        lambda facts: _registered(
            with_strange(facts, "id_bucket=__HIVE_DEFAULT_PARTITION__", Strange.DEFAULT),
            "__HIVE_DEFAULT_PARTITION__",
            f"{LOCATION}/id_bucket=__HIVE_DEFAULT_PARTITION__/",
        ),
        ("unexpected_partition",),
        ("part_x: 1 unexpected partitions (e.g., [id_bucket=__HIVE_DEFAULT_PARTITION__ (default)])",),
    ),
    "data directly below the table": Fault(
        lambda facts: with_strange(facts, "", Strange.OTHER),
        ("unexpected_partition",),
        ("part_x: 1 unexpected partitions (e.g., [. (other)])",),
    ),
    "buckets that Glue does not list": Fault(
        lambda facts: _unregistered(facts, 3, 7),
        ("glue_partition",),
        ("part_x: Glue missing 2 partitions (e.g., [3, 7])",),
    ),
    "a registration of no bucket and without data": Fault(
        lambda facts: _registered(facts, "300", f"{LOCATION}/id_bucket=300/"),
        ("glue_partition",),
        ("part_x: Glue has 1 dangling partitions without data (e.g., [300])",),
    ),
    "a bucket whose data are gone, and Glue still lists it": Fault(
        lambda facts: _registered(without_bucket(facts, 3), "3", f"{LOCATION}/id_bucket=3"),
        ("s3_partition", "glue_partition"),
        (
            "part_x: S3 has 7/8 id_bucket partitions",
            "part_x: Glue has 1 dangling partitions without data (e.g., [3])",
        ),
    ),
    "a registration that points elsewhere": Fault(
        lambda facts: _registered(facts, "6", "s3://lake/old/part_x/id_bucket=6/"),
        ("glue_partition",),
        ("part_x: Glue has 1 partitions at a wrong location (e.g., [6])",),
    ),
    "projection over too few buckets": Fault(
        lambda facts: projected(facts, range_="0,6"),
        ("partition_projection",),
        ("part_x: partition projection issues: projection.id_bucket.range is 0,6, expected 0,7 or wider",),
    ),
    "projection with another width than the folders": Fault(
        lambda facts: projected(facts, digits="3"),
        ("partition_projection",),
        (
            "part_x: partition projection issues: projection.id_bucket.digits is 3, "
            "expected the width of the folders' numbers (8 differ)",
        ),
    ),
    "projection to another prefix": Fault(
        lambda facts: projected(facts, template="s3://lake/old/part_x/id_bucket=${id_bucket}/"),
        ("partition_projection",),
        (
            "part_x: partition projection issues: storage.location.template is "
            "s3://lake/old/part_x/id_bucket=${id_bucket}/, expected s3://lake/db/part_x/id_bucket=${id_bucket}/",
        ),
    ),
    "a repair that left something out": Fault(
        _repair(RepairMode.MSCK, (3, 7), None),
        ("repair",),
        ("part_x: MSCK failed (Glue still lacks 2 partitions (3, 7))",),
    ),
    "a repair that Glue refused": Fault(
        _repair(RepairMode.GLUE, (), "access denied."),
        ("repair",),
        ("part_x: Glue failed (access denied)",),
    ),
    "a partition with columns of its own": Fault(
        _partition_columns,
        ("partition_schema",),
        ("part_x: schema of 1 partitions differs from the table's (e.g., [4])",),
    ),
    "a managed table": Fault(
        lambda facts: with_glue(facts, table_type="MANAGED_TABLE"),
        ("table_format",),
        ("part_x: schema mismatch (EXTERNAL/Parquet/Serde)",),
    ),
    "a SerDe of another format": Fault(
        lambda facts: with_glue(facts, serde="org.openx.data.jsonserde.JsonSerDe"),
        ("table_format",),
        ("part_x: schema mismatch (EXTERNAL/Parquet/Serde)",),
    ),
    "a partition key of another type": Fault(
        lambda facts: with_glue(facts, partition_keys=(("id_bucket", "string"),)),
        ("table_contract",),
        ("part_x: schema contract issues: partition keys are id_bucket string, not id_bucket int",),
    ),
    "a table in Glue without the key, which its partitions have": Fault(
        lambda facts: with_glue(facts, columns=COLUMNS[1:]),
        ("table_contract",),
        ("part_x: schema contract issues: customer_user_id is not a data column",),
    ),
    "a source without the key": Fault(
        _replaced(
            source=SourceFacts(found=True, rows=ROWS * BUCKETS, glue=glue_table("ext_x", COLUMNS[1:], ()))
        ),
        ("table_contract",),
        ("part_x: schema contract issues: source ext_x has no data column customer_user_id",),
    ),
    "a bucketed source partitioned otherwise": Fault(
        _part_source,
        ("table_contract",),
        ("part_x: schema contract issues: partition keys of source part_x are day string, not id_bucket",),
    ),
    "an old snapshot": Fault(
        _snapshot("2025-01-01", date(2025, 1, 1)),
        ("data_freshness",),
        ("part_x: processed snapshot too old/missing (snap=2025-01-01)",),
    ),
    "no snapshot": Fault(
        _snapshot(None, None),
        ("data_freshness",),
        ("part_x: processed snapshot too old/missing (snap=None)",),
    ),
    "a snapshot that is no date": Fault(
        _snapshot("yesterday", None),
        ("data_freshness",),
        ("part_x: processed snapshot too old/missing (snap=yesterday)",),
    ),
    "a snapshot of tomorrow": Fault(
        _snapshot("2025-11-21", date(2025, 11, 21)),
        ("data_freshness",),
        ("part_x: processed snapshot in the future (snap=2025-11-21)",),
    ),
    "no raw input": Fault(
        _replaced(raw_input=RawInputFacts("s3://raw/opus/x/raw_input/snapshot_dt=2025-11-01/", 0)),
        ("raw_input",),
        ("part_x: no raw input of the snapshot (s3://raw/opus/x/raw_input/snapshot_dt=2025-11-01/)",),
    ),
    "an unreadable file": Fault(
        _unreadable,
        ("parquet_file",),
        ("part_x: unreadable files: 1 (e.g., [id_bucket=2/part-0.parquet: it is cut in the middle])",),
    ),
    "an empty object beside data": Fault(
        lambda facts: with_empty_file(facts, "id_bucket=2/part-9.parquet"),
        ("parquet_file",),
        ("part_x: unreadable files: 1 (e.g., [id_bucket=2/part-9.parquet: empty: 0 bytes])",),
    ),
    "a file without the key": Fault(
        _schema(KEYLESS, keyless_files=1, key_nulls=0, distinct_keys=0, surplus_rows=0),
        ("file_schema",),
        ("part_x: schema drift in 1 files (e.g., [id_bucket=3/part-0.parquet: no column customer_user_id])",),
    ),
    "a file with another type": Fault(
        _schema(RETYPED),
        ("file_schema",),
        ("part_x: schema drift in 1 files (e.g., [id_bucket=3/part-0.parquet: age is string, not int64])",),
    ),
    "fewer rows than the source": Fault(
        _source(ROWS * BUCKETS * 2),
        ("row_count_match",),
        ("[COUNT_MISMATCH] part_x: db.part_x=800000 vs db.ext_x=1600000 (Δ=50.000000%)",),
    ),
    "a row more than the source": Fault(
        _source(ROWS * BUCKETS - 1),
        ("row_count_match",),
        ("[COUNT_MISMATCH] part_x: db.part_x=800000 vs db.ext_x=799999 (Δ=0.000125%)",),
    ),
    "an empty source": Fault(
        _source(0),
        ("row_count_match",),
        ("[COUNT_MISMATCH] part_x: db.part_x=800000 vs db.ext_x=0 (Δ=100.000000%)",),
    ),
    "no source": Fault(
        _replaced(source=SourceFacts(found=False)),
        ("row_count_match",),
        ("source table not found db.ext_x; count match skipped",),
    ),
    "NULL keys": Fault(
        lambda facts: with_cells(facts, [1], key_nulls=5, distinct_keys=ROWS - 5),
        ("key_completeness",),
        ("[PK_NULL] part_x: customer_user_id NULL rows=5",),
    ),
    "duplicate keys": Fault(
        lambda facts: with_cells(
            facts, [1], duplicate_rows=10, duplicate_keys=5, surplus_rows=5, distinct_keys=ROWS - 5
        ),
        ("key_uniqueness",),
        ("[PK_DUPES] part_x: customer_user_id duplicate rows=10",),
    ),
    "misplaced keys": Fault(
        lambda facts: with_cells(facts, [1], misplaced_keys=20),
        ("key_placement",),
        ("[PK_MISPLACED] part_x: customer_user_id misplaced rows=20",),
    ),
    "a bucket of many times the rows": Fault(
        lambda facts: replace(
            with_cells(facts, [7], rows=ROWS * 5), history=facts.history.clear(), source=None
        ),
        ("bucket_skew",),
        ("part_x: bucket skew in 1 buckets (e.g., [7]), median 100000 rows",),
    ),
    "rows that doubled": Fault(
        lambda facts: replace(with_cells(facts, None, rows=ROWS * 2), source=None),
        ("volume",),
        (
            "part_x: unusual row count: 1600000 (median 800000 of 7 runs)",
            "part_x: unusual row count in 8 buckets (e.g., [0, 1, 2, 3, 4])",
        ),
    ),
    "a tiny file": Fault(
        lambda facts: with_file_size(with_limits(facts, file_size_check=True), 0, FILE_BYTES // 100),
        ("file_size",),
        ("part_x: file-size issues (sample): [id_bucket=0/part-0.parquet: 1 MB below 64 MB]",),
    ),
}
