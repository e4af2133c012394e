"""The rows of ``historical_table_metrics``.

Here: one row for every hour and table that is expected or delivered, or whose schema changed: a table that is
gone from the schema file, and from the expectation with it, is still seen to go.
Not here: judging hours (``passage``), comparing schemas (``drift``).
Tables out of scope have no rows: they are known, and never expected. Where nothing says which tables are
expected, those that came count as expected, so that the first hours of a history are no surprise.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from metaplat.model.extract import TABLE_METRICS_FIELDS
from metaplat.model.polars_schema import polars_schema

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl

    from metaplat.vip.history.passage import Hour

_KEY = ["hour_utc", "table"]


def table_rows(hours: Sequence[Hour], counts: pl.DataFrame, config_name: str) -> pl.DataFrame:
    """Return the frame of ``TABLE_METRICS_FIELDS``.

    Parameters
    ----------
    hours : sequence of Hour
        Judged, in order.
    counts : polars.DataFrame
        ``table_counts`` of the same hours.
    config_name : str
        The configuration.

    Returns
    -------
    polars.DataFrame
        Sorted by hour and table. ``n_partitions_promised`` is null in an hour without a promise.
    """
    import polars as pl

    schema = polars_schema(TABLE_METRICS_FIELDS)
    empty = pl.lit([], dtype=pl.List(pl.String()))
    delivered, promised = pl.col("n_partitions_delivered").fill_null(0), pl.col("n_partitions_promised")
    drifts = ("fields_added", "fields_removed", "fields_changed")
    joined = (
        _expected(hours)
        .join(counts, on=_KEY, how="left")
        .join(_digests(hours), on=["schema", "table"], how="left")
        .join(_drifts(hours), on=_KEY, how="left")
    )
    return (
        joined.with_columns(
            config_name=pl.lit(config_name),
            delivered=delivered > 0,
            n_partitions_delivered=delivered,
            n_partitions_promised=pl.when("has_promise").then(promised.fill_null(0)),
            bytes=pl.col("bytes").fill_null(0),
            fields_reordered=pl.col("fields_reordered").fill_null(value=False),
            **{name: pl.coalesce(name, empty) for name in drifts},
        )
        .with_columns(failure=pl.col("expected") & ~pl.col("delivered"))
        .select(list(schema))
        .cast(schema)  # type: ignore[arg-type]  # its keys are names
        .sort(_KEY)
    )


def _expected(hours: Sequence[Hour]) -> pl.DataFrame:
    """Return one row per hour and table of it: whether it is expected, and which schema the hour has."""
    import polars as pl

    tables = [_tables(each) for each in hours]
    frame = pl.DataFrame(
        {
            "hour_utc": [each.hour for each in hours],
            "has_promise": [each.counts["n_promised"] is not None for each in hours],
            "schema": [None if each.schema is None else id(each.schema) for each in hours],
            "table": [list(names) for names in tables],
            "expected": [list(names.values()) for names in tables],
        },
        schema={
            "hour_utc": pl.Datetime("us", "UTC"), "has_promise": pl.Boolean(), "schema": pl.Int64(),
            "table": pl.List(pl.String()), "expected": pl.List(pl.Boolean()),
        },
    )  # fmt: skip
    return frame.filter(pl.col("table").list.len() > 0).explode("table", "expected")


def _tables(each: Hour) -> dict[str, bool]:
    expected = each.delivered if each.expectation.tables is None else each.expectation.tables
    return {table: table in expected for table in expected | each.delivered | each.drift.keys()}


def _digests(hours: Sequence[Hour]) -> pl.DataFrame:
    import polars as pl

    schemas = {id(each.schema): each.schema for each in hours if each.schema is not None}
    rows = [(key, table.name, table.digest) for key, schema in schemas.items() for table in schema.values()]
    names = {"schema": pl.Int64(), "table": pl.String(), "schema_hash": pl.String()}
    return pl.DataFrame(rows, schema=names, orient="row")


def _drifts(hours: Sequence[Hour]) -> pl.DataFrame:
    import polars as pl

    rows = [
        (each.hour, table, list(drift.added), list(drift.removed), list(drift.changed), drift.reordered)
        for each in hours
        for table, drift in each.drift.items()
    ]
    texts = pl.List(pl.String())
    names = {
        "hour_utc": pl.Datetime("us", "UTC"), "table": pl.String(), "fields_added": texts,
        "fields_removed": texts, "fields_changed": texts, "fields_reordered": pl.Boolean(),
    }  # fmt: skip
    return pl.DataFrame(rows, schema=names, orient="row")
