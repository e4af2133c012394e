"""The promise of an hour as a frame: which files, how large.

Here: the entries of a saved promise, a manifest or the memory of a pull, each tolerantly, and those of many
hours as one frame.
Not here: reading the files they stand in (``papers``), comparing them with what is there (``counts``).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from metaplat.model.extract import FileOutcome

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    import polars as pl

    from metaplat.model.extract import ExtractFile
    from metaplat.settings import VipSettings

_SPOILED = (FileOutcome.MISMATCHED.value, FileOutcome.REFUSED.value)
"""A file of such an outcome is not as promised, whatever lies there under its name."""
LARGEST_SIZE = 1 << 62


def saved_promise(document: object, settings: VipSettings) -> pl.DataFrame | None:
    """Return the promise that a JSON document lists in the form of the vendor.

    Returns
    -------
    polars.DataFrame, shape (promised files, 3), or None
        Columns ``name`` (the last part of the key), ``size`` (null where none is told) and ``spoiled`` (known
        not to be as promised). An entry that is listed twice is there once. None where it is no list, or
        nothing in it is an entry.
    """
    if not isinstance(document, list):
        return None
    return _promise(document, settings.key_field, settings.size_field)


def manifest_promise(files: Sequence[object]) -> pl.DataFrame | None:
    """Return the promise of a manifest of ours, as ``saved_promise``."""
    return _promise(files, "key", "size")


def remembered_promise(files: Sequence[ExtractFile]) -> pl.DataFrame | None:
    """Return the promise that a pull remembers, as ``saved_promise``; None where it remembers none."""
    entries = [
        {"key": each.promised.key, "size": each.promised.size, "outcome": each.outcome.value}
        for each in files
    ]
    return _promise(entries, "key", "size") if entries else None


def promised_files(promises: Mapping[datetime, pl.DataFrame]) -> pl.DataFrame:
    """Return the promises of many hours as one frame, with a column ``hour_utc`` more."""
    import polars as pl

    schema = {"name": pl.String(), "size": pl.Int64(), "spoiled": pl.Boolean()}
    hours = pl.DataFrame(
        {"hour_utc": list(promises), "length": [promise.height for promise in promises.values()]},
        schema={"hour_utc": pl.Datetime("us", "UTC"), "length": pl.Int64()},
    )
    repeated = hours.filter(pl.col("length") > 0).select(pl.col("hour_utc").repeat_by("length").explode())
    files = pl.concat([pl.DataFrame(schema=schema), *promises.values()])
    return files.with_columns(repeated["hour_utc"]).rechunk()


def _promise(entries: Sequence[object], key_field: str, size_field: str) -> pl.DataFrame | None:
    import polars as pl

    told = [entry for entry in entries if isinstance(entry, dict) and _is_key(entry.get(key_field))]
    if entries and not told:
        return None
    keys = [entry[key_field] for entry in told]
    columns = {  # plain lists: an expression for every hour would cost more than all the rest
        "name": [key.rpartition("/")[2] for key in keys],
        "size": _sizes([entry.get(size_field) for entry in told]),
        "spoiled": [entry.get("outcome") in _SPOILED for entry in told],
    }
    frame = pl.DataFrame(columns, {"name": pl.String(), "size": pl.Int64(), "spoiled": pl.Boolean()})
    if len(set(keys)) == len(keys):
        return frame
    repeated = frame.with_columns(pl.Series("key", keys))
    return repeated.unique(["key", "size"], keep="first", maintain_order=True).drop("key")


def _is_key(value: object) -> bool:
    return isinstance(value, str) and bool(value)


def _sizes(values: list[object]) -> list[int | None]:
    """Return the sizes; there are very many, and nearly always all of them are plain counts."""
    if set(map(type, values)) == {int} and min(values) >= 0 and max(values) < LARGEST_SIZE:  # type: ignore[type-var,operator]
        return values  # type: ignore[return-value]
    return [_size(value) for value in values]


def _size(value: object) -> int | None:
    if isinstance(value, str) and re.fullmatch("[0-9]{1,18}", value):
        return int(value)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < LARGEST_SIZE:
        return None
    return int(value)
