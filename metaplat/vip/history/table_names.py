"""Which table a file belongs to.

Here: the name of the table, from the name of the file and the tables that are known in its hour.
Not here: what kind of file it is (``inventory``), which table is expected (``expected``).

The table of a file is the longest known table that its name starts with, followed by ``_``, ``.`` or nothing;
else what stands before the first ``_`` or ``.``. A file of no known table counts as one of an unknown table
where it looks like one: it was promised, or it ends as the files of known tables in its hour do (``.gz``), or
no table is known in its hour. Else it is foreign, as a note that somebody left.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from metaplat.vip.history.inventory import DATA

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    import polars as pl

_PLAIN = r"^([^_.]+)"
"""Before the first ``_`` or ``.``: right for every table without one in its name."""
_ENDING = r"(\.[^.]*)$"


def with_tables(frame: pl.DataFrame, known: Mapping[datetime, frozenset[str]]) -> pl.DataFrame:
    """Name the table of every data file.

    Parameters
    ----------
    frame : polars.DataFrame
        Columns ``hour_utc``, ``name``, ``kind`` among others.
    known : mapping of datetime to frozenset of str
        Tables that are known in each hour.

    Returns
    -------
    polars.DataFrame
        The same rows in another order, with columns ``table`` (null for what is no data file) and
        ``is_known`` more.
    """
    import polars as pl

    vocabularies = list(dict.fromkeys(known.values()))
    numbers = {vocabulary: number for number, vocabulary in enumerate(vocabularies)}
    hours = pl.DataFrame(
        {"hour_utc": list(known), "vocabulary": [numbers[each] for each in known.values()]},
        schema={"hour_utc": pl.Datetime("us", "UTC"), "vocabulary": pl.Int64()},
    )
    numbered = frame.join(hours, on="hour_utc", how="left").with_columns(
        table=pl.when(pl.col("kind") == DATA).then(pl.col("name").str.extract(_PLAIN))
    )
    parts = [
        _of_vocabulary(part, vocabularies[number] if number is not None else frozenset())
        for (number,), part in numbered.partition_by("vocabulary", as_dict=True, maintain_order=False).items()
    ]
    if not parts:
        return numbered.with_columns(is_known=pl.lit(value=False)).drop("vocabulary")
    return pl.concat(parts).drop("vocabulary")


def _of_vocabulary(frame: pl.DataFrame, tables: frozenset[str]) -> pl.DataFrame:
    import polars as pl

    compound = [table for table in tables if "_" in table or "." in table]
    if compound:
        longest = pl.col("name").str.extract(_any_of(compound))
        frame = frame.with_columns(
            table=pl.when(pl.col("kind") == DATA).then(pl.coalesce(longest, pl.col("table")))
        )
    names = pl.Series(sorted(tables), dtype=pl.String())
    return frame.with_columns(is_known=pl.col("table").is_in(names.implode()).fill_null(value=False))


def _any_of(tables: Iterable[str]) -> str:
    longest_first = sorted(tables, key=lambda table: (-len(table), table))
    return rf"^({'|'.join(map(re.escape, longest_first))})(?:[_.]|$)"


def without_foreign(
    files: pl.DataFrame, promised: pl.DataFrame, known: Mapping[datetime, object]
) -> pl.DataFrame:
    """Take the table from files that do not look like files of one.

    Parameters
    ----------
    files : polars.DataFrame
        What lies in the folders, with ``hour_utc``, ``name``, ``table``, ``is_known``.
    promised : polars.DataFrame
        What was promised: ``hour_utc``, ``name``.
    known : mapping of datetime to frozenset of str
        Tables that are known in each hour.

    Returns
    -------
    polars.DataFrame
        The same files, with ``table`` null for those that look foreign.
    """
    import polars as pl

    ending = pl.col("name").str.extract(_ENDING).fill_null("")
    strange = files.filter(pl.col("table").is_not_null() & ~pl.col("is_known"))
    if strange.is_empty():
        return files
    lawful = files.filter("is_known").select("hour_utc", ending.alias("ending")).unique()
    unknown = pl.Series(
        "hour_utc", [hour for hour, each in known.items() if not each], pl.Datetime("us", "UTC")
    )
    foreign = (
        strange.filter(~pl.col("hour_utc").is_in(unknown.implode()))
        .select("hour_utc", "name", ending.alias("ending"))
        .join(lawful, on=["hour_utc", "ending"], how="anti")
        .join(promised, on=["hour_utc", "name"], how="anti")
        .select("hour_utc", "name", foreign=pl.lit(value=True))
    )
    marked = files.join(foreign, on=["hour_utc", "name"], how="left")
    table = pl.when(pl.col("foreign").is_null()).then(pl.col("table"))
    return marked.with_columns(table=table).drop("foreign")
