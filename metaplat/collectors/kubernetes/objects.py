"""What is kept of a Job, a Pod and an Event; everything else of them is dropped on reading.

Here: the three kinds as small typed values, and what follows from one value alone.
Not here: how they are read (``reading``), what follows from several (``executions``, ``failure_cause``).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

OwnerKey = tuple[str, ...]
"""What an object belongs to: ``(uid,)``, or ``(namespace, name)`` where only the name is known."""


class Kind(StrEnum):
    """The kinds that are read."""

    JOB = "Job"
    POD = "Pod"
    EVENT = "Event"


@dataclass(frozen=True, slots=True)
class Condition:
    """One entry of ``status.conditions`` whose status is "True"."""

    type: str | None
    reason: str | None
    message: str | None
    changed: datetime | None


@dataclass(frozen=True, slots=True)
class Job:
    """A Job: one execution."""

    name: str
    namespace: str | None
    uid: str | None
    version: str | None
    created: datetime | None
    started: datetime | None
    completed: datetime | None
    cron_job: str | None
    labels: dict[str, str]
    conditions: tuple[Condition, ...]
    suspend: bool

    @property
    def shown(self) -> str:
        """How a message names it."""
        return f"{self.namespace}/{self.name}" if self.namespace else self.name


@dataclass(frozen=True, slots=True)
class Termination:
    """How one run of a container ended."""

    reason: str | None
    message: str | None
    exit_code: int | None
    started: datetime | None
    finished: datetime | None

    @property
    def had_started(self) -> bool:
        """Whether the process ever ran: runtimes write 1970 where it could not be started."""
        if self.started is None:
            return self.reason != "ContainerStatusUnknown"
        return self.started > EPOCH


@dataclass(frozen=True, slots=True)
class Container:
    """State of one container, init containers included."""

    is_running: bool
    waiting_reason: str | None
    waiting_message: str | None
    ended: Termination | None
    previous: Termination | None

    @property
    def had_started(self) -> bool:
        """Whether any run of it ever started."""
        ends = (self.ended, self.previous)
        return self.is_running or any(end is not None and end.had_started for end in ends)


@dataclass(frozen=True, slots=True)
class Pod:
    """A Pod of a Job: one attempt."""

    name: str
    namespace: str | None
    uid: str | None
    version: str | None
    job: OwnerKey
    created: datetime | None
    started: datetime | None
    phase: str | None
    reason: str | None
    message: str | None
    containers: tuple[Container, ...]

    @property
    def had_started(self) -> bool:
        """Whether any container ever started."""
        return any(container.had_started for container in self.containers)

    @property
    def finished(self) -> datetime | None:
        """Latest end of a container, where one is known."""
        ends = [end for container in self.containers for end in (container.ended, container.previous) if end]
        return max((end.finished for end in ends if end.finished), default=None)


@dataclass(frozen=True, slots=True)
class Event:
    """An Event on a Pod."""

    uid: str | None
    version: str | None
    pod: OwnerKey
    reason: str | None
    message: str | None
    seen: datetime | None


@dataclass(frozen=True)
class Snapshot:
    """What was read of one scope; None where a kind could not be read, which is not the same as empty."""

    jobs: list[Job]
    pods: list[Pod] | None
    events: list[Event] | None
