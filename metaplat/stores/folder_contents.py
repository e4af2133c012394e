"""What lies in folders, in the forms that the store of deliveries gives it.

Here: the frame of a listing of many folders, the files of one by name, folders that are days.
Not here: listing (``s3_frames``, ``local_frames``, ``objects``).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    import polars as pl

    from metaplat.model.landed import ObjectInfo


def listing_frame(
    folders: Sequence[str], names: Sequence[str], sizes: Sequence[int], modified: Sequence[datetime | int]
) -> pl.DataFrame:
    """Return the frame of a listing: ``folder``, ``name``, ``size`` and ``modified``.

    Parameters
    ----------
    folders, names : sequence of str, length n
        Folder as asked, and the rest of the key. A name that is not UTF-8 is shown with backslashes.
    sizes : sequence of int, length n
        Bytes.
    modified : sequence of datetime or int, length n
        Aware UTC, or microseconds since 1970.
    """
    import polars as pl

    try:
        shown = pl.Series("name", names, dtype=pl.String)
    except UnicodeEncodeError:  # a local name need not be UTF-8
        shown = pl.Series("name", list(map(_shown, names)), dtype=pl.String)
    return pl.DataFrame(
        [
            pl.Series("folder", folders, dtype=pl.String),
            shown,
            pl.Series("size", sizes, dtype=pl.Int64),
            pl.Series("modified", modified, dtype=pl.Datetime("us", "UTC")),
        ]
    )


def frame_of_objects(folder: str, listed: Sequence[ObjectInfo]) -> pl.DataFrame:
    """Return the frame of what a plain listing found below ``folder``."""
    return listing_frame(
        [folder] * len(listed),
        [item.key[len(folder) :] for item in listed],
        [item.size for item in listed],
        [item.modified for item in listed],
    )


def direct_children(folder: str, listed: Sequence[ObjectInfo]) -> dict[str, ObjectInfo]:
    """Return those of ``listed`` that lie in ``folder`` and no deeper, by base name."""
    return {item.key[len(folder) :]: item for item in listed if "/" not in item.key[len(folder) :]}


def days_among(names: Sequence[str]) -> list[str]:
    """Return the names that are a day, as YYYYMMDD."""
    return [name for name in names if re.fullmatch(r"[0-9]{8}", name)]


def _shown(name: str) -> str:
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
