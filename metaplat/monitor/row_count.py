"""Rows of a table by its Parquet footers, remembered by file.

Here: counting at a location, partitioned or flat; an unchanged table costs one listing.
Not here: which table (``source``), the monitored table itself (``profile``).
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import orjson

from metaplat.monitor.location import S3, list_location
from metaplat.stores.tables.footers import read_footers

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from metaplat.model.landed import ObjectInfo
    from metaplat.settings import S3Settings
    from metaplat.stores.objects import ObjectStore
    from metaplat.stores.tables.files import TableFiles

FORM = 1
"""Version of what is remembered; nothing of another version is believed."""


@dataclass(frozen=True)
class RowCount:
    """What was counted.

    Parameters
    ----------
    exists : bool
        Whether there is anything at the location; an empty folder is, a prefix without objects is not.
    rows : int or None
        None where nothing exists, or not everything could be counted.
    problem : str or None
        Why it could not be counted, in one sentence.
    """

    exists: bool
    rows: int | None = None
    problem: str | None = None


def count_rows(location: str, settings: S3Settings, state: ObjectStore) -> RowCount:
    """Count the rows at a location; hidden objects and those of 0 bytes hold none.

    Parameters
    ----------
    location : str
        Folder or ``s3://bucket/prefix``.
    settings : S3Settings
        Section ``[s3]``.
    state : ObjectStore
        Where the rows of each file are remembered.

    Raises
    ------
    StoreError
        A store fails or refuses.
    """
    try:
        return _count(location, settings, state)
    except KeyError:  # written while it was counted: what is there now counts
        pass
    try:
        return _count(location, settings, state)
    except KeyError as gone:
        problem = f"{gone.args[0]} was removed or rewritten while it was counted; run again"
        return RowCount(exists=True, problem=problem)


def _count(location: str, settings: S3Settings, state: ObjectStore) -> RowCount:
    """Count once; raises KeyError where a listed file is gone."""
    files, objects, data = list_location(location, settings)
    if not data:
        exists = bool(objects) or (not location.startswith(S3) and Path(location).is_dir())
        return RowCount(exists, 0 if exists else None)
    key = f"row_counts/{hashlib.sha256(os.fsencode(location)).hexdigest()}.json"
    known = _remembered(state, key)
    rows, unreadable = _rows(files, data, known)
    if rows != known:
        state.put(key, orjson.dumps({"form": FORM, "rows": rows}))
    if unreadable:
        return RowCount(exists=True, problem=_told(unreadable))
    return RowCount(exists=True, rows=sum(rows.values()))


def _rows(
    files: TableFiles, data: Sequence[ObjectInfo], known: Mapping[str, int]
) -> tuple[dict[str, int], dict[str, str]]:
    """Rows by identity of each readable file, and why others are not, by key."""
    rows = {info.identity: known[info.identity] for info in data if info.identity in known}
    unreadable = {}
    for info, answer in read_footers(files, [info for info in data if info.identity not in known]):
        if isinstance(answer, KeyError):
            raise answer
        if isinstance(answer, Exception):
            unreadable[info.shown_key] = str(answer).rstrip(".")
        else:
            rows[info.identity] = answer.rows
    return rows, unreadable


def _remembered(state: ObjectStore, key: str) -> dict[str, int]:
    """Rows by identity; empty where nothing is remembered, or it is not readable: it can be counted again."""
    try:
        entry = orjson.loads(state.get(key))
    except (KeyError, ValueError):
        return {}
    rows = entry.get("rows") if isinstance(entry, dict) and entry.get("form") == FORM else None
    return rows if isinstance(rows, dict) and all(type(value) is int for value in rows.values()) else {}


def _told(unreadable: Mapping[str, str]) -> str:
    key, reason = next(iter(unreadable.items()))
    more = f", and {len(unreadable) - 1} more files are unreadable" if len(unreadable) > 1 else ""
    return f"{key}: {reason}{more}"
