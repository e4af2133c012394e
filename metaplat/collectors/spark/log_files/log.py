"""An event log as it is found: its files in reading order.

Here: the two nouns, and how a log is recognised as unchanged.
Not here: finding logs (``place``), which files belong together (``layout``).
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Literal

IN_PROGRESS = ".inprogress"
"""What Spark adds to a name while the application runs."""

Layout = Literal["single", "rolling", "databricks"]


@dataclass(frozen=True)
class LogFile:
    r"""One stored file.

    Parameters
    ----------
    address : str
        Where it lies, for people and for ``LogPlace.read``: a path or ``s3://bucket/key``. Bytes of a local
        path that are no UTF-8, and control characters, are written ``\xNN``.
    name : str
        Without its folder.
    size : int
        Stored bytes when it was listed.
    etag : str
        Changes with the content. Of a local file: time of change in ns, size and inode.
    compacted : bool
        Whether a History Server wrote it, in place of files whose finished tasks it threw away.
    """

    address: str
    name: str
    size: int
    etag: str
    compacted: bool = False


@dataclass(frozen=True)
class EventLog:
    """One log of one application attempt, or of one Databricks cluster.

    Parameters
    ----------
    address : str
        Of its only file, or of its folder.
    name : str
        Name of that file or folder; of a Databricks log the cluster and the Spark context, as its path says.
    layout : str
        ``single``, ``rolling`` or ``databricks``.
    files : tuple of LogFile
        In reading order, at least one.
    in_progress : bool
        Whether the names say that the application runs. Those of Databricks never do.
    app_id, attempt_id : str or None
        As the name has it; a hint, since Spark writes names in lower case. None where it says nothing.
    """

    address: str
    name: str
    layout: Layout
    files: tuple[LogFile, ...]
    in_progress: bool = False
    app_id: str | None = None
    attempt_id: str | None = None

    @property
    def fingerprint(self) -> str:
        """Digest of the names, sizes and etags of all its files, and of whether it is in progress."""
        seen = [[file.name, file.size, file.etag] for file in self.files]
        content = json.dumps([self.in_progress, seen]).encode()  # ASCII, whatever the names are
        return hashlib.blake2b(content, digest_size=16).hexdigest()
