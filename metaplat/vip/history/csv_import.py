"""History from CSV files: those of old, or ours.

Here: what follows from the files that ``csv_files`` writes, or that the old program wrote.
Not here: reading their values (``csv_rows``), which hours win over the bucket (``build``).

Of an hour that only the old columns tell of, nothing but these is known: delivered or not, tables expected
and missing, kB and files. Its job is missing where nothing was delivered, incomplete where tables lack,
else ok; its bytes all count as data, to the kB; its delivered tables have no names, and so no rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from metaplat.model.errors import UsageError
from metaplat.model.extract import JOB_METRICS_FIELDS, JOB_SIZE_FIELDS, TABLE_METRICS_FIELDS
from metaplat.model.polars_schema import polars_schema
from metaplat.vip.history.csv_form import BYTES_PER_KB, JOBS_FILE, SIZES_FILE, TABLES_FILE
from metaplat.vip.history.csv_rows import read_rows
from metaplat.vip.history.histories import Histories

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from pathlib import Path

    import polars as pl

    from metaplat.model.field import Field
    from metaplat.vip.history.csv_rows import CsvRow


def read_csv(folder: Path, config_name: str) -> Histories:
    """Read the CSV files in a folder.

    Parameters
    ----------
    folder : Path
        Holds one to three of the files.
    config_name : str
        The configuration they are of: old files do not say.

    Returns
    -------
    Histories
        One row for every hour that one of the files names, excused hours not marked; a date that is there
        twice counts as it stands last. The last date is the watermark to go on from.

    Raises
    ------
    UsageError
        None of the files is there.
    InvalidInputError
        A file is no such CSV, or of another configuration; the text names file, row and column.
    StoreError
        A file cannot be read.
    """
    read = {name: read_rows(folder, name) for name in (JOBS_FILE, TABLES_FILE, SIZES_FILE)}
    if all(rows is None for rows in read.values()):
        raise UsageError(f"{folder}: none of {', '.join(read)} is there")
    jobs, tables, sizes = (rows or {} for rows in read.values())
    _check_configuration([*jobs.values(), *tables.values(), *sizes.values()], config_name)
    told = [
        _Hour(hour, jobs.get(hour), tables.get(hour), sizes.get(hour))
        for hour in sorted({*jobs, *tables, *sizes})
    ]
    return Histories(
        _frame([_job(each, config_name) for each in told], JOB_METRICS_FIELDS),
        _frame([row for each in told for row in _tables(each, config_name)], TABLE_METRICS_FIELDS),
        _frame([_size(each, config_name) for each in told], JOB_SIZE_FIELDS),
    )


def _check_configuration(rows: Sequence[CsvRow], config_name: str) -> None:
    for row in rows:
        if row.text("config_name") not in {None, config_name}:
            wanted = f"{config_name!r}; the series of two configurations are never mixed"
            raise row.error("config_name", wanted)


@dataclass(frozen=True)
class _Hour:
    """One hour as the three files tell it; each may lack it."""

    hour: datetime
    job: CsvRow | None
    table: CsvRow | None
    size: CsvRow | None

    def count(self, row: CsvRow | None, column: str) -> int:
        """Return a count; 0 where there is none."""
        return (row.whole(column) if row else None) or 0

    @property
    def is_delivered(self) -> bool:
        """Whether anything was."""
        told = self.job.whole("jobDelivered") if self.job else None
        if told is not None:
            return told > 0
        return bool(self.count(self.size, "files") or self.count(self.table, "tablesDelivered"))

    @property
    def missing(self) -> list[str]:
        """Expected tables that were not delivered."""
        return self.table.names("missingTablesList") if self.table else []


def _job(each: _Hour, config_name: str) -> dict[str, Any]:
    return {
        **_old_job(each),
        **_ours(each.job, JOB_METRICS_FIELDS, "status"),
        "config_name": config_name,
        "hour_utc": each.hour,
        "excused": False,
        "excuse": None,
    }


def _old_job(each: _Hour) -> dict[str, Any]:
    expected, delivered = each.count(each.table, "tablesExpected"), each.count(each.table, "tablesDelivered")
    falls_short = bool(each.missing) or delivered < expected
    status = "missing" if not each.is_delivered else "incomplete" if falls_short else "ok"
    completeness = min(delivered / expected, 1.0) if expected else None
    return {
        "status": status,
        "n_tables_expected": expected or None,
        "n_tables_delivered": delivered,
        "n_files_delivered": each.count(each.size, "files"),
        "n_files_schema": 0,
        "n_files_script": 0,
        "completeness": completeness if each.is_delivered else 0.0,
        "file_completeness": None if each.is_delivered else 0.0,
        "missing_tables": each.missing,
        "unexpected_tables": [],
    }


def _tables(each: _Hour, config_name: str) -> list[dict[str, Any]]:
    """Return the rows of the tables whose names are told: missing ones, and in our files unexpected ones."""
    unexpected = each.table.names("unexpected_tables") if each.table else []
    failure = dict.fromkeys(each.missing, True) | dict.fromkeys(unexpected, False)
    return [
        {
            "config_name": config_name, "hour_utc": each.hour, "table": name, "expected": failure[name],
            "delivered": not failure[name], "failure": failure[name], "n_partitions_delivered": 0, "bytes": 0,
            "fields_added": [], "fields_removed": [], "fields_changed": [], "fields_reordered": False,
        }
        for name in sorted(failure)
    ]  # fmt: skip


def _size(each: _Hour, config_name: str) -> dict[str, Any]:
    bytes_total = each.count(each.size, "size") * BYTES_PER_KB
    return {
        "n_files": each.count(each.size, "files") or int(each.is_delivered),
        "bytes_total": bytes_total,
        "bytes_data": bytes_total,
        "bytes_schema": 0,
        "bytes_script": 0,
        **_ours(each.size, JOB_SIZE_FIELDS, "bytes_total"),
        "config_name": config_name,
        "hour_utc": each.hour,
        "excused": False,
    }


def _ours(row: CsvRow | None, fields: Sequence[Field], mark: str) -> dict[str, Any]:
    """Return what our own columns tell, where the file has them: then it has the column ``mark``."""
    if row is None or not row.has(mark):
        return {}
    told = {
        field.name: row.value(field) for field in fields if row.has(field.name) and field.dtype is not bool
    }
    return {name: value for name, value in told.items() if value is not None}


def _frame(rows: list[dict[str, Any]], fields: tuple[Field, ...]) -> pl.DataFrame:
    import polars as pl

    return pl.DataFrame(rows, schema=polars_schema(fields), orient="row")
