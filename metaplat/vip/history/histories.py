"""The three histories as frames that belong together: jobs, tables and sizes of the same hours.

Here: their form, choosing from them, and putting newer rows in the place of older ones.
Not here: making rows (``build``), where they are kept (``orchestration``), the old CSV files (``csv_files``).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from metaplat.model.extract import JOB_METRICS_FIELDS, JOB_SIZE_FIELDS, TABLE_METRICS_FIELDS
from metaplat.model.polars_schema import polars_schema

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    import polars as pl

    from metaplat.model.field import Field


@dataclass(frozen=True)
class Histories:
    """The three histories of some hours, sorted by configuration, hour and table.

    Parameters
    ----------
    jobs : polars.DataFrame, shape (hours, columns of JOB_METRICS_FIELDS)
        One row per configuration and hour.
    tables : polars.DataFrame, shape (rows, columns of TABLE_METRICS_FIELDS)
        One row per configuration, hour and table.
    sizes : polars.DataFrame, shape (hours, columns of JOB_SIZE_FIELDS)
        One row per configuration and hour.
    """

    jobs: pl.DataFrame
    tables: pl.DataFrame
    sizes: pl.DataFrame

    @classmethod
    def empty(cls) -> Histories:
        """Return histories of no hour."""
        return cls(*(_empty(each) for each in (JOB_METRICS_FIELDS, TABLE_METRICS_FIELDS, JOB_SIZE_FIELDS)))

    def only(self, config_name: str) -> Histories:
        """Return the rows of one configuration."""
        import polars as pl

        return self._filtered(pl.col("config_name") == config_name)

    def without(self, hours: Collection[datetime]) -> Histories:
        """Return the rows of all hours but these (aware UTC)."""
        import polars as pl

        asked = pl.Series("hour_utc", sorted(set(hours)), pl.Datetime("us", "UTC"))
        return self._filtered(~pl.col("hour_utc").is_in(asked.implode()))

    def before(self, hour: datetime) -> Histories:
        """Return the rows of the hours before ``hour`` (aware UTC)."""
        import polars as pl

        return self._filtered(pl.col("hour_utc") < hour)

    def at(self, hours: Collection[datetime]) -> Histories:
        """Return the rows of these hours (aware UTC)."""
        import polars as pl

        asked = pl.Series("hour_utc", sorted(set(hours)), pl.Datetime("us", "UTC"))
        return self._filtered(pl.col("hour_utc").is_in(asked.implode()))

    def merged(self, newer: Histories) -> Histories:
        """Return both, with the hours of ``newer`` in the place of the same hours here.

        An hour is replaced whole: the row of a table that is neither expected nor delivered any more goes.
        """
        kept = self._not_in(newer.jobs)
        return Histories(
            _joined(kept.jobs, newer.jobs, JOB_METRICS_FIELDS),
            _joined(kept.tables, newer.tables, TABLE_METRICS_FIELDS),
            _joined(kept.sizes, newer.sizes, JOB_SIZE_FIELDS),
        )

    def filled_from(self, other: Histories) -> Histories:
        """Return these, with the hours of ``other`` where nothing is known here, or only that one is missing.

        So imported history fills holes and the time before, and never overrides what lies in the bucket.
        """
        import polars as pl

        known = self.jobs.filter(pl.col("status") != "missing")
        return self.merged(other._not_in(known))

    def _filtered(self, rows: pl.Expr) -> Histories:
        return Histories(self.jobs.filter(rows), self.tables.filter(rows), self.sizes.filter(rows))

    def _not_in(self, jobs: pl.DataFrame) -> Histories:
        key = ["config_name", "hour_utc"]
        taken = jobs.select(key)
        return Histories(
            self.jobs.join(taken, on=key, how="anti"),
            self.tables.join(taken, on=key, how="anti"),
            self.sizes.join(taken, on=key, how="anti"),
        )


def _empty(fields: tuple[Field, ...]) -> pl.DataFrame:
    import polars as pl

    return pl.DataFrame(schema=polars_schema(fields))


def _joined(older: pl.DataFrame, newer: pl.DataFrame, fields: tuple[Field, ...]) -> pl.DataFrame:
    import polars as pl

    names = [field.name for field in fields]
    key = [field.name for field in fields if field.key]
    return pl.concat([older.select(names), newer.select(names)]).sort(key)
