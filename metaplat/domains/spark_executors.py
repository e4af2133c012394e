"""Executors of Spark applications: one row per executor, the driver apart but in local mode.

Here: the declaration.
Not here: the attempts they belong to (``spark_applications``), whose landed records they are read from.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from metaplat.domains.spark_applications import DOMAIN as APPLICATIONS
from metaplat.domains.spark_stages import attempt_fields, parts_named, place_part
from metaplat.model.domain import MetadataDomain, Progress, Record
from metaplat.model.field import Field, Personal
from metaplat.rules.frame_schema import schema
from metaplat.rules.partition_complete import partition_complete
from metaplat.rules.primary_key import primary_key
from metaplat.rules.quarantine import quarantine
from metaplat.rules.spark.all_rules import EXECUTOR_RULES

if TYPE_CHECKING:
    from collections.abc import Iterator


def executor_parts(record: Record) -> Iterator[Record]:
    """Yield the executors of a landed attempt."""
    return parts_named("executors", record)


def _amount(name: str, doc: str, unit: str | None = None) -> Field:
    return Field(name, int, nullable=True, minimum=0, unit=unit, doc=doc)


DOMAIN = MetadataDomain(
    name="spark_executors",
    doc="One row per executor of a Spark application, from its registration to its end.",
    fields=(
        *attempt_fields(),
        Field("executor_id", str, key=True, doc="Spark's id; driver in local mode."),
        Field("host", str, nullable=True, doc="Host, without the port."),
        Field("add_time", datetime, nullable=True, doc="When it registered."),
        Field("remove_time", datetime, nullable=True, doc="When it was removed; null where it never was."),
        Field("removed_reason", str, nullable=True, personal=Personal.SCRUB, doc="Why it was removed."),
        _amount("cores", "Cores it offered."),
        _amount("memory_mb", "Heap.", "MiB"),
        _amount("overhead_mb", "Memory beyond the heap.", "MiB"),
        _amount("lifetime_ms", "Until its removal, else the end of the application.", "ms"),
        _amount("tasks", "Distinct tasks that ended on it."),
        _amount("failed_tasks", "Tasks that failed on it."),
        _amount("run_time_ms", "Run time of its tasks.", "ms"),
        _amount("gc_time_ms", "Garbage collection during its tasks.", "ms"),
        _amount("input_bytes", "Read from storage.", "bytes"),
        _amount("shuffle_read_bytes", "Read from shuffles.", "bytes"),
        _amount("shuffle_write_bytes", "Written to shuffles.", "bytes"),
        _amount("peak_heap_bytes", "Peak JVM heap, where logged.", "bytes"),
        _amount("peak_memory_bytes", "Peak memory of the process tree, where logged.", "bytes"),
    ),
    partitions=APPLICATIONS.partitions,
    landing=APPLICATIONS.landing,
    rules=(primary_key(), partition_complete(every=False), schema(), quarantine(), *EXECUTOR_RULES),
    retention=APPLICATIONS.retention,
    cadence=APPLICATIONS.cadence,
    fresh_within=APPLICATIONS.fresh_within,
    derive=place_part,
    progress=Progress(column="app_status", running="RUNNING", identity="app_id"),
    provisional=APPLICATIONS.provisional,
    parent=APPLICATIONS.name,
    parts=executor_parts,
)
