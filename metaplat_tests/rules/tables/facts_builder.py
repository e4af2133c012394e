"""Facts about a small, healthy table in S3 and Glue, and ways to change one thing about it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import polars as pl

from metaplat.model.glue_table import GluePartition, GlueTable
from metaplat.model.landed import ObjectInfo
from metaplat.model.polars_schema import polars_schema
from metaplat.model.table import BucketFunction, Engine, MonitoredTable, SourceTable
from metaplat.model.table_evidence import RawInputFacts, SnapshotFacts, SourceFacts, TableFacts, TableLimits
from metaplat.model.table_metrics import METRICS, FileFacts, Inventory, Strange, StrangeFolder, TableProfile
from metaplat.rules.tables.all_rules import ALL_RULES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from metaplat.model.verdict import Outcome, Verdict

NOW = datetime(2025, 11, 20, 12, tzinfo=UTC)
BUCKETS = 8
ROWS = 100_000
FILE_BYTES = 100 * 1024 * 1024
RULES = {rule.name: rule for rule in ALL_RULES}
SCHEMAS = {"usual": {"customer_user_id": "string", "name": "string", "age": "int64"}}
PARQUET = "org.apache.hadoop.hive.ql.io.parquet"
COLUMNS = (("customer_user_id", "string"), ("name", "string"), ("age", "bigint"))
LOCATION = "s3://lake/db/part_x"


def healthy(rows: int = ROWS, buckets: int = BUCKETS, **limits: Any) -> TableFacts:
    """Facts of a table about which nothing is wrong, with enough history."""
    table = MonitoredTable(
        "part_x",
        LOCATION,
        "customer_user_id",
        bucket_count=buckets,
        database="db",
        source=SourceTable("ext_x", "db"),
    )
    files = {bucket: [_info(f"{table.folder(bucket)}/part-0.parquet")] for bucket in range(buckets)}
    profile = TableProfile(
        table,
        _frame(table, rows, "this-run", NOW),
        Inventory(files),
        [_file(table, bucket, rows) for bucket in range(buckets)],
        SCHEMAS,
        Engine.BUCKET,
        BucketFunction.SPARK_MURMUR3,
    )
    earlier = [_frame(table, rows, f"run-{day}", NOW - timedelta(days=10 - day)) for day in range(7)]
    return TableFacts(
        table,
        profile,
        TableLimits(**limits),
        NOW,
        pl.concat(earlier),
        glue=glue_table("part_x", COLUMNS, (("id_bucket", "int"),)),
        partitions=[GluePartition((str(b),), f"{LOCATION}/id_bucket={b}/", COLUMNS) for b in range(buckets)],
        source=SourceFacts(found=True, rows=rows * buckets, glue=glue_table("ext_x", COLUMNS, ())),
        snapshot=SnapshotFacts("s3://lake/db/metadata/snapshot_dt.txt", "2025-11-01", date(2025, 11, 1)),
        raw_input=RawInputFacts("s3://raw/opus/x/raw_input/snapshot_dt=2025-11-01/", 3),
    )


def glue_table(
    name: str, columns: tuple[tuple[str, str], ...], keys: tuple[tuple[str, str], ...]
) -> GlueTable:
    return GlueTable(
        "db",
        name,
        f"s3://lake/db/{name}/",
        "EXTERNAL_TABLE",
        f"{PARQUET}.MapredParquetInputFormat",
        f"{PARQUET}.MapredParquetOutputFormat",
        f"{PARQUET}.serde.ParquetHiveSerDe",
        columns,
        keys,
    )


def with_glue(facts: TableFacts, **changes: Any) -> TableFacts:
    """Change what Glue says of the table."""
    assert facts.glue is not None
    return replace(facts, glue=replace(facts.glue, **changes))


def projected(facts: TableFacts, **properties: str) -> TableFacts:
    """Make Athena compute the partitions; ``range_``, ``type_`` and others replace a property."""
    values = {"type": "integer", "range": f"0,{facts.table.bucket_count - 1}"}
    values |= {name.rstrip("_"): value for name, value in properties.items() if name != "template"}
    parameters = {"projection.enabled": "true"}
    parameters |= {f"projection.id_bucket.{name}": value for name, value in values.items()}
    if "template" in properties:
        parameters["storage.location.template"] = properties["template"]
    return replace(with_glue(facts, parameters=parameters), partitions=[])


def with_profile(facts: TableFacts, **changes: Any) -> TableFacts:
    return replace(facts, profile=replace(facts.profile, **changes))


def with_limits(facts: TableFacts, **changes: Any) -> TableFacts:
    return replace(facts, limits=replace(facts.limits, **changes))


def with_cells(facts: TableFacts, buckets: Sequence[int] | None, **cells: Any) -> TableFacts:
    """Put values into the rows of some buckets (None: all) of the metrics frame."""
    here = pl.lit(value=True) if buckets is None else pl.col("id_bucket").is_in(list(buckets))
    schema = polars_schema(METRICS)
    changed = [
        pl.when(here).then(pl.lit(value, schema[name])).otherwise(pl.col(name)).alias(name)
        for name, value in cells.items()
    ]
    return with_profile(facts, frame=facts.profile.frame.with_columns(changed))


def without_bucket(facts: TableFacts, bucket: int) -> TableFacts:
    """Take a bucket's data away from S3; Glue never heard of it, and the source has as many rows less."""
    assert facts.source is not None
    assert facts.source.rows is not None
    source = replace(facts.source, rows=facts.source.rows - ROWS)
    inventory = facts.profile.inventory
    facts = with_profile(
        facts,
        inventory=replace(inventory, buckets={**inventory.buckets, bucket: []}),
        files=[file for file in facts.profile.files if file.bucket != bucket],
    )
    partitions = [part for part in facts.partitions or () if part.values != (str(bucket),)]
    empty = dict.fromkeys(("files", "bytes", "schemas", "rows", "distinct_keys"), 0)
    unknown = dict.fromkeys(("smallest_file_bytes", "largest_file_bytes", "newest_modified"))
    facts = with_cells(facts, [bucket], **empty, **unknown, in_glue=False, glue_location=None)
    return replace(facts, source=source, partitions=partitions)


