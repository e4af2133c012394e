"""Files as extractors get them: here, or on S3 with two requests at most.

Here: a file by its path, and one of which the first block and one further stretch can be had.
Not here: S3 itself (``test_s3_source``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from metaplat.collectors.headers.header import FIRST_BLOCK, Header, HeaderError
from metaplat.collectors.headers.local_source import open_local
from metaplat.collectors.headers.reading import read_header

if TYPE_CHECKING:
    from pathlib import Path


def read_local(path: Path) -> Header:
    """Read a file of this machine by its content."""
    with open_local(str(path)) as source:
        return read_header(source)


def refusal_of(path: Path) -> HeaderError:
    """Return why a file is refused; fails where it is not."""
    try:
        header = read_local(path)
    except HeaderError as error:
        return error
    raise AssertionError(f"not refused: {header}")


class FarSource:
    """A file on S3: each ``read`` beyond what is known is a request, and a second one is refused."""

    path = None

    def __init__(self, content: bytes, first_block: int = FIRST_BLOCK) -> None:
        self._content, self.size = content, len(content)
        self.first = content[:first_block]
        self.requests: list[tuple[int, int]] = []

    def read(self, offset: int, length: int) -> bytes:
        """Return bytes, if they were asked for before or nothing was."""
        end = min(offset + length, self.size)
        known = [(0, len(self.first)), *self.requests]
        if not any(start <= offset and end <= stop for start, stop in known):
            if self.requests:
                raise HeaderError("out_of_reach", "it would take a third request")
            self.requests.append((offset, end))
        return self._content[offset:end]
