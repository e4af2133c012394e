"""Events of Spark's log as far as they are needed: the keys are those of Spark's ``JsonProtocol``.

Here: one struct an event; keys that are not named are skipped without being decoded.
Not here: what the events mean (``bookkeeping``, ``stage_tasks``).

A missing number of a task's metrics is ``MISSING`` or, where Spark leaves out what is nothing, 0.
"""

from __future__ import annotations

from typing import Annotated, Any

from msgspec import Meta, Struct, field  # noqa: TID253  # imported only when a log is read

MISSING = -(2**63)
NO_STAGE = -1

Whole = Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)]
Id = Annotated[int, Meta(ge=0, le=2**63 - 1)]


class Named(Struct):
    """Any event."""

    event: str = field(name="Event")


class ShuffleRead(Struct, gc=False, frozen=True):
    """``Shuffle Read Metrics``; the local bytes came with Spark 1.4."""

    remote: Whole = field(name="Remote Bytes Read", default=0)
    local: Whole = field(name="Local Bytes Read", default=0)


class ShuffleWrite(Struct, gc=False, frozen=True):
    """``Shuffle Write Metrics``."""

    written: Whole = field(name="Shuffle Bytes Written", default=0)


class Input(Struct, gc=False, frozen=True):
    """``Input Metrics``."""

    read: Whole = field(name="Bytes Read", default=0)


class Output(Struct, gc=False, frozen=True):
    """``Output Metrics``."""

    written: Whole = field(name="Bytes Written", default=0)


class TaskMetrics(Struct, gc=False):
    """``Task Metrics``; CPU time came with Spark 2.1, and Spark 1 leaves out what was not done."""

    run: Whole = field(name="Executor Run Time", default=0)
    cpu: Whole = field(name="Executor CPU Time", default=MISSING)
    peak: Whole = field(name="Peak Execution Memory", default=MISSING)
    gc: Whole = field(name="JVM GC Time", default=0)
    memory_spilled: Whole = field(name="Memory Bytes Spilled", default=0)
    disk_spilled: Whole = field(name="Disk Bytes Spilled", default=0)
    shuffle_read: ShuffleRead | None = field(name="Shuffle Read Metrics", default=ShuffleRead())
    shuffle_write: ShuffleWrite | None = field(name="Shuffle Write Metrics", default=ShuffleWrite())
    input: Input | None = field(name="Input Metrics", default=Input())
    output: Output | None = field(name="Output Metrics", default=Output())


class ExecutorMetrics(Struct, gc=False):
    """Peaks of an executor; all are 0 where none was taken, the process tree's unless it is watched."""

    heap: Whole = field(name="JVMHeapMemory", default=0)
    jvm: Whole = field(name="ProcessTreeJVMRSSMemory", default=0)
    python: Whole = field(name="ProcessTreePythonRSSMemory", default=0)
    other: Whole = field(name="ProcessTreeOtherRSSMemory", default=0)


class EndReason(Struct):
    """``Task End Reason``."""

    reason: str = field(name="Reason")


class TaskKind(Struct):
    """What stands before ``Task Info``: the same for all tasks of a stage that ended alike."""

    stage_id: Id = field(name="Stage ID")
    stage_attempt_id: Id = field(name="Stage Attempt ID")
    end: EndReason = field(name="Task End Reason")


class TaskEnd(Struct, gc=False):
    """The rest of ``SparkListenerTaskEnd``, the keys of ``Task Info`` beside the metrics.

    Every TaskEnd since Spark 1.2 has them all; what lacks one is taken apart as ``LooseTaskEnd``.
    """

    task_id: Id = field(name="Task ID")
    launched: Whole = field(name="Launch Time")
    executor_id: str = field(name="Executor ID")
    speculative: bool = field(name="Speculative")
    finished: Whole = field(name="Finish Time")
    metrics: TaskMetrics | None = field(name="Task Metrics")
    executor_metrics: ExecutorMetrics | None = field(name="Task Executor Metrics", default=None)


class LooseTaskInfo(Struct):
    """``Task Info``, however little is there."""

    task_id: Id = field(name="Task ID")
    launched: Whole = field(name="Launch Time", default=0)
    executor_id: str = field(name="Executor ID", default="")
    speculative: bool = field(name="Speculative", default=False)
    finished: Whole = field(name="Finish Time", default=0)


class LooseTaskEnd(Struct):
    """``SparkListenerTaskEnd``, however little is there."""

    stage_id: Id = field(name="Stage ID")
    end: EndReason = field(name="Task End Reason")
    info: LooseTaskInfo = field(name="Task Info")
    stage_attempt_id: Id = field(name="Stage Attempt ID", default=0)
    metrics: TaskMetrics | None = field(name="Task Metrics", default=None)
    executor_metrics: ExecutorMetrics | None = field(name="Task Executor Metrics", default=None)


