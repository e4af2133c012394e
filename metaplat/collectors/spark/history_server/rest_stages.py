"""Jobs and stages as ``/jobs`` and ``/stages`` have them.

Here: one stage attempt each, one job each, and whether the server cut the lists.
Not here: sums over them (``rest_totals``), what failed for good (``rest_failures``).

The server keeps ``spark.ui.retainedStages`` and ``spark.ui.retainedJobs`` (1,000) and throws the oldest away
without a word. Numbers of jobs, stages and stage attempts are given in order, so a gap is a loss.

Quantiles are those of the server (Spark 3.1 and later): the value of one task at the place of the quantile,
where an event log gives the point between two. Those of durations are of all tasks and yet placed by the
number of the successful ones: where a task failed or was killed they are wrong, and left out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from metaplat.collectors.spark.attempt import Job, StageAttempt
from metaplat.collectors.spark.history_server.values import (
    figure,
    first_line,
    milliseconds_between,
    moment,
    objects,
    text,
    whole,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

QUANTILES = ("0", "0.5", "0.95", "1")
WITH_QUANTILES: Mapping[str, str] = {"withSummaries": "true", "quantiles": ",".join(QUANTILES)}
SKIPPED = "SKIPPED"
STATUSES = frozenset({"COMPLETE", "FAILED", "ACTIVE", SKIPPED})
"""PENDING is missing: a stage of a running job that was not submitted yet is none so far."""
JOB_STATUSES = {"SUCCEEDED": "SUCCEEDED", "FAILED": "FAILED"}
NANOSECONDS = 1_000_000
"""In a millisecond."""
Four = tuple[float | None, float | None, float | None, float | None]


def served_jobs(answer: Any) -> list[Job]:
    """Return the jobs of an answer to ``/jobs``, by their numbers."""
    found: dict[int, Job] = {}
    for served in objects(answer):
        number = whole(served.get("jobId"))
        if number is not None:
            found[number] = Job(
                job_id=number,
                status=JOB_STATUSES.get(served.get("status", ""), "RUNNING"),
                submission_time=moment(None, served.get("submissionTime")),
                completion_time=moment(None, served.get("completionTime")),
                stage_ids=_numbers(served.get("stageIds")),
            )
    return [found[number] for number in sorted(found)]


def served_stages(answer: Any, jobs: Iterable[Job]) -> list[StageAttempt]:
    """Return the stage attempts of an answer to ``/stages``, by their numbers.

    An attempt that the server calls skipped is left out where the stage was submitted after all, as another
    attempt: a skipped stage is one that never ran.

    Parameters
    ----------
    answer : any
        JSON; what has no number, and what is still pending, is left out.
    jobs : iterable of Job
        They say which of them planned a stage.
    """
    planned: dict[int, list[int]] = {}
    for job in jobs:
        for number in job.stage_ids:
            planned.setdefault(number, []).append(job.job_id)
    found: dict[tuple[int, int], StageAttempt] = {}
    for served in objects(answer):
        stage_id, attempt_id = whole(served.get("stageId")), whole(served.get("attemptId"))
        if stage_id is not None and attempt_id is not None and served.get("status") in STATUSES:
            stage = _stage(stage_id, attempt_id, served)
            stage.job_ids = planned.get(stage_id, [])
            found[stage_id, attempt_id] = stage
    ran = {stage.stage_id for stage in found.values() if stage.status != SKIPPED}
    return [
        stage for _, stage in sorted(found.items()) if stage.status != SKIPPED or stage.stage_id not in ran
    ]


def _stage(stage_id: int, attempt_id: int, served: dict[str, Any]) -> StageAttempt:
    submitted, completed = (moment(None, served.get(name)) for name in ("submissionTime", "completionTime"))
    cpu = whole(served.get("executorCpuTime"))
    succeeded, failed, killed = (
        whole(served.get(f"num{end}Tasks")) for end in ("Complete", "Failed", "Killed")
    )
    stage = StageAttempt(
        stage_id=stage_id,
        stage_attempt_id=attempt_id,
        name=text(served.get("name")),
        status=served["status"],
        submission_time=submitted,
        completion_time=completed,
        duration_ms=milliseconds_between(submitted, completed),
        planned_tasks=whole(served.get("numTasks")),
        tasks=None if succeeded is None or failed is None else succeeded + failed + (killed or 0),
        failed_tasks=failed,
        killed_tasks=killed,
        failure_reason=first_line(served.get("failureReason")),
        run_time_ms=whole(served.get("executorRunTime")),
        cpu_time_ms=None if cpu is None else cpu // NANOSECONDS,
        gc_time_ms=whole(served.get("jvmGcTime")),
        input_bytes=whole(served.get("inputBytes")),
        output_bytes=whole(served.get("outputBytes")),
        shuffle_read_bytes=whole(served.get("shuffleReadBytes")),
        shuffle_write_bytes=whole(served.get("shuffleWriteBytes")),
        memory_spilled_bytes=whole(served.get("memoryBytesSpilled")),
        disk_spilled_bytes=whole(served.get("diskBytesSpilled")),
    )
    _fill_quantiles(stage, served.get("taskMetricsDistributions"))
    return stage


def _fill_quantiles(stage: StageAttempt, spread: Any) -> None:
    """Fill what the server says of single tasks; a stage without a successful task has none."""
    if not isinstance(spread, dict):
        return
    if stage.failed_tasks == stage.killed_tasks == 0:
        least, median, p95, most = _four(spread.get("duration"))
        stage.task_ms_min, stage.task_ms_median = least, median
        stage.task_ms_p95, stage.task_ms_max = p95, most
    _, stage.input_bytes_median, _, stage.input_bytes_max = _four(
        _inside(spread, "inputMetrics", "bytesRead")
    )
    _, stage.shuffle_read_bytes_median, _, stage.shuffle_read_bytes_max = _four(
        _inside(spread, "shuffleReadMetrics", "readBytes")
    )
    peak = _four(spread.get("peakExecutionMemory"))[3]
    stage.peak_execution_memory_bytes = None if peak is None else int(peak)


def _four(values: Any) -> Four:
    if not isinstance(values, list) or len(values) != len(QUANTILES):
        return None, None, None, None
    least, median, p95, most = (figure(value) for value in values)
    return least, median, p95, most


def _inside(spread: dict[str, Any], group: str, name: str) -> Any:
    found = spread.get(group)
    return found.get(name) if isinstance(found, dict) else None


def cpu_nanoseconds(answer: Any) -> int | None:
    """Return the CPU time of all stages of an answer to ``/stages``; None where one does not say.

    Milliseconds of each stage, rounded down, would add up to less.
    """
    times = [whole(served.get("executorCpuTime")) for served in objects(answer)]
    known = [time for time in times if time is not None]
    return sum(known) if len(known) == len(times) else None


def are_jobs_cut(jobs: Sequence[Job]) -> bool:
    """Whether the server threw jobs away."""
    return bool(jobs) and len(jobs) <= jobs[-1].job_id


def are_stages_cut(answer: Any, jobs: Sequence[Job]) -> bool:
    """Whether the server threw stages away: numbers are missing, or stages that a job planned.

    Parameters
    ----------
    answer : any
        To ``/stages``; here a pending stage counts as one.
    jobs : sequence of Job
        As far as the server has them.
    """
    newest: dict[int, int] = {}
    attempts = 0
    for served in objects(answer):
        stage_id, attempt_id = whole(served.get("stageId")), whole(served.get("attemptId"))
        if stage_id is not None and attempt_id is not None:
            attempts += 1
            newest[stage_id] = max(newest.get(stage_id, 0), attempt_id)
    planned = {stage_id for job in jobs for stage_id in job.stage_ids}
    whole_ids = len(newest) == max(newest, default=-1) + 1
    return not whole_ids or not planned <= newest.keys() or attempts < sum(newest.values()) + len(newest)


def _numbers(value: Any) -> list[int]:
    found = [whole(item) for item in value] if isinstance(value, list) else []
    return [number for number in found if number is not None]
