"""The histories as the three CSV files of old: their columns first, ours after them.

Here: writing the files, so that notebooks made for the old ones go on; ``read_csv`` beside it.
Not here: what the old columns mean (``csv_form``), how files become history (``csv_import``), the rows of
single tables, which the old files have not either.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from metaplat.model.errors import UsageError
from metaplat.model.extract import JOB_METRICS_FIELDS, JOB_SIZE_FIELDS
from metaplat.stores.local_errors import writing_error
from metaplat.stores.local_writing import replace
from metaplat.vip.history.csv_form import (
    BYTES_PER_KB,
    DATE_FORMAT,
    JOBS_FILE,
    RATIO_DIGITS,
    SIZES_FILE,
    TABLES_FILE,
)
from metaplat.vip.history.csv_import import read_csv

if TYPE_CHECKING:
    from pathlib import Path

    import polars as pl

    from metaplat.settings import Settings
    from metaplat.vip.history.histories import Histories

__all__ = ["read_csv", "write_csv"]
_TIME_FORMAT = "%Y-%m-%dT%H:%M:%S%.fZ"


def write_csv(histories: Histories, folder: Path, settings: Settings) -> list[Path]:
    """Write the three files, each in one atomic step.

    Parameters
    ----------
    histories : Histories
        Of one configuration: the old files do not tell one from another.
    folder : Path
        Made where it is missing; files of these names in it are replaced.
    settings : Settings
        ``vip.classic_table_rows``: leave hours without a schema file out of the tables, as the old files do,
        which makes their daily means look better than they are.

    Returns
    -------
    list of Path
        The files.

    Raises
    ------
    UsageError
        The histories hold several configurations.
    StoreError
        A file cannot be written.
    """
    names = histories.jobs["config_name"].unique().sort().to_list()
    if len(names) > 1:
        raise UsageError(
            f"CSV history: there are {len(names)} configurations ({', '.join(names)}); choose one"
        )
    frames = {
        JOBS_FILE: old_jobs(histories),
        TABLES_FILE: old_tables(histories, classic=settings.vip.classic_table_rows),
        SIZES_FILE: old_sizes(histories),
    }
    return [_write(folder, name, frame) for name, frame in frames.items()]


def old_jobs(histories: Histories) -> pl.DataFrame:
    """Return the rows of ``historical_job_metrics.csv``."""
    import polars as pl

    sizes = histories.sizes.select("config_name", "hour_utc", "n_files")
    joined = histories.jobs.join(sizes, on=["config_name", "hour_utc"], how="left").sort("hour_utc")
    return joined.select(
        _date(),
        (pl.col("n_files") > 0).cast(pl.Int64).fill_null(0).alias("jobDelivered"),
        pl.lit(1, pl.Int64).alias("JobExpected"),
        *(field.name for field in JOB_METRICS_FIELDS),
    )


def old_tables(histories: Histories, *, classic: bool) -> pl.DataFrame:
    """Return the rows of ``historical_table_metrics.csv``; see ``write_csv`` for ``classic``."""
    import polars as pl

    jobs = histories.jobs.sort("hour_utc")
    expected = pl.col("n_tables_expected").fill_null(0)
    delivered = pl.col("n_tables_delivered")
    ratio = pl.when(expected > 0).then(delivered / expected).when(pl.col("status") == "missing").then(0.0)
    return jobs.filter((pl.col("n_files_schema") > 0) | pl.lit(not classic)).select(
        _date(),
        delivered.alias("tablesDelivered"),
        expected.alias("tablesExpected"),
        pl.col("missing_tables").list.len().cast(pl.Int64).alias("missingTables"),
        pl.col("missing_tables").alias("missingTablesList"),
        ratio.round(RATIO_DIGITS).alias("completenessRatio"),
        "config_name", "hour_utc", "status", "expected_source", "unexpected_tables",
    )  # fmt: skip


def old_sizes(histories: Histories) -> pl.DataFrame:
    """Return the rows of ``historical_job_size.csv``."""
    import polars as pl

    return histories.sizes.sort("hour_utc").select(
        _date(),
        (pl.col("bytes_total") // BYTES_PER_KB).alias("size"),
        pl.col("n_files").alias("files"),
        *(field.name for field in JOB_SIZE_FIELDS),
    )


def _date() -> pl.Expr:
    import polars as pl

    return pl.col("hour_utc").dt.strftime(DATE_FORMAT).alias("date")


def _write(folder: Path, name: str, frame: pl.DataFrame) -> Path:
    path = folder / name
    content = _as_text(frame).write_csv(datetime_format=_TIME_FORMAT).encode()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        replace(str(path), content)
    except OSError as error:
        raise writing_error(folder, f"write {name!r}", error) from error
    return path


def _as_text(frame: pl.DataFrame) -> pl.DataFrame:
    """Return the frame with its lists as texts of Python lists: CSV has none."""
    import polars as pl

    lists = [name for name, dtype in frame.schema.items() if dtype == pl.List(pl.String())]
    return frame.with_columns(
        pl.Series(name, [str(items) for items in frame[name].to_list()], pl.String()) for name in lists
    )
