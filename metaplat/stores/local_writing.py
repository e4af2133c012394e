"""Replace a file so that nobody ever sees half of it.

Here: writing beside the target and renaming, and sweeping what killed writers left.
Not here: keys and folders (``local_objects``).
A write goes to ``.<uuid>.tmp`` beside its target and is renamed over it: a process killed at any moment
leaves the old content or the new one. The file is not flushed to the disk (fsync takes ten times as long as
a small write): what a power failure takes is landed or ingested again.
"""

from __future__ import annotations

import os
import re
import time
import uuid
from contextlib import suppress

LEFTOVER_SECONDS = 3600.0
"""Age from which a temporary file is the leftover of a killed writer."""

TEMPORARY = re.compile(r"\.[0-9a-f]{32}\.(tmp|part)")
"""Names of unfinished files: written at once, or streamed (``streamed_files``)."""


def replace(path: str, content: bytes) -> os.stat_result:
    """Write ``content`` to ``path`` in one atomic step; returns the state of the new file."""
    temporary = f"{path[: path.rfind('/')]}/.{uuid.uuid4().hex}.tmp"
    try:
        with open(temporary, "xb") as file:  # noqa: PTH123
            file.write(content)
        _outdate(path, temporary)
        written = os.stat(temporary)  # noqa: PTH116
        os.replace(temporary, path)  # noqa: PTH105
    except BaseException:
        with suppress(OSError):
            os.unlink(temporary)  # noqa: PTH108
        raise
    return written


def _outdate(path: str, temporary: str) -> None:
    """Make the new file younger than the one it replaces, so that the etag always changes.

    File times move in steps of some milliseconds, and a clock may be set back.
    """
    with suppress(FileNotFoundError):
        old, new = os.stat(path).st_mtime_ns, os.stat(temporary).st_mtime_ns  # noqa: PTH116
        if new <= old:
            os.utime(temporary, ns=(old + 1, old + 1))


def sweep(folder: str) -> None:
    """Remove leftovers of killed writers from one folder."""
    oldest = time.time() - LEFTOVER_SECONDS
    with os.scandir(folder) as entries:
        for entry in entries:
            if not TEMPORARY.fullmatch(entry.name):
                continue
            with suppress(FileNotFoundError):  # swept by another process
                if entry.stat().st_mtime < oldest:
                    os.unlink(entry.path)  # noqa: PTH108
