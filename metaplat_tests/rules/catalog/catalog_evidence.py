"""Rows of the catalog's domains, and evidence about them, for the tests of their rules."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import polars as pl

from metaplat.domains import domain_named
from metaplat.model.landed import IngestReceipt
from metaplat.model.polars_schema import polars_schema
from metaplat.model.rule import PartitionEvidence, Rule, TableEvidence

if TYPE_CHECKING:
    from collections.abc import Mapping

    from metaplat.model.domain import MetadataDomain
    from metaplat.model.verdict import Outcome, Verdict

OBSERVATIONS, EDGES, EVENTS = (
    domain_named(name) for name in ("observations", "dataset_relationships", "processing_events")
)
DAY = datetime(2026, 3, 20, tzinfo=UTC)
PARTITION = "2026-03-20"
UNKNOWN = "1957-10-03"
NOON_AFTER = DAY + timedelta(days=1, hours=12)
ONE_DAY = timedelta(days=1)

GOOD: dict[str, dict[str, Any]] = {
    "observations": {
        "mission_id": "HST",
        "satellite_name": "HST",
        "instrument_type": "WFC3",
        "observation_timestamp": DAY + timedelta(hours=3),
        "processing_status": "raw",
        "file_format": "fits",
        "file_size": 2880,
        "modified_time": DAY,
        "content_tag": "1:2880",
        "extraction_status": "ok",
        "extractor_version": "1-00000000",
        "attempts": 0,
        "file_state": "present",
        "first_seen": DAY + timedelta(hours=4),
        "updated_at": DAY + timedelta(hours=4),
        "revision": 1,
        "change_seq": 1,
    },
    "dataset_relationships": {
        "relationship_type": "derived",
        "recorded_at": DAY + timedelta(hours=3),
        "change_seq": 1,
        "parent_state": "present",
        "child_state": "present",
    },
    "processing_events": {
        "occurred_at": DAY + timedelta(hours=3),
        "action": "start",
        "pipeline": "mosaic",
        "change_seq": 1,
    },
}


def _identity(domain: MetadataDomain, number: int) -> dict[str, str]:
    if domain is OBSERVATIONS:
        path = f"/archive/{number:04}.fits"
        return {"dataset_id": f"d{number:04}", "file_path": path, "content_digest": f"c{number:04}"}
    if domain is EDGES:
        return {"parent_dataset_id": f"p{number:04}", "child_dataset_id": f"c{number:04}"}
    return {"event_id": f"e{number:04}", "run_id": f"r{number:04}"}


def rows_of(domain: MetadataDomain, *rows: Mapping[str, Any]) -> pl.DataFrame:
    """Build a frame of good rows of a domain, each with what is said of it."""
    names = [field.name for field in domain.columns]
    full = [
        {name: GOOD[domain.name].get(name) for name in names} | _identity(domain, number) | dict(row)
        for number, row in enumerate(rows)
    ]
    return pl.DataFrame(full, schema=polars_schema(domain.columns), strict=True)


def files(*rows: Mapping[str, Any]) -> pl.DataFrame:
    """Build a frame of good observations, each with what is said of it."""
    return rows_of(OBSERVATIONS, *rows)


def evidence_of(
    frame: pl.DataFrame, domain: MetadataDomain = OBSERVATIONS, **facts: Any
) -> PartitionEvidence:
    """Gather evidence about the partition of 20 March 2026, seen at noon of the next day."""
    told: dict[str, Any] = {"partition": PARTITION, "row_history": {}, "now": NOON_AFTER} | facts
    return PartitionEvidence(domain=domain, frame=frame, receipt=None, landed=(), **told)


def judged(rule: Rule, frame: pl.DataFrame, domain: MetadataDomain = OBSERVATIONS, **facts: Any) -> Verdict:
    """Judge that partition by a rule that judges partitions."""
    assert rule.judge is not None
    return rule.judge(evidence_of(frame, domain, **facts))


def table_of(
    domain: MetadataDomain, outcomes: Mapping[str, Outcome], rows: Mapping[str, int] | None = None
) -> TableEvidence:
    """Gather evidence about a table by the outcomes of its partitions, or by their rows."""
    receipts = {key: IngestReceipt(key, rows=count) for key, count in (rows or {}).items()}
    return TableEvidence(domain, outcomes, receipts, domain.partitions.keys(NOON_AFTER), NOON_AFTER)
