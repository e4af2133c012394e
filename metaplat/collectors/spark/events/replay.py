"""The replay of one event log: bytes go in as they come, an attempt comes out whenever it is asked for.

Here: cutting bytes into whole lines, and keeping all that was read from one process to the next.
Not here: where the bytes come from (``log_files``), what lines mean (``lines``), what is told of them
(``summary``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from msgspec import DecodeError, Struct, msgpack  # noqa: TID253  # imported only when a log is read

from metaplat.collectors.spark.events.bookkeeping import Bookkeeping
from metaplat.collectors.spark.events.lines import Lines
from metaplat.collectors.spark.events.stage_tasks import StageTasks
from metaplat.collectors.spark.events.state import State
from metaplat.collectors.spark.events.summary import summarised
from metaplat.collectors.spark.events.task_marks import TaskMarks
from metaplat.model.errors import InvalidInputError

if TYPE_CHECKING:
    from metaplat.collectors.spark.attempt import ApplicationAttempt

BLOCK = 1 << 20
"""Lines are decoded so many bytes at once: smaller chunks are put together, larger ones cut."""
LONGEST_LINE = 256 << 20
"""A longer line is broken, and skipped."""


class _Snapshot(Struct, array_like=True):
    form: Literal["metaplat spark replay 1"]  # another number, another form
    state: State
    marks: dict[int, bytes]
    rest: bytes
    read: int
    skipped: int | None


class LogReplay:
    """Reads one event log, file by file, and tells what is known of its application."""

    def __init__(self) -> None:
        self._keep(State(), TaskMarks())
        self._held: list[bytes] = []
        self._size = self._whole = self._read = 0
        self._skipped: int | None = None

    def _keep(self, state: State, marks: TaskMarks) -> None:
        self._state, self._marks = state, marks
        self._tasks = StageTasks(state, marks)
        self._lines = Lines(state, self._tasks, Bookkeeping(state, self._tasks))

    @property
    def position(self) -> int:
        """Unpacked bytes of the current file, up to the end of its last whole line."""
        return self._read + self._whole

    def feed(self, chunk: bytes) -> None:
        """Read further bytes of the current file, cut anywhere."""
        if self._skipped is not None:
            chunk = self._skip(chunk)
        first = chunk.find(b"\n") + 1 if len(chunk) >= BLOCK else 0
        if not first:
            self._hold(chunk)
            if self._size >= BLOCK:
                self._read_held()
            return
        start = first if self._held else 0
        self._hold(chunk[:start])
        self._read_held()
        stop = chunk.rfind(b"\n") + 1
        self._read_lines(chunk, start, stop)
        self._hold(chunk[stop:])

    def end_file(self, *, cut: bool) -> None:
        """Say that the current file is over; what is fed from now on is the next one's.

        Parameters
        ----------
        cut : bool
            The file is still growing, or is damaged: a last line without an end is left out. Else it is read.
        """
        if not cut and self._size > self._whole:
            self._hold(b"\n")
        self._read_held()
        self._held, self._size, self._read, self._skipped = [], 0, 0, None

    def attempt(self, source: str) -> ApplicationAttempt:
        """Return what is known so far of the application; reading may go on.

        Parameters
        ----------
        source : str
            Of the record.

        Raises
        ------
        InvalidInputError
            There was not one event of Spark, or those of several applications: their figures would be mixed.
        """
        self._count()
        if not self._state.application.known_events:
            raise InvalidInputError("is no event log: there is not one event of Spark in it")
        if others := self._state.application.others:
            named = ", ".join(sorted({self._state.application.app_id or "one without an id", *others})[:5])
            raise InvalidInputError(
                f"holds events of several applications ({named}); give each a log of its own"
            )
        return summarised(self._state, self._tasks.without_end(), source)

    def snapshot(self) -> bytes:
        """Return all that was read, for ``restore``; the bytes of an unfinished line are in it."""
        self._count()
        return msgpack.encode(
            _Snapshot(
                "metaplat spark replay 1",
                self._state,
                self._marks.saved(),
                b"".join(self._held),
                self._read,
                self._skipped,
            )
        )

    @classmethod
    def restore(cls, data: bytes) -> LogReplay:
        """Return the replay of a snapshot; the next byte to feed is the one after the last that was fed.

        Raises
        ------
        InvalidInputError
            It is no snapshot, or one of another version.
        """
        try:
            saved = msgpack.decode(data, type=_Snapshot)
            marks = TaskMarks.restored(saved.marks)
        except (DecodeError, ValueError) as error:
            raise InvalidInputError(f"is no state of a replay that can be read on: {error}") from error
        replay = cls()
        replay._keep(saved.state, marks)
        replay._read, replay._skipped = saved.read, saved.skipped
        replay._hold(saved.rest)
        return replay

    def _count(self) -> None:
        self._read_held()
        self._tasks.flush()

    def _hold(self, chunk: bytes) -> None:
        """Keep bytes for later; a line that has become too long is given up."""
        if not chunk:
            return
        if end := chunk.rfind(b"\n") + 1:
            self._whole = self._size + end
        self._held.append(chunk)
        self._size += len(chunk)
        if self._size - self._whole <= LONGEST_LINE:
            return
        if self._whole:
            self._read_held()  # which holds the long line again, alone
        else:
            self._state.application.broken_lines += 1
            self._skipped = self._size
            self._held, self._size = [], 0

    def _skip(self, chunk: bytes) -> bytes:
        """Return what follows the line that was given up."""
        end = chunk.find(b"\n") + 1
        self._skipped = (self._skipped or 0) + (end or len(chunk))
        if not end:
            return b""
        self._read, self._skipped = self._read + self._skipped, None
        return chunk[end:]

    def _read_held(self) -> None:
        """Read the whole lines of what is kept."""
        if not self._whole:
            return
        block, whole = b"".join(self._held), self._whole
        self._held, self._size, self._whole = [], 0, 0
        self._read_lines(block, 0, whole)
        self._hold(block[whole:])

    def _read_lines(self, block: bytes, start: int, stop: int) -> None:
        self._read += stop - start
        while start < stop:  # what was just unpacked is near at hand; of a large chunk the start no longer is
            end = block.find(b"\n", min(start + BLOCK, stop - 1), stop) + 1
            self._lines.read(block, start, end)
            start = end
