"""Where a table lies, and what lies above it.

Here: the parent of a location, and opening a folder through it, which tells "nothing there" from a failure.
Not here: reading files (``stores.tables.files``).
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

from metaplat.stores.tables.files import open_table_files

if TYPE_CHECKING:
    from metaplat.model.landed import ObjectInfo
    from metaplat.settings import S3Settings
    from metaplat.stores.tables.files import TableFiles

S3 = "s3://"


class Listing(NamedTuple):
    """What lies below a location: all objects, those with data, and the files to read them from."""

    files: TableFiles
    objects: list[ObjectInfo]
    data: list[ObjectInfo]


def split_location(location: str) -> tuple[str, str] | None:
    """Return the parent of a location, and its name there; None for a whole bucket, or the root folder.

    ``s3://bucket/lake/part_x/`` lies in ``s3://bucket/lake``, ``s3://bucket/part_x`` in ``s3://bucket``.
    """
    if location.startswith(S3):
        bucket, _, prefix = location.removeprefix(S3).partition("/")
        folder, _, name = prefix.strip("/").rpartition("/")
        return (f"{S3}{bucket}/{folder}".rstrip("/"), name) if name else None
    folder, name = os.path.split(os.path.abspath(location))  # noqa: PTH100  # resolves no links
    return (folder, name) if name else None


def list_location(location: str, settings: S3Settings) -> Listing:
    """Return what lies below a location; nothing where there is no such place.

    Raises
    ------
    StoreError
        The store fails or refuses.
    """
    place = split_location(location)
    if place is None:
        files = open_table_files(location, settings)
        objects, inside = files.list_objects(), ""
    else:
        files = open_table_files(place[0], settings)
        objects, inside = files.list_folder(place[1]), f"{place[1]}/"
    data = [info for info in objects if holds_data(info.key.removeprefix(inside), info.size)]
    return Listing(files, objects, data)


def holds_data(key: str, size: int) -> bool:
    """Whether engines read an object: it is not empty, and no part of its key starts with ``_`` or ``.``."""
    return size > 0 and not any(part[:1] in {"_", "."} for part in key.split("/"))
