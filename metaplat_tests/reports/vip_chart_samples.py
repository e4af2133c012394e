"""Histories of the vendor's lake for tests of its charts: calm hours, with planted faults."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import polars as pl

from metaplat.model.extract import JOB_METRICS_FIELDS, JOB_SIZE_FIELDS, TABLE_METRICS_FIELDS
from metaplat.model.polars_schema import polars_schema

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from metaplat.model.field import Field

CONFIG = "onDemandExtract1DayTest"
BEGIN = datetime(2022, 2, 8, 8, tzinfo=UTC)
TABLES = 4
MEGABYTE = 1_000_000


@dataclass(frozen=True)
class Planted:
    """Places of hours with something about them; all others are ok and hold ``TABLES`` tables.

    Parameters
    ----------
    missing, failed, late : sequence of int
        Hours in such a state.
    incomplete : mapping
        Missing tables of an hour.
    excused : mapping
        Reason of an hour.
    anomalies : mapping
        ``low`` or ``high`` of an hour.
    """

    missing: Sequence[int] = ()
    failed: Sequence[int] = ()
    late: Sequence[int] = ()
    incomplete: Mapping[int, list[str]] = field(default_factory=dict)
    excused: Mapping[int, str] = field(default_factory=dict)
    anomalies: Mapping[int, str] = field(default_factory=dict)

    def status(self, place: int) -> str:
        """Return how an hour stands."""
        if place in self.missing:
            return "missing"
        if place in self.failed:
            return "failed"
        if place in self.incomplete:
            return "incomplete"
        return "late" if place in self.late else "ok"

    def absent(self, place: int) -> list[str]:
        """Return the expected tables that an hour lacks."""
        if place in self.missing or place in self.failed:
            return [f"table{number}" for number in range(TABLES)]
        return self.incomplete.get(place, [])


def history(
    hours: int, planted: Planted | None = None, *, begin: datetime = BEGIN, config_name: str = CONFIG
) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """Make jobs, tables and sizes of ``hours`` hours."""
    faults = planted or Planted()
    keys = [
        (place, {"config_name": config_name, "hour_utc": begin + timedelta(hours=place)})
        for place in range(hours)
    ]
    jobs = [{**key, **_job(place, faults)} for place, key in keys]
    tables = [{**key, **row} for place, key in keys for row in _tables(place, faults)]
    sizes = [{**key, **_size(place, faults)} for place, key in keys]
    return (
        frame(jobs, JOB_METRICS_FIELDS),
        frame(tables, TABLE_METRICS_FIELDS),
        frame(sizes, JOB_SIZE_FIELDS),
    )


def frame(rows: list[dict[str, Any]], fields: Sequence[Field]) -> pl.DataFrame:
    """Make a frame of these columns; what a row does not say is null."""
    schema = polars_schema(fields)
    return pl.DataFrame([{name: row.get(name) for name in schema} for row in rows], schema=schema)


def _job(place: int, faults: Planted) -> dict[str, Any]:
    absent = faults.absent(place)
    return {
        "status": faults.status(place),
        "excused": place in faults.excused,
        "excuse": faults.excused.get(place),
        "n_tables_expected": TABLES,
        "n_tables_delivered": TABLES - len(absent),
        "completeness": (TABLES - len(absent)) / TABLES,
        "missing_tables": absent,
        "unexpected_tables": [],
    }


def _tables(place: int, faults: Planted) -> list[dict[str, Any]]:
    return [
        {"table": name, "expected": True, "delivered": False, "failure": True, "n_partitions_delivered": 0}
        for name in faults.absent(place)
    ]


def _size(place: int, faults: Planted) -> dict[str, Any]:
    excused = {"excused": place in faults.excused}
    if place in faults.missing or place in faults.failed:
        return excused | {"n_files": 0, "bytes_total": 0, "bytes_data": 0}
    middle = int(100 * MEGABYTE * (1 + 0.3 * math.sin(place * math.tau / 24)))
    anomaly = faults.anomalies.get(place, "none")
    data = int(middle * {"low": 0.3, "none": 1, "high": 2}[anomaly])
    return excused | {
        "n_files": 2 * TABLES + 2 - len(faults.absent(place)),
        "bytes_total": data + MEGABYTE,
        "bytes_data": data,
        "baseline": "hour of week",
        "band_lo": 0.8 * middle,
        "band_hi": 1.25 * middle,
        "score": 9.5 if anomaly == "high" else -9.5 if anomaly == "low" else 0.1,
        "anomaly": anomaly,
    }
