"""Small domains and frames for the tests of the lake and of SQL."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import polars as pl

from metaplat.model.domain import MetadataDomain
from metaplat.model.field import Field, ListOf, Struct
from metaplat.model.partitioning import Daily, Hourly, IdBuckets
from metaplat.model.polars_schema import polars_schema
from metaplat.model.retention import HotTable, Retention

if TYPE_CHECKING:
    from metaplat.model.partitioning import Partitioning

RESOURCES = Struct((Field("peak_gb", float, "", nullable=True), Field("node", str, "", nullable=True)))
FIELDS = (
    Field("job_name", str, "Name.", key=True),
    Field("execution_date", datetime, "Start."),
    Field("id_bucket", int, "Shard."),
    Field("rows", int, "Rows.", nullable=True),
    Field("share", float, "Share.", nullable=True),
    Field("is_complete", bool, "Complete.", nullable=True),
    Field("resources", RESOURCES, "Nested.", nullable=True),
    Field("tables", ListOf(str), "Names.", nullable=True),
    Field("steps", ListOf(RESOURCES), "Nested list.", nullable=True),
)


def domain(name: str = "runs", partitions: Partitioning | None = None, **changes: Any) -> MetadataDomain:
    """Return a domain of ``FIELDS``, daily where nothing else is said."""
    declared: dict[str, Any] = {
        "fields": FIELDS,
        "rules": (),
        "retention": Retention(archive=timedelta(days=730), hot=timedelta(days=90)),
        "landing": "runs/",
        "cadence": "0 * * * *",
        "fresh_within": timedelta(days=1),
        "partitions": partitions or Daily("2025-01-01"),
    }
    return MetadataDomain(name, "Runs.", **{**declared, **changes})


DAILY = domain()
HOURLY = domain("hourly_runs", Hourly("2025-01-01-00:00"))
BUCKETS = domain("shards", IdBuckets(256))
HOT = HotTable("runs", "job_name", "id_bucket", ("rows",))


def frame_of(day: str, *names: str, of: MetadataDomain = DAILY, bucket: int = 0) -> pl.DataFrame:
    """Return one full row for each name."""
    rows = [
        {
            "job_name": name,
            "execution_date": datetime.fromisoformat(f"{day}T01:02:03.000004").replace(tzinfo=UTC),
            "id_bucket": bucket,
            "rows": number,
            "share": 0.5,
            "is_complete": True,
            "resources": {"peak_gb": 1.5, "node": None},
            "tables": ["a", "b"],
            "steps": [{"peak_gb": None, "node": "n1"}],
            "source_object": f"runs/{day}/{name}.json",
        }
        for number, name in enumerate(names)
    ]
    return pl.DataFrame(rows, schema=polars_schema(of.columns))
