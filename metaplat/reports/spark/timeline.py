"""When jobs and stages ran and executors lived, as bars between the start and the end of an attempt.

Here: which bars are shown, their places as shares of the whole time, in as few lanes as they fit in; the
number of executors alive; the ticks of the axis.
Not here: drawing them (the template, ``cli``).
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from metaplat.collectors.spark.attempt import RUNNING
from metaplat.reports.spark import units

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from metaplat.collectors.spark.attempt import ApplicationAttempt, Executor, Job, StageAttempt

MOST_BARS = 200
SLIMMEST = 0.002
"""A bar is never drawn narrower than this share of the whole time."""
MOST_TICKS = 6
STEPS_MS = tuple(
    unit * count
    for unit, counts in (
        (1, (1, 2, 5, 10, 20, 50, 100, 200, 500)),
        (units.SECOND, (1, 2, 5, 10, 20, 30)),
        (units.MINUTE, (1, 2, 5, 10, 20, 30)),
        (units.HOUR, (1, 2, 6, 12)),
        (units.DAY, (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 5000, 20_000, 100_000, 400_000, 1_000_000)),
    )
    for count in counts
)
ENDED_WELL = frozenset({"COMPLETE", "SUCCEEDED"})
DRIVER = "driver"

Interval = tuple["datetime", "datetime"]


@dataclass(frozen=True)
class Bar:
    """One thing that took a while.

    Parameters
    ----------
    label : str
        Short name, for the bar itself: ``4``, ``4.1``.
    name : str
        What it is called, for people; may be empty.
    state : str
        ``ok``, ``failed`` or ``running``.
    milliseconds : float
        How long.
    start, length : float
        Shares of the whole time, 0 to 1.
    lane : int
        From 0; two bars of a lane do not overlap.
    title : str
        All of it in one sentence.
    anchor : str
        Name of the place on the page that tells more; empty where there is none.
    """

    label: str
    name: str
    state: str
    milliseconds: float
    start: float
    length: float
    lane: int
    title: str
    anchor: str = ""


@dataclass(frozen=True)
class Lanes:
    """Bars of one kind, in the order of their starts; ``total`` counts those that are not shown, too."""

    bars: Sequence[Bar]
    count: int
    total: int


@dataclass(frozen=True)
class Alive:
    """Executors alive over time: a step line through ``points`` (share of time, count), and the most."""

    points: Sequence[tuple[float, int]]
    most: int


@dataclass(frozen=True)
class Timeline:
    """An attempt over time.

    Parameters
    ----------
    start, end : datetime
        Of all that is known to have happened in it.
    ticks : sequence of (float, str)
        Share of the time, and how long after the start that is.
    jobs, stages, executors : Lanes
        The longest ``MOST_BARS`` of each.
    alive : Alive or None
        None where no executor is known; the driver, which works in local mode, is none.
    """

    start: datetime
    end: datetime
    ticks: Sequence[tuple[float, str]]
    jobs: Lanes
    stages: Lanes
    executors: Lanes
    alive: Alive | None


@dataclass(frozen=True)
class _Piece:
    """A bar that has no place yet."""

    begin: datetime
    end: datetime
    label: str
    name: str
    state: str
    title: str
    anchor: str = ""


def build_timeline(attempt: ApplicationAttempt, most: int = MOST_BARS) -> Timeline | None:
    """Lay out an attempt over time; None where no time of it is known."""
    last = attempt.end_time or attempt.observed_end
    jobs = [piece for job in attempt.job_list if (piece := _job(job, last))]
    stages = [piece for stage in attempt.stages if (piece := _stage(stage, last))]
    executors = [piece for each in attempt.executors if (piece := _executor(each, last, attempt))]
    pieces = [*jobs, *stages, *executors]
    known = [attempt.start_time, attempt.observed_start, attempt.end_time, attempt.observed_end]
    moments = [moment for moment in known if moment is not None]
    moments += [moment for piece in pieces for moment in (piece.begin, piece.end)]
    if not moments:
        return None
    whole = (min(moments), max(moments))
    return Timeline(
        *whole,
        ticks=_ticks(whole),
        jobs=_laid_out(jobs, whole, most),
        stages=_laid_out(stages, whole, most),
        executors=_laid_out(executors, whole, most),
        alive=_alive([each for each in executors if each.label != DRIVER], whole),
    )


def stage_anchor(stage: StageAttempt) -> str:
    """Name the place on the page where a stage attempt is told of."""
    return f"stage-{stage.stage_id}-{stage.stage_attempt_id}"


def stage_label(stage_id: int, stage_attempt_id: int | None) -> str:
    """Name a stage attempt as Spark's own pages do: ``4``, its second attempt ``4.1``."""
    return f"{stage_id}.{stage_attempt_id}" if stage_attempt_id else str(stage_id)


