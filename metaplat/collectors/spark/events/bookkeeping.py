"""What every event but the tasks' changes in the state.

Here: one function an event, by the name of its class.
Not here: tasks (``stage_tasks``), finding the events (``lines``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec.json import Decoder  # noqa: TID253  # imported only when a log is read

from metaplat.collectors.spark.events import shapes
from metaplat.collectors.spark.events.stage_tasks import keep_peaks
from metaplat.collectors.spark.events.state import PlannedJob, PlannedStage
from metaplat.collectors.spark.reasons import reason_line

if TYPE_CHECKING:
    from collections.abc import Callable

    from metaplat.collectors.spark.events.stage_tasks import StageTasks
    from metaplat.collectors.spark.events.state import Stage, State

SPARKS_OWN = "org.apache.spark."
OWN = {
    f"SparkListener{name}"
    for name in (
        "ApplicationEnd",
        "ApplicationStart",
        "BlockManagerAdded",
        "BlockManagerRemoved",
        "BlockUpdated",
        "DriverAccumUpdates",
        "EnvironmentUpdate",
        "ExecutorAdded",
        "ExecutorBlacklisted",
        "ExecutorBlacklistedForStage",
        "ExecutorExcluded",
        "ExecutorExcludedForStage",
        "ExecutorMetricsUpdate",
        "ExecutorRemoved",
        "ExecutorUnblacklisted",
        "ExecutorUnexcluded",
        "JobEnd",
        "JobStart",
        "JobTagAdded",
        "LogStart",
        "MiscellaneousProcessAdded",
        "NodeBlacklisted",
        "NodeBlacklistedForStage",
        "NodeExcluded",
        "NodeExcludedForStage",
        "NodeUnblacklisted",
        "NodeUnexcluded",
        "ResourceProfileAdded",
        "SpeculativeTaskSubmitted",
        "StageCompleted",
        "StageExecutorMetrics",
        "StageSpeculativeTaskSubmitted",
        "StageSubmitted",
        "TaskEnd",
        "TaskGettingResult",
        "TaskStart",
        "UnpersistRDD",
        "UnschedulableTaskSetAdded",
        "UnschedulableTaskSetRemoved",
    )
}
"""Spark's own events, beside those of its packages, SQL's and others."""


class Bookkeeping:
    """Keeps the state of all but tasks.

    Parameters
    ----------
    state : State
        Changed by every event.
    tasks : StageTasks
        Told when a stage is completed.
    """

    def __init__(self, state: State, tasks: StageTasks) -> None:
        self._state, self._tasks = state, tasks
        kinds: dict[str, tuple[type, Callable[[Any], None]]] = {
            "LogStart": (shapes.LogStart, self._log_start),
            "ApplicationStart": (shapes.ApplicationStart, self._application_start),
            "ApplicationEnd": (shapes.ApplicationEnd, self._application_end),
            "EnvironmentUpdate": (shapes.EnvironmentUpdate, self._environment),
            "ExecutorAdded": (shapes.ExecutorAdded, self._executor_added),
            "ExecutorRemoved": (shapes.ExecutorRemoved, self._executor_removed),
            "JobStart": (shapes.JobStart, self._job_start),
            "JobEnd": (shapes.JobEnd, self._job_end),
            "StageSubmitted": (shapes.StageEvent, self._stage_submitted),
            "StageCompleted": (shapes.StageEvent, self._stage_completed),
            "ResourceProfileAdded": (shapes.ResourceProfile, self._profile),
            "StageExecutorMetrics": (shapes.StagePeaks, self._stage_peaks),
            "ExecutorMetricsUpdate": (shapes.MetricsUpdate, self._metrics_update),
        }
        self._kinds: dict[str, tuple[Callable[[bytes], Any], Callable[[Any], None]]] = {
            f"SparkListener{name}": (Decoder(shape).decode, keep) for name, (shape, keep) in kinds.items()
        }

    def wants(self, name: str) -> bool:
        """Return whether anything is wanted of events of this name."""
        return name in self._kinds

    def keep(self, name: str, line: bytes) -> None:
        """Keep what a line says, the event of which is wanted.

        Raises
        ------
        msgspec.DecodeError
            It is no such event.
        """
        decode, keep = self._kinds[name]
        keep(decode(line))

    def count(self, name: str, events: int = 1) -> None:
        """Count events by whether Spark itself has such."""
        if name in OWN or name.startswith(SPARKS_OWN):
            self._state.application.known_events += events
        else:
            self._state.application.unknown_events += events

    def _log_start(self, event: shapes.LogStart) -> None:
        self._state.application.version = event.version or self._state.application.version

    def _application_start(self, event: shapes.ApplicationStart) -> None:
        application = self._state.application
        moment = application.moment(event.timestamp)
        if application.started:
            application.flags.add("repeated_application_start")
            if event.app_id != application.app_id:
                application.others.add(event.app_id or "one without an id")
            return
        application.started, application.started_ms = True, moment
        application.name, application.user = event.name or None, event.user or None
        application.app_id, application.attempt_id = event.app_id, event.attempt_id

    def _application_end(self, event: shapes.ApplicationEnd) -> None:
        application = self._state.application
        application.ended = True
        application.ended_ms = application.moment(event.timestamp)
        application.exit_code = event.exit_code

    def _environment(self, event: shapes.EnvironmentUpdate) -> None:
        self._state.application.properties = {key: str(value) for key, value in event.properties.items()}

    def _profile(self, event: shapes.ResourceProfile) -> None:
        amounts = {name: int(request.amount) for name, request in event.requests.items()}
        self._state.application.profiles[event.profile_id] = amounts

    def _executor_added(self, event: shapes.ExecutorAdded) -> None:
        executor = self._state.executor(event.executor_id)
        moment = self._state.application.moment(event.timestamp)
        executor.added_ms = moment if executor.added_ms is None else executor.added_ms
        executor.removed, executor.removed_ms, executor.removed_reason = False, None, None
        executor.host = (event.info.host or "").rsplit(":", 1)[0] or None
        executor.cores, executor.profile = event.info.cores, event.info.profile

    def _executor_removed(self, event: shapes.ExecutorRemoved) -> None:
        executor = self._state.executor(event.executor_id)
        executor.removed, executor.removed_ms = True, self._state.application.moment(event.timestamp)
        executor.removed_reason = reason_line(event.reason)

    def _job_start(self, event: shapes.JobStart) -> None:
        job = self._state.jobs.setdefault(event.job_id, PlannedJob(event.job_id))
        job.started, job.submitted_ms = True, self._state.application.moment(event.submitted)
        job.stage_ids = list(dict.fromkeys(event.stage_ids))
        for stage_id in job.stage_ids:
            planned = self._state.planned.setdefault(stage_id, PlannedStage())
            if event.job_id not in planned.job_ids:
                planned.job_ids.append(event.job_id)
        for info in event.stages:
            if named := self._state.planned.get(info.stage_id):
                named.name, named.tasks = info.name, info.tasks

    def _job_end(self, event: shapes.JobEnd) -> None:
        job = self._state.jobs.setdefault(event.job_id, PlannedJob(event.job_id))
        job.ended, job.succeeded = True, event.result.result == "JobSucceeded"
        job.completed_ms = self._state.application.moment(event.completed)

    def _stage_submitted(self, event: shapes.StageEvent) -> None:
        stage = self._stage(event.info)
        stage.submitted = True

    def _stage_completed(self, event: shapes.StageEvent) -> None:
        stage = self._stage(event.info)
        stage.completed = True
        stage.completed_ms = self._state.application.moment(event.info.completed)
        stage.failure = reason_line(event.info.failure)
        self._tasks.close(stage)

    def _stage(self, info: shapes.StageInfo) -> Stage:
        stage = self._state.stage(info.stage_id, info.attempt_id)
        stage.name = info.name if stage.name is None else stage.name
        stage.planned = info.tasks if info.tasks is not None else stage.planned
        submitted = self._state.application.moment(info.submitted)
        stage.submitted_ms = submitted if submitted is not None else stage.submitted_ms
        return stage

    def _stage_peaks(self, event: shapes.StagePeaks) -> None:
        keep_peaks(self._state, event.executor_id, event.metrics)

    def _metrics_update(self, event: shapes.MetricsUpdate) -> None:
        for update in event.updates:
            keep_peaks(self._state, event.executor_id, update.metrics)
