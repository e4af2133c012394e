"""Rows of the Spark domains, and evidence about them, for the tests of their rules."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import polars as pl

from metaplat.domains import domain_named
from metaplat.model.polars_schema import polars_schema
from metaplat.model.rule import PartitionEvidence, Rule

if TYPE_CHECKING:
    from collections.abc import Mapping

    from metaplat.model.domain import MetadataDomain
    from metaplat.model.verdict import Verdict

APPLICATIONS, STAGES, EXECUTORS = (
    domain_named(f"spark_{name}") for name in ("applications", "stages", "executors")
)
DAY = datetime(2025, 11, 20, tzinfo=UTC)
PARTITION = "2025-11-20"
GOOD: dict[str, Any] = {
    "source": "event-logs",
    "app_id": "application_1_1",
    "attempt_key": "event-logs/application_1_1/",
    "application_time": DAY + timedelta(hours=3),
    "partitioned_by": "end",
    "app_name": "nightly",
    "user": "etl",
    "status": "COMPLETED",
    "master": "yarn",
    "start_time": DAY + timedelta(hours=2),
    "end_time": DAY + timedelta(hours=3),
    "duration_ms": 3_600_000,
    "executor_cores": 4,
    "num_executors": 4,
    "num_executors_added": 5,
    "total_tasks": 100,
    "failed_tasks": 1,
    "source_coverage": [],
    "data_quality": [],
    "source_object": "spark-applications/2025/11/20/a.json",
}


def rows_of(domain: MetadataDomain, *rows: Mapping[str, Any]) -> pl.DataFrame:
    """Build a frame of good rows of a domain, each with what is said of it."""
    names = [field.name for field in domain.columns]
    full = [
        {name: GOOD.get(name) for name in names} | {"app_id": f"application_1_{number}"} | dict(row)
        for number, row in enumerate(rows)
    ]
    return pl.DataFrame(full, schema=polars_schema(domain.columns), strict=True)


def applications(*rows: Mapping[str, Any]) -> pl.DataFrame:
    """Build a frame of good applications, each with what is said of it."""
    return rows_of(APPLICATIONS, *rows)


def judged_rule(
    rule: Rule,
    frame: pl.DataFrame,
    history: pl.DataFrame | None = None,
    domain: MetadataDomain = APPLICATIONS,
) -> Verdict:
    """Judge the partition of 20 November 2025."""
    assert rule.judge is not None
    now = DAY + timedelta(days=1, hours=12)
    return rule.judge(PartitionEvidence(domain, PARTITION, frame, None, (), {}, now, history))
