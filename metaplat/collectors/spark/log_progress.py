"""How far an event log was read, and where reading goes on.

Here: what is remembered of a log that may grow, and which of its files are left.
Not here: reading them (``log_reading``).

A file of a rolling log is closed once a later one exists. What was counted in closed files is kept, so that
each is counted once: also where a History Server has thrown their tasks away since (compaction). Of a plain
file that grows the place is kept too; a compressed one that grows is read again.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from metaplat.collectors.spark.log_files.log import EventLog, LogFile

IN_PROGRESS = ".inprogress"
_ROLLED = re.compile(r"events_(\d+)_")


@dataclass(frozen=True)
class Progress:
    """How far a log was read.

    Parameters
    ----------
    closed : tuple of str
        Names of the files whose events are in ``replay``, whole.
    growing : str
        Name of the plain file whose first ``position`` bytes are in it too; empty where there is none.
    position : int
        Bytes of it.
    head : str
        Digest of its first bytes.
    replay : bytes
        Snapshot of a ``LogReplay``; empty where nothing was read.
    """

    closed: tuple[str, ...] = ()
    growing: str = ""
    position: int = 0
    head: str = ""
    replay: bytes = field(default=b"", repr=False)

    def encoded(self) -> bytes:
        """Return it as bytes; empty where nothing was read."""
        import msgspec

        parts = (self.closed, self.growing, self.position, self.head, self.replay)
        return msgspec.msgpack.encode(parts) if self.replay else b""

    @classmethod
    def decoded(cls, content: bytes | None) -> Progress:
        """Read it back; what this version did not write is a start from nothing."""
        import msgspec

        try:
            parts = msgspec.msgpack.decode(content or b"", type=tuple[tuple[str, ...], str, int, str, bytes])
        except msgspec.MsgspecError:
            return cls()
        return cls(*parts)


NOTHING = Progress()


def left_to_read(log: EventLog, before: Progress) -> tuple[Progress, tuple[LogFile, ...]]:
    """Return where reading goes on, and the files left, in order.

    Where what was read does not fit the files any more, everything is read anew.
    """
    if not before.replay:
        return NOTHING, log.files
    if log.layout == "single":
        fits = bool(log.files) and base_name(log.files[0]) == before.growing
        return (before, log.files) if fits else (NOTHING, log.files)
    if log.layout == "databricks":
        return before, tuple(file for file in log.files if file.name not in before.closed)
    return _left_of_rolling(log, before)


def _left_of_rolling(log: EventLog, before: Progress) -> tuple[Progress, tuple[LogFile, ...]]:
    """Leave out what was read; a compacted file stands for all up to its number."""
    done = max((rolled_number(name) for name in before.closed), default=0)
    left = tuple(file for file in log.files if rolled_number(file.name) > done)
    lost = any(file.compacted for file in left)
    first = rolled_number(left[0].name) if left else done + 1
    gone_on = not before.growing or (bool(left) and base_name(left[0]) == before.growing)
    if lost or first > done + 1 or not gone_on:
        return NOTHING, log.files
    return before, left


def lacks_a_file(log: EventLog, before: Progress) -> bool:
    """Whether a file of a rolling log is neither there nor was read before; its events may be whole jobs."""
    if log.layout != "rolling":
        return False
    known = {rolled_number(name) for name in (*before.closed, *(file.name for file in log.files))}
    compacted = max((rolled_number(file.name) for file in log.files if file.compacted), default=0)
    return any(number not in known for number in range(compacted + 1, max(known)))


def rolled_number(name: str) -> int:
    """Return N of ``events_N_...``; 0 where the name has none."""
    found = _ROLLED.match(name.rpartition("/")[2])
    return int(found[1]) if found else 0


def base_name(file: LogFile) -> str:
    """Return the name of a file whether it is still written to or not."""
    return file.name.removesuffix(IN_PROGRESS)