def with_file(facts: TableFacts, bucket: int, **changes: Any) -> TableFacts:
    """Change what is known of the one file of a bucket."""
    files = [replace(f, **changes) if f.bucket == bucket else f for f in facts.profile.files]
    return with_profile(facts, files=files)


def with_strange(facts: TableFacts, name: str, kind: Strange) -> TableFacts:
    inventory = facts.profile.inventory
    strange = [*inventory.strange, StrangeFolder(name, kind, 1, FILE_BYTES)]
    return with_profile(facts, inventory=replace(inventory, strange=strange))


def with_empty_file(facts: TableFacts, key: str) -> TableFacts:
    inventory = facts.profile.inventory
    return with_profile(facts, inventory=replace(inventory, empty_files=[_info(key, 0)]))


def with_file_size(facts: TableFacts, bucket: int, size: int) -> TableFacts:
    inventory = facts.profile.inventory
    files = [info._replace(size=size) for info in inventory.buckets[bucket]]
    return with_profile(facts, inventory=replace(inventory, buckets={**inventory.buckets, bucket: files}))


def verdict_of(rule: str, facts: TableFacts) -> Verdict:
    return RULES[rule].judge_facts(facts)


def bucket_verdict(rule: str, facts: TableFacts, bucket: int) -> Verdict:
    judge = RULES[rule].judge
    assert judge is not None
    row = facts.profile.frame.row(by_predicate=pl.col("id_bucket") == bucket, named=True)
    return judge(facts, row)


def outcomes(facts: TableFacts) -> Mapping[str, Outcome]:
    return {name: rule.judge_facts(facts).outcome for name, rule in RULES.items()}


def _info(key: str, size: int = FILE_BYTES) -> ObjectInfo:
    return ObjectInfo(key, size, NOW - timedelta(days=1), "etag")


def _file(table: MonitoredTable, bucket: int, rows: int) -> FileFacts:
    key = f"{table.folder(bucket)}/part-0.parquet"
    return FileFacts(key, _info(key).identity, bucket, FILE_BYTES, rows, 0, "usual")


def _frame(table: MonitoredTable, rows: int, run_id: str, now: datetime) -> pl.DataFrame:
    return pl.DataFrame(
        [
            {
                "table": table.name,
                "id_bucket": bucket,
                "files": 1,
                "bytes": FILE_BYTES,
                "smallest_file_bytes": FILE_BYTES,
                "largest_file_bytes": FILE_BYTES,
                "newest_modified": NOW - timedelta(days=1),
                "object_fingerprint": f"objects-{bucket}",
                "schema_fingerprint": "usual",
                "schemas": 1,
                "unreadable_files": 0,
                "keyless_files": 0,
                "rows": rows,
                "key_nulls": 0,
                "distinct_keys": rows,
                "duplicate_rows": 0,
                "duplicate_keys": 0,
                "surplus_rows": 0,
                "misplaced_keys": 0,
                "in_glue": True,
                "glue_location": f"{table.location}/{table.folder(bucket)}/",
                "engine": "bucket",
                "bucket_function": "spark_murmur3",
                "measured_by": run_id,
                "run_id": run_id,
                "profiled_at": now,
            }
            for bucket in range(table.bucket_count)
        ],
        schema=polars_schema(METRICS),
    )
