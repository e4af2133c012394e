"""What failed: jobs, stages that never succeeded, stages that were tried again, tasks.

Here: failures with the reason Spark gave.
Not here: executors that went away (``lost_executors``), though their loss may be the reason.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from metaplat.collectors.spark.attempt import Finding
from metaplat.collectors.spark.conclusions.findings.case import Weighed, about, graded
from metaplat.collectors.spark.conclusions.findings.lost_executors import is_memory, memory_advice
from metaplat.collectors.spark.conclusions.findings.wording import counted, percent
from metaplat.collectors.spark.conclusions.quantities import known
from metaplat.collectors.spark.conclusions.secret_values import shown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from metaplat.collectors.spark.attempt import StageAttempt
    from metaplat.collectors.spark.conclusions.findings.case import Case

FETCH = re.compile(
    r"FetchFailed|fetch fail|MetadataFetchFailed|shuffle.{0,40}(?:missing|lost)", re.IGNORECASE
)
LONGEST_LIST = 10


def failed_jobs(case: Case) -> Iterator[Weighed]:
    """Yield, as one finding, the jobs that failed."""
    attempt = case.attempt
    failed = sorted(job.job_id for job in attempt.job_list if job.status == "FAILED")
    number = max(len(failed), known(attempt.failed_jobs) or 0)
    if not number:
        return
    jobs = max(known(attempt.jobs) or 0, len(attempt.job_list), number)
    names = ", ".join(str(job) for job in failed[:LONGEST_LIST])
    more = f" and {len(failed) - LONGEST_LIST} more" if len(failed) > LONGEST_LIST else ""
    which = f": {names}{more}" if failed else ""
    evidence = f"{number:,} of {counted(jobs, 'job')} failed{which}."
    stages = any(stage.status == "FAILED" for stage in attempt.stages)
    where = "the reason of the failed stage" if stages else "the log of the driver"
    advice = f"Start with {where}; later jobs often fail of the same cause."
    yield Weighed(number, Finding("failed_jobs", "high", evidence, advice))


def failed_stages(case: Case) -> Iterator[Weighed]:
    """Yield the stages of which no attempt succeeded, one finding a stage."""
    for attempts in _failed(case).values():
        if not _succeeded(case, attempts[-1].stage_id):
            last = attempts[-1]
            tried = f"failed {len(attempts)} times" if len(attempts) > 1 else "failed"
            evidence = f"{tried}{_reason(last)}"
            yield Weighed(len(attempts), about(last, "failed_stage", "high", evidence, _advice(case, last)))


def retried_stages(case: Case) -> Iterator[Weighed]:
    """Yield the stages that succeeded after an attempt failed, one finding a stage."""
    for attempts in _failed(case).values():
        if _succeeded(case, attempts[-1].stage_id):
            last = attempts[-1]
            evidence = f"failed {counted(len(attempts), 'time')} and then succeeded{_reason(last)}"
            finding = about(last, "retried_stage", "medium", evidence, _advice(case, last))
            yield Weighed(len(attempts), finding)


def failed_tasks(case: Case) -> Iterator[Weighed]:
    """Yield stages with many failed tasks, where the failure of the stage itself is not told already."""
    settings = case.settings
    medium, high = settings.failure_medium, max(settings.failure_medium, settings.failure_high)
    failed_ids = _failed(case).keys()
    for stage in case.attempt.stages:
        severity, failed = graded(stage.failure_rate, medium, high), known(stage.failed_tasks)
        if severity is None or not failed or stage.stage_id in failed_ids:
            continue
        evidence = (
            f"{failed:,} of {counted(stage.tasks or 0, 'task')} failed ({percent(stage.failure_rate or 0)})."
        )
        limit = case.properties.whole("spark.task.maxFailures") or 4
        advice = (
            "Look at the error of these tasks in the log of their executors; a stage fails when one task "
            f"fails {counted(limit, 'time')} (spark.task.maxFailures)."
        )
        yield Weighed(failed, about(stage, "failed_tasks", severity, evidence, advice))


def _failed(case: Case) -> dict[int, list[StageAttempt]]:
    """Return the failed attempts of each stage, in the order they were tried."""
    found: dict[int, list[StageAttempt]] = {}
    for stage in sorted(case.attempt.stages, key=lambda stage: stage.stage_attempt_id):
        if stage.status == "FAILED":
            found.setdefault(stage.stage_id, []).append(stage)
    return found


def _succeeded(case: Case, stage_id: int) -> bool:
    return any(stage.status == "COMPLETE" for stage in case.stage_attempts[stage_id])


def _reason(stage: StageAttempt) -> str:
    return f": {shown(stage.failure_reason)}" if stage.failure_reason else ". Spark gives no reason."


def _advice(case: Case, stage: StageAttempt) -> str:
    reason = stage.failure_reason or ""
    if is_memory(reason):
        return memory_advice(case, reason)
    if FETCH.search(reason):
        return _fetch_advice(case)
    return "Look at the error in that reason first; a new run helps only where its cause is gone."


def _fetch_advice(case: Case) -> str:
    """Return what to do where shuffle files were gone: their executor went, or did not answer."""
    if not case.local and not case.properties.flag("spark.shuffle.service.enabled", default=False):
        return (
            "Shuffle files were gone with their executor: look at why executors were lost; with "
            "spark.shuffle.service.enabled=true (it is off) or a remote shuffle service they outlive it."
        )
    return (
        "Shuffle files were not to be had: look at why executors were lost, then raise spark.network.timeout."
    )
