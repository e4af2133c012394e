"""Who does the work of an application: its executors, in local mode the driver.

Here: which executors count, and sums over their lifetimes, or None where one of them is not known.
Not here: what the sums mean (``figures``, ``cost``).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from metaplat.collectors.spark.conclusions.quantities import known

if TYPE_CHECKING:
    from collections.abc import Callable

    from metaplat.collectors.spark.attempt import ApplicationAttempt, Executor

DRIVER = "driver"
LOCAL = re.compile(r"local(\[.*\])?")
CONTAINERS = re.compile(r"yarn|k8s:|mesos:", re.IGNORECASE)
"""Masters under which an executor is given memory beyond its heap."""


def is_local(attempt: ApplicationAttempt) -> bool:
    """Whether the driver does the work; without a known master, whether it is the only executor."""
    if attempt.master is not None:
        return bool(LOCAL.fullmatch(attempt.master))
    return bool(attempt.executors) and all(each.executor_id == DRIVER for each in attempt.executors)


def workers(attempt: ApplicationAttempt) -> list[Executor]:
    """Return the executors that do the work."""
    local = is_local(attempt)
    return [each for each in attempt.executors if (each.executor_id == DRIVER) == local]


def all_workers(attempt: ApplicationAttempt) -> list[Executor] | None:
    """Return the executors that do the work, or None where some are not known, or all of them."""
    found = workers(attempt)
    expected = 1 if is_local(attempt) else known(attempt.num_executors_added)
    if not found:
        return [] if expected == 0 else None
    return found if len(found) >= (expected or 0) else None


def lifetime_seconds(
    attempt: ApplicationAttempt, each: Callable[[ApplicationAttempt, Executor], float | None]
) -> float | None:
    """Return the sum over all workers of lifetime in seconds times ``each``; None where one is unknown."""
    found = all_workers(attempt)
    if found is None:
        return None
    seconds = 0.0
    for worker in found:
        lifetime, amount = known(worker.lifetime_ms), known(each(attempt, worker))
        if lifetime is None or amount is None:
            return None
        seconds += lifetime / 1000 * amount
    return seconds


def cores_of(attempt: ApplicationAttempt, worker: Executor) -> float | None:
    """Return the cores of a worker; where it does not say, those every executor was given."""
    return worker.cores if worker.cores is not None or is_local(attempt) else attempt.executor_cores


def memory_gb_of(attempt: ApplicationAttempt, worker: Executor) -> float | None:
    """Return heap and overhead of a worker in GiB; only containers have an overhead."""
    local = is_local(attempt)
    heap = worker.memory_mb
    if heap is None:
        heap = attempt.driver_memory_mb if local else attempt.executor_memory_mb
    overhead = worker.overhead_mb
    if overhead is None and not CONTAINERS.match(attempt.master or "yarn"):
        overhead = 0
    heap, overhead = known(heap), known(overhead)
    return None if heap is None or overhead is None else (heap + overhead) / 1024
