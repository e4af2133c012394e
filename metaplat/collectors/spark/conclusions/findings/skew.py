"""Skew: a few tasks of a stage do most of its work.

Here: skewed task times with their cause as far as sizes tell it, and skewed sizes that did not cost time yet.
Not here: too few or too many tasks (``task_counts``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from metaplat.collectors.spark.conclusions.findings.case import Weighed, about, graded, lesser
from metaplat.collectors.spark.conclusions.findings.wording import (
    MIB,
    counted,
    mebibytes,
    sentence,
    size,
    span,
    times,
)
from metaplat.collectors.spark.conclusions.properties import (
    ADAPTIVE,
    ADVISORY,
    DEFAULT_ADVISORY,
    DEFAULT_READ_BYTES,
    READ_BYTES,
    SKEW_JOIN,
)
from metaplat.collectors.spark.conclusions.quantities import known

if TYPE_CHECKING:
    from collections.abc import Iterator

    from metaplat.collectors.spark.attempt import StageAttempt
    from metaplat.collectors.spark.conclusions.findings.case import Case

CAUSE = 2.5
"""Sizes skewed by so much are taken for the cause of skewed times."""
THRESHOLD = "spark.sql.adaptive.skewJoin.skewedPartitionThresholdInBytes"
FACTOR = "spark.sql.adaptive.skewJoin.skewedPartitionFactor"
DEFAULT_THRESHOLD, DEFAULT_FACTOR, LOWER_FACTOR = 256 * MIB, 5, 2
SALT = "salt the key or aggregate in two steps"


def task_skew(case: Case) -> Iterator[Weighed]:
    """Yield stages whose slowest task took many times the median."""
    for stage in case.attempt.stages:
        severity, slowest = _time_severity(case, stage), stage.task_ms_max
        if severity is None or slowest is None or stage.task_ms_median is None:
            continue
        evidence = (
            f"the slowest task took {span(slowest)}, {times(stage.task_time_skew or 0)} the median of "
            f"{span(stage.task_ms_median)}{_of_tasks(stage)}{_sizes(stage)}."
        )
        finding = about(stage, "task_skew", severity, evidence, _advice(case, stage))
        yield Weighed(slowest - stage.task_ms_median, finding)


def shuffle_skew(case: Case) -> Iterator[Weighed]:
    """Yield stages in which one task reads much more from shuffles, though it is not slow."""
    for stage in case.attempt.stages:
        largest = stage.shuffle_read_bytes_max
        severity = _size_severity(case, stage, stage.shuffle_skew, largest)
        if severity is None or largest is None:
            continue
        evidence = _uneven("shuffle read", largest, stage.shuffle_skew, stage.shuffle_read_bytes_median)
        advice = shuffle_advice(case, stage)
        yield Weighed(largest, about(stage, "shuffle_skew", severity, evidence, advice))


def input_skew(case: Case) -> Iterator[Weighed]:
    """Yield stages in which one task reads much more from storage, though it is not slow."""
    for stage in case.attempt.stages:
        largest = stage.input_bytes_max
        severity = _size_severity(case, stage, stage.input_skew, largest)
        if severity is None or largest is None:
            continue
        evidence = _uneven("input", largest, stage.input_skew, stage.input_bytes_median)
        yield Weighed(largest, about(stage, "input_skew", severity, evidence, _input_advice(case, stage)))


def shuffle_advice(case: Case, stage: StageAttempt) -> str:
    """Return what to try against uneven shuffle reads, by what is set for adaptive execution."""
    properties = case.properties
    if properties.at_least(3, 0) is False:
        return f"{sentence(SALT)}; only from Spark 3.0 on adaptive execution splits skewed joins."
    switches = [f"{ADAPTIVE}=true"] * (not properties.adaptive)
    if not properties.flag(SKEW_JOIN, default=True):
        switches.append(f"{SKEW_JOIN}=true")
    if properties.adaptive is None:
        return f"From Spark 3.0 on, set {' and '.join(switches)}, which splits skewed joins; or {SALT}."
    if switches:
        off = "it is" if len(switches) == 1 else "they are"
        return f"Set {' and '.join(switches)} ({off} off), which splits skewed joins; or {SALT}."
    return _beyond_adaptive(case, stage)


def _beyond_adaptive(case: Case, stage: StageAttempt) -> str:
    """Return what to try where adaptive execution is on and did not split the largest read."""
    largest = known(stage.shuffle_read_bytes_max)
    threshold = case.properties.size(THRESHOLD) or DEFAULT_THRESHOLD
    advisory = case.properties.size(ADVISORY) or DEFAULT_ADVISORY
    factor = case.properties.whole(FACTOR) or DEFAULT_FACTOR
    if largest and MIB < largest <= threshold:
        half = max(largest / 2, MIB)
        smaller = f", and {ADVISORY} too (now {mebibytes(advisory)})" if half < advisory else ""
        return (
            f"Lower {THRESHOLD} to {mebibytes(half)} (now {mebibytes(threshold)}, above the largest read)"
            f"{smaller}; or {SALT}."
        )
    if LOWER_FACTOR < (stage.shuffle_skew or 0) <= factor:
        return f"Lower {FACTOR} to {LOWER_FACTOR} (now {factor}); or {SALT}."
    return f"{sentence(SALT)}: adaptive execution is on, and splits only joins and rebalances."


def _time_severity(case: Case, stage: StageAttempt) -> str | None:
    settings = case.settings
    if (known(stage.task_ms_max) or 0) < settings.skew_floor_seconds * 1000:
        return None
    return graded(stage.task_time_skew, settings.skew_medium, max(settings.skew_high, settings.skew_medium))


def _size_severity(case: Case, stage: StageAttempt, skew: float | None, largest: float | None) -> str | None:
    """Return how bad uneven sizes are; a grade less where the task times are known not to be skewed."""
    settings = case.settings
    if (known(largest) or 0) < settings.skew_floor_mb * MIB or _time_severity(case, stage):
        return None  # skewed times are told with their sizes
    severity = graded(skew, settings.skew_medium, max(settings.skew_high, settings.skew_medium))
    return severity if severity is None or stage.task_time_skew is None else lesser(severity)


def _advice(case: Case, stage: StageAttempt) -> str:
    if (stage.shuffle_skew or 0) >= max(CAUSE, stage.input_skew or 0):
        return shuffle_advice(case, stage)
    if (stage.input_skew or 0) >= CAUSE:
        return _input_advice(case, stage)
    uneven = "Sizes do not explain it: look at the rows of the slowest task"
    if case.local:
        return f"{uneven}, and at what the code does with them."
    if case.properties.flag("spark.speculation", default=False):
        return f"{uneven}, and at its host; spark.speculation is on and did not help."
    return f"{uneven}, and at its host; spark.speculation=true repeats stragglers elsewhere (it is off)."


def _input_advice(case: Case, stage: StageAttempt) -> str:
    limit = case.properties.size(READ_BYTES) or DEFAULT_READ_BYTES
    if (known(stage.input_bytes_max) or 0) > 2 * limit:
        return (
            f"The largest input is above {READ_BYTES} (now {mebibytes(limit)}), so its file cannot be split: "
            "write Parquet or ORC with smaller row groups, or more files; or repartition after reading."
        )
    return "Merge small files, so that all are of like size, or repartition after reading."


def _of_tasks(stage: StageAttempt) -> str:
    tasks = known(stage.tasks)
    return f" over {counted(tasks, 'task')}" if tasks else ""


def _sizes(stage: StageAttempt) -> str:
    named = (("shuffle read", stage.shuffle_skew), ("input", stage.input_skew))
    parts = [f"its largest {name} is {times(skew)} the median" for name, skew in named if skew and skew > 1]
    return f"; {' and '.join(parts)}" if parts else ""


def _uneven(what: str, largest: float, skew: float | None, usual: float | None) -> str:
    ratio = times(skew or 0)
    return f"the largest {what} of a task is {size(largest)}, {ratio} the median of {size(usual or 0)}."
