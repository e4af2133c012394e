"""Typed rows become the frame of a partition: declared columns, sorted by key.

Here: the one place where rows turn into columns, and the fast ways to do so.
Not here: the types (``model.polars_schema``), validation.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import orjson

from metaplat.model.field import Field, ListOf, MapOf, Struct
from metaplat.model.polars_schema import polars_schema

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl

    from metaplat.model.domain import MetadataDomain, Row

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


def build_frame(domain: MetadataDomain, rows: Sequence[Row]) -> pl.DataFrame:
    """Return the rows as a frame of the domain's columns, shape (rows, columns), sorted by key."""
    import polars as pl

    schema = polars_schema(domain.columns)
    taken = ((field, [row[field.name] for row in rows]) for field in domain.columns)
    columns = [_series(field, values, schema[field.name]) for field, values in taken]
    return pl.DataFrame(columns).sort(domain.keys)


def _series(field: Field, values: list[Any], dtype: pl.DataType) -> pl.Series:
    """Build one column.

    Times go through whole microseconds and nested values through JSON: Polars takes Python objects one by
    one there, which cost five and seventeen times as much (20,000 values).
    """
    import polars as pl

    if field.dtype is datetime:
        whole = [None if value is None else (value - EPOCH) // MICROSECOND for value in values]
        return pl.Series(field.name, whole, dtype=pl.Int64).cast(dtype)
    if isinstance(field.dtype, MapOf):
        values = [None if value is None else _entries(value) for value in values]
    if isinstance(field.dtype, ListOf | Struct | MapOf) and "Datetime" not in str(dtype):
        texts = [None if value is None else orjson.dumps(value).decode() for value in values]
        return pl.Series(field.name, texts, dtype=pl.String).str.json_decode(dtype)
    return pl.Series(field.name, values, dtype=dtype)


def _entries(mapping: dict[str, str]) -> list[dict[str, str]]:
    """Return a map as it is stored, in one order for one content."""
    return [{"key": name, "value": mapping[name]} for name in sorted(mapping)]
