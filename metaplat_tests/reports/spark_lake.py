"""Attempts of Spark applications in a lake, as a collection and an ingest leave them there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from metaplat.cli.spark_records import spark_tables
from metaplat.domains import domain_named
from metaplat.ingest.landing import Landing
from metaplat.ingest.partition import ingest_partitions
from metaplat.model.landed import IngestReceipt

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from metaplat.collectors.spark.attempt import ApplicationAttempt
    from metaplat.reports.spark.attempts import SparkTables
    from metaplat.stores.home import Stores

DOMAINS = ("spark_applications", "spark_stages", "spark_executors")


def filled(
    stores: Stores, now: datetime, *attempts: ApplicationAttempt, domains: Sequence[str] = DOMAINS
) -> SparkTables:
    """Land attempts, ingest them into some of the three domains, and return where they are."""
    landing = Landing(domain_named(DOMAINS[0]), stores, now)
    landed = [landing.land_record(each.record()) for each in attempts]
    assert {each.status for each in landed} <= {"landed", "unchanged"}
    partitions = sorted({each.partition for each in landed})
    for name in domains:
        receipts = ingest_partitions(domain_named(name), stores, partitions, now)
        assert all(isinstance(each, IngestReceipt) and not each.quarantined for each in receipts.values())
    return spark_tables(stores)
