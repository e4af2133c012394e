"""A small domain and a home for it, for the tests of the ingest room."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import orjson

from metaplat.ingest.partition import landing_prefix
from metaplat.model.domain import MetadataDomain, Progress, Provisional, Row
from metaplat.model.field import Field, ListOf, Personal, Struct
from metaplat.model.partitioning import Daily
from metaplat.model.retention import HotTable, Retention
from metaplat.settings import IngestSettings, PrivacySettings, Settings
from metaplat.stores.home import Stores, open_stores

if TYPE_CHECKING:
    from pathlib import Path

NOW = datetime(2025, 11, 30, 12, tzinfo=UTC)
DAY = "2025-11-29"
STEP = Struct((Field("reason", str, "Why."), Field("count", int, "How often.", nullable=True, minimum=1)))
FIELDS = (
    Field("job_name", str, "Name.", key=True),
    Field("execution_timestamp", int, "Start.", key=True, derived=True),
    Field("execution_date", datetime, "Start."),
    Field("execution_date_source", str, "Of the start.", nullable=True),
    Field("job_id", str, "Run.", nullable=True),
    Field("status", str, "State.", choices=("SUCCESS", "FAILED", "RUNNING")),
    Field("message", str, "Text.", nullable=True, path="error.message", personal=Personal.SCRUB),
    Field("owner", str, "Person.", nullable=True, personal=Personal.HASH),
    Field("address", str, "Of the person.", nullable=True, path="error.address", personal=Personal.DROP),
    Field("peak_memory_gb", float, "Memory.", nullable=True, minimum=0, path="used.peak_memory_gb"),
    Field("row_count", int, "Rows.", nullable=True, minimum=0),
    Field("is_suspended", bool, "Suspended.", nullable=True),
    Field("end_date", datetime, "End.", nullable=True),
    Field("tables", ListOf(str), "Read.", nullable=True),
    Field("steps", ListOf(STEP), "Reasons.", nullable=True),
)


def derive(row: Row) -> None:
    """Fill the key."""
    row["execution_timestamp"] = int(row["execution_date"].timestamp())


def domain(**changes: Any) -> MetadataDomain:
    """Return the domain ``runs``, with changes."""
    declared: dict[str, Any] = {
        "name": "runs",
        "doc": "Runs.",
        "fields": FIELDS,
        "partitions": Daily("2025-01-01"),
        "landing": "runs/",
        "rules": (),
        "retention": Retention(archive=timedelta(days=730), hot=timedelta(days=90)),
        "cadence": "0 * * * *",
        "fresh_within": timedelta(days=1),
        "derive": derive,
        "progress": Progress("status", "RUNNING", "job_id"),
        "provisional": Provisional("execution_date_source", "creationTimestamp", "job_id"),
        "hot": HotTable("runs", "job_name", "execution_timestamp", ("row_count",), "status", "job_id"),
    }
    return MetadataDomain(**{**declared, **changes})


RUNS = domain()


def home(folder: Path, max_object_mb: int = 128, **privacy: Any) -> Stores:
    """Return the stores of a home in ``folder``."""
    ingest = IngestSettings(max_object_mb=max_object_mb)
    return open_stores(Settings(home=folder, ingest=ingest, privacy=PrivacySettings(**privacy)))


def record(name: str = "load", at: str = f"{DAY}T02:00:00Z", **changes: Any) -> dict[str, Any]:
    """Return a landed record, with changes."""
    return {"job_name": name, "execution_date": at, "status": "SUCCESS", **changes}


def ndjson(*records: object) -> bytes:
    """Return records as NDJSON."""
    return b"".join(orjson.dumps(each) + b"\n" for each in records)


def land(
    stores: Stores,
    name: str,
    content: object,
    day: str = DAY,
    at: datetime | None = None,
    of: MetadataDomain = RUNS,
) -> str:
    """Put an object into the landing folder of ``day``, as if written at ``at``."""
    key = landing_prefix(of, day) + name
    stores.landing.put(key, content if isinstance(content, bytes) else orjson.dumps(content))
    moment = (at or NOW).timestamp()
    os.utime(stores.settings.home / "landing" / key, (moment, moment))
    return key
