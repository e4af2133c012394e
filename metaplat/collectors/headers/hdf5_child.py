"""The HDF5 library in a process of its own.

Here: asking a child process for one file, and what that process does.
Not here: reading with the library (``hdf5_library``).

On damaged files the library has been seen to never come to an end, and it can crash; in the process that
reads the other files of a batch that would end the batch. It is asked only for what the parser does not know,
so that the time to start a process does not matter.
"""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from metaplat.collectors.headers.hdf5_bytes import Window
from metaplat.collectors.headers.hdf5_contents import describe
from metaplat.collectors.headers.hdf5_library import open_library
from metaplat.collectors.headers.header import Header, HeaderError

if TYPE_CHECKING:
    from metaplat.collectors.headers.header import ByteSource

LONGEST_S = 30
"""Seconds after which the library is taken not to come to an end; starting it takes one or two."""


def read_in_child(source: ByteSource, longest_s: float = LONGEST_S) -> Header:
    """Read a file with the library, in another process.

    Parameters
    ----------
    source : ByteSource
        The file; of one on S3 the child gets what is read here.
    longest_s : float
        Seconds that it may take.

    Raises
    ------
    HeaderError
        Whatever the library makes of the file; ``broken`` where it crashes or does not come to an end.
    """
    path = None if source.path is None else os.fsencode(source.path)
    question = (path, source.size, [(0, b"")] if path else Window(source).parts())
    try:
        done = subprocess.run(
            [sys.executable, "-P", "-m", "metaplat.collectors.headers.hdf5_child"],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            input=repr(question).encode(),
            capture_output=True,
            timeout=longest_s,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise HeaderError("broken", f"HDF5: the library did not come to an end in {longest_s:g} s") from error
    if done.returncode:
        raise HeaderError("broken", f"HDF5: the library crashed on it (exit code {done.returncode})")
    answer = json.loads(done.stdout)
    if "code" in answer:
        raise HeaderError(answer["code"], answer["text"])
    times = answer["time_range"]
    return Header(answer["format"], answer["values"], answer["flags"], None, times and tuple(times))


class PartSource:
    """What is known of a file: some parts of it, or all by its path."""

    def __init__(self, path: bytes | None, size: int, parts: list[tuple[int, bytes]]) -> None:
        self.path = None if path is None else Path(os.fsdecode(path))
        self.size, self._parts, self.first = size, parts, parts[0][1]

    def read(self, offset: int, length: int) -> bytes:
        """Return bytes that are known; raises HeaderError for others."""
        end = min(offset + length, self.size)
        for start, part in self._parts:
            if start <= offset and end <= start + len(part):
                return part[offset - start : end - start]
        raise HeaderError(
            "out_of_reach", f"what is needed at byte {offset:,} would take a third request to S3"
        )


def answer(question: bytes) -> dict[str, Any]:
    """Return what the library says of the file that is asked for, as JSON can hold it."""
    flags: set[str] = set()
    try:
        with open_library(PartSource(*ast.literal_eval(question.decode())), flags) as root:
            header = describe(root, flags)
    except HeaderError as error:
        return {"code": error.code, "text": error.text}
    shown = {"format": header.file_format, "values": header.values, "flags": header.flags}
    return {**shown, "time_range": header.time_range}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(answer(sys.stdin.buffer.read())))
