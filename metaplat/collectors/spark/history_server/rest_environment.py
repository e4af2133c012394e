"""What the properties of an application say of it.

Here: times, master, cores and memory from ``/environment``.
Not here: which of them are secret, tags (``conclusions``).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from metaplat.collectors.spark.events.memory_sizes import executor_heap, executor_overhead, mebibytes
from metaplat.collectors.spark.history_server.values import moment, objects, whole

if TYPE_CHECKING:
    from metaplat.collectors.spark.attempt import ApplicationAttempt


@dataclass(frozen=True)
class Profile:
    """What executors of one resource profile are given; None where it does not say."""

    cores: int | None = None
    memory_mb: int | None = None
    overhead_mb: int | None = None


def properties_of(environment: Any) -> dict[str, str]:
    """Return the Spark properties of an answer to ``/environment``; pairs that are none are left out."""
    pairs = environment.get("sparkProperties") if isinstance(environment, dict) else None
    return {
        pair[0]: pair[1]
        for pair in (pairs if isinstance(pairs, list) else ())
        if isinstance(pair, list) and len(pair) == 2 and all(isinstance(part, str) for part in pair)
    }


def profiles_of(environment: Any) -> dict[int, Profile]:
    """Return the resource profiles of an answer to ``/environment`` (since Spark 3.1), by their ids."""
    found: dict[int, Profile] = {}
    for profile in objects(environment.get("resourceProfiles") if isinstance(environment, dict) else None):
        number, given = whole(profile.get("id")), profile.get("executorResources")
        if number is None or not isinstance(given, dict):
            continue
        found[number] = Profile(*(_amount(given.get(name)) for name in ("cores", "memory", "memoryOverhead")))
    return found


def _amount(resource: Any) -> int | None:
    return whole(resource.get("amount")) if isinstance(resource, dict) else None


def fill_environment(attempt: ApplicationAttempt, properties: dict[str, str]) -> None:
    """Fill what the properties say of an attempt, in place; without any, nothing is known."""
    attempt.environment = properties
    attempt.master = properties.get("spark.master") or None
    attempt.submit_time = moment(_number(properties.get("spark.app.submitTime")))
    if attempt.submit_time is None:
        attempt.flag("submit_time_missing")
    attempt.executor_cores = _number(properties.get("spark.executor.cores"))
    attempt.executor_memory_mb = executor_heap(properties) if properties else None
    attempt.driver_memory_mb = mebibytes(properties.get("spark.driver.memory"))


def given_memory(
    attempt: ApplicationAttempt, profile: Profile, *, driver: bool
) -> tuple[int | None, int | None]:
    """Return heap and overhead of an executor in MiB, in local mode those of the driver."""
    if driver:
        return attempt.driver_memory_mb, None
    heap = attempt.executor_memory_mb if profile.memory_mb is None else profile.memory_mb
    if profile.overhead_mb is not None or heap is None or not attempt.environment:
        return heap, profile.overhead_mb
    return heap, executor_overhead(attempt.environment, heap)


def _number(text: str | None) -> int | None:
    """Return a whole number that a property says."""
    return int(text) if text is not None and text.isascii() and text.isdigit() and len(text) < 19 else None
