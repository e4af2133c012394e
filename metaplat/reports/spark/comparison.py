"""Two attempts of Spark applications side by side: figures, configuration, and stage by stage.

Here: which numbers are compared, what counts as clearly better or worse, which stages are the same.
Not here: how it is printed (``cli``).
"""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from metaplat.reports.spark import units
from metaplat.reports.spark.timeline import stage_label

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from metaplat.collectors.spark.attempt import ApplicationAttempt, StageAttempt

CLEAR = 1.2
"""From so many times on, more is worse and less is better; below it is noise."""
SECOND, MIB = 1000.0, 2.0**20
OWN = re.compile(
    r"(?:\.port|\.host|\.bindAddress|\.id|\.uuid|[sS]tartTime|[sS]ubmitTime|\.uri|proxy_hosts|proxy_uri_bases)\Z"
    r"|PROXY_|\.initial\.|\.generated\.",
    re.IGNORECASE,
)
"""Properties that differ from run to run and mean nothing: ids, times, ports, addresses of the driver."""
LINE_NUMBER = re.compile(r":\d+\Z")


@dataclass(frozen=True)
class Measure:
    """One number of both attempts.

    Parameters
    ----------
    name, field : str
        For people, and of the record.
    first, second : float or None
        Values.
    write : callable
        Makes a text of a value.
    mark : str
        ``worse`` or ``better`` where the second one clearly is, else empty.
    """

    name: str
    field: str
    first: float | None
    second: float | None
    write: Callable[[float | None], str]
    mark: str

    @property
    def ratio(self) -> float | None:
        """Second over first; None where one is not known, or the first is nothing."""
        return (
            None if self.first is None or self.second is None or not self.first else self.second / self.first
        )


@dataclass(frozen=True)
class Setting:
    """A Spark property that differs; None where one attempt does not set it."""

    name: str
    first: str | None
    second: str | None


@dataclass(frozen=True)
class StagePair:
    """The same stage of both attempts; one is None where only the other attempt has it."""

    name: str
    first: StageAttempt | None
    second: StageAttempt | None

    @property
    def change_ms(self) -> float | None:
        """How much longer the second one took; None where one of both is not known."""
        first, second = (each.duration_ms if each else None for each in (self.first, self.second))
        return None if first is None or second is None else second - first

    @property
    def labels(self) -> tuple[str, str]:
        """Numbers of the stage in both attempts."""
        one, other = (
            stage_label(each.stage_id, each.stage_attempt_id) if each else ""
            for each in (self.first, self.second)
        )
        return one, other


@dataclass(frozen=True)
class Comparison:
    """What differs between two attempts; stages are in the order of the largest change."""

    measures: Sequence[Measure]
    settings: Sequence[Setting]
    stages: Sequence[StagePair]


@dataclass(frozen=True)
class _Compared:
    """A field that is compared: differences below ``floor`` mean nothing, None where more is not worse."""

    name: str
    field: str
    write: Callable[[float | None], str]
    floor: float | None


COMPARED = (
    _Compared("duration", "duration_ms", units.duration_text, SECOND),
    _Compared("without any stage", "driver_only_ms", units.duration_text, SECOND),
    _Compared("jobs", "jobs", units.count_text, None),
    _Compared("stages", "total_stages", units.count_text, None),
    _Compared("failed stages", "failed_stages", units.count_text, 1),
    _Compared("tasks", "total_tasks", units.count_text, None),
    _Compared("failed tasks", "failed_tasks", units.count_text, 1),
    _Compared("task time", "run_time_ms", units.duration_text, SECOND),
    _Compared("CPU time", "cpu_time_ms", units.duration_text, SECOND),
    _Compared("GC time", "gc_time_ms", units.duration_text, SECOND),
    _Compared("input", "input_bytes", units.bytes_text, None),
    _Compared("output", "output_bytes", units.bytes_text, None),
    _Compared("shuffle read", "shuffle_read_bytes", units.bytes_text, 16 * MIB),
    _Compared("shuffle write", "shuffle_write_bytes", units.bytes_text, 16 * MIB),
    _Compared("spilled (memory)", "memory_spilled_bytes", units.bytes_text, 16 * MIB),
    _Compared("spilled (disk)", "disk_spilled_bytes", units.bytes_text, 16 * MIB),
    _Compared("most executors", "num_executors", units.count_text, None),
    _Compared("executor time", "executor_seconds", units.seconds_text, 10),
    _Compared("wasted", "wasted_executor_seconds", units.seconds_text, 10),
    _Compared("estimated cost", "estimated_cost", lambda cost: units.cost_text(cost, None), 0.01),
)


