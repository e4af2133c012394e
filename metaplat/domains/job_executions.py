"""Executions of batch jobs: what ran, how it ended, why it failed, what it used.

Here: the declaration, and what depends on the state of an execution.
Not here: reading Kubernetes (``collectors.kubernetes``).
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from metaplat.collectors.aws_batch import adapt_batch_event
from metaplat.collectors.kubernetes import collect_cluster, collect_saved
from metaplat.model.domain import MetadataDomain, Progress, Provisional, Record, Row
from metaplat.model.errors import InvalidInputError
from metaplat.model.field import Field, ListOf, Personal, Struct
from metaplat.model.partitioning import Daily
from metaplat.model.retention import HotTable, Retention
from metaplat.rules.completeness import completeness
from metaplat.rules.frame_schema import schema
from metaplat.rules.freshness import freshness
from metaplat.rules.partition_complete import partition_complete
from metaplat.rules.primary_key import primary_key
from metaplat.rules.quarantine import quarantine
from metaplat.rules.row_count import row_count
from metaplat.rules.volume import volume

if TYPE_CHECKING:
    from collections.abc import Iterator

RUNNING = "RUNNING"
TERMINAL = ("SUCCESS", "FAILED")
FRESH_WITHIN = timedelta(days=1)

REASON_COUNT = Struct(
    (
        Field("reason", str, doc="Reason of a terminated container or of the pod."),
        Field("count", int, minimum=1, doc="How many pods."),
    )
)


def adapt_record(record: Record) -> Record:
    """Accept the AWS Batch event shape, and refuse a finished run that says nothing of its resources."""
    record = adapt_batch_event(record)
    if record.get("status") in TERMINAL and not isinstance(record.get("resources_used"), dict):
        raise InvalidInputError("resources_used: is required as an object once a run has ended")
    return record


def derive(row: Row) -> None:
    """Fill the key from the start of the execution."""
    row["execution_timestamp"] = int(row["execution_date"].timestamp())


def state_problems(row: Row) -> Iterator[str]:
    """Yield what contradicts the state of an execution."""
    if row["status"] == RUNNING and row["duration_minutes"] is not None:
        yield "duration_minutes: a RUNNING execution has none yet"
    if row["status"] in TERMINAL and row["duration_minutes"] is None:
        yield "duration_minutes: is required once a run has ended"
    if row["end_date"] is not None and row["end_date"] < row["execution_date"]:
        yield "end_date: lies before execution_date"


def object_name(row: Row) -> str:
    """Name the landing object of a collected execution: running and final record lie side by side."""
    job = row["kubernetes_job_name"] or row["job_name"]
    identity = row["job_id"] or row["execution_timestamp"]
    return f"{job}-{identity}-{row['status'].lower()}.json".replace("/", "_")


DOMAIN = MetadataDomain(
    name="job_executions",
    doc="One row per execution of a batch job, as the cluster and the job itself reported it.",
    fields=(
        Field("job_name", str, key=True, doc="Recurring name of the job: its CronJob's, where there is one."),
        Field(
            "execution_timestamp",
            int,
            key=True,
            unit="s",
            derived=True,
            doc="Start of the execution, Unix time.",
        ),
        Field("execution_date", datetime, doc="Start of the execution; its day in UTC is the partition."),
        Field(
            "execution_date_source",
            str,
            nullable=True,
            choices=("startTime", "creationTimestamp"),
            doc="Where the start came from; a creation time gives way to a start time.",
        ),
        Field("end_date", datetime, nullable=True, doc="End of the execution."),
        Field("job_id", str, nullable=True, doc="Unique id of this run: the Job's uid."),
        Field("status", str, choices=(*TERMINAL, RUNNING), doc="State, from the Job's conditions only."),
        Field("duration_minutes", float, nullable=True, minimum=0, unit="min", doc="Start to end."),
        Field(
            "failure_reason",
            str,
            nullable=True,
            personal=Personal.SCRUB,
            doc="Most specific cause of a failure.",
        ),
        Field(
            "job_condition_reason",
            str,
            nullable=True,
            personal=Personal.SCRUB,
            doc="What ended the Job, for example BackoffLimitExceeded.",
        ),
        Field(
            "error_type",
            str,
            nullable=True,
            personal=Personal.SCRUB,
            path="error_details.type",
            doc="Reason of the failed container.",
        ),
        Field(
            "error_message",
            str,
            nullable=True,
            path="error_details.message",
            personal=Personal.SCRUB,
            doc="Message of the failed container, without what looks personal or secret.",
        ),
        Field(
            "exit_code",
            int,
            nullable=True,
            path="error_details.exit_code",
            doc="Exit code of the failed container.",
        ),
        Field(
            "peak_memory_gb",
            float,
            nullable=True,
            minimum=0,
            unit="GiB",
            path="resources_used.peak_memory_gb",
            doc="Highest memory of any pod.",
        ),
        Field(
            "avg_cpu_cores",
            float,
            nullable=True,
            minimum=0,
            unit="cores",
            path="resources_used.avg_cpu_cores",
            doc="CPU seconds over duration.",
        ),
        Field(
            "peak_cpu_cores",
            float,
            nullable=True,
            minimum=0,
            unit="cores",
            path="resources_used.peak_cpu_cores",
            doc="Highest CPU rate.",
        ),
        Field(
            "storage_used_gb",
            float,
            nullable=True,
            minimum=0,
            unit="GiB",
            path="resources_used.storage_used_gb",
            doc="Storage used on the job's volumes.",
        ),
        Field(
            "input_row_count",
            int,
            nullable=True,
            minimum=0,
            path="input_data.row_count",
            doc="Rows read, as the job itself said.",
        ),
        Field(
            "input_size_gb",
            float,
            nullable=True,
            minimum=0,
            unit="GiB",
            path="input_data.size_gb",
            doc="Size read.",
        ),
        Field(
            "input_duplicate_rate",
            float,
            nullable=True,
            minimum=0,
            maximum=1,
            path="input_data.duplicate_rate",
            doc="Share of duplicate input rows.",
        ),
        Field(
            "input_source_tables",
            ListOf(str),
            nullable=True,
            path="input_data.source_tables",
            doc="Tables read.",
        ),
        Field(
            "output_row_count",
            int,
            nullable=True,
            minimum=0,
            path="output_data.row_count",
            doc="Rows written, as the job itself said.",
        ),
        Field(
            "output_size_gb",
            float,
            nullable=True,
            minimum=0,
            unit="GiB",
            path="output_data.size_gb",
            doc="Size written.",
        ),
        Field("namespace", str, nullable=True, doc="Kubernetes namespace."),
        Field("cluster_name", str, nullable=True, doc="Cluster the job ran on."),
        Field("kubernetes_job_name", str, nullable=True, doc="Name of the Job object itself."),
        Field("is_suspended", bool, nullable=True, doc="Whether the Job was suspended when it was read."),
        Field(
            "attempts",
            int,
            nullable=True,
            minimum=0,
            doc="Pods of the Job; null where they could not be read or are gone.",
        ),
        Field(
            "pod_failure_reasons",
            ListOf(REASON_COUNT),
            nullable=True,
            personal=Personal.SCRUB,
            doc="Failure reasons over all pods.",
        ),
        Field("sample_count", int, nullable=True, minimum=0, doc="Samples behind the resource figures."),
        Field(
            "scrape_interval_s", float, nullable=True, minimum=0, unit="s", doc="Time between those samples."
        ),
    ),
    partitions=Daily("2025-01-01"),
    landing="job-executions/",
    rules=(
        row_count(minimum=1),
        primary_key(),
        partition_complete(),
        schema(),
        quarantine(),
        completeness("peak_memory_gb", max_missing=0.05, where={"status": TERMINAL}),
        volume(),
        freshness(within=FRESH_WITHIN),
    ),
    retention=Retention(hot=timedelta(days=90), archive=timedelta(days=730)),
    cadence="*/5 * * * *",
    fresh_within=FRESH_WITHIN,
    collectors={"kubectl": collect_saved, "cluster": collect_cluster},
    object_name=object_name,
    parse=adapt_record,
    derive=derive,
    problems=state_problems,
    progress=Progress(column="status", running=RUNNING, identity="job_id"),
    provisional=Provisional(column="execution_date_source", value="creationTimestamp", identity="job_id"),
    hot=HotTable(
        name="job-executions",
        partition_key="job_name",
        sort_key="execution_timestamp",
        status="status",
        identity="job_id",
        columns=(
            "duration_minutes",
            "peak_memory_gb",
            "storage_used_gb",
            "failure_reason",
            "input_row_count",
        ),
    ),
)