def _job(job: Job, last: datetime | None) -> _Piece | None:
    running = job.status == RUNNING
    found = _interval(job.submission_time, job.completion_time or last)
    if found is None:
        return None
    state = "ok" if job.status in ENDED_WELL else "running" if running else "failed"
    planned = f"{len(job.stage_ids):,} stage{'' if len(job.stage_ids) == 1 else 's'} planned"
    title = f"Job {job.job_id}: {job.status.lower()}, {_took(found)}; {planned}"
    return _Piece(*found, str(job.job_id), "", state, title)


def _stage(stage: StageAttempt, last: datetime | None) -> _Piece | None:
    found = _interval(stage.submission_time, stage.completion_time or last)
    if found is None:
        return None
    state = "ok" if stage.status in ENDED_WELL else "failed" if stage.status == "FAILED" else "running"
    label, name = stage_label(stage.stage_id, stage.stage_attempt_id), stage.name or ""
    tasks = f"{units.count_text(stage.tasks)} tasks, {units.count_text(stage.failed_tasks)} failed"
    title = f"Stage {label}{f' ({name})' if name else ''}: {stage.status.lower()}, {_took(found)}; {tasks}"
    return _Piece(*found, label, name, state, title, stage_anchor(stage))


def _executor(executor: Executor, last: datetime | None, attempt: ApplicationAttempt) -> _Piece | None:
    end = executor.remove_time or last
    found = _interval(executor.add_time, end)
    if found is None:
        return None
    lives = executor.remove_time is None and attempt.status == RUNNING
    reason = f"; {executor.removed_reason}" if executor.removed_reason else ""
    until = "alive" if lives else "lived"
    title = (
        f"Executor {executor.executor_id} on {executor.host or 'a host not known'}: {until} {_took(found)}"
    )
    label = executor.executor_id
    state = "running" if lives else "ok"
    return _Piece(*found, label, executor.host or "", state, title + reason)


def _interval(begin: datetime | None, end: datetime | None) -> Interval | None:
    """Return both in order: a clock that went back makes a bar of no length, no error."""
    if begin is None:
        return None
    return begin, max(begin, end or begin)


def _took(interval: Interval) -> str:
    begin, end = interval
    return f"{units.duration_text(_milliseconds(end - begin))} from {units.moment_text(begin)} UTC"


def _milliseconds(span: timedelta) -> float:
    return span / timedelta(milliseconds=1)


def _laid_out(pieces: Sequence[_Piece], whole: Interval, most: int) -> Lanes:
    longest = sorted(pieces, key=lambda piece: piece.begin - piece.end)[:most]
    shown = sorted(longest, key=lambda piece: (piece.begin, piece.end))
    length = _milliseconds(whole[1] - whole[0]) or 1.0
    free: list[int] = []
    taken: list[tuple[float, int]] = []
    bars, lanes = [], 0
    for piece in shown:
        wide = max(_milliseconds(piece.end - piece.begin) / length, SLIMMEST)
        start = min(_milliseconds(piece.begin - whole[0]) / length, 1 - SLIMMEST)
        while taken and taken[0][0] <= start:
            heapq.heappush(free, heapq.heappop(taken)[1])
        if free:
            lane = heapq.heappop(free)
        else:
            lane, lanes = lanes, lanes + 1
        heapq.heappush(taken, (start + wide, lane))
        bars.append(_bar(piece, start, min(wide, 1 - start), lane))
    return Lanes(bars, lanes, len(pieces))


def _bar(piece: _Piece, start: float, length: float, lane: int) -> Bar:
    took = _milliseconds(piece.end - piece.begin)
    return Bar(piece.label, piece.name, piece.state, took, start, length, lane, piece.title, piece.anchor)


def _alive(executors: Sequence[_Piece], whole: Interval) -> Alive | None:
    """Count executors over time: up where one registers, down where one goes, but at the very end."""
    if not executors:
        return None
    length = _milliseconds(whole[1] - whole[0]) or 1.0
    changes: dict[datetime, int] = {}
    for moment, change in _changes(executors, whole[1]):
        changes[moment] = changes.get(moment, 0) + change
    points, count = [(0.0, 0)], 0
    for moment in sorted(changes):
        count += changes[moment]
        points.append((_milliseconds(moment - whole[0]) / length, count))
    return Alive([*points, (1.0, count)], max(each for _, each in points))


def _changes(executors: Iterable[_Piece], end: datetime) -> Iterable[tuple[datetime, int]]:
    for each in executors:
        yield each.begin, 1
        if each.end < end:
            yield each.end, -1


def _ticks(whole: Interval) -> list[tuple[float, str]]:
    length = _milliseconds(whole[1] - whole[0])
    step = next((step for step in STEPS_MS if length / step < MOST_TICKS), None)
    if not length or step is None:
        return [(0.0, "start")]
    later = range(1, int(length / step) + 1)
    labels = (units.duration_text(place * step).replace(".0 s", " s") for place in later)
    return [
        (0.0, "start"),
        *((place * step / length, label) for place, label in zip(later, labels, strict=True)),
    ]
