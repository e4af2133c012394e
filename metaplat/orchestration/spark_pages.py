"""Pages of Spark applications are written when their partition was ingested, and linked in the UI.

Here: which pages are due, and what the asset's metadata says of them.
Not here: what a page shows (``reports.spark``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import dagster as dg
import orjson

from metaplat import __version__
from metaplat.domains import domain_named
from metaplat.ingest.decode import decode
from metaplat.ingest.partition import landing_prefix
from metaplat.model.errors import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import datetime

    import polars as pl

    from metaplat.model.domain import MetadataDomain, Record
    from metaplat.stores.home import Stores

APPLICATIONS = "spark_applications"
COLUMNS = (
    "source",
    "app_id",
    "attempt_id",
    "app_name",
    "user",
    "status",
    "duration_ms",
    "findings",
    "source_object",
)
LINKED = 12
"""Applications named in the metadata of a partition: those with the most findings."""


def write_spark_pages(
    domain: MetadataDomain, stores: Stores, partitions: Iterable[str], now: datetime
) -> dict[str, dict[str, Any]]:
    """Write the pages of the applications that are new or have changed, then the overview.

    Returns
    -------
    dict
        Metadata by partition key; empty for every other domain.

    Raises
    ------
    StoreError
        The landing zone, the lake or the report store fails.
    """
    if domain.name != APPLICATIONS:
        return {}
    from metaplat.reports.spark.attempts import SparkTables
    from metaplat.reports.spark.pages import write_overview

    metadata = {}
    for partition in partitions:
        rows = stores.lake.read(domain, [partition], columns=list(COLUMNS))
        _write_changed(domain, stores, partition, rows)
        metadata[partition] = _linked(stores, rows)
    tables = SparkTables(stores, domain, domain_named("spark_stages"), domain_named("spark_executors"))
    overview = f"{stores.reports.address}/{write_overview(tables, now)}"
    return {
        partition: {**entries, "overview": dg.MetadataValue.path(overview)}
        for partition, entries in metadata.items()
    }


def _write_changed(domain: MetadataDomain, stores: Stores, partition: str, rows: pl.DataFrame) -> None:
    """Write the pages of landed objects that have none yet; which have one is remembered."""
    from metaplat.reports.spark.pages import write_pages

    mark = f"pages/{domain.name}/{domain.partitions.segment(partition)}.json"
    landed = stores.landing.list_objects(landing_prefix(domain, partition))
    identities = {item.shown_key: (item.key, f"{item.identity}-{__version__}") for item in landed}
    done = _done(stores, mark)
    used = [identities[shown] for shown in rows["source_object"].unique() if shown in identities]
    due = [key for key, identity in used if identity not in done]
    wanted = set(rows.select("source", "app_id", "attempt_id").iter_rows())
    if due:
        write_pages(stores, _records(stores, due, wanted))
        stores.state.put(mark, orjson.dumps(sorted(identity for _, identity in used)))


def _done(stores: Stores, mark: str) -> set[str]:
    try:
        return set(orjson.loads(stores.state.get(mark)))
    except (KeyError, TypeError, ValueError):  # there is none, or it is broken: all are written again
        return set()


def _records(stores: Stores, keys: list[str], wanted: set[tuple[Any, ...]]) -> Iterator[Record]:
    limit = stores.settings.ingest.max_object_mb << 20
    for _, content in stores.landing.get_many(sorted(keys), max_bytes=limit):
        if content is None:
            continue
        try:
            for _, record in decode(content, limit):
                if isinstance(record, dict) and _identity(record) in wanted:
                    yield record
        except InvalidInputError:  # its ingest has put it into quarantine, with the reason
            continue


def _identity(record: Mapping[str, Any]) -> tuple[Any, ...]:
    return record.get("source"), record.get("app_id"), record.get("attempt_id")


def _linked(stores: Stores, rows: pl.DataFrame) -> dict[str, Any]:
    """Return the applications with the most findings, each with its page."""
    from metaplat.reports.spark.page_names import page_name

    found = sorted(rows.to_dicts(), key=lambda row: (-len(row["findings"]), -(row["duration_ms"] or 0)))
    records = [
        dg.TableRecord(
            {
                "application": row["app_name"] or row["app_id"],
                "user": row["user"],
                "status": row["status"],
                "seconds": None if row["duration_ms"] is None else row["duration_ms"] / 1000,
                "findings": ", ".join(dict.fromkeys(finding["kind"] for finding in row["findings"])),
                "page": f"{stores.reports.address}/{page_name(row)}",
            }
        )
        for row in found[:LINKED]
    ]
    if not records:
        return {}
    columns = [dg.TableColumn(name) for name in records[0].data]
    return {"applications": dg.MetadataValue.table(records, schema=dg.TableSchema(columns))}
