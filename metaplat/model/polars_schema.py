"""Column types of a domain as Polars has them, in memory and in Parquet.

Here: the one mapping from declared types to Polars types, in the one room that both rules and stores may
import; Polars itself comes in when it is asked for.
Not here: limits and nullability (``rules`` judge those), SQL types (``stores.sql_views``).
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from metaplat.model.field import DType, Field, ListOf, MapOf, Struct

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl


def polars_schema(columns: Sequence[Field]) -> dict[str, pl.DataType]:
    """Return the Polars type of each column, in the declared order."""
    return {column.name: polars_type(column.dtype) for column in columns}


def polars_type(dtype: DType) -> pl.DataType:
    """Return the Polars type of a declared type; times are UTC in microseconds."""
    import polars as pl

    if isinstance(dtype, Struct):
        return pl.Struct(polars_schema(dtype.fields))
    if isinstance(dtype, ListOf):
        return pl.List(polars_type(dtype.item))
    if isinstance(dtype, MapOf):  # Polars has no map; this is how Arrow and Parquet lay one out
        return pl.List(pl.Struct({"key": pl.String(), "value": pl.String()}))
    types: dict[type, pl.DataType] = {
        str: pl.String(),
        int: pl.Int64(),
        float: pl.Float64(),
        bool: pl.Boolean(),
        datetime: pl.Datetime("us", "UTC"),
    }
    return types[dtype]
