"""An application of which no event log tells: what a platform's inventory says, and what stays unknown.

Here: figures that the configuration decides, and the names of all that the inventory cannot give.
Not here: the inventories (``databricks``, ``dataproc``), what is concluded (``conclusions``).
"""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING

from metaplat.collectors.spark.attempt import RUNNING, ApplicationAttempt
from metaplat.collectors.spark.conclusions import conclude
from metaplat.collectors.spark.conclusions.properties import MIB, Properties

if TYPE_CHECKING:
    from datetime import datetime

    from metaplat.settings import SparkSettings

NO_EVENT_LOG = "no_event_log"
_NAMES = [each.name for each in fields(ApplicationAttempt)]
LOGGED = (
    "app_name",
    "user",
    "exit_code",
    "submit_time",
    *_NAMES[_NAMES.index("spark_version") : _NAMES.index("dropped_events") + 1],
)
"""Fields that an event log gives, and an inventory only by chance."""


def fill_unlogged(attempt: ApplicationAttempt, flag: str = NO_EVENT_LOG) -> None:
    """Fill what ``environment`` and the times decide; name the rest in ``source_coverage``, and flag why.

    Cores and memory of an executor are what is configured; a default is not assumed, since platforms set
    their own.
    """
    properties = Properties.of(attempt)
    attempt.executor_cores = properties.whole("spark.executor.cores")
    attempt.executor_memory_mb = _mebibytes(properties, "spark.executor.memory")
    attempt.driver_memory_mb = _mebibytes(properties, "spark.driver.memory")
    attempt.master = attempt.environment.get("spark.master")
    attempt.duration_ms = between(attempt.start_time, attempt.end_time)
    attempt.source_coverage = sorted(name for name in LOGGED if getattr(attempt, name) is None)
    attempt.flag(flag)


def conclude_told(attempt: ApplicationAttempt, settings: SparkSettings, now: datetime) -> None:
    """Conclude; without a log nothing can be silent, and the platform says that it runs."""
    conclude(attempt, settings, now)
    if "total_tasks" in attempt.source_coverage:
        attempt.data_quality = [flag for flag in attempt.data_quality if flag != "silent"]


def end_at(attempt: ApplicationAttempt, status: str, end: datetime | None) -> None:
    """Let the platform say how an application ended whose log may lack its end.

    A log ends with the driver, also of an application that failed; and without its end where the machine was
    taken away. While the platform says it runs, its log alone says whether it ended.
    """
    if status == RUNNING:
        return
    attempt.status = status
    if attempt.end_time is None and end is not None and (not attempt.start_time or end >= attempt.start_time):
        attempt.end_time = end
        attempt.duration_ms = between(attempt.start_time, end)
    attempt.data_quality = [flag for flag in attempt.data_quality if flag not in ("incomplete", "silent")]
    if attempt.end_time is None:
        attempt.flag("incomplete")


def between(start: datetime | None, end: datetime | None) -> int | None:
    """Return the milliseconds from start to end; None where one is unknown, or the clock went backwards."""
    if start is None or end is None or end < start:
        return None
    return round((end - start).total_seconds() * 1000)


def _mebibytes(properties: Properties, name: str) -> int | None:
    size = properties.size(name, "m")
    return None if size is None else size // MIB
