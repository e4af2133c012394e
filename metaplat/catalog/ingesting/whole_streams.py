"""Gzip files whose header was read, and whose end nobody has seen yet, are read on to it.

Here: finding them by their flag, reading them whole, and recording what came of it.
Not here: the check of one stream (``gzip_streams``).
An ingest inflates no further than the header, for its speed; a file that was cut on the way is found here.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from metaplat.catalog.ingesting.comparing import real_path
from metaplat.catalog.ingesting.gzip_streams import gzip_damage
from metaplat.catalog.ingesting.reading_files import GZIP_UNREAD, FileReader
from metaplat.collectors.headers.header import HeaderError
from metaplat.model.filters import And, Contains, Prefix
from metaplat.model.observation import ExtractionStatus
from metaplat.stores.catalog.index import Change

if TYPE_CHECKING:
    from datetime import datetime

    from metaplat.stores.catalog.index import CatalogIndex

_COLUMNS = ("dataset_id", "file_path", "content_tag", "flags")
_TRUNCATED = "truncated"


def check_gzip_files(
    below: str, index: CatalogIndex, reader: FileReader, now: datetime
) -> tuple[int, list[str]]:
    """Read unread gzip files to their end; return how many were, and the paths of those that are cut.

    A file that changed since it was cataloged is left for when it is read anew.

    Parameters
    ----------
    below : str
        What the paths begin with.
    index : CatalogIndex
        Which files, and where the outcome is recorded: a cut one is ``incomplete``.
    reader : FileReader
        Reads them.
    now : datetime
        Aware.

    Raises
    ------
    SourceError
        S3 as a whole fails.
    """
    where = And((Prefix("file_path", below), Contains("flags", GZIP_UNREAD)))
    checked, cut = 0, list[str]()
    with ThreadPoolExecutor(len(os.sched_getaffinity(0)), "gzip") as pool:  # zlib leaves Python's lock
        for block in index.scan(where, _COLUMNS):
            outcomes = list(pool.map(lambda row: _damage(reader, row), block))
            patches = {
                row[0]: _patch(row[3], damage)
                for row, (is_read, damage) in zip(block, outcomes, strict=True)
                if is_read
            }
            index.apply(Change(patches=patches), now)
            checked += len(patches)
            cut += [row[1] for row, (_, damage) in zip(block, outcomes, strict=True) if damage is not None]
    return checked, cut


def _damage(reader: FileReader, row: tuple[Any, ...]) -> tuple[bool, str | None]:
    """Return whether a file could be read as it was cataloged, and what is wrong with it."""
    dataset_id, shown, content_tag, _ = row
    try:
        return True, gzip_damage(reader.pieces(real_path(shown, dataset_id), content_tag))
    except HeaderError:
        return False, None


def _patch(flags: str, damage: str | None) -> dict[str, Any]:
    kept = set(flags.split(",")) - {GZIP_UNREAD}
    if damage is None:
        return {"flags": ",".join(sorted(kept)) or None}
    return {
        "flags": ",".join(sorted(kept | {_TRUNCATED})),
        "extraction_status": ExtractionStatus.INCOMPLETE.value,
        "extraction_reason": damage,
    }
