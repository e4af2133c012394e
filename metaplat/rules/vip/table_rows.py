"""Rows of tables and hours, as rules about tables look at them.

Here: what an hour holds, and rows gathered by table for a person. Not here: what is wrong with them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from metaplat.model.verdict import MAX_SAMPLES
from metaplat.rules.samples import shown_rows
from metaplat.rules.vip.closed_hours import CONFIG, HOUR

if TYPE_CHECKING:
    import polars as pl

    from metaplat.model.rule import PartitionEvidence


def hour_has(column: str) -> pl.Expr:
    """Return whether ``column`` is true of any table of the row's configuration and hour."""
    import polars as pl

    return pl.col(column).any().over(CONFIG, HOUR)


def by_table(rows: pl.DataFrame) -> pl.DataFrame:
    """Return one row per configuration and table, that of the most hours first.

    Parameters
    ----------
    rows : polars.DataFrame, shape (rows, columns)
        With columns ``config_name``, ``hour_utc`` and ``table``.

    Returns
    -------
    polars.DataFrame, shape (tables, 6)
        Columns ``config_name``, ``table``, ``hours`` (their number), ``first``, ``last`` and ``all_hours``.
    """
    import polars as pl

    hour = pl.col(HOUR)
    return (
        rows.group_by(CONFIG, "table")
        .agg(hours=hour.n_unique(), first=hour.min(), last=hour.max(), all_hours=hour.sort())
        .sort(["hours", CONFIG, "table"], descending=[True, False, False])
    )


def table_samples(rows: pl.DataFrame, evidence: PartitionEvidence) -> list[dict[str, object]]:
    """Return rows by table for a verdict, that of the most hours first."""
    tables = by_table(rows).drop("all_hours").head(MAX_SAMPLES)
    return shown_rows(tables.to_dicts(), evidence.domain.columns)
