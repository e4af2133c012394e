"""The sections of the settings: every key with its type, default and meaning.

Here: one class per ``[section]`` of the file.
Not here: reading file and environment (``loading``), constants that no user would change.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SecretStr

from metaplat.model.table import BucketFunction, CompareSource, Engine, RepairMode


def listed(value: object) -> object:
    """Read a list given as one text, as environment variables must: JSON, or words with commas between."""
    if not isinstance(value, str):
        return value
    if value.lstrip().startswith("["):
        try:
            return json.loads(value)
        except ValueError:
            raise ValueError('is neither a JSON list, such as ["a", "b"], nor words such as a,b') from None
    return [word.strip() for word in value.split(",") if word.strip()]


def _object(value: object) -> object:
    """Read a table given as one text, as environment variables must: JSON."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError:
        raise ValueError("is not a JSON object") from None


AlertLevel = Literal["low", "medium", "high"]
"""How much an alert matters, least first."""

Names = Annotated[list[str], BeforeValidator(listed)]
FieldNames = Annotated[
    list[Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*$")]], BeforeValidator(listed)
]
"""Fields of domains, as ``domain.field``."""


class Section(BaseModel):
    """One ``[section]`` of the file; an unknown key is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class S3Settings(Section):
    """How object stores on S3 are reached; credentials follow the standard AWS chain."""

    region: str = "us-east-1"
    endpoint_url: str | None = Field(
        None, description="Overrides AWS_ENDPOINT_URL, for S3-compatible stores."
    )
    timeout_seconds: float = Field(30.0, gt=0)
    retries: int = Field(3, ge=0, description="Further attempts after a transient failure.")
    parallel_requests: int = Field(64, ge=1, le=512)


class HotSettings(Section):
    """The hot store: recent rows by key."""

    backend: Literal["sqlite", "dynamodb"] = "sqlite"
    table_prefix: str = Field("", description="Put before each DynamoDB table name.")
    region: str = "us-east-1"
    endpoint_url: str | None = None
    create_tables: bool = Field(
        default=True, description="Create missing DynamoDB tables, with TTL and index."
    )


class IngestSettings(Section):
    """Limits of reading landing objects."""

    max_object_mb: int = Field(
        128, ge=1, description="Larger landing objects go to quarantine, MiB unpacked."
    )
    clock_skew_seconds: int = Field(300, ge=0, description="How far in the future a time may lie.")


class SensorSettings(Section):
    """How landing prefixes are watched."""

    recent_partitions: int = Field(3, ge=1, description="Newest partitions listed on every tick.")
    older_partitions: int = Field(32, ge=0, description="Older partitions listed on every tick, in rotation.")
    max_run_requests: int = Field(
        5, ge=1, description="Beyond this many stretches, covering ranges are asked for."
    )


class PrivacySettings(Section):
    """Treatment of personal data, beyond what the domains declare."""

    hash_key: SecretStr | None = Field(
        None, description="Key of keyed hashes; without one values are dropped."
    )
    drop: FieldNames = Field(default_factory=list, description="Fields to drop, as domain.field.")
    hash: FieldNames = Field(default_factory=list, description="Fields to hash, as domain.field.")


class KubernetesSettings(Section):
    """The collector of Kubernetes jobs."""

    cluster_name: str | None = None
    namespaces: Names = Field(default_factory=list, description="Empty means all namespaces.")
    job_name_labels: Names = Field(
        default_factory=list,
        description="Labels that hold the recurring job name where no CronJob owns the Job.",
    )
    page_size: int = Field(500, ge=1)
    context: str | None = Field(None, description="Context of the kubeconfig; null means the current one.")
    timeout_seconds: float = Field(30.0, gt=0)


class DeclaredTable(Section):
    """One table to monitor that no discovery is needed for: ``[[monitor.tables]]``."""

    name: str
    location: str | None = Field(
        None, description="Folder or s3://bucket/prefix; null asks Glue, which needs a database."
    )
    source_location: str | None = Field(None, description="What its rows are counted against.")
    database: str | None = Field(None, description="Glue database; null means the table is not in Glue.")
    pk_column: str | None = Field(None, min_length=1, description="Null means monitor.pk_column.")
    bucket_count: int | None = Field(None, ge=1, description="Null means monitor.bucket_count.")
    bucket_fn: BucketFunction | None = Field(None, description="Null means monitor.bucket_fn.")
    engine: Engine | None = Field(None, description="Null means monitor.engine.")


class MonitorSettings(Section):
    """The monitor of bucketed tables; every key but ``tables`` is also an option of ``metaplat monitor``."""

    database: str | None = Field(None, description="Glue database whose tables are monitored.")
    table_prefix: str = Field("part_", description="Tables whose names start so, except those ending in _er.")
    max_tables: int = Field(0, ge=0, description="At most so many tables, by name; 0 means all.")
    bucket_count: int = Field(256, ge=1, le=100_000, description="Buckets are 0 to bucket_count - 1.")
    pk_column: str = Field("customer_user_id", min_length=1, description="Primary key: one column.")
    engine: Engine = Field(Engine.BUCKET, description="What counts keys.")
    bucket_fn: BucketFunction = Field(BucketFunction.INFER, description="How a key finds its bucket.")
    region: str = Field("us-east-1", description="Of Glue, Athena and SNS.")
    report_bucket: str | None = Field(
        None, description="S3 bucket of the reports; null means the store of reports."
    )
    report_prefix: str = Field("data-monitor/", description="Prefix of the report objects.")
    report_stem: str = Field("omc_monitor_report", description="First part of the reports' names.")
    sns_topic_arn: str | None = Field(None, description="Topic of the monitor's message; null sends none.")
    athena_results: str | None = Field(
        None, description="s3://bucket/prefix for results; null leaves it to the workgroup."
    )
    athena_workgroup: str = "primary"
    auto_repair: RepairMode = Field(RepairMode.ATHENA, description="How missing partitions are registered.")
    strict_snapshot: bool = Field(default=True, description="An old or missing snapshot is an alert.")
    freshness_window_days: int = Field(45, ge=0, description="Age from which a snapshot is old.")
    count_check_enabled: bool = Field(default=True, description="Count rows against the source table.")
    compare_source_type: CompareSource = Field(CompareSource.EXT, description="Which table is the source.")
    compare_database: str | None = Field(None, description="Its database; null means the monitored one.")
    count_tolerance_pct: float = Field(0.0, ge=0, description="Difference that is no alert, percent.")
    file_size_check: bool = Field(default=False, description="Judge file sizes.")
    file_size_min_mb: float = Field(64, ge=0, description="Smaller files are an issue, MiB.")
    file_size_max_mb: float = Field(1024, ge=0, description="Larger files are an issue, MiB.")
    file_size_all: bool = Field(default=False, description="Judge all buckets, not only the five lowest.")
    data_bucket: str | None = Field(None, description="Bucket of the raw input; null checks none.")
    clear_key_samples: bool = Field(
        default=False, description="Show failing keys in clear text; else as digests."
    )
    skew_factor: float = Field(
        4.0, gt=1, description="A bucket with so many times the median rows is skewed."
    )
    skew_floor_rows: int = Field(10_000, ge=0, description="Smaller buckets are never skewed.")
    volume_runs: int = Field(7, ge=1, description="Earlier runs needed before row counts are compared.")
    volume_change_pct: float = Field(50.0, gt=0, description="Change of a row count that is an anomaly.")
    volume_floor_rows: int = Field(10_000, ge=0, description="Smaller changes are no anomaly.")
    spark_remote: str | None = Field(
        None, description="Spark Connect address, sc://host:15002; null starts Spark by spark_master."
    )
    spark_master: str = Field("local[*]", description="Master of a Spark started here.")
    tables: Annotated[list[DeclaredTable], BeforeValidator(listed)] = Field(
        default_factory=list, description="Tables declared by hand."
    )
    tables_file: Path | None = Field(
        None, description="What discover saves; null means monitored_tables.json in home."
    )


class SinkSettings(Section):
    """One place that alerts are sent to: ``[alerts.sinks.<name>]``."""

    url: SecretStr = Field(description="sns:<topic arn>, or any Apprise URL: Slack, mail, Teams, a webhook.")
    min_severity: AlertLevel = Field("medium", description="Lesser alerts are not sent here.")
    domains: Names = Field(default_factory=list, description="Names or patterns; empty means everything.")


class AlertSettings(Section):
    """When and where alerts are sent."""

    sinks: Annotated[dict[str, SinkSettings], BeforeValidator(_object)] = Field(
        default_factory=dict, description="By name; as one environment variable, a JSON object."
    )
    remind_after_hours: float = Field(
        20.0,
        gt=0,
        description="An alert that still stands, and nobody acknowledged, is sent again after this.",
    )
    timeout_seconds: float = Field(20.0, gt=0, description="For one delivery.")


class SparkSettings(Section):
    """Collecting Spark applications, and what is concluded from them."""

    event_logs: str | None = Field(
        None, description="Folder or s3://bucket/prefix that is watched and collected; null watches nothing."
    )
    recursive: bool = Field(default=True, description="Look for event logs in folders below, too.")
    batch_size: int = Field(100, ge=1, description="Applications that are landed together.")
    processes: int = Field(0, ge=0, description="Event logs read at once; 0 means one a core.")
    silent_hours: float = Field(
        24.0, gt=0, description="A running application that logged nothing for so long is flagged silent."
    )
    history_server: str | None = Field(None, description="http address of a Spark History Server.")
    timeout_seconds: float = Field(30.0, gt=0, description="For one request to a History Server or cloud.")
    replay_seconds: float = Field(
        600.0, gt=0, description="For what a History Server must replay a log, or zip it, to answer."
    )
    retries: int = Field(3, ge=0, description="Further attempts after a transient failure.")
    max_apps: int = Field(1000, ge=1, description="Applications asked of a History Server at once.")
    emr_region: str | None = Field(None, description="Region of EMR; null follows the AWS chain.")
    databricks_host: str | None = Field(
        None, description="https address of a workspace; null: its own chain."
    )
    databricks_token: SecretStr | None = Field(
        None, description="Personal access token; null: its own chain."
    )
    dataproc_project: str | None = Field(None, description="Google Cloud project.")
    dataproc_region: str = Field("us-central1", description="Region of the clusters and jobs.")
    dataproc_endpoint: str | None = Field(None, description="http address instead of Google's own.")
    tag_prefixes: Names = Field(
        default_factory=lambda: ["spark.metaplat.tag."],
        description="Spark properties that begin so are tags, named by what follows.",
    )
    price_core_hour: float | None = Field(None, ge=0, description="Price of a core for an hour.")
    price_gb_hour: float | None = Field(None, ge=0, description="Price of a GiB of memory for an hour.")
    price_currency: str = Field("USD", description="Currency of the prices.")
    skew_medium: float = Field(5.0, gt=1, description="Slowest task over the median: medium from here.")
    skew_high: float = Field(10.0, gt=1, description="... and high from here.")
    skew_floor_seconds: float = Field(30.0, ge=0, description="A slowest task below is never skewed.")
    skew_floor_mb: float = Field(128.0, ge=0, description="A largest input below is never skewed, MiB.")
    spill_medium_mb: float = Field(512.0, ge=0, description="Spilled to disk by a stage: medium from here.")
    spill_high_mb: float = Field(10_240.0, ge=0, description="... and high from here, MiB.")
    gc_medium: float = Field(0.1, ge=0, le=1, description="GC time over run time: medium from here.")
    gc_high: float = Field(0.25, ge=0, le=1, description="... and high from here.")
    waste_medium: float = Field(0.5, ge=0, le=1, description="Idle share of executor time: medium from here.")
    waste_high: float = Field(0.8, ge=0, le=1, description="... and high from here.")
    waste_floor_hours: float = Field(
        1.0, ge=0, description="Fewer idle core hours are never waste; executors must start somewhere."
    )
    failure_medium: float = Field(0.01, ge=0, le=1, description="Failed share of tasks: medium from here.")
    failure_high: float = Field(0.1, ge=0, le=1, description="... and high from here.")
    small_task_ms: float = Field(100.0, ge=0, description="A median task below is small.")
    small_task_count: int = Field(1000, ge=1, description="So many small tasks of a stage are too many.")
    driver_share: float = Field(0.5, ge=0, le=1, description="Share without any stage that is worth a word.")


class CatalogSettings(Section):
    """The observation catalog: its index, its ingest, and what pre-flights ask for."""

    backend: Literal["sqlite", "postgres", "vast"] = Field("sqlite", description="Store of the index.")
    postgres_url: SecretStr | None = Field(
        None, description="postgresql://user:password@host/database of the index."
    )
    vast_endpoint: str | None = Field(None, description="http address of a VAST cluster.")
    vast_access_key: SecretStr | None = Field(None, description="Access key there.")
    vast_secret_key: SecretStr | None = Field(None, description="Secret key there.")
    vast_bucket: str = Field("metaplat", description="Bucket of the database there.")
    vast_schema: str = Field("catalog", description="Schema of the tables there.")
    watch: Names = Field(
        default_factory=list, description="Folders and s3://bucket/prefix whose files are cataloged."
    )
    mappings: Path | None = Field(None, description="TOML file of further missions, keywords and rules.")
    settle_seconds: float = Field(10.0, ge=0, description="A younger file is looked at again first.")
    done_suffix: str | None = Field(
        None, description="A file is complete once one named like it with this behind it exists (.done)."
    )
    batch_size: int = Field(5000, ge=1, le=50_000, description="Files that are cataloged together.")
    processes: int = Field(0, ge=0, description="Files read at once; 0 means one process a core.")
    parallel_requests: int = Field(64, ge=1, le=512, description="Objects of S3 read at once.")
    max_header_mb: int = Field(64, ge=1, description="Longer headers are rejected, MiB unpacked.")
    far_read_mb: int = Field(8, ge=1, description="Read at most by the second request to S3, MiB.")
    max_attempts: int = Field(5, ge=1, description="A file that fails so often goes to quarantine.")
    retry_seconds: float = Field(60.0, gt=0, description="Wait before the second try; it doubles each time.")
    page_size: int = Field(1000, ge=1, le=100_000, description="Observations a search returns at once.")
    min_quality: float = Field(0.8, ge=0, le=1, description="Quality that a pre-flight asks for.")
    window_days: float = Field(30.0, gt=0, description="How far back a pre-flight looks.")
    out_ratio: float = Field(2.5, ge=0, description="Bytes of output expected per byte of input.")
    relationship_types: Names = Field(
        default_factory=lambda: ["raw_to_processed", "calibration", "derived", "supersedes"],
        description="Types of relationships that may be recorded.",
    )


class DagsterSettings(Section):
    """Dagster's own storage and limits."""

    postgres_url: SecretStr | None = Field(
        None, description="Run and event storage; null means SQLite in home."
    )
    max_concurrent_runs: int = Field(2, ge=1)
