"""Capacity that was reserved and not used: idle executors, and time in which only the driver worked.

Here: the waste of a whole application.
Not here: single stages with too few tasks (``task_counts``), memory (``memory``).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from metaplat.collectors.spark.attempt import RUNNING, Finding
from metaplat.collectors.spark.conclusions.findings.case import Weighed, graded
from metaplat.collectors.spark.conclusions.findings.wording import HOUR, percent, span
from metaplat.collectors.spark.conclusions.properties import DYNAMIC
from metaplat.collectors.spark.conclusions.quantities import known, ratio

if TYPE_CHECKING:
    from collections.abc import Iterator

    from metaplat.collectors.spark.conclusions.findings.case import Case

HEADROOM = 1.25
"""Advised executors over those that the work would fill."""
DRIVER_FLOOR_MS, DRIVER_LONG_MS, DRIVER_MOST = 60_000, 600_000, 0.8
TRACKING = "spark.dynamicAllocation.shuffleTracking.enabled"
IDLE, MINIMUM, INSTANCES = (
    "spark.dynamicAllocation.executorIdleTimeout",
    "spark.dynamicAllocation.minExecutors",
    "spark.executor.instances",
)


def wasted_executors(case: Case) -> Iterator[Weighed]:
    """Yield the executors' idle share where it is large and costs core hours; a local driver is no waste."""
    attempt, settings = case.attempt, case.settings
    reserved, used = attempt.core_seconds_reserved, attempt.core_seconds_used
    wasted, busy = attempt.wasted_executor_seconds, ratio(used, reserved)
    if case.local or not reserved or used is None or not wasted or busy is None:
        return
    idle, idle_core_ms = 1 - busy, (reserved - used) * 1000
    severity = graded(idle, settings.waste_medium, max(settings.waste_medium, settings.waste_high))
    if severity is None or idle_core_ms < settings.waste_floor_hours * HOUR:
        return
    evidence = (
        f"The executors were idle for {percent(idle)} of the core time reserved: {span(idle_core_ms)} of "
        f"{span(reserved * 1000)} of core time, {span(wasted * 1000)} of executor time."
    )
    yield Weighed(wasted, Finding("wasted_executors", severity, evidence, _fewer(case, busy)))


def driver_only(case: Case) -> Iterator[Weighed]:
    """Yield the share of an ended application in which no stage was active, where it is large."""
    attempt, alone = case.attempt, case.attempt.driver_only_ms
    part = ratio(alone, case.wall_ms)
    if attempt.status == RUNNING or alone is None or part is None or alone < DRIVER_FLOOR_MS:
        return
    if part < case.settings.driver_share:
        return
    severity = "medium" if part >= DRIVER_MOST and alone >= DRIVER_LONG_MS else "low"
    evidence = f"No stage was active for {span(alone)} of {span(case.wall_ms or 0)} ({percent(part)})."
    advice = (
        "Look at what the driver does in the gaps of the timeline: collect() and toPandas(), listing and "
        "committing files, plain Python or Scala, waiting for other systems."
    )
    if not case.local and not case.properties.flag(DYNAMIC, default=False) and not case.properties.databricks:
        advice += f" {_turn_on(case)} gives executors back meanwhile."
    yield Weighed(alone, Finding("driver_only", severity, evidence, advice))


def _fewer(case: Case, busy: float) -> str:
    """Return how to reserve less, by the way the executors are asked for."""
    if case.properties.databricks:
        return "Lower the workers of the cluster, or the minimum of its autoscaling, or use smaller machines."
    if case.properties.flag(DYNAMIC, default=False):
        return _dynamic(case)
    peak = known(case.attempt.num_executors) or 0
    enough = max(math.ceil(peak * busy * HEADROOM), 1)
    fixed = f", or lower {INSTANCES} to {enough} (at most {peak} were alive)" if enough < peak else ""
    return f"Set {_turn_on(case)}{fixed}."


def _dynamic(case: Case) -> str:
    """Return how to give executors back sooner, where they are allocated dynamically already."""
    properties = case.properties
    lowest, idle = properties.whole(MINIMUM), properties.values.get(IDLE, "60s")
    if lowest and lowest > 1:
        return f"Lower {MINIMUM} (now {lowest}), and {IDLE} (now {idle})."
    cached = properties.values.get("spark.dynamicAllocation.cachedExecutorIdleTimeout", "infinity")
    return (
        f"Lower {IDLE} (now {idle}), and spark.dynamicAllocation.cachedExecutorIdleTimeout (now {cached}) "
        "where data is cached."
    )


def _turn_on(case: Case) -> str:
    """Return the properties that allocate executors dynamically: before 3.4 shuffles were not tracked."""
    properties, on = case.properties, f"{DYNAMIC}=true"
    if properties.flag("spark.shuffle.service.enabled", default=False):
        return on
    if properties.at_least(3, 0) is False:
        return f"{on} with spark.shuffle.service.enabled=true"
    tracked = properties.flag(TRACKING, default=properties.at_least(3, 4))
    return on if tracked else f"{on} with {TRACKING}=true"
