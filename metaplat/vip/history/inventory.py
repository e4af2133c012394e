"""What lies in the folders of some hours, file by file: one listing.

Here: the frame of all files, and what kind each is.
Not here: the table of a file (``table_names``), what was promised (``papers``).

Kinds: ``own`` (our manifest, counted nowhere), ``promise`` (the saved promise), ``schema`` and ``script`` (by
the patterns of the settings, in that order), ``data`` (may be a table's file), and ``foreign``: in a folder
below, or with a name that starts with ``_`` or ``.``, which no table has. Foreign files count among all files
and all bytes, and for nothing else.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from metaplat.model.extract import MANIFEST_FILE, PROMISE_FILE

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    import polars as pl

    from metaplat.settings import Settings, VipSettings
    from metaplat.stores.deliveries import Deliveries

OWN, PROMISE, SCHEMA, SCRIPT, DATA, FOREIGN = "own", "promise", "schema", "script", "data", "foreign"


def list_hours(deliveries: Deliveries, settings: Settings, hours: Sequence[datetime]) -> pl.DataFrame:
    """List the folders of some hours.

    Parameters
    ----------
    deliveries : Deliveries
        Where they are.
    settings : Settings
        Section ``[vip]``: prefix and patterns.
    hours : sequence of datetime
        Starts of hours, aware UTC.

    Returns
    -------
    polars.DataFrame, shape (files, 4)
        Columns ``hour_utc``, ``name`` (what follows the folder), ``size`` in bytes, ``kind``.

    Raises
    ------
    StoreError
        The bucket cannot be listed; an outage never looks like missing hours.
    """
    import polars as pl

    folders = [settings.vip.folder(hour) for hour in hours]
    asked = pl.DataFrame(
        {"folder": folders, "hour_utc": list(hours)},
        schema={"folder": pl.String(), "hour_utc": pl.Datetime("us", "UTC")},
    )
    listed = deliveries.listing(folders).select("folder", "name", "size")
    return with_kind(listed.join(asked, on="folder").select("hour_utc", "name", "size"), settings.vip)


def with_kind(frame: pl.DataFrame, settings: VipSettings) -> pl.DataFrame:
    """Return ``frame`` (with a column ``name``) with a column ``kind`` more."""
    import polars as pl

    name = pl.col("name")
    kind = (
        pl.when(name == MANIFEST_FILE).then(pl.lit(OWN))
        .when(name == PROMISE_FILE).then(pl.lit(PROMISE))
        .when(name.str.contains("/", literal=True)).then(pl.lit(FOREIGN))
        .when(_matches(settings.schema_patterns, settings.schema_file)).then(pl.lit(SCHEMA))
        .when(_matches(settings.script_patterns)).then(pl.lit(SCRIPT))
        .when(name.str.contains("^[_.]|^$")).then(pl.lit(FOREIGN))
        .otherwise(pl.lit(DATA))
    )  # fmt: skip
    return frame.with_columns(kind=kind)


def _matches(patterns: Sequence[str], name: str | None = None) -> pl.Expr:
    """Whether column ``name`` matches one of the file patterns (``*``, ``?``), in any case of letters."""
    import polars as pl

    parts = [_expression(pattern) for pattern in patterns]
    if name is not None:
        parts.append(re.escape(name))
    if not parts:
        return pl.lit(value=False)
    return pl.col("name").str.contains(f"(?is)^(?:{'|'.join(parts)})$")


def _expression(pattern: str) -> str:
    return re.escape(pattern).replace(r"\*", ".*").replace(r"\?", ".")