class StartedTask(Struct, gc=False):
    """``Task Info`` of a TaskStart."""

    task_id: Id = field(name="Task ID")
    launched: Whole = field(name="Launch Time", default=0)


class TaskStart(Struct, gc=False):
    """``SparkListenerTaskStart``."""

    info: StartedTask = field(name="Task Info")
    stage_id: Whole = field(name="Stage ID", default=NO_STAGE)
    attempt_id: Whole = field(name="Stage Attempt ID", default=0)


class LogStart(Struct):
    """``SparkListenerLogStart``."""

    version: str | None = field(name="Spark Version", default=None)


class ApplicationStart(Struct):
    """``SparkListenerApplicationStart``; Spark 1.2 has no id of the application."""

    name: str | None = field(name="App Name", default=None)
    app_id: str | None = field(name="App ID", default=None)
    timestamp: Whole = field(name="Timestamp", default=0)
    user: str | None = field(name="User", default=None)
    attempt_id: str | None = field(name="App Attempt ID", default=None)


class ApplicationEnd(Struct):
    """``SparkListenerApplicationEnd``; the exit code came with Spark 4."""

    timestamp: Whole = field(name="Timestamp", default=0)
    exit_code: Whole | None = field(name="ExitCode", default=None)


class EnvironmentUpdate(Struct):
    """``SparkListenerEnvironmentUpdate``."""

    properties: dict[str, Any] = field(name="Spark Properties", default_factory=dict)


class ExecutorInfo(Struct):
    """``Executor Info``."""

    host: str | None = field(name="Host", default=None)
    cores: Whole | None = field(name="Total Cores", default=None)
    profile: Whole = field(name="Resource Profile Id", default=0)


class ExecutorAdded(Struct):
    """``SparkListenerExecutorAdded``."""

    executor_id: str = field(name="Executor ID")
    timestamp: Whole = field(name="Timestamp", default=0)
    info: ExecutorInfo = field(name="Executor Info", default_factory=ExecutorInfo)


class ExecutorRemoved(Struct):
    """``SparkListenerExecutorRemoved``."""

    executor_id: str = field(name="Executor ID")
    timestamp: Whole = field(name="Timestamp", default=0)
    reason: str | None = field(name="Removed Reason", default=None)


class StageInfo(Struct):
    """``Stage Info``."""

    stage_id: Id = field(name="Stage ID")
    attempt_id: Id = field(name="Stage Attempt ID", default=0)
    name: str | None = field(name="Stage Name", default=None)
    tasks: Id | None = field(name="Number of Tasks", default=None)
    submitted: Whole | None = field(name="Submission Time", default=None)
    completed: Whole | None = field(name="Completion Time", default=None)
    failure: str | None = field(name="Failure Reason", default=None)


class StageEvent(Struct):
    """``SparkListenerStageSubmitted`` and ``SparkListenerStageCompleted``."""

    info: StageInfo = field(name="Stage Info")


class JobStart(Struct):
    """``SparkListenerJobStart``; Spark 1.2 has neither its time nor what the stages are."""

    job_id: Id = field(name="Job ID")
    submitted: Whole | None = field(name="Submission Time", default=None)
    stage_ids: list[Id] = field(name="Stage IDs", default_factory=list)
    stages: list[StageInfo] = field(name="Stage Infos", default_factory=list)


class JobResult(Struct):
    """``Job Result``."""

    result: str | None = field(name="Result", default=None)


class JobEnd(Struct):
    """``SparkListenerJobEnd``."""

    job_id: Id = field(name="Job ID")
    completed: Whole | None = field(name="Completion Time", default=None)
    result: JobResult = field(name="Job Result", default_factory=JobResult)


class Amount(Struct):
    """One request of a resource profile; memory is in MiB."""

    amount: Whole | float = field(name="Amount", default=0)


class ResourceProfile(Struct):
    """``SparkListenerResourceProfileAdded``."""

    profile_id: Id = field(name="Resource Profile Id")
    requests: dict[str, Amount] = field(name="Executor Resource Requests", default_factory=dict)


class StagePeaks(Struct):
    """``SparkListenerStageExecutorMetrics``: peaks of an executor during a stage."""

    executor_id: str = field(name="Executor ID")
    metrics: ExecutorMetrics = field(name="Executor Metrics", default_factory=ExecutorMetrics)


class UpdatedPeaks(Struct):
    """One member of ``Executor Metrics Updated``."""

    metrics: ExecutorMetrics = field(name="Executor Metrics", default_factory=ExecutorMetrics)


class MetricsUpdate(Struct):
    """``SparkListenerExecutorMetricsUpdate``."""

    executor_id: str = field(name="Executor ID")
    updates: list[UpdatedPeaks] = field(name="Executor Metrics Updated", default_factory=list)
