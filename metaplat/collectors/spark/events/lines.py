"""Whole lines of a log, told apart by their first bytes and taken apart as little as possible.

Here: the way that is fast for tasks, and the careful way, which is always right.
Not here: cutting bytes into lines (``replay``), what events mean (``bookkeeping``, ``stage_tasks``).

TaskEnd lines are nearly all of a log. Of such a line the part up to its Accumulables and the part from its
Task Metrics on are put together, and the parts of many lines are decoded at once; what stands before Task
Info is decoded once for all tasks that have it in common. If anything about a line is not as expected it is
decoded as a whole, on its own, and so is every line of a block where decoding fails.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from msgspec import DecodeError  # noqa: TID253  # imported only when a log is read
from msgspec.json import Decoder  # noqa: TID253  # imported only when a log is read

from metaplat.collectors.spark.events.shapes import LooseTaskEnd, Named, TaskEnd, TaskKind, TaskStart

if TYPE_CHECKING:
    from metaplat.collectors.spark.events.bookkeeping import Bookkeeping
    from metaplat.collectors.spark.events.stage_tasks import StageTasks
    from metaplat.collectors.spark.events.state import State

EVENT = b'{"Event":"'
TASK_END, TASK_START = "SparkListenerTaskEnd", "SparkListenerTaskStart"
END_LINE, START_LINE = EVENT + TASK_END.encode() + b'"', EVENT + TASK_START.encode() + b'"'
INFO = b'"Task Info":'
ACCUMULABLES = b',"Accumulables":['
BEFORE_LIST = len(ACCUMULABLES) - 1
METRICS = b',"Task Metrics":{'
PEAKS = b',"Task Executor Metrics":{"JVMHeapMemory":'
UNMEASURED = PEAKS + b"0,"
SLACK = 64
"""The metrics of two tasks differ by so many digits."""
LONGEST_PREFIX = 400
"""A longer one has a reason that no other task has."""
MOST_PREFIXES = 4096
NO_PREFIX = b"\n"
LIST_END = ord("]")
CAPITAL = b"L"
"""Every event has one in its name; accumulables and peaks, which lie in between, hardly ever."""
NO_EVENT = (DecodeError, UnicodeDecodeError, RecursionError)
"""What decoding raises for what is no such event, or nested beyond all reason."""

decode_task_ends = Decoder(TaskEnd).decode_lines
decode_task_starts = Decoder(TaskStart).decode_lines
decode_kind = Decoder(TaskKind).decode
decode_loose_task_end = Decoder(LooseTaskEnd).decode
decode_task_start = Decoder(TaskStart).decode
decode_name = Decoder(Named).decode


@dataclass
class _Block:
    """The parts of a block that are decoded together, and the places of all its other lines.

    An end has a kind and two parts: its start, and its metrics. Another line is known by how many ends came
    before it.
    """

    kinds: list[int] = field(default_factory=list)
    ends: list[bytes] = field(default_factory=list)
    starts: list[bytes] = field(default_factory=list)
    others: list[tuple[int, int, int]] = field(default_factory=list)


class Lines:
    """Reads blocks of whole lines.

    Parameters
    ----------
    state : State
        Counts lines that are no event.
    tasks : StageTasks
        Takes the tasks.
    book : Bookkeeping
        Takes the other events.
    """

    def __init__(self, state: State, tasks: StageTasks, book: Bookkeeping) -> None:
        self._state, self._tasks, self._book = state, tasks, book
        self._kinds: dict[bytes, int] = {}
        self._last = (NO_PREFIX, 0, 0, 0)

    def read(self, block: bytes, start: int, stop: int) -> None:
        """Read the lines of ``block[start:stop]``, which ends with a line break."""
        if len(self._kinds) > MOST_PREFIXES:
            self._kinds.clear()
            self._last = (NO_PREFIX, 0, *self._last[2:])
            self._tasks.forget_kinds()
        found = self._scan(block, start, stop)
        try:
            ends, starts = decode_task_ends(b"".join(found.ends)), decode_task_starts(b"".join(found.starts))
        except NO_EVENT:
            self._read_carefully(block, start, stop)
            return
        if len(ends) == len(found.kinds) and len(starts) == len(found.starts):
            self._take(block, found, ends, starts)
        else:  # two events in one line
            self._read_carefully(block, start, stop)

    def _scan(self, block: bytes, start: int, stop: int) -> _Block:
        """Find the lines, and what is wanted of those of tasks.

        Most tasks are like the one before: the same prefix, metrics of nearly the same length, and peaks that
        were not measured. Where one is not, it is looked for in its whole line.
        """
        found, find, begins = _Block(), block.find, block.startswith
        kinds, add, add_start = found.kinds, found.ends.append, found.starts.append
        prefix, kind, reach, distance = self._last
        while start < stop:
            end = find(b"\n", start, stop)
            if not begins(prefix, start):
                if begins(START_LINE, start):
                    add_start(block[start : end + 1])
                    start = end + 1
                    continue
                if begins(END_LINE, start):
                    prefix, kind = self._prefix(block, start, end)
                if not begins(prefix, start):
                    found.others.append((len(kinds), start, end))
                    start = end + 1
                    continue
            info = start + len(prefix)
            cut, tail = find(b"[", info, end) - BEFORE_LIST, find(b"}", end - reach, end) + 1
            if not (begins(METRICS, tail) and begins(ACCUMULABLES, cut)):
                cut, tail = find(ACCUMULABLES, info, end), block.rfind(METRICS, start, end)
            if info < cut < tail and (find(CAPITAL, cut, tail) < 0 or find(EVENT, cut, tail) < 0):
                reach = end - tail + SLACK
                if block[tail - 2] != LIST_END and not begins(UNMEASURED, tail - distance):
                    tail, distance = _with_peaks(block, cut, tail)
                kinds.append(kind)
                add(block[info:cut])
                add(block[tail : end + 1])
            else:
                found.others.append((len(kinds), start, end))
            start = end + 1
        self._last = prefix, kind, reach, distance
        return found

    def _prefix(self, block: bytes, start: int, end: int) -> tuple[bytes, int]:
        """Return what stands before the members of ``Task Info``, and the kind of task it tells of.

        A prefix that is no start of an event, or longer than what other tasks may have, is none: its line is
        read carefully.
        """
        info = block.find(INFO, start, min(end, start + LONGEST_PREFIX))
        if info < 0:
            return NO_PREFIX, 0
        prefix = block[start : info + len(INFO)]
        if prefix not in self._kinds:
            if not prefix.endswith(b"," + INFO):
                return NO_PREFIX, 0
            try:
                kind = decode_kind(prefix[: -len(INFO) - 1] + b"}")
            except NO_EVENT:
                return NO_PREFIX, 0
            self._kinds[prefix] = self._tasks.kind(kind.stage_id, kind.stage_attempt_id, kind.end.reason)
        return prefix, self._kinds[prefix]

    def _take(self, block: bytes, found: _Block, ends: list[TaskEnd], starts: list[TaskStart]) -> None:
        """Pass on what was found in the order in which it was logged; only starts are in no hurry."""
        self._book.count(TASK_END, len(ends) + len(starts))
        self._tasks.started(starts)
        if not found.others:
            self._tasks.ended(found.kinds, ends)
            return
        taken = 0
        for row, start, end in found.others:
            if row > taken:
                self._tasks.ended(found.kinds[taken:row], ends[taken:row])
                taken = row
            self._read_line(block[start:end])
        self._tasks.ended(found.kinds[taken:], ends[taken:])

    def _read_carefully(self, block: bytes, start: int, stop: int) -> None:
        while start < stop:
            end = block.find(b"\n", start, stop)
            self._read_line(block[start:end])
            start = end + 1

    def _read_line(self, line: bytes) -> None:
        """Read one line, decoding all of it; one that is no event is counted."""
        if not line.strip():
            return
        try:
            self._read_event(_name(line), line)
        except NO_EVENT:
            self._state.application.broken_lines += 1

    def _read_event(self, name: str, line: bytes) -> None:
        if name == TASK_END:
            self._end(decode_loose_task_end(line))
        elif name == TASK_START:
            self._tasks.started([decode_task_start(line)])
        elif self._book.wants(name):
            self._book.keep(name, line)
        elif not line.rstrip().endswith(b"}") or line.find(EVENT, 1) > 0:
            decode_name(line)  # nothing is wanted of it, but it may be cut
        self._book.count(name)

    def _end(self, event: LooseTaskEnd) -> None:
        info = event.info
        kind = self._tasks.kind(event.stage_id, event.stage_attempt_id, event.end.reason)
        task = TaskEnd(
            info.task_id,
            info.launched,
            info.executor_id,
            info.speculative,
            info.finished,
            event.metrics,
            event.executor_metrics,
        )
        self._tasks.ended([kind], [task])


def _with_peaks(block: bytes, cut: int, metrics: int) -> tuple[int, int]:
    """Return where the peaks before the metrics start, if they were measured, and how far before they do."""
    peaks = block.find(PEAKS, cut, metrics)
    if peaks < 0:
        return metrics, 0
    return (metrics if block.startswith(UNMEASURED, peaks) else peaks), metrics - peaks


def _name(line: bytes) -> str:
    """Return the class of an event.

    Raises
    ------
    msgspec.DecodeError
        It is no object with such a key.
    """
    end = line.find(b'"', len(EVENT))
    if line.startswith(EVENT) and line[end + 1 : end + 2] in (b",", b"}"):
        return line[len(EVENT) : end].decode()
    return decode_name(line).event
