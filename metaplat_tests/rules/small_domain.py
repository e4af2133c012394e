"""A small domain, and evidence about it, for the tests of rules."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import polars as pl

from metaplat.model.domain import MetadataDomain
from metaplat.model.field import Field, ListOf, Personal, Struct
from metaplat.model.landed import IngestReceipt, ObjectInfo
from metaplat.model.partitioning import Daily, Hourly, IdBuckets, Partitioning
from metaplat.model.polars_schema import polars_schema
from metaplat.model.retention import Retention
from metaplat.model.rule import PartitionEvidence, Rule, TableEvidence
from metaplat.model.verdict import Outcome, Verdict
from metaplat.rules.row_count import row_count

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

DAY = datetime(2025, 11, 20, tzinfo=UTC)
PARTITION = "2025-11-20"
NOON_AFTER = datetime(2025, 11, 21, 12, tzinfo=UTC)

FIELDS = (
    Field("job", str, key=True, doc="Job."),
    Field("started", datetime, key=True, doc="Start."),
    Field("status", str, choices=("SUCCESS", "FAILED", "RUNNING"), doc="State."),
    Field("memory_gb", float, nullable=True, minimum=0, unit="GiB", doc="Memory."),
    Field("rate", float, nullable=True, minimum=0, maximum=1, doc="Rate."),
    Field("attempts", int, nullable=True, minimum=1, maximum=2**53, doc="Attempts."),
    Field("cause", str, nullable=True, choices=("OOM", "Error"), doc="Cause."),
    Field("owner", str, nullable=True, personal=Personal.HASH, choices=("known",), doc="Owner."),
    Field("tables", ListOf(str), nullable=True, doc="Tables."),
    Field("detail", Struct((Field("code", int, doc="Code."),)), nullable=True, doc="Detail."),
)
GOOD: dict[str, Any] = {
    "job": "report",
    "started": DAY,
    "status": "SUCCESS",
    "memory_gb": 1.5,
    "rate": 0.5,
    "attempts": 1,
    "cause": None,
    "owner": None,
    "tables": ["a"],
    "detail": {"code": 0},
    "extra": None,
    "source_object": "jobs/2025/11/20/a.json",
}


def domain(partitions: Partitioning | None = None, fields: Sequence[Field] = FIELDS) -> MetadataDomain:
    """Declare the domain ``jobs``, daily where nothing else is said."""
    return MetadataDomain(
        name="jobs",
        doc="One row per run.",
        fields=fields,
        partitions=partitions or Daily("2025-01-01", by="started"),
        landing="jobs/",
        rules=(row_count(),),
        retention=Retention(archive=timedelta(days=730)),
        cadence="0 * * * *",
        fresh_within=timedelta(days=1),
    )


HOURLY = domain(Hourly("2025-01-01-00:00", by="started"))
BUCKETS = domain(
    IdBuckets(4), (Field("job", str, key=True, doc="Job."), Field("id_bucket", int, doc="Bucket."))
)


def frame_of(*rows: Mapping[str, Any], declared: MetadataDomain | None = None) -> pl.DataFrame:
    """Build a frame of good rows, each with what is said of it."""
    fields = (declared or domain()).columns
    names = [field.name for field in fields]
    full = [{name: GOOD.get(name) for name in names} | dict(row) for row in rows]
    return pl.DataFrame(full, schema=polars_schema(fields), strict=True)


def many(count: int) -> pl.DataFrame:
    """Build ``count`` good rows with different keys."""
    return frame_of(*({"job": f"job-{number}"} for number in range(count)))


def landed_object(name: str = "a.json", etag: str = "1") -> ObjectInfo:
    """Make a listing entry of the partition's landing folder."""
    return ObjectInfo(f"jobs/2025/11/20/{name}", 10, DAY, etag)


def receipt_of(*objects: ObjectInfo, partition: str = PARTITION, **facts: Any) -> IngestReceipt:
    """Make the receipt of an ingest that read ``objects``."""
    return IngestReceipt(partition, frozenset(item.identity for item in objects), **facts)


def evidence_of(
    frame: pl.DataFrame,
    receipt: IngestReceipt | None = None,
    landed: Sequence[ObjectInfo] = (),
    **other: Any,
) -> PartitionEvidence:
    """Gather evidence about the partition of 20 November 2025, seen at noon of the next day."""
    facts: dict[str, Any] = {
        "domain": domain(),
        "partition": PARTITION,
        "row_history": {},
        "now": NOON_AFTER,
    } | other
    return PartitionEvidence(frame=frame, receipt=receipt, landed=landed, **facts)


def judged(rule: Rule, evidence: PartitionEvidence) -> Verdict:
    """Judge one partition by a rule that does so."""
    assert rule.judge is not None
    return rule.judge(evidence)


def table_of(
    rows: Mapping[str, int],
    outcomes: Mapping[str, Outcome] | None = None,
    declared: MetadataDomain | None = None,
    **facts: Any,
) -> TableEvidence:
    """Gather evidence about a table by the rows of its ingested partitions."""
    declared = declared or domain()
    receipts = {key: receipt_of(partition=key, rows=count, **facts) for key, count in rows.items()}
    judged = dict.fromkeys(rows, Outcome.PASSED) if outcomes is None else outcomes
    return TableEvidence(declared, judged, receipts, declared.partitions.keys(NOON_AFTER), NOON_AFTER)
