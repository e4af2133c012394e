"""Stages of Spark applications: one row per attempt of a stage.

Here: the declaration.
Not here: the attempts they belong to (``spark_applications``), whose landed records they are read from.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from metaplat.domains.spark_applications import DOMAIN as APPLICATIONS
from metaplat.domains.spark_applications import place
from metaplat.model.domain import MetadataDomain, Progress, Record, Row
from metaplat.model.errors import InvalidInputError
from metaplat.model.field import Field, ListOf, Personal
from metaplat.rules.frame_schema import schema
from metaplat.rules.partition_complete import partition_complete
from metaplat.rules.primary_key import primary_key
from metaplat.rules.quarantine import quarantine
from metaplat.rules.spark.all_rules import STAGE_RULES

if TYPE_CHECKING:
    from collections.abc import Iterator

OF_THE_ATTEMPT = (
    "source",
    "app_id",
    "attempt_id",
    "app_name",
    "start_time",
    "end_time",
    "observed_start",
    "observed_end",
)
"""What every stage and executor says of the attempt it belongs to, beside its status."""


def parts_named(name: str, record: Record) -> Iterator[Record]:
    """Yield the members of one list of an attempt, each with what it says of the attempt."""
    members = record.get(name)
    if not isinstance(members, list):
        raise InvalidInputError(f"{name}: expected an array")
    attempt = {field: record.get(field) for field in OF_THE_ATTEMPT}
    for member in members:
        if not isinstance(member, dict):
            raise InvalidInputError(f"{name}: expected an array of objects")
        yield {**member, **attempt, "app_status": record.get("status")}


def attempt_fields() -> tuple[Field, ...]:
    """Return the columns of ``OF_THE_ATTEMPT`` as applications declare them, and those derived from them."""
    names = (*OF_THE_ATTEMPT, "attempt_key", "application_time", "partitioned_by")
    status = APPLICATIONS.field("status")
    return (
        *(field for field in APPLICATIONS.fields if field.name in names),
        Field("app_status", str, choices=status.choices, doc="State of the attempt."),
    )


def place_part(row: Row) -> None:
    """Fill the partition and the identity of a stage or executor: those of its attempt."""
    attempt = {**row, "status": row["app_status"]}
    place(attempt)
    row.update((name, attempt[name]) for name in ("application_time", "partitioned_by", "attempt_key"))


def stage_parts(record: Record) -> Iterator[Record]:
    """Yield the stages of a landed attempt."""
    return parts_named("stages", record)


def _amount(name: str, doc: str, unit: str | None = None) -> Field:
    return Field(name, int, nullable=True, minimum=0, unit=unit, doc=doc)


def _figure(name: str, doc: str, unit: str | None = None) -> Field:
    return Field(name, float, nullable=True, minimum=0, unit=unit, doc=doc)


DOMAIN = MetadataDomain(
    name="spark_stages",
    doc="One row per attempt of a stage of a Spark application, with the spread of its tasks.",
    fields=(
        *attempt_fields(),
        Field("stage_id", int, key=True, minimum=0, doc="Spark's number of the stage."),
        Field("stage_attempt_id", int, key=True, minimum=0, doc="Attempt of the stage."),
        Field("name", str, nullable=True, personal=Personal.SCRUB, doc="Spark's name: the call site."),
        Field("status", str, choices=("COMPLETE", "FAILED", "ACTIVE", "SKIPPED"), doc="State of the stage."),
        Field("job_ids", ListOf(int), doc="Jobs that planned it."),
        Field("submission_time", datetime, nullable=True, doc="When it was submitted."),
        Field("completion_time", datetime, nullable=True, doc="When it ended."),
        _amount("duration_ms", "Submission to completion.", "ms"),
        _amount("planned_tasks", "Tasks that Spark says it has."),
        _amount("tasks", "Distinct tasks that ended in it."),
        _amount("failed_tasks", "Tasks that failed."),
        _amount("killed_tasks", "Tasks that were killed."),
        Field("failure_reason", str, nullable=True, personal=Personal.SCRUB, doc="Why it failed."),
        _amount("run_time_ms", "Run time of its tasks.", "ms"),
        _amount("cpu_time_ms", "CPU time of its tasks.", "ms"),
        _amount("gc_time_ms", "Garbage collection during its tasks.", "ms"),
        _amount("input_bytes", "Read from storage.", "bytes"),
        _amount("output_bytes", "Written to storage.", "bytes"),
        _amount("shuffle_read_bytes", "Read from shuffles.", "bytes"),
        _amount("shuffle_write_bytes", "Written to shuffles.", "bytes"),
        _amount("memory_spilled_bytes", "Size in memory of what was spilled.", "bytes"),
        _amount("disk_spilled_bytes", "Size on disk of what was spilled.", "bytes"),
        _figure("task_ms_min", "Fastest successful task.", "ms"),
        _figure("task_ms_median", "Median of the successful tasks.", "ms"),
        _figure("task_ms_p95", "95th percentile of them.", "ms"),
        _figure("task_ms_max", "Slowest of them.", "ms"),
        Field(
            "task_ms_histogram",
            ListOf(int),
            nullable=True,
            doc="Tasks by duration: below 1 ms, then in powers of two.",
        ),
        _figure("input_bytes_median", "Read from storage by one task, median.", "bytes"),
        _figure("input_bytes_max", "Read from storage by one task, most.", "bytes"),
        _figure("shuffle_read_bytes_median", "Read from shuffles by one task, median.", "bytes"),
        _figure("shuffle_read_bytes_max", "Read from shuffles by one task, most.", "bytes"),
        _amount("peak_execution_memory_bytes", "Largest execution memory of any task.", "bytes"),
        _figure("task_time_skew", "Slowest task over the median."),
        _figure("input_skew", "Largest input of a task over the median."),
        _figure("shuffle_skew", "Largest shuffle read of a task over the median."),
        _figure("spill_ratio", "Disk bytes spilled over bytes read."),
        _figure("gc_ratio", "GC time over run time."),
        _figure("failure_rate", "Failed tasks over ended ones."),
    ),
    partitions=APPLICATIONS.partitions,
    landing=APPLICATIONS.landing,
    rules=(primary_key(), partition_complete(every=False), schema(), quarantine(), *STAGE_RULES),
    retention=APPLICATIONS.retention,
    cadence=APPLICATIONS.cadence,
    fresh_within=APPLICATIONS.fresh_within,
    derive=place_part,
    progress=Progress(column="app_status", running="RUNNING", identity="app_id"),
    provisional=APPLICATIONS.provisional,
    parent=APPLICATIONS.name,
    parts=stage_parts,
)
