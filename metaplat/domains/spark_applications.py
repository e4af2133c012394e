"""Spark applications: one row per attempt, whichever way it was collected.

Here: the declaration, the partition of an attempt, and which of two records of it is the better one.
Not here: reading logs and APIs (``collectors.spark``); stages and executors, which are domains of their own
(``spark_stages``, ``spark_executors``), read from the same landed records.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from metaplat.collectors.spark.sources import COLLECTORS
from metaplat.model.domain import MetadataDomain, Progress, Provisional, Record, Row
from metaplat.model.field import Field, ListOf, MapOf, Personal, Struct
from metaplat.model.partitioning import Daily
from metaplat.model.retention import Retention
from metaplat.rules.completeness import completeness
from metaplat.rules.frame_schema import schema
from metaplat.rules.freshness import freshness
from metaplat.rules.partition_complete import partition_complete
from metaplat.rules.primary_key import primary_key
from metaplat.rules.quarantine import quarantine
from metaplat.rules.row_count import row_count
from metaplat.rules.spark.all_rules import APPLICATION_RULES
from metaplat.rules.volume import volume

if TYPE_CHECKING:
    from collections.abc import Iterator

RUNNING = "RUNNING"
STATES = (RUNNING, "COMPLETED", "FAILED", "KILLED")
SOURCES = ("event-logs", "history-server", "emr", "databricks", "dataproc")
FRESH_WITHIN = timedelta(days=1)
FIRST_DAY = "2014-01-01"
"""Spark 1.0 came in that year, and old logs are collected too."""
LOSSES = frozenset({"compacted", "truncated", "broken_lines", "event_loss", "hs_truncated", "no_event_log"})
"""Flags of a record that knows less than it might."""

JOB = Struct(
    (
        Field("job_id", int, doc="Spark's number of the job."),
        Field("status", str, doc="RUNNING, SUCCEEDED or FAILED."),
        Field("submission_time", datetime, nullable=True, doc="When it was submitted."),
        Field("completion_time", datetime, nullable=True, doc="When it ended."),
        Field("stage_ids", ListOf(int), doc="Stages it planned."),
    )
)
FINDING = Struct(
    (
        Field("kind", str, doc="Stable name, for example task_skew."),
        Field("severity", str, doc="low, medium or high."),
        Field("evidence", str, doc="What was measured."),
        Field("advice", str, doc="What to try."),
        Field("stage_id", int, nullable=True, doc="The stage it is about."),
        Field("stage_attempt_id", int, nullable=True, doc="Its attempt."),
    )
)


def application_part(record: Record) -> Iterator[Record]:
    """Yield the record without its stages and executors, which are rows of their own domains."""
    yield {name: value for name, value in record.items() if name not in ("stages", "executors")}


def place(row: Row) -> None:
    """Fill the partition of an attempt: its end, or while it runs its start; and its identity in one text."""
    end, start = row["end_time"], row["start_time"] or row["observed_start"] or row["observed_end"]
    ended = row["status"] != RUNNING and (end or row["observed_end"])
    row["application_time"] = ended or start or end
    row["partitioned_by"] = "end" if ended else "start"
    row["attempt_key"] = "/".join((row["source"], row["app_id"], row["attempt_id"] or ""))


def problems(row: Row) -> Iterator[str]:
    """Yield what contradicts itself in an attempt."""
    if row["application_time"] is None:
        yield "start_time: neither a start nor an end nor any event of the attempt is known"
    if row["status"] == RUNNING and row["end_time"] is not None:
        yield "end_time: a RUNNING attempt has none yet"


def object_name(row: Row) -> str:
    """Name the landing object of an attempt: running and final record lie side by side."""
    return f"{row['source']}-{row['app_id']}-{row['attempt_id'] or '0'}-{row['status'].lower()}.json"


def knows_more(landed: Record, new: Record) -> bool:
    """Whether the landed record of an ended attempt is better: more tasks were counted, or it lost less."""
    return _worth(landed) > _worth(new)


def _worth(record: Record) -> tuple[int, int, int]:
    """Order of two records of an ended attempt: more tasks, fewer losses, fewer fields that nobody gave."""
    tasks, flags = record.get("total_tasks"), record.get("data_quality") or ()
    missing = record.get("source_coverage") or ()
    return (tasks if isinstance(tasks, int) else -1), -len(LOSSES.intersection(flags)), -len(missing)


def _amount(name: str, doc: str, unit: str | None = None) -> Field:
    """Return a whole number, never negative, null where the source does not say."""
    return Field(name, int, nullable=True, minimum=0, unit=unit, doc=doc)


def _figure(name: str, doc: str, unit: str | None = None, maximum: float | None = None) -> Field:
    return Field(name, float, nullable=True, minimum=0, maximum=maximum, unit=unit, doc=doc)


def _text(name: str, doc: str) -> Field:
    return Field(name, str, nullable=True, doc=doc)


DOMAIN = MetadataDomain(
    name="spark_applications",
    doc="One row per attempt of a Spark application: what it did, what it used, what could be better.",
    fields=(
        Field("source", str, key=True, choices=SOURCES, doc="Collector the record came from."),
        Field("app_id", str, key=True, doc="Spark's application id."),
        Field("attempt_id", str, key=True, nullable=True, doc="Attempt; null in client mode."),
        Field(
            "attempt_key",
            str,
            derived=True,
            doc="source/app_id/attempt_id in one text, to join stages and executors by.",
        ),
        Field(
            "application_time",
            datetime,
            derived=True,
            doc="End of the attempt, while it runs its start; its day in UTC is the partition.",
        ),
        Field(
            "partitioned_by",
            str,
            derived=True,
            choices=("start", "end"),
            doc="Which of the two application_time is; a start gives way to the end.",
        ),
        _text("app_name", "Name of the application."),
        Field("user", str, nullable=True, doc="User it ran as."),
        Field("status", str, choices=STATES, doc="State."),
        Field("exit_code", int, nullable=True, doc="Exit code, where the log has it (Spark 4)."),
        Field("submit_time", datetime, nullable=True, doc="When it was submitted (Spark 3.3 and later)."),
        Field("start_time", datetime, nullable=True, doc="Start of the application."),
        Field("end_time", datetime, nullable=True, doc="End; null while it runs."),
        Field("observed_start", datetime, nullable=True, doc="First event with a time."),
        Field("observed_end", datetime, nullable=True, doc="Last event with a time."),
        _amount("duration_ms", "Start to end.", "ms"),
        _text("spark_version", "Version of Spark."),
        _text("master", "spark.master: local, yarn, k8s, spark://."),
        _amount("executor_cores", "Cores of an executor."),
        _amount("executor_memory_mb", "Heap of an executor.", "MiB"),
        _amount("driver_memory_mb", "Heap of the driver.", "MiB"),
        _amount("num_executors", "Most executors alive at once; 0 in local mode."),
        _amount("num_executors_added", "All executors ever added."),
        _figure("executor_seconds", "Sum of the lifetimes of all executors.", "s"),
        _amount("total_tasks", "Distinct tasks that ended."),
        _amount("failed_tasks", "Tasks that failed: not killed, not denied, not resubmitted."),
        _amount("killed_tasks", "Tasks that were killed."),
        _amount("resubmitted_tasks", "Tasks that ended and were run again, since their output was lost."),
        _amount("speculative_tasks", "Tasks started beside a slow one."),
        _amount("total_stages", "Stage attempts that were submitted."),
        _amount("failed_stages", "Stage attempts that failed."),
        _amount("skipped_stages", "Stages that were planned and never submitted."),
        _amount("jobs", "Spark jobs."),
        _amount("failed_jobs", "Spark jobs that failed."),
        _amount("cpu_time_ms", "CPU time of all tasks.", "ms"),
        _amount("run_time_ms", "Run time of all tasks.", "ms"),
        _amount("gc_time_ms", "Garbage collection during tasks.", "ms"),
        _amount("input_bytes", "Read from storage.", "bytes"),
        _amount("output_bytes", "Written to storage.", "bytes"),
        _amount("shuffle_read_bytes", "Read from shuffles, remote and local.", "bytes"),
        _amount("shuffle_write_bytes", "Written to shuffles.", "bytes"),
        _amount("memory_spilled_bytes", "Size in memory of what was spilled.", "bytes"),
        _amount("disk_spilled_bytes", "Size on disk of what was spilled.", "bytes"),
        _amount("peak_execution_memory_bytes", "Largest execution memory of any task.", "bytes"),
        _amount("unknown_events", "Events of classes that are not Spark's own."),
        _amount("broken_lines", "Lines of the log that are no event."),
        _amount("jobs_without_end", "Jobs that started and never ended, in a log that has an end."),
        _amount("stages_without_end", "Stages, likewise."),
        _amount("tasks_without_end", "Tasks, likewise."),
        _amount("dropped_events", "Events that Spark itself said it dropped."),
        _text("cluster_id", "Cluster it ran on."),
        _text("cluster_name", "Name of that cluster."),
        _text("run_id", "Run or step of the platform that started it."),
        _text("platform_state", "State in the words of the platform."),
        _text("log_address", "Where its event log was read."),
        Field("tags", MapOf(), personal=Personal.SCRUB, doc="Tags of the application and its cluster."),
        Field("environment", MapOf(), personal=Personal.SCRUB, doc="Spark properties, without secrets."),
        Field("source_coverage", ListOf(str), doc="Fields that the source cannot give; they are null."),
        Field(
            "data_quality", ListOf(str), doc="What limits the record: incomplete, truncated, event_loss, ..."
        ),
        _figure("core_seconds_reserved", "Lifetime times cores of all executors.", "core s"),
        _figure("core_seconds_used", "Run time of all tasks, in core seconds.", "core s"),
        _figure("wasted_executor_seconds", "Executor seconds in which no task could be paid for.", "s"),
        _figure("memory_gb_seconds_reserved", "Lifetime times memory and overhead.", "GiB s"),
        _amount("driver_only_ms", "Time in which no stage was active.", "ms"),
        _amount("peak_executor_memory_bytes", "Peak memory of any executor, where logged.", "bytes"),
        _figure("spill_ratio", "Disk bytes spilled over bytes read."),
        _figure("gc_ratio", "GC time over run time."),
        _figure("failure_rate", "Failed tasks over ended ones.", maximum=1),
        _figure("estimated_cost", "Reserved core and memory time at the prices of the settings."),
        _text("cost_currency", "Currency of the estimate."),
        Field("findings", ListOf(FINDING), personal=Personal.SCRUB, doc="What could be better, worst first."),
        Field("job_list", ListOf(JOB), doc="The Spark jobs, for the timeline."),
    ),
    partitions=Daily(FIRST_DAY, by="application_time"),
    landing="spark-applications/",
    rules=(
        row_count(minimum=1),
        primary_key(),
        partition_complete(every=False),
        schema(),
        quarantine(),
        completeness("app_name", max_missing=0),
        completeness("start_time", max_missing=0),
        completeness("duration_ms", max_missing=0, where={"status": ("COMPLETED", "FAILED")}),
        *APPLICATION_RULES,
        volume(),
        freshness(within=FRESH_WITHIN),
    ),
    retention=Retention(archive=timedelta(days=730)),
    cadence="*/15 * * * *",
    fresh_within=FRESH_WITHIN,
    collectors=COLLECTORS,
    object_name=object_name,
    derive=place,
    problems=problems,
    progress=Progress(column="status", running=RUNNING, identity="app_id"),
    provisional=Provisional(column="partitioned_by", value="start", identity="attempt_key"),
    streams=True,
    parts=application_part,
    knows_more=knows_more,
)
