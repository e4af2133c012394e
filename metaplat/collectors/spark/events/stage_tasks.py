"""Ended and started tasks, counted and summed in columns.

Here: batches of tasks into stages and executors.
Not here: finding them in the bytes (``lines``), the other events (``bookkeeping``).

What counts: a task id counts once, in the stage and on the executor where it ended first; it failed if any
of its ends is a failure. An end is none where the reason is Success, TaskKilled, TaskCommitDenied (both are
killed, as Spark's own pages have it) or Resubmitted (its output was lost; it had succeeded). Sums are over
all ends. Spreads are over the successful ends of each id, until the stage is completed.
"""

from __future__ import annotations

import struct
from itertools import chain
from operator import attrgetter
from typing import TYPE_CHECKING

import numpy as np  # noqa: TID253  # imported only when a log is read

from metaplat.collectors.spark.events.shapes import (
    MISSING,
    Input,
    Output,
    ShuffleRead,
    ShuffleWrite,
    TaskMetrics,
)
from metaplat.collectors.spark.events.state import LAST_MOMENT_MS, SUMS, Peaks
from metaplat.collectors.spark.events.task_marks import (
    ENDED,
    FAILED,
    KILLED,
    RESUBMITTED,
    SPECULATIVE,
    STARTED,
    SUCCEEDED,
    TaskMarks,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from numpy.typing import NDArray

    from metaplat.collectors.spark.events.shapes import ExecutorMetrics, TaskEnd, TaskStart
    from metaplat.collectors.spark.events.state import Stage, State

BATCH = 2000
"""Tasks that are counted at once: so many times ``IMPLAUSIBLE`` fits 64 bits."""
IMPLAUSIBLE = 2**52
"""A larger metric of a task (4 PiB, 52 days of CPU) is wrong: it is left out, and flagged."""
MARKS = {
    "Success": ENDED | SUCCEEDED,
    "TaskKilled": ENDED | KILLED,
    "TaskCommitDenied": ENDED | KILLED,
    "Resubmitted": ENDED | RESUBMITTED,
}
IDENTITY = ("task_id", "launched", "finished", "speculative")
METRICS = (
    "metrics.run",
    "metrics.cpu",
    "metrics.gc",
    "metrics.input.read",
    "metrics.output.written",
    "metrics.shuffle_read.remote",
    "metrics.shuffle_write.written",
    "metrics.memory_spilled",
    "metrics.disk_spilled",
    "metrics.peak",
    "metrics.shuffle_read.local",
)
"""In the order of ``SUMS``, then the peak, then the part of the shuffle read that is local."""
START_COLUMNS = ("info.task_id", "info.launched", "stage_id", "attempt_id")
END, START = attrgetter(*IDENTITY, *METRICS), attrgetter(*START_COLUMNS)
NO_METRICS = TaskMetrics()
NO_READ, NO_WRITE, NO_INPUT, NO_OUTPUT = ShuffleRead(), ShuffleWrite(), Input(), Output()
UNKNOWN, NOT_TOLD = -1, -2
TIMES = 3
"""The first rows of a table are times; there a negative value is a clock that was set back."""


class StageTasks:
    """Collects tasks and counts them in batches.

    Parameters
    ----------
    state : State
        Its stages and executors are filled.
    marks : TaskMarks
        What was seen of each task before.
    """

    def __init__(self, state: State, marks: TaskMarks) -> None:
        self._state, self._marks = state, marks
        self._started: list[TaskStart] = []
        self._running: list[NDArray[np.int64]] = []
        self._kinds: list[int] = []
        self._ended: list[TaskEnd] = []
        self._closing: dict[tuple[int, int], int] = {}
        self._numbers: dict[tuple[int, int, int], int] = {}
        self._stages: dict[tuple[int, int], int] = {}
        self._kind_marks: list[int] = []
        self._kind_stages: list[int] = []

    def kind(self, stage_id: int, attempt_id: int, reason: str) -> int:
        """Return the number under which tasks of a stage that end so are passed to ``ended``."""
        mark = MARKS.get(reason, ENDED | FAILED)
        key = (stage_id, attempt_id, mark)
        if key not in self._numbers:
            self._numbers[key] = len(self._kind_marks)
            self._kind_marks.append(mark)
            stage = self._stages.setdefault((stage_id, attempt_id), len(self._stages))
            self._kind_stages.append(stage)
        return self._numbers[key]

    def forget_kinds(self) -> None:
        """Forget all kinds: the numbers given so far are no longer valid."""
        self.flush()
        self._numbers, self._stages, self._kind_marks, self._kind_stages = {}, {}, [], []

    def started(self, tasks: Sequence[TaskStart]) -> None:
        """Take tasks that started."""
        self._started += tasks
        if len(self._started) >= BATCH:
            self._count_started()

    def ended(self, kinds: Sequence[int], tasks: Sequence[TaskEnd]) -> None:
        """Take tasks that ended, each with its kind; they are counted by ``flush`` at the latest."""
        self._kinds += kinds
        self._ended += tasks
        if len(self._ended) >= BATCH:
            self.flush()

    def close(self, stage: Stage) -> None:
        """Say that a stage is completed: what ends from now on no longer tells its spread."""
        self._closing.setdefault((stage.stage_id, stage.attempt_id), len(self._ended))

    def flush(self) -> None:
        """Count the tasks that wait, and close the stages that were completed among them."""
        self._count_started()
        for start in range(0, len(self._ended), BATCH):
            stop = start + BATCH
            self._count(self._kinds[start:stop], self._ended[start:stop], start)
        for stage_id, attempt_id in self._closing:
            self._state.stage(stage_id, attempt_id).close()
        self._kinds, self._ended, self._closing = [], [], {}
        self._keep_running()

    def without_end(self) -> int:
        """Return how many tasks started and did not end, those of failed stages apart.

        When a stage fails, Spark no longer logs what became of the tasks that still ran in it, where the
        application ends soon after: nothing of the log was lost.
        """
        failed = 0
        for stage_id, attempt_id in self._state.unended.values():
            stage = self._state.stages.get(stage_id, {}).get(attempt_id)
            failed += stage is not None and stage.failure is not None
        return self._marks.without_end() - failed

    def _count_started(self) -> None:
        ids, launched, stages, attempts = _table(map(START, self._started), len(self._started))
        self._marks.mark(ids, np.full(len(ids), STARTED, np.uint8))
        self._observe(launched)
        if len(ids):
            self._running.append(np.vstack([ids, stages, attempts]))
        self._started = []

    def _keep_running(self) -> None:
        """Keep of the tasks that started those that have not ended: never more than run at once."""
        before = [(task, *stage) for task, stage in self._state.unended.items()]
        known = np.array(before, np.int64).reshape(-1, 3).T
        table = np.hstack([known, *self._running])
        left = table[:, self._marks.lack_end(table[0])].T.tolist()
        self._state.unended = {task: (stage, attempt) for task, stage, attempt in left}
        self._running = []

    def _count(self, kinds: list[int], tasks: list[TaskEnd], start: int) -> None:
        ids, launched, finished, speculative, *_ = told = self._told(tasks)
        marks = np.array(self._kind_marks, np.uint8)[kinds]
        marks[speculative != 0] |= SPECULATIVE
        fresh = self._marks.mark(ids, marks)
        self._state.application.resubmitted += int(np.count_nonzero(fresh & RESUBMITTED))
        self._state.application.speculative += int(np.count_nonzero(fresh & SPECULATIVE))
        self._observe(launched)
        self._observe(finished)
        table, peaks = self._metrics(told[len(IDENTITY) :])
        counted = [(fresh & mark) != 0 for mark in (ENDED, FAILED, KILLED)]
        table = np.vstack([*counted, table], dtype=np.int64)
        durations = self._durations(launched, finished)
        durations[(fresh & SUCCEEDED) == 0] = NOT_TOLD
        self._fill_stages(kinds, start, table, peaks, durations)
        self._fill_executors(tasks, table)

    def _told(self, tasks: list[TaskEnd]) -> NDArray[np.int64]:
        """Return what the ends say of their tasks, shape (len(IDENTITY) + len(METRICS), tasks)."""
        try:
            table = _table(map(END, tasks), len(tasks))
            self._state.application.metrics_seen = True
        except AttributeError:  # some task has no metrics, or not all groups of them
            table = _table(map(_whole, tasks), len(tasks))
            self._state.application.metrics_seen |= any(task.metrics is not None for task in tasks)
        return table

    def _metrics(self, table: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return the metrics, shape (len(SUMS), tasks), wrong and missing ones as 0, and the peaks."""
        application = self._state.application
        application.cpu_seen |= bool((table[1] != MISSING).any())
        peaks = table[len(SUMS)].copy()
        if int(table.min()) < 0 or int(table.max()) > IMPLAUSIBLE:
            self._clean(table)
            peaks[(peaks < 0) | (peaks > IMPLAUSIBLE)] = MISSING
        table[5] += table[len(SUMS) + 1]
        return table[: len(SUMS)], peaks

    def _clean(self, table: NDArray[np.int64]) -> None:
        """Set what cannot be to 0, and flag it."""
        negative = (table < 0) & (table != MISSING)
        wrong = negative | (table > IMPLAUSIBLE)
        flags = self._state.application.flags
        if negative[:TIMES].any():
            flags.add("clock_skew")
        if negative[TIMES:].any() or (table > IMPLAUSIBLE).any():
            flags.add("implausible_values")
        table[wrong | (table == MISSING)] = 0

    def _durations(self, launched: NDArray[np.int64], finished: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return finish minus launch, ``UNKNOWN`` where one is none or the clock was set back."""
        known = _known(launched) & _known(finished)
        back = known & (finished < launched)
        if back.any():
            self._state.application.flags.add("clock_skew")
        durations = np.full(len(launched), UNKNOWN, np.int64)
        forth = known & ~back
        durations[forth] = finished[forth] - launched[forth]
        return durations

    def _observe(self, times: NDArray[np.int64]) -> None:
        known = times[_known(times)]
        if len(known):
            self._state.application.moment(int(known.min()))
            self._state.application.moment(int(known.max()))

    def _fill_stages(
        self,
        kinds: list[int],
        start: int,
        table: NDArray[np.int64],
        peaks: NDArray[np.int64],
        durations: NDArray[np.int64],
    ) -> None:
        keys = list(self._stages)
        stages = np.array(self._kind_stages, np.intp)[kinds]
        for number, rows, counts in _groups(stages, table):
            stage = self._state.stage(*keys[number])
            stage.counts.add(counts)
            peak = int(peaks[rows].max())
            if peak != MISSING:
                stage.peak = peak if stage.peak is None else max(stage.peak, peak)
            if stage.samples is None:
                continue
            closing = self._closing.get(keys[number])
            told = rows if closing is None else rows[rows < closing - start]
            told = told[durations[told] != NOT_TOLD]
            lasted = durations[told]
            stage.samples.durations.add(lasted[lasted >= 0])
            stage.samples.inputs.add(table[6, told])
            stage.samples.shuffles.add(table[8, told])

    def _fill_executors(self, tasks: list[TaskEnd], table: NDArray[np.int64]) -> None:
        ran = [task.executor_id for task in tasks]
        names = list(dict.fromkeys(ran))
        codes = {name: number for number, name in enumerate(names)}
        executors = list(map(codes.__getitem__, ran))
        for number, _, counts in _groups(np.array(executors, np.intp), table):
            if name := names[number]:
                self._state.executor(name).counts.add(counts)
        for task in tasks:
            if task.executor_metrics is not None and task.executor_id:
                keep_peaks(self._state, task.executor_id, task.executor_metrics)


def keep_peaks(state: State, executor_id: str, metrics: ExecutorMetrics) -> None:
    """Keep the largest memory of an executor; nothing was measured where there is no heap."""
    if not 0 < metrics.heap <= IMPLAUSIBLE:
        return
    peaks = state.peaks.setdefault(executor_id, Peaks())
    peaks.heap = max(peaks.heap or 0, metrics.heap)
    tree = metrics.jvm + metrics.python + metrics.other
    if 0 < tree <= IMPLAUSIBLE:
        peaks.memory = max(peaks.memory or 0, tree)


def _whole(task: TaskEnd) -> tuple[int, ...]:
    """Return what ``END`` returns, of a task that lacks metrics."""
    metrics = task.metrics or NO_METRICS
    groups = (metrics.input or NO_INPUT, metrics.output or NO_OUTPUT)
    read, write = metrics.shuffle_read or NO_READ, metrics.shuffle_write or NO_WRITE
    return (
        task.task_id,
        task.launched,
        task.finished,
        task.speculative,
        metrics.run,
        metrics.cpu,
        metrics.gc,
        groups[0].read,
        groups[1].written,
        read.remote,
        write.written,
        metrics.memory_spilled,
        metrics.disk_spilled,
        metrics.peak,
        read.local,
    )


def _table(rows: Iterable[tuple[int, ...]], height: int) -> NDArray[np.int64]:
    """Return rows of whole numbers, column by column, shape (columns, rows).

    Packing is faster than ``numpy.array``, and taking all numbers of a task at once than one after another.
    """
    numbers = list(chain.from_iterable(rows))
    packed = struct.pack(f"={len(numbers)}q", *numbers)
    width = len(numbers) // height if height else len(START_COLUMNS)
    return np.array(np.frombuffer(packed, np.int64).reshape(height, width).T, order="C")


def _known(times: NDArray[np.int64]) -> NDArray[np.bool_]:
    return (times > 0) & (times <= LAST_MOMENT_MS)


def _groups(
    keys: NDArray[np.intp], table: NDArray[np.int64]
) -> Iterator[tuple[int, NDArray[np.intp], list[int]]]:
    """Yield each key with its rows, in their order, and the sums of its columns."""
    order = np.argsort(keys, kind="stable")
    ordered = keys[order]
    starts = np.flatnonzero(np.diff(ordered, prepend=-1))
    sums = np.add.reduceat(table[:, order], starts, axis=1).T.tolist()
    yield from zip(ordered[starts].tolist(), np.split(order, starts[1:]), sums, strict=True)
