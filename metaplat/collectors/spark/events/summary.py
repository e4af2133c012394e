"""The attempt that the state of a replay tells of.

Here: its figures, flags, jobs, stages and executors.
Not here: counting (``bookkeeping``, ``stage_tasks``), what is concluded from the attempt (``conclusions``).
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from metaplat.collectors.spark.attempt import (
    COMPLETED,
    FAILED,
    ApplicationAttempt,
    Executor,
    Job,
    StageAttempt,
)
from metaplat.collectors.spark.events.memory_sizes import executor_heap, executor_overhead, mebibytes
from metaplat.collectors.spark.events.state import LARGEST, LAST_MOMENT_MS, SUMS, Counts, Spread

if TYPE_CHECKING:
    from collections.abc import Iterator

    from metaplat.collectors.spark.events.state import PlannedJob, RunningExecutor, Stage, State

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
DRIVERS = frozenset({"driver", "<driver>"})
"""The second was its name until Spark 1.3."""


def summarised(state: State, tasks_without_end: int, source: str) -> ApplicationAttempt:
    """Return the attempt as far as its log was read.

    Parameters
    ----------
    state : State
        With all its tasks counted.
    tasks_without_end : int
        Tasks that started and did not end.
    source : str
        Of the record.
    """
    application = state.application
    attempt = ApplicationAttempt(source, application.app_id or "", application.attempt_id)
    attempt.app_name, attempt.user, attempt.spark_version = (
        application.name,
        application.user,
        application.version,
    )
    for flag in application.flags:
        attempt.flag(flag)
    _fill_times(attempt, state)
    _fill_environment(attempt, state)
    attempt.job_list = [_job(job, attempt) for _, job in sorted(state.jobs.items())]
    attempt.stages = [*_stages(state, attempt), *_skipped_stages(state)]
    attempt.stages.sort(key=lambda stage: (stage.stage_id, stage.stage_attempt_id))
    _fill_executors(attempt, state)
    _fill_totals(attempt, state)
    _fill_quality(attempt, state, tasks_without_end)
    return attempt


def _fill_times(attempt: ApplicationAttempt, state: State) -> None:
    application = state.application
    attempt.start_time, attempt.end_time = _time(application.started_ms), _time(application.ended_ms)
    attempt.observed_start, attempt.observed_end = _time(application.first_ms), _time(application.last_ms)
    attempt.duration_ms = _between(application.started_ms, application.ended_ms, attempt)
    if not application.ended:
        attempt.flag("incomplete")
    else:
        attempt.exit_code = application.exit_code
        attempt.status = FAILED if application.exit_code else COMPLETED
    if not application.started:
        attempt.flag("application_start_missing")


def _fill_environment(attempt: ApplicationAttempt, state: State) -> None:
    properties = state.application.properties or {}
    attempt.environment = dict(properties)
    attempt.app_id = attempt.app_id or properties.get("spark.app.id", "")
    attempt.master = properties.get("spark.master")
    submitted = properties.get("spark.app.submitTime", "")
    if submitted.isascii() and submitted.isdigit() and 0 < int(submitted[:20]) <= LAST_MOMENT_MS:
        attempt.submit_time = _time(int(submitted))
    else:
        attempt.flag("submit_time_missing")
    attempt.driver_memory_mb = mebibytes(properties.get("spark.driver.memory"))
    if state.application.properties is not None:
        attempt.executor_memory_mb = executor_heap(properties)
    cores = properties.get("spark.executor.cores", "").strip()
    if cores.isascii() and cores.isdigit():
        attempt.executor_cores = int(cores[:9])
    else:
        known = (executor.cores for executor in _by_age(state) if executor.cores is not None)
        attempt.executor_cores = next(known, None)


def _job(job: PlannedJob, attempt: ApplicationAttempt) -> Job:
    status = ("SUCCEEDED" if job.succeeded else "FAILED") if job.ended else "RUNNING"
    if _is_back(job.submitted_ms, job.completed_ms):
        attempt.flag("clock_skew")
    return Job(job.job_id, status, _time(job.submitted_ms), _time(job.completed_ms), job.stage_ids)


def _stages(state: State, attempt: ApplicationAttempt) -> Iterator[StageAttempt]:
    for stage in (stage for attempts in state.stages.values() for stage in attempts.values()):
        planned = state.planned.get(stage.stage_id)
        told = StageAttempt(
            stage.stage_id, stage.attempt_id, stage.name or (planned.name if planned else None)
        )
        told.status = ("COMPLETE" if stage.failure is None else "FAILED") if stage.completed else "ACTIVE"
        told.job_ids = sorted(planned.job_ids) if planned else []
        told.submission_time, told.completion_time = _time(stage.submitted_ms), _time(stage.completed_ms)
        told.duration_ms = _between(stage.submitted_ms, stage.completed_ms, attempt)
        told.planned_tasks, told.failure_reason = stage.planned, stage.failure
        told.peak_execution_memory_bytes = stage.peak
        _fill_counts(told, stage.counts, cpu_known=_cpu_known(state))
        _fill_spread(told, stage)
        yield told


def _skipped_stages(state: State) -> Iterator[StageAttempt]:
    """Yield stages that were planned and not submitted, once a job that planned them has ended.

    Until then they may still be submitted, which Spark calls pending: they are left out.
    """
    for stage_id, planned in state.planned.items():
        if stage_id in state.stages or not any(state.jobs[job_id].ended for job_id in planned.job_ids):
            continue
        told = StageAttempt(stage_id, 0, planned.name, "SKIPPED", sorted(planned.job_ids))
        told.planned_tasks = planned.tasks
        _fill_counts(told, Counts(), cpu_known=_cpu_known(state))
        yield told


def _cpu_known(state: State) -> bool:
    """Return whether CPU time is logged: not before Spark 2.1."""
    return state.application.cpu_seen or not state.application.metrics_seen


def _fill_counts(told: StageAttempt | ApplicationAttempt, counts: Counts, *, cpu_known: bool) -> None:
    sums = dict(zip(SUMS, counts.sums, strict=True))
    told.failed_tasks, told.killed_tasks = counts.failed, counts.killed
    told.run_time_ms, told.gc_time_ms = sums["run"], sums["gc"]
    told.cpu_time_ms = sums["cpu_ns"] // 1_000_000 if cpu_known else None
    told.input_bytes, told.output_bytes = sums["input"], sums["output"]
    told.shuffle_read_bytes, told.shuffle_write_bytes = sums["shuffle_read"], sums["shuffle_write"]
    told.memory_spilled_bytes, told.disk_spilled_bytes = sums["memory_spilled"], sums["disk_spilled"]
    if isinstance(told, StageAttempt):
        told.tasks = counts.tasks
    else:
        told.total_tasks = counts.tasks


def _fill_spread(told: StageAttempt, stage: Stage) -> None:
    spread = stage.spread or (stage.samples.spread() if stage.samples else Spread())
    told.task_ms_min, told.task_ms_median = spread.least, spread.median
    told.task_ms_p95, told.task_ms_max = spread.p95, spread.most
    told.task_ms_histogram = spread.histogram
    told.input_bytes_median, told.input_bytes_max = spread.input_median, spread.input_most
    told.shuffle_read_bytes_median, told.shuffle_read_bytes_max = spread.shuffle_median, spread.shuffle_most


def _fill_executors(attempt: ApplicationAttempt, state: State) -> None:
    last = state.application.ended_ms or state.application.last_ms
    alive: list[tuple[int, int]] = []
    added, lived = 0, list[int | None]()
    for executor in _by_age(state):
        told = _executor(executor, state, attempt)
        told.lifetime_ms = _between(
            executor.added_ms, executor.removed_ms if executor.removed else last, attempt
        )
        attempt.executors.append(told)
        if executor.executor_id in DRIVERS:
            continue
        added += 1
        lived.append(told.lifetime_ms)
        alive.append((executor.added_ms or 0, 1))
        if executor.removed:
            alive.append((executor.removed_ms or LARGEST, -1))
    attempt.num_executors_added = added
    known = [lifetime for lifetime in lived if lifetime is not None]
    attempt.executor_seconds = sum(known) / 1000 if len(known) == len(lived) else None
    attempt.num_executors = most = 0
    for _, change in sorted(alive):  # at the same time one goes before another comes
        most += change
        attempt.num_executors = max(most, attempt.num_executors)


def _by_age(state: State) -> list[RunningExecutor]:
    """Return the executors as they were added, those that never were behind; ``9`` comes before ``10``."""

    def age(executor: RunningExecutor) -> tuple[int, int, str]:
        added = LARGEST if executor.added_ms is None else executor.added_ms
        return added, len(executor.executor_id), executor.executor_id

    return sorted(state.executors.values(), key=age)


def _executor(executor: RunningExecutor, state: State, attempt: ApplicationAttempt) -> Executor:
    told = Executor(executor.executor_id, executor.host, _time(executor.added_ms), _time(executor.removed_ms))
    told.removed_reason, told.cores = executor.removed_reason, executor.cores
    told.memory_mb, told.overhead_mb = _memory(executor, state, attempt)
    sums = dict(zip(SUMS, executor.counts.sums, strict=True))
    told.tasks, told.failed_tasks = executor.counts.tasks, executor.counts.failed
    told.run_time_ms, told.gc_time_ms, told.input_bytes = sums["run"], sums["gc"], sums["input"]
    told.shuffle_read_bytes, told.shuffle_write_bytes = sums["shuffle_read"], sums["shuffle_write"]
    if peaks := state.peaks.get(executor.executor_id):
        told.peak_heap_bytes, told.peak_memory_bytes = peaks.heap, peaks.memory
    return told


def _memory(
    executor: RunningExecutor, state: State, attempt: ApplicationAttempt
) -> tuple[int | None, int | None]:
    """Return heap and overhead in MiB: of its resource profile, else of the application."""
    if executor.executor_id in DRIVERS:
        return attempt.driver_memory_mb, None
    profile = state.application.profiles.get(executor.profile, {})
    heap = profile.get("memory", attempt.executor_memory_mb)
    if heap is None or state.application.properties is None:
        return heap, profile.get("memoryOverhead")
    return heap, profile.get("memoryOverhead", executor_overhead(state.application.properties, heap))


def _fill_totals(attempt: ApplicationAttempt, state: State) -> None:
    total, peaks = Counts(), []
    for stage in (stage for attempts in state.stages.values() for stage in attempts.values()):
        total.add((stage.counts.tasks, stage.counts.failed, stage.counts.killed, *stage.counts.sums))
        peaks += [] if stage.peak is None else [stage.peak]
    _fill_counts(attempt, total, cpu_known=_cpu_known(state))
    attempt.peak_execution_memory_bytes = max(peaks, default=None)
    attempt.resubmitted_tasks = state.application.resubmitted
    attempt.speculative_tasks = state.application.speculative
    attempt.jobs, attempt.failed_jobs = (
        len(attempt.job_list),
        sum(job.status == "FAILED" for job in attempt.job_list),
    )
    attempt.skipped_stages = sum(stage.status == "SKIPPED" for stage in attempt.stages)
    attempt.total_stages = len(attempt.stages) - attempt.skipped_stages
    attempt.failed_stages = sum(stage.status == "FAILED" for stage in attempt.stages)


def _fill_quality(attempt: ApplicationAttempt, state: State, tasks_without_end: int) -> None:
    application = state.application
    attempt.unknown_events, attempt.broken_lines = application.unknown_events, application.broken_lines
    if application.broken_lines:
        attempt.flag("broken_lines")
    if not application.ended:
        return
    attempt.jobs_without_end = sum(job.started and not job.ended for job in state.jobs.values())
    stages = [stage for attempts in state.stages.values() for stage in attempts.values()]
    attempt.stages_without_end = sum(stage.submitted and not stage.completed for stage in stages)
    attempt.tasks_without_end = tasks_without_end
    if (
        attempt.jobs_without_end
        or attempt.stages_without_end
        or tasks_without_end
        or any(_lacks_tasks(stage) for stage in stages)
    ):
        attempt.flag("event_loss")


def _lacks_tasks(stage: Stage) -> bool:
    """Return whether fewer tasks ended than were planned, in a stage that was completed.

    A second attempt may be completed by tasks of the first, so only first ones tell.
    """
    complete = stage.completed and stage.failure is None and stage.attempt_id == 0
    return complete and stage.planned is not None and stage.counts.tasks < stage.planned


def _time(milliseconds: int | None) -> datetime | None:
    return None if milliseconds is None else EPOCH + timedelta(milliseconds=milliseconds)


def _is_back(start: int | None, end: int | None) -> bool:
    return start is not None and end is not None and end < start


def _between(start: int | None, end: int | None, attempt: ApplicationAttempt) -> int | None:
    """Return a duration; none where a time is unknown, or where the clock was set back, which is flagged."""
    if _is_back(start, end):
        attempt.flag("clock_skew")
        return None
    return None if start is None or end is None else end - start
