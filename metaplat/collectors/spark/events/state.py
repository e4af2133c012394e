"""What is kept of a log while it is read: everything here is small, and can be saved as it is.

Here: the facts of the application, its jobs, stages and executors. Times are epoch milliseconds.
Not here: filling them (``bookkeeping``, ``stage_tasks``), what is told of them in the end (``summary``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct, field  # noqa: TID253  # imported only when a log is read

from metaplat.collectors.spark.events.samples import Samples

if TYPE_CHECKING:
    from collections.abc import Sequence

LARGEST = 2**63 - 1
LAST_MOMENT_MS = 253_402_300_799_999
"""The end of the year 9999, the last that a datetime can say."""

SUMS = (
    "run",
    "cpu_ns",
    "gc",
    "input",
    "output",
    "shuffle_read",
    "shuffle_write",
    "memory_spilled",
    "disk_spilled",
)
"""What is summed over tasks, in the order of ``Counts.sums``."""


class Counts(Struct, array_like=True):
    """Of the tasks that ended in a stage or on an executor: distinct ids, and sums over all ends."""

    tasks: int = 0
    failed: int = 0
    killed: int = 0
    sums: list[int] = field(default_factory=lambda: [0] * len(SUMS))

    def add(self, further: Sequence[int]) -> None:
        """Add those of further ends, in the order of the fields; a sum beyond 64 bits stays the largest."""
        tasks, failed, killed, *sums = further
        self.tasks += tasks
        self.failed += failed
        self.killed += killed
        self.sums = [min(old + new, LARGEST) for old, new in zip(self.sums, sums, strict=True)]


class Spread(Struct, array_like=True):
    """How the successful tasks of a stage differ; ``None`` of no task."""

    least: float | None = None
    median: float | None = None
    p95: float | None = None
    most: float | None = None
    histogram: list[int] | None = None
    input_median: float | None = None
    input_most: float | None = None
    shuffle_median: float | None = None
    shuffle_most: float | None = None


class StageSamples(Struct, array_like=True):
    """The values that a spread is made of."""

    durations: Samples = field(default_factory=Samples)
    inputs: Samples = field(default_factory=Samples)
    shuffles: Samples = field(default_factory=Samples)

    def spread(self) -> Spread:
        """Return how they differ."""
        median, p95 = self.durations.quantiles(0.5, 0.95)
        return Spread(
            _float(self.durations.least),
            median,
            p95,
            _float(self.durations.most),
            self.durations.histogram(),
            self.inputs.quantiles(0.5)[0],
            _float(self.inputs.most),
            self.shuffles.quantiles(0.5)[0],
            _float(self.shuffles.most),
        )


def _float(value: int | None) -> float | None:
    return None if value is None else float(value)


class Stage(Struct, array_like=True):
    """An attempt of a stage that was submitted, has ended, or has tasks.

    ``spread`` is set, and ``samples`` given up, once it is completed: what tasks of it end later is counted
    and summed, but no longer told apart.
    """

    stage_id: int
    attempt_id: int
    name: str | None = None
    planned: int | None = None
    submitted: bool = False
    completed: bool = False
    submitted_ms: int | None = None
    completed_ms: int | None = None
    failure: str | None = None
    counts: Counts = field(default_factory=Counts)
    peak: int | None = None
    samples: StageSamples | None = field(default_factory=StageSamples)
    spread: Spread | None = None

    def close(self) -> None:
        """Give up the samples for their spread."""
        if self.samples is not None:
            self.spread, self.samples = self.samples.spread(), None


class PlannedStage(Struct, array_like=True):
    """What jobs said of a stage before it was submitted, if it ever was."""

    name: str | None = None
    tasks: int | None = None
    job_ids: list[int] = field(default_factory=list)


class PlannedJob(Struct, array_like=True):
    """A job."""

    job_id: int
    started: bool = False
    ended: bool = False
    succeeded: bool = False
    submitted_ms: int | None = None
    completed_ms: int | None = None
    stage_ids: list[int] = field(default_factory=list)


class RunningExecutor(Struct, array_like=True):
    """An executor that was added, removed, or ran a task."""

    executor_id: str
    host: str | None = None
    added_ms: int | None = None
    removed_ms: int | None = None
    removed: bool = False
    removed_reason: str | None = None
    cores: int | None = None
    profile: int = 0
    counts: Counts = field(default_factory=Counts)


class Peaks(Struct, array_like=True):
    """Largest memory of an executor, in bytes; None where none was logged."""

    heap: int | None = None
    memory: int | None = None


class Application(Struct, array_like=True):
    """What the log says of the application as a whole.

    ``known_events`` counts events of Spark's own classes: a file without any is no event log.
    """

    known_events: int = 0
    unknown_events: int = 0
    broken_lines: int = 0
    started: bool = False
    ended: bool = False
    name: str | None = None
    app_id: str | None = None
    attempt_id: str | None = None
    user: str | None = None
    version: str | None = None
    exit_code: int | None = None
    started_ms: int | None = None
    ended_ms: int | None = None
    first_ms: int | None = None
    last_ms: int | None = None
    properties: dict[str, str] | None = None
    profiles: dict[int, dict[str, int]] = field(default_factory=dict)
    resubmitted: int = 0
    speculative: int = 0
    metrics_seen: bool = False
    cpu_seen: bool = False
    flags: set[str] = field(default_factory=set)
    others: set[str] = field(default_factory=set)

    def moment(self, milliseconds: int | None) -> int | None:
        """Return a time of an event, None where it is none, and keep the first and the last of all."""
        if milliseconds is None or not 0 < milliseconds <= LAST_MOMENT_MS:
            return None
        if self.first_ms is None or milliseconds < self.first_ms:
            self.first_ms = milliseconds
        if self.last_ms is None or milliseconds > self.last_ms:
            self.last_ms = milliseconds
        return milliseconds


class State(Struct, array_like=True):
    """Everything but the marks of tasks."""

    application: Application = field(default_factory=Application)
    jobs: dict[int, PlannedJob] = field(default_factory=dict)
    planned: dict[int, PlannedStage] = field(default_factory=dict)
    stages: dict[int, dict[int, Stage]] = field(default_factory=dict)
    executors: dict[str, RunningExecutor] = field(default_factory=dict)
    peaks: dict[str, Peaks] = field(default_factory=dict)
    unended: dict[int, tuple[int, int]] = field(default_factory=dict)
    """Stage and attempt of each task that started and has not ended, by task id."""

    def stage(self, stage_id: int, attempt_id: int) -> Stage:
        """Return a stage's attempt, new where it was not seen."""
        attempts = self.stages.setdefault(stage_id, {})
        if attempt_id not in attempts:
            attempts[attempt_id] = Stage(stage_id, attempt_id)
        return attempts[attempt_id]

    def executor(self, executor_id: str) -> RunningExecutor:
        """Return an executor, new where it was not seen."""
        if executor_id not in self.executors:
            self.executors[executor_id] = RunningExecutor(executor_id)
        return self.executors[executor_id]
