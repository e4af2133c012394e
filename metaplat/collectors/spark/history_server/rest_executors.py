"""Executors as ``/allexecutors`` has them.

Here: one executor each, most alive at once, the sum of their lifetimes.
Not here: sums over tasks (``rest_totals``).

In local mode the driver does the work and is the only executor; elsewhere it is left out. An executor that
the server still calls active lived until the application ended: nothing removes it from a log. The server's
GC time of a driver is that of the process, not of its tasks, and left out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from metaplat.collectors.spark.attempt import ApplicationAttempt, Executor
from metaplat.collectors.spark.conclusions.workers import DRIVER, LOCAL
from metaplat.collectors.spark.history_server.rest_environment import Profile, given_memory
from metaplat.collectors.spark.history_server.values import (
    first_line,
    milliseconds_between,
    moment,
    objects,
    text,
    whole,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

DRIVERS = frozenset({DRIVER, "<driver>"})
"""The second one before Spark 2.0."""
PEAKS = ("JVMHeapMemory",)
TREE_PEAKS = ("ProcessTreeJVMRSSMemory", "ProcessTreePythonRSSMemory", "ProcessTreeOtherRSSMemory")


def is_local(attempt: ApplicationAttempt, answer: Any) -> bool:
    """Whether the driver does the work: by the master, without one by the cores that the driver has."""
    if attempt.master is not None:
        return LOCAL.fullmatch(attempt.master) is not None
    served = objects(answer)
    return bool(served) and all(
        each.get("id") in DRIVERS and whole(each.get("totalCores")) for each in served
    )


def served_executors(
    answer: Any, attempt: ApplicationAttempt, profiles: Mapping[int, Profile]
) -> list[Executor]:
    """Return the executors of an answer to ``/allexecutors``.

    Parameters
    ----------
    answer : any
        JSON; what has no id is left out.
    attempt : ApplicationAttempt
        Its master, its memory.
    profiles : mapping of int to Profile
        What the executors were given.
    """
    local = is_local(attempt, answer)
    return [
        _executor(each, attempt, profiles)
        for each in objects(answer)
        if text(each.get("id")) and (each["id"] in DRIVERS) == local
    ]


def _executor(
    served: dict[str, Any], attempt: ApplicationAttempt, profiles: Mapping[int, Profile]
) -> Executor:
    driver = served["id"] in DRIVERS
    profile = profiles.get(whole(served.get("resourceProfileId")) or 0, Profile())
    memory_mb, overhead_mb = given_memory(attempt, profile, driver=driver)
    peaks = served.get("peakMemoryMetrics")
    return Executor(
        executor_id=DRIVER if driver else served["id"],
        host=(text(served.get("hostPort")) or "").rpartition(":")[0] or text(served.get("hostPort")),
        add_time=moment(None, served.get("addTime")),
        remove_time=moment(None, served.get("removeTime")),
        removed_reason=first_line(served.get("removeReason")),
        cores=whole(served.get("totalCores")),
        memory_mb=memory_mb,
        overhead_mb=overhead_mb,
        tasks=_ended_tasks(served),
        failed_tasks=whole(served.get("failedTasks")),
        gc_time_ms=None if driver else whole(served.get("totalGCTime")),
        input_bytes=whole(served.get("totalInputBytes")),
        shuffle_read_bytes=whole(served.get("totalShuffleRead")),
        shuffle_write_bytes=whole(served.get("totalShuffleWrite")),
        peak_heap_bytes=_peak(peaks, PEAKS),
        peak_memory_bytes=_peak(peaks, TREE_PEAKS),
    )


def _ended_tasks(served: dict[str, Any]) -> int | None:
    """Return the tasks that ended: a removed executor keeps as active what ended with it."""
    started, active = whole(served.get("totalTasks")), whole(served.get("activeTasks")) or 0
    if started is None or served.get("isActive") is False:
        return started
    return max(0, started - active)


def _peak(peaks: Any, names: Iterable[str]) -> int | None:
    """Return the sum of some peaks; 0 is what the server says where nothing was measured."""
    found = [whole(peaks.get(name)) or 0 for name in names] if isinstance(peaks, dict) else []
    return sum(found) or None


def fill_lifetimes(attempt: ApplicationAttempt) -> None:
    """Fill lifetimes, most alive at once and executor-seconds, in place."""
    end = attempt.end_time or attempt.observed_end
    for each in attempt.executors:
        each.lifetime_ms = milliseconds_between(each.add_time, each.remove_time or end)
    counted = [each for each in attempt.executors if each.executor_id != DRIVER]
    lifetimes = [each.lifetime_ms for each in counted]
    known = [lifetime for lifetime in lifetimes if lifetime is not None]
    attempt.num_executors_added = len(counted)
    if len(known) == len(lifetimes):
        attempt.executor_seconds = sum(known) / 1000
        attempt.num_executors = _most_at_once(
            (each.add_time, each.remove_time) for each in counted if each.add_time is not None
        )


def _most_at_once(spans: Iterable[tuple[datetime, datetime | None]]) -> int:
    """Return how many of some spans overlap at most; one that ends as another begins does not overlap it."""
    changes: list[tuple[datetime, int]] = []
    for start, end in spans:
        changes.append((start, 1))
        if end is not None:
            changes.append((end, -1))
    alive = most = 0
    for _, change in sorted(changes):
        alive += change
        most = max(most, alive)
    return most
