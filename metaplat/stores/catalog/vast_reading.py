"""Reading rows from VAST DB: filtered, in blocks, in whatever order they come.

Here: ``frames``, ``rows_of`` (whole rows) and reading by many keys.
Not here: order (``vast_pages``), counting (``vast_counts``).

No limit is ever sent: VAST would stop at any rows, before the rest of a filter and before sorting.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from metaplat.model.errors import InvalidInputError
from metaplat.model.filters import EVERYTHING, Filter, In
from metaplat.stores.catalog.polars_filter import polars_expression
from metaplat.stores.catalog.vast_filter import columns_of, predicate, split
from metaplat.stores.catalog.vast_session import ROW_ID
from metaplat.stores.catalog.vast_tables import LONG_TEXT, LONG_TEXTS, VastTable

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Sequence

    import polars as pl

    from metaplat.model.observation import Row
    from metaplat.stores.catalog.vast_filter import Split
    from metaplat.stores.catalog.vast_session import VastTables

KEYS_AT_ONCE = 2000
"""Keys in one request; the SDK takes about 60 µs for each, and VAST looks them all up in one pass."""
MANY_KEYS = 10 * KEYS_AT_ONCE
"""More are looked for in the whole column instead, as it streams by."""


def frames(
    tables: VastTables,
    table: VastTable,
    columns: Sequence[str],
    where: Filter = EVERYTHING,
    *,
    as_stored: bool = False,
) -> Generator[pl.DataFrame, None, None]:
    """Yield the matching rows in blocks of the size that VAST sends, none of them empty.

    Parameters
    ----------
    tables : VastTables
        Of a transaction that stays open while blocks are taken.
    table : VastTable
        Which one.
    columns : sequence of str
        Wanted ones, also ``ROW_ID`` or ``LONG_TEXT``.
    where : Filter
        Checked already.
    as_stored : bool
        Leave long texts where they are; the row then holds their ``LONG_TEXT``.

    Raises
    ------
    InvalidInputError
        A column does not exist.
    """
    parts = split(where, table.long)
    if parts.nothing:
        return
    needed = {*columns, *(columns_of(parts.rest) if parts.rest else ())}
    _refuse_unknown(table, needed.union(*(columns_of(leaf) for clause in parts.clauses for leaf in clause)))
    kept = polars_expression(parts.rest or EVERYTHING)
    for frame in _sent(tables, table, needed, parts):
        whole = frame
        if table.long in needed and table.long is not None and not as_stored:
            whole = _with_long_text(tables, table.long, frame)
        found = whole.filter(kept) if parts.rest else whole
        if found.height:
            yield found.select(columns)


def _refuse_unknown(table: VastTable, columns: set[str]) -> None:
    if unknown := columns - {*table.stored_columns, ROW_ID}:
        raise InvalidInputError(f"{table.name} has no column {', '.join(map(repr, sorted(unknown)))}")


def _sent(tables: VastTables, table: VastTable, needed: set[str], parts: Split) -> Iterator[pl.DataFrame]:
    import polars as pl
    import pyarrow as pa

    handle = tables.handle(table)
    asked = [
        name
        for name in table.stored_columns
        if name in needed or (name == LONG_TEXT and table.long in needed)
    ]
    reader = handle.select(
        columns=asked, predicate=predicate(handle, parts.clauses), internal_row_id=ROW_ID in needed
    )
    zoned = [pl.col(name).cast(pl.Datetime("us", "UTC")) for name in asked if table.is_time(name)]
    for batch in reader:
        if batch.num_rows:
            yield pl.DataFrame(pa.Table.from_batches([batch])).with_columns(zoned)


def _with_long_text(tables: VastTables, long: str, frame: pl.DataFrame) -> pl.DataFrame:
    """Put the text of the long column into rows whose text is kept elsewhere."""
    import polars as pl

    keys = frame[LONG_TEXT].drop_nulls().unique(maintain_order=True).to_list()
    if not keys:
        return frame
    found = list(by_keys(tables, LONG_TEXTS, LONG_TEXTS.columns, "text_id", keys))
    texts = pl.concat(found).sort("part").group_by("text_id").agg(pl.col("text").str.join(""))
    joined = frame.join(texts, left_on=LONG_TEXT, right_on="text_id", how="left", maintain_order="left")
    return joined.with_columns(pl.coalesce(pl.col("text"), pl.col(long)).alias(long)).drop("text")


def by_keys(
    tables: VastTables,
    table: VastTable,
    columns: Sequence[str],
    key: str,
    keys: Sequence[str],
    *,
    as_stored: bool = False,
) -> Iterator[pl.DataFrame]:
    """Yield the rows whose ``key`` is one of any number of keys."""
    unique = list(dict.fromkeys(keys))
    if len(unique) > MANY_KEYS:
        unique = _those_there(tables, table, key, unique)
    for start in range(0, len(unique), KEYS_AT_ONCE):
        chunk = In(key, unique[start : start + KEYS_AT_ONCE])
        yield from frames(tables, table, columns, chunk, as_stored=as_stored)


def _those_there(tables: VastTables, table: VastTable, key: str, keys: Sequence[str]) -> list[str]:
    """Return the keys that occur, by one pass over the column."""
    import polars as pl

    wanted = pl.Series(keys, dtype=pl.String).implode()
    there: dict[str, None] = {}
    for frame in frames(tables, table, [key]):
        there |= dict.fromkeys(frame.filter(pl.col(key).is_in(wanted))[key].to_list())
    return list(there)


def rows_of(found: Iterator[pl.DataFrame]) -> Iterator[Row]:
    """Yield the rows of blocks as dicts."""
    for frame in found:
        yield from frame.iter_rows(named=True)
