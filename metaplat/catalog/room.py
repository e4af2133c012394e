"""Room for the output of a pipeline: the target is measured, never guessed.

Here: free bytes of a folder that can be written, and whether a bucket takes objects.
Not here: how much is needed (``preflight``).
"""

from __future__ import annotations

import os
import tempfile
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from metaplat.model.errors import MetaplatError, UsageError

if TYPE_CHECKING:
    from metaplat.settings import Settings


@dataclass(frozen=True)
class Room:
    """What a target has.

    Parameters
    ----------
    available : int or None
        Bytes this user may still write; None where there is no limit, or it is unknown.
    problem : str
        Why nothing can be written there; empty where something can.
    unknown : str
        Why nobody can tell; empty where somebody can.
    """

    available: int | None
    problem: str = ""
    unknown: str = ""


def measure_room(target: str, settings: Settings) -> Room:
    """Measure a target by writing to it: a small file is made and removed, in the target or above it.

    Parameters
    ----------
    target : str
        Folder, which need not exist yet, or ``s3://bucket/prefix``.
    settings : Settings
        How S3 is reached.

    Raises
    ------
    UsageError
        It is an address of another kind.
    """
    if target.startswith("s3://"):
        return _bucket_room(target, settings)
    if "://" in target:
        raise UsageError(f"target {target!r}: a folder or s3://bucket/prefix is needed")
    return _folder_room(Path(target).absolute())


def _folder_room(folder: Path) -> Room:
    existing = folder
    while not existing.exists():
        existing = existing.parent
    if not existing.is_dir():
        return Room(None, problem=f"{existing} is no folder")
    try:
        with tempfile.TemporaryFile(dir=existing) as probe:
            probe.write(b"room")
        figures = os.statvfs(existing)
    except OSError as error:
        return Room(None, problem=f"{existing}: {error.strerror}")
    return Room(figures.f_bavail * figures.f_frsize)


def _bucket_room(target: str, settings: Settings) -> Room:
    from metaplat.stores.s3_objects import S3Objects

    store, key = S3Objects(target.rstrip("/"), settings.s3), f"metaplat-preflight-{uuid.uuid4().hex}"
    try:
        store.put(key, b"room")
        store.delete(key)
    except MetaplatError as error:
        return Room(None, problem=str(error).rstrip("."))
    return Room(None)
