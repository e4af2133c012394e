"""What every kind of finding looks at, and what it hands back.

Here: the attempt with its settings and properties, the words for a stage, severities by threshold.
Not here: any kind of finding.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from metaplat.collectors.spark.attempt import Finding
from metaplat.collectors.spark.conclusions.driver_time import wall
from metaplat.collectors.spark.conclusions.quantities import known
from metaplat.collectors.spark.conclusions.secret_values import shown
from metaplat.collectors.spark.conclusions.workers import is_local

if TYPE_CHECKING:
    from metaplat.collectors.spark.attempt import ApplicationAttempt, StageAttempt
    from metaplat.collectors.spark.conclusions.properties import Properties
    from metaplat.settings import SparkSettings

LONGEST_NAME = 80


@dataclass(frozen=True)
class Weighed:
    """A finding, and how much it matters among others of its kind and severity; the greatest comes first."""

    weight: float
    finding: Finding


@dataclass(frozen=True)
class Case:
    """One attempt, looked at.

    Parameters
    ----------
    attempt : ApplicationAttempt
        With its figures concluded.
    settings : SparkSettings
        Thresholds.
    properties : Properties
        What advice must not contradict.
    """

    attempt: ApplicationAttempt
    settings: SparkSettings
    properties: Properties

    @cached_property
    def local(self) -> bool:
        """Whether the driver does the work."""
        return is_local(self.attempt)

    @cached_property
    def wall_ms(self) -> float | None:
        """Wall time as far as it was seen."""
        spanned = wall(self.attempt)
        return None if spanned is None else (spanned[1] - spanned[0]).total_seconds() * 1000

    @cached_property
    def stage_attempts(self) -> dict[int, list[StageAttempt]]:
        """All attempts of each stage."""
        found: dict[int, list[StageAttempt]] = {}
        for stage in self.attempt.stages:
            found.setdefault(stage.stage_id, []).append(stage)
        return found

    @property
    def memory_property(self) -> str:
        """Name of the property that gives the tasks their memory."""
        return "spark.driver.memory" if self.local else "spark.executor.memory"

    @property
    def heap_mb(self) -> int | None:
        """Heap of what runs the tasks, MiB."""
        attempt = self.attempt
        return known(attempt.driver_memory_mb if self.local else attempt.executor_memory_mb)

    @property
    def more_memory(self) -> str:
        """The property, and its value now where it is known: what to raise."""
        heap = self.heap_mb
        return self.memory_property + (f" (now {heap}m)" if heap else "")


def stage_words(stage: StageAttempt) -> str:
    """Name a stage at the start of a sentence: ``Stage 4 (attempt 1), count at job.py:12``."""
    attempt = f" (attempt {stage.stage_attempt_id})" if stage.stage_attempt_id else ""
    name = shown(stage.name, LONGEST_NAME) if stage.name else ""
    return f"Stage {stage.stage_id}{attempt}" + (f", {name}" if name else "")


def about(stage: StageAttempt, kind: str, severity: str, evidence: str, advice: str) -> Finding:
    """Make a finding about a stage; ``evidence`` goes on where its name ends."""
    sentence = f"{stage_words(stage)}: {evidence}"
    return Finding(kind, severity, sentence, advice, stage.stage_id, stage.stage_attempt_id)


def graded(value: float | None, medium: float, high: float) -> str | None:
    """Return ``high``, ``medium`` or None by two thresholds, each of which is reached by its own value.

    A threshold of 0 is reached by what is more than nothing.
    """
    if not value:
        return None
    if value >= high:
        return "high"
    return "medium" if value >= medium else None


def lesser(severity: str) -> str:
    """Return the severity below."""
    return "medium" if severity == "high" else "low"
