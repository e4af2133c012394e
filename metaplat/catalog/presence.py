"""Whether cataloged files are still there, as they were cataloged.

Here: looking at files and objects now: size and time, or size and ETag.
Not here: marking what vanished (``ingesting.reconciling``).
"""

from __future__ import annotations

import os
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from metaplat.model.errors import MetaplatError
from metaplat.model.observation import path_on_disk

if TYPE_CHECKING:
    from collections.abc import Sequence

    from metaplat.model.observation import Row
    from metaplat.settings import Settings

Found = tuple[str, str]
"""A path, and what was found there instead."""


def absent_files(rows: Sequence[Row], settings: Settings) -> tuple[list[Found], list[Found]]:
    """Look at the files of observations.

    Parameters
    ----------
    rows : sequence of Row
        With ``file_path``, ``file_size`` and ``content_tag``.
    settings : Settings
        How S3 is reached.

    Returns
    -------
    list of (str, str)
        Files that are gone or changed, with what was found.
    list of (str, str)
        Files that nobody could look at, with the reason.
    """
    gone: list[Found] = []
    unknown: list[Found] = []
    buckets: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        if row["file_path"].startswith("s3://"):
            buckets[row["file_path"].split("/")[2]].append(row)
        else:
            _look(row, gone, unknown)
    for bucket, objects in buckets.items():
        _look_at_objects(bucket, objects, settings, gone, unknown)
    return gone, unknown


def _look(row: Row, gone: list[Found], unknown: list[Found]) -> None:
    path = row["file_path"]
    try:
        found = Path(path if os.path.lexists(path) else path_on_disk(path)).stat()
    except (FileNotFoundError, NotADirectoryError):
        gone.append((path, "gone"))
    except OSError as error:
        unknown.append((path, error.strerror or "it cannot be looked at"))
    else:
        if found.st_size != row["file_size"]:
            gone.append((path, f"{found.st_size} bytes, cataloged with {row['file_size']}"))
        elif f"{found.st_mtime_ns}:{found.st_size}" != row["content_tag"]:
            gone.append((path, "rewritten since"))


def _look_at_objects(
    bucket: str, rows: Sequence[Row], settings: Settings, gone: list[Found], unknown: list[Found]
) -> None:
    from metaplat.stores.s3_objects import S3Objects

    store = S3Objects(f"s3://{bucket}", settings.s3)

    def look(row: Row) -> None:
        try:
            found = store.info(row["file_path"].split("/", 3)[3])
        except MetaplatError as error:
            unknown.append((row["file_path"], str(error)))
            return
        if found is None:
            gone.append((row["file_path"], "gone"))
        elif found.size != row["file_size"]:
            gone.append((row["file_path"], f"{found.size} bytes, cataloged with {row['file_size']}"))
        elif found.etag.strip('"') != row["content_tag"].strip('"'):
            gone.append((row["file_path"], "rewritten since"))

    with ThreadPoolExecutor(settings.catalog.parallel_requests) as pool:
        list(pool.map(look, rows))