def compare(first: ApplicationAttempt, second: ApplicationAttempt) -> Comparison:
    """Set two attempts side by side."""
    return Comparison(
        [_measure(each, first, second) for each in COMPARED],
        _settings(first, second),
        sorted(_pairs(first, second), key=_largest_change, reverse=True),
    )


def _measure(compared: _Compared, first: ApplicationAttempt, second: ApplicationAttempt) -> Measure:
    one, other = getattr(first, compared.field), getattr(second, compared.field)
    if compared.field == "estimated_cost" and first.cost_currency != second.cost_currency:
        other = None  # two currencies do not compare
    mark = clear_change(one, other, compared.floor)
    return Measure(compared.name, compared.field, one, other, compared.write, mark)


def clear_change(first: float | None, second: float | None, floor: float | None) -> str:
    """Say whether more of something is clearly ``worse``, less of it ``better``; else nothing."""
    if first is None or second is None or floor is None or abs(second - first) < floor:
        return ""
    if second > first and second >= CLEAR * first:
        return "worse"
    return "better" if second < first and first >= CLEAR * second else ""


def _settings(first: ApplicationAttempt, second: ApplicationAttempt) -> list[Setting]:
    one, other = _meaningful(first), _meaningful(second)
    return [
        Setting(name, first.environment.get(name), second.environment.get(name))
        for name in sorted({*one, *other})
        if one.get(name) != other.get(name)
    ]


def _meaningful(attempt: ApplicationAttempt) -> Mapping[str, str]:
    """Return the properties, without those of this one run, and without its id in the values of others."""
    return {
        name: value.replace(attempt.app_id, "<application>")
        for name, value in attempt.environment.items()
        if not OWN.search(name)
    }


def _pairs(first: ApplicationAttempt, second: ApplicationAttempt) -> list[StagePair]:
    """Pair stages: the first one of a name with the first one of that name, and so on."""
    one, other = _by_name(first), _by_name(second)
    pairs = []
    for name in dict.fromkeys([*one, *other]):
        mine, theirs = one.get(name, []), other.get(name, [])
        for place in range(max(len(mine), len(theirs))):
            pairs.append(  # noqa: PERF401, RUF100  # a comprehension of two loops and two conditions reads worse
                StagePair(
                    name,
                    mine[place] if place < len(mine) else None,
                    theirs[place] if place < len(theirs) else None,
                )
            )
    return pairs


def _by_name(attempt: ApplicationAttempt) -> dict[str, list[StageAttempt]]:
    """Return the stages that ran, in order, by the call site without its line, which every edit moves."""
    found: dict[str, list[StageAttempt]] = defaultdict(list)
    for stage in sorted(attempt.stages, key=lambda each: (each.stage_id, each.stage_attempt_id)):
        if stage.status != "SKIPPED":
            found[LINE_NUMBER.sub("", stage.name or units.NOT_KNOWN)].append(stage)
    return found


def _largest_change(pair: StagePair) -> float:
    """How much a pair matters: by how much its time changed; a stage without a partner by all of it."""
    if pair.first and pair.second:
        return abs(pair.change_ms or 0)
    alone = pair.first or pair.second
    return abs((alone and alone.duration_ms) or 0)
