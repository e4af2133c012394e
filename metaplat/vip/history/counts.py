"""Counting the files of every hour, and of every table in it.

Here: two aggregations over all files and promised files.
Not here: what the counts mean (``status``, ``job_rows``, ``table_rows``, ``size_rows``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from metaplat.vip.history.inventory import OWN, PROMISE, SCHEMA, SCRIPT

if TYPE_CHECKING:
    import polars as pl

    from metaplat.vip.history.evidence import Evidence


def hour_counts(evidence: Evidence) -> pl.DataFrame:
    """Count the files of every hour.

    Returns
    -------
    polars.DataFrame, shape (hours, 12)
        One row per hour of the evidence, in order: ``hour_utc``; ``n_files`` and ``bytes_total`` of all but
        our manifest; ``bytes_data``, ``bytes_schema`` (with the promise), ``bytes_script``; ``n_data``,
        ``n_schema``, ``n_script``, ``n_vendor`` (all but foreign ones); ``n_promised``, ``n_kept``,
        ``n_other_size``, null without a promise.
    """
    import polars as pl

    hours = pl.DataFrame({"hour_utc": list(evidence.hours)}, schema={"hour_utc": pl.Datetime("us", "UTC")})
    counted = hours.join(_of_files(evidence.files), on="hour_utc", how="left").fill_null(0)
    promised = _promises_kept(evidence).group_by("hour_utc").agg(
        pl.len().cast(pl.Int64).alias("n_promised"),
        pl.col("is_kept").sum().cast(pl.Int64).alias("n_kept"),
        pl.col("is_other_size").sum().cast(pl.Int64).alias("n_other_size"),
    )  # fmt: skip
    empty = {hour for hour, told in evidence.papers.items() if told.promise is not None}
    has_promise = pl.Series("hour_utc", sorted(empty), pl.Datetime("us", "UTC"))
    joined = counted.join(promised, on="hour_utc", how="left")
    counts = [
        pl.when(pl.col("hour_utc").is_in(has_promise.implode())).then(pl.col(name).fill_null(0)).alias(name)
        for name in ("n_promised", "n_kept", "n_other_size")
    ]
    return joined.with_columns(counts).sort("hour_utc")


def _of_files(files: pl.DataFrame) -> pl.DataFrame:
    import polars as pl

    kind, size = pl.col("kind"), pl.col("size")
    is_data = pl.col("table").is_not_null()
    is_schema, is_script = kind.is_in([SCHEMA, PROMISE]), kind == SCRIPT
    return (
        files.filter(kind != OWN)
        .group_by("hour_utc")
        .agg(
            pl.len().cast(pl.Int64).alias("n_files"),
            size.sum().alias("bytes_total"),
            size.filter(is_data).sum().alias("bytes_data"),
            size.filter(is_schema).sum().alias("bytes_schema"),
            size.filter(is_script).sum().alias("bytes_script"),
            is_data.sum().cast(pl.Int64).alias("n_data"),
            (kind == SCHEMA).sum().cast(pl.Int64).alias("n_schema"),
            is_script.sum().cast(pl.Int64).alias("n_script"),
            (is_data | is_schema | is_script).sum().cast(pl.Int64).alias("n_vendor"),
        )
    )


def _promises_kept(evidence: Evidence) -> pl.DataFrame:
    import polars as pl

    there = evidence.files.select("hour_utc", "name", delivered="size")
    joined = evidence.promised.join(there, on=["hour_utc", "name"], how="left")
    is_there = pl.col("delivered").is_not_null()
    is_same = (pl.col("size") == pl.col("delivered")).fill_null(value=True)
    return joined.select(
        "hour_utc",
        is_kept=is_there & is_same & ~pl.col("spoiled"),
        is_other_size=is_there & ~is_same,
    )


def table_counts(evidence: Evidence) -> pl.DataFrame:
    """Count the files of every hour and table, delivered and promised.

    Returns
    -------
    polars.DataFrame
        ``hour_utc``, ``table``, ``n_partitions_delivered``, ``bytes``, ``n_partitions_promised``; a row for
        every table with a file or a promise.
    """
    import polars as pl

    key = ["hour_utc", "table"]
    delivered = evidence.files.filter(pl.col("table").is_not_null()).group_by(key).agg(
        pl.len().cast(pl.Int64).alias("n_partitions_delivered"), pl.col("size").sum().alias("bytes")
    )  # fmt: skip
    promised = evidence.promised.filter(pl.col("table").is_not_null()).group_by(key).agg(
        pl.len().cast(pl.Int64).alias("n_partitions_promised")
    )  # fmt: skip
    return delivered.join(promised, on=key, how="full", coalesce=True)
