"""One attempt of a Spark application, as every source fills it.

Here: the fields with their units, and their form as a landed record.
Not here: filling them (``events``, ``history_server``, ``emr``, ``databricks``, ``dataproc``), the figures
and findings concluded from them (``conclusions``).

None means unknown. A count that was seen to be nothing is 0. Times are aware UTC.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields, is_dataclass
from datetime import UTC, datetime
from typing import Any

RUNNING, COMPLETED, FAILED, KILLED = "RUNNING", "COMPLETED", "FAILED", "KILLED"

HISTOGRAM_BUCKETS = 32
"""Bucket 0 counts tasks below 1 ms, bucket i those of [2**(i-1), 2**i) ms; the last one all longer ones."""


@dataclass
class StageAttempt:
    """One attempt of a stage.

    Parameters
    ----------
    stage_id, stage_attempt_id : int
        Identity within the application attempt.
    name : str or None
        Spark's name: the call site.
    status : str
        ``COMPLETE``, ``FAILED``, ``ACTIVE`` (submitted, not ended) or ``SKIPPED`` (planned, never submitted).
    job_ids : list of int
        Jobs that planned the stage.
    planned_tasks : int or None
        Number of tasks that Spark says the stage has.
    tasks : int or None
        Distinct task ids that ended in it.
    failed_tasks, killed_tasks : int or None
        Of those.
    failure_reason : str or None
        First line of Spark's failure reason.
    *_ms, *_bytes : int or None
        Sums over all ended tasks, failed ones included.
    task_ms_min, task_ms_median, task_ms_p95, task_ms_max : float or None
        Durations of successful tasks (finish minus launch).
    task_ms_histogram : list of int or None
        Successful tasks by duration, see ``HISTOGRAM_BUCKETS``; trailing zeros are left out.
    input_bytes_median, input_bytes_max, shuffle_read_bytes_median, shuffle_read_bytes_max : float or None
        Of one successful task.
    peak_execution_memory_bytes : int or None
        Largest of any task.
    task_time_skew, input_skew, shuffle_skew : float or None
        Largest over median; None where the median is 0 or there are fewer than two tasks. Concluded.
    spill_ratio : float or None
        Disk bytes spilled over bytes read (input and shuffle). Concluded.
    gc_ratio : float or None
        GC time over run time. Concluded.
    failure_rate : float or None
        Failed tasks over ended ones. Concluded.
    """

    stage_id: int
    stage_attempt_id: int
    name: str | None = None
    status: str = "ACTIVE"
    job_ids: list[int] = field(default_factory=list)
    submission_time: datetime | None = None
    completion_time: datetime | None = None
    duration_ms: int | None = None
    planned_tasks: int | None = None
    tasks: int | None = None
    failed_tasks: int | None = None
    killed_tasks: int | None = None
    failure_reason: str | None = None
    run_time_ms: int | None = None
    cpu_time_ms: int | None = None
    gc_time_ms: int | None = None
    input_bytes: int | None = None
    output_bytes: int | None = None
    shuffle_read_bytes: int | None = None
    shuffle_write_bytes: int | None = None
    memory_spilled_bytes: int | None = None
    disk_spilled_bytes: int | None = None
    task_ms_min: float | None = None
    task_ms_median: float | None = None
    task_ms_p95: float | None = None
    task_ms_max: float | None = None
    task_ms_histogram: list[int] | None = None
    input_bytes_median: float | None = None
    input_bytes_max: float | None = None
    shuffle_read_bytes_median: float | None = None
    shuffle_read_bytes_max: float | None = None
    peak_execution_memory_bytes: int | None = None
    task_time_skew: float | None = None
    input_skew: float | None = None
    shuffle_skew: float | None = None
    spill_ratio: float | None = None
    gc_ratio: float | None = None
    failure_rate: float | None = None


@dataclass
class Executor:
    """One executor, from its registration to its end; in local mode the driver, which does the work.

    Parameters
    ----------
    executor_id : str
        Spark's id; ``driver`` in local mode.
    host : str or None
        Without the port.
    add_time, remove_time : datetime or None
        Remove time is None while it is alive; for an ended application it lived until the end.
    removed_reason : str or None
        First line of Spark's reason.
    cores : int or None
        ``Total Cores``.
    memory_mb : int or None
        Heap in MiB of its resource profile, else of the application.
    overhead_mb : int or None
        Memory beyond the heap in MiB.
    lifetime_ms : int or None
        Until its removal, else the end of the application, else the last event.
    tasks, failed_tasks : int or None
        Distinct task ids that ended on it, and those of them that failed.
    peak_heap_bytes, peak_memory_bytes : int or None
        Peak JVM heap, and peak process tree RSS, where the log has executor metrics.
    """

    executor_id: str
    host: str | None = None
    add_time: datetime | None = None
    remove_time: datetime | None = None
    removed_reason: str | None = None
    cores: int | None = None
    memory_mb: int | None = None
    overhead_mb: int | None = None
    lifetime_ms: int | None = None
    tasks: int | None = None
    failed_tasks: int | None = None
    run_time_ms: int | None = None
    gc_time_ms: int | None = None
    input_bytes: int | None = None
    shuffle_read_bytes: int | None = None
    shuffle_write_bytes: int | None = None
    peak_heap_bytes: int | None = None
    peak_memory_bytes: int | None = None


@dataclass
class Job:
    """One Spark job: what an action started. ``status`` is RUNNING, SUCCEEDED or FAILED."""

    job_id: int
    status: str = "RUNNING"
    submission_time: datetime | None = None
    completion_time: datetime | None = None
    stage_ids: list[int] = field(default_factory=list)


@dataclass
class Finding:
    """Something worth changing, with its evidence and a concrete setting to try.

    Parameters
    ----------
    kind : str
        Stable name: ``task_skew``, ``spill``, ...
    severity : str
        ``low``, ``medium`` or ``high``.
    stage_id, stage_attempt_id : int or None
        The stage it is about; None for the application.
    evidence : str
        What was measured, one sentence with the numbers.
    advice : str
        What to try, naming a setting or a change.
    """

    kind: str
    severity: str
    evidence: str
    advice: str
    stage_id: int | None = None
    stage_attempt_id: int | None = None


@dataclass
class ApplicationAttempt:
    """One attempt of a Spark application, section 1 of the normalised record.

    ``source`` is the name of the collector as the command line has it (``event-logs``, ``history-server``,
    ``emr``, ``databricks``, ``dataproc``). ``source_coverage`` names the fields that this source cannot give;
    they are None. ``data_quality`` holds flags such as ``incomplete``, ``compacted``, ``truncated``,
    ``broken_lines``, ``event_loss``, ``submit_time_missing``, ``hs_truncated``. ``log_address`` is where the
    event log was read, without any secret. Sums are over all ended tasks, failed ones included;
    ``total_tasks`` counts distinct task ids. Fields below ``Concluded`` are filled by
    ``conclusions.conclude``.
    """

    source: str
    app_id: str
    attempt_id: str | None = None
    app_name: str | None = None
    user: str | None = None
    status: str = RUNNING
    exit_code: int | None = None
    submit_time: datetime | None = None
    start_time: datetime | None = None
    end_time: datetime | None = None
    observed_start: datetime | None = None
    observed_end: datetime | None = None
    duration_ms: int | None = None
    spark_version: str | None = None
    master: str | None = None
    executor_cores: int | None = None
    executor_memory_mb: int | None = None
    driver_memory_mb: int | None = None
    num_executors: int | None = None
    num_executors_added: int | None = None
    executor_seconds: float | None = None
    total_tasks: int | None = None
    failed_tasks: int | None = None
    killed_tasks: int | None = None
    resubmitted_tasks: int | None = None
    speculative_tasks: int | None = None
    total_stages: int | None = None
    failed_stages: int | None = None
    skipped_stages: int | None = None
    jobs: int | None = None
    failed_jobs: int | None = None
    cpu_time_ms: int | None = None
    run_time_ms: int | None = None
    gc_time_ms: int | None = None
    input_bytes: int | None = None
    output_bytes: int | None = None
    shuffle_read_bytes: int | None = None
    shuffle_write_bytes: int | None = None
    memory_spilled_bytes: int | None = None
    disk_spilled_bytes: int | None = None
    peak_execution_memory_bytes: int | None = None
    unknown_events: int | None = None
    broken_lines: int | None = None
    jobs_without_end: int | None = None
    stages_without_end: int | None = None
    tasks_without_end: int | None = None
    dropped_events: int | None = None
    cluster_id: str | None = None
    cluster_name: str | None = None
    run_id: str | None = None
    platform_state: str | None = None
    log_address: str | None = None
    tags: dict[str, str] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=dict)
    source_coverage: list[str] = field(default_factory=list)
    data_quality: list[str] = field(default_factory=list)
    # Concluded.
    core_seconds_reserved: float | None = None
    core_seconds_used: float | None = None
    wasted_executor_seconds: float | None = None
    memory_gb_seconds_reserved: float | None = None
    driver_only_ms: int | None = None
    peak_executor_memory_bytes: int | None = None
    spill_ratio: float | None = None
    gc_ratio: float | None = None
    failure_rate: float | None = None
    estimated_cost: float | None = None
    cost_currency: str | None = None
    findings: list[Finding] = field(default_factory=list)
    # Parts.
    job_list: list[Job] = field(default_factory=list)
    stages: list[StageAttempt] = field(default_factory=list)
    executors: list[Executor] = field(default_factory=list)

    def flag(self, name: str) -> None:
        """Add a flag to ``data_quality``, once; they stay sorted."""
        self.data_quality = sorted({*self.data_quality, name})

    def record(self) -> dict[str, Any]:
        """Return the landed record: JSON values, times as ISO 8601 in UTC with milliseconds."""
        return {each.name: _plain(getattr(self, each.name)) for each in fields(self)}


def _plain(value: Any) -> Any:  # any value of a field
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if is_dataclass(value):
        return {each.name: _plain(getattr(value, each.name)) for each in fields(value)}
    return value
