"""Rows of the domains of the vendor's lake, and evidence about them, for the tests of their rules."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import polars as pl

from metaplat.domains import domain_named
from metaplat.model.extract import ExcusedHours
from metaplat.model.polars_schema import polars_schema
from metaplat.model.rule import PartitionEvidence, Rule, TableEvidence

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from metaplat.model.domain import MetadataDomain
    from metaplat.model.verdict import Outcome, Verdict

EXTRACTS, JOBS, TABLES, SIZES = (
    domain_named(name)
    for name in (
        "vip_extracts",
        "historical_job_metrics",
        "historical_table_metrics",
        "historical_job_size",
    )
)
DAY = datetime(2026, 3, 20, tzinfo=UTC)
PARTITION = "2026-03-20"
NOON_AFTER = DAY + timedelta(days=1, hours=12)
HOUR = timedelta(hours=1)
PROD, TEST = "onDemandExtract1DayProd", "onDemandExtract1DayTest"
NIGHT = ExcusedHours(DAY, DAY + 3 * HOUR, "bucket moved")

GOOD: dict[str, dict[str, Any]] = {
    "vip_extracts": {
        "environment": "Prod",
        "status": "ok",
        "folder": "IMOSDL/Hourly/20260320/13/",
        "export_calls": 1,
        "files_promised": 10,
        "files_delivered": 10,
        "files_mismatched": 0,
        "bytes_delivered": 1000,
        "problems": [],
        "source_object": "vip-extracts/2026/03/20/13/prod.ndjson",
    },
    "historical_job_metrics": {
        "status": "ok",
        "excused": False,
        "lag_min": 25.0,
        "n_tables_expected": 8,
        "n_tables_delivered": 8,
        "n_files_promised": 10,
        "n_files_delivered": 10,
        "n_files_size_mismatch": 0,
        "n_files_schema": 1,
        "n_files_script": 1,
        "completeness": 1.0,
        "file_completeness": 1.0,
        "missing_tables": [],
        "unexpected_tables": [],
    },
    "historical_table_metrics": {
        "expected": True,
        "delivered": True,
        "failure": False,
        "n_partitions_delivered": 1,
        "bytes": 100,
        "schema_hash": "5f",
        "fields_added": [],
        "fields_removed": [],
        "fields_changed": [],
        "fields_reordered": False,
    },
    "historical_job_size": {
        "n_files": 10,
        "bytes_total": 1100,
        "bytes_data": 1000,
        "bytes_schema": 50,
        "bytes_script": 50,
        "excused": False,
        "baseline": "hour of week",
        "band_lo": 800.0,
        "band_hi": 1250.0,
        "score": 0.1,
        "anomaly": "none",
    },
}


def rows_of(domain: MetadataDomain, rows: Iterable[Mapping[str, Any]]) -> pl.DataFrame:
    """Build a frame of good rows of a domain, an hour each from midnight on, each with what is said of it."""
    names = [field.name for field in domain.columns]
    full = [
        {name: GOOD[domain.name].get(name) for name in names}
        | {"config_name": PROD, "hour_utc": DAY + number * HOUR}
        | dict(row)
        for number, row in enumerate(rows)
    ]
    return pl.DataFrame(full, schema=polars_schema(domain.columns), strict=True)


def evidence_of(domain: MetadataDomain, frame: pl.DataFrame, **facts: Any) -> PartitionEvidence:
    """Gather evidence about 20 March 2026, seen at noon of the next day."""
    empty = rows_of(domain, [])
    told: dict[str, Any] = {
        "partition": PARTITION,
        "row_history": {PARTITION: frame.height},
        "now": NOON_AFTER,
        "history": empty,
    } | facts
    return PartitionEvidence(domain=domain, frame=frame, receipt=None, landed=(), **told)


def judged(
    rule: Rule, domain: MetadataDomain, rows: Iterable[Mapping[str, Any]] | pl.DataFrame, **facts: Any
) -> Verdict:
    """Judge that day by a rule that judges partitions."""
    assert rule.judge is not None
    frame = rows if isinstance(rows, pl.DataFrame) else rows_of(domain, rows)
    return rule.judge(evidence_of(domain, frame, **facts))


def summary(rule: Rule, domain: MetadataDomain, outcomes: Mapping[str, Outcome]) -> Verdict:
    """Judge the table by the outcomes of its partitions."""
    keys = domain.partitions.keys(NOON_AFTER)
    return rule.summarize(TableEvidence(domain, outcomes, {}, keys, NOON_AFTER))
