"""The histories of months of deliveries, from an S3 that takes 60 ms for every answer, against boto3.

A stand-in in a process of its own lists 2,689 hours of 450 files (1.2 million keys), and holds the saved
promise and the schema file of every hour. Ours lists, reads these papers, judges every hour, and writes the
three histories to a lake on the local disk. boto3 only lists, one request after the other: a share of them
(``SAMPLE_PAGES``) is measured, and the seconds scaled to all keys, since these take minutes. Medians of the
rounds: ``METAPLAT_BENCH_ROUNDS`` (3).
"""

from __future__ import annotations

import os
import resource
import statistics
import tempfile
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from metaplat.domains import domain_named
from metaplat.orchestration.vip.deliveries import configured_deliveries
from metaplat.orchestration.vip.histories import (
    NAMES,
    Span,
    days_of,
    due_span,
    read_histories,
    write_histories,
)
from metaplat.settings import S3Settings, Settings, VipSettings
from metaplat.stores.home import open_stores
from metaplat_tests.standins.stub_s3 import StubS3, stub_s3

if TYPE_CHECKING:
    from metaplat.stores.home import Stores

HOURS, FILES = 2689, 450
LATENCY_SECONDS = 0.06
PREFIX = "IMOSDL/Hourly/"
ROUNDS = int(os.environ.get("METAPLAT_BENCH_ROUNDS", "3"))
SAMPLE_PAGES = 60
"""Of boto3, of 1,211 in all."""
FIRST = datetime(2022, 2, 8, 8, tzinfo=UTC)
LAST = FIRST + timedelta(hours=HOURS - 1)
NOW = datetime(2022, 6, 1, tzinfo=UTC)

Line = tuple[str, str, str]


@dataclass(frozen=True)
class Round:
    """One history: seconds and requests of its start, and of the hour after it."""

    listing: float
    initial: float
    initial_requests: int
    increment: float
    increment_requests: int


def history_lines() -> list[Line]:
    """Return ratios, seconds and requests, each with its target."""
    for variable in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        os.environ.setdefault(variable, "none")
    with stub_s3(latency=LATENCY_SECONDS, hours=HOURS, files=FILES, prefix=PREFIX) as s3:
        rounds, pages, hours = [], [], []
        for _ in range(ROUNDS):
            pages.append(_boto3_pages(s3))
            hours.append(_boto3_hours(s3))
            rounds.append(_round(s3))
    return _lines(_median(rounds), statistics.median(pages), statistics.median(hours))


def _lines(ours: Round, pages: float, hours: float) -> list[Line]:
    start = f"{HOURS:,} hours of {FILES} files, from S3 at {LATENCY_SECONDS * 1000:.0f} ms to three histories"
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return [
        (
            f"{start}: boto3's paginator, listing alone / ours, all of it",
            _ratio(pages, ours.initial),
            ">= 50 x",
        ),
        ("boto3, hour by hour, listing alone / ours, all of it", _ratio(hours, ours.initial), ""),
        ("boto3's paginator / our listing alone", _ratio(pages, ours.listing), ""),
        ("seconds of all of it", f"{ours.initial:.1f} s, {ours.initial_requests:,} requests", "< 60 s"),
        ("peak memory of the process", f"{memory:,.0f} MiB", ""),
        (
            "one hour more, and the last ones looked at again",
            f"{ours.increment:.2f} s, {ours.increment_requests} requests",
            "a handful",
        ),
    ]


def _ratio(theirs: float, ours: float) -> str:
    return f"{theirs / ours:.0f} x ({theirs:.0f} s against {ours:.1f} s)"


def _median(rounds: list[Round]) -> Round:
    return Round(
        *(statistics.median(getattr(each, name) for each in rounds) for name in Round.__annotations__)
    )


def _round(s3: StubS3) -> Round:
    """Make the histories of all hours but the last, into a new lake, and add the last."""
    with tempfile.TemporaryDirectory(prefix="metaplat-bench-") as folder:
        vip = VipSettings(environment="Prod", prefix=PREFIX, target="s3://bucket")
        stores = open_stores(Settings(home=Path(folder), s3=S3Settings(endpoint_url=s3.endpoint), vip=vip))
        listing = _listing(stores)
        before = _requests(s3)
        initial = _written(stores, Span(FIRST, LAST - timedelta(hours=1)))
        between = _requests(s3)
        increment = _written(stores, None)
        after = _requests(s3)
        rows = read_histories(stores, FIRST, LAST)
        assert rows.jobs.height == rows.sizes.height == HOURS
        assert rows.jobs["status"].unique().to_list() == ["ok"]
    return Round(listing, initial, between - before, increment, after - between)


def _listing(stores: Stores) -> float:
    hours = [FIRST + timedelta(hours=number) for number in range(HOURS)]
    begun = time.perf_counter()
    found = configured_deliveries(stores.settings).listing(
        [stores.settings.vip.folder(hour) for hour in hours]
    )
    assert found.height == HOURS * FILES
    return time.perf_counter() - begun


def _written(stores: Stores, span: Span | None) -> float:
    begun = time.perf_counter()
    chosen = span or due_span(stores, NOW)
    assert chosen is not None
    domains = [domain_named(name) for name in NAMES]
    results = write_histories(domains, stores, days_of(chosen), NOW, chosen)
    assert not any(isinstance(each, Exception) for receipts in results.values() for each in receipts.values())
    return time.perf_counter() - begun


def _requests(s3: StubS3) -> int:
    asked: dict[str, int] = s3.counts()["asked"]
    return sum(asked.values())


def _boto3_pages(s3: StubS3) -> float:
    """Return the seconds of boto3's paginator over all keys, scaled from the first pages."""
    pages = _client(s3).get_paginator("list_objects_v2").paginate(Bucket="bucket", Prefix=PREFIX)
    begun = time.perf_counter()
    keys = sum(len([item["Key"] for item in page["Contents"]]) for page in islice(pages, SAMPLE_PAGES))
    return (time.perf_counter() - begun) * HOURS * FILES / keys


def _boto3_hours(s3: StubS3) -> float:
    """Return the seconds of one boto3 request an hour, scaled from the first hours."""
    client = _client(s3)
    begun = time.perf_counter()
    for number in range(SAMPLE_PAGES):
        folder = f"{PREFIX}{FIRST + timedelta(hours=number):%Y%m%d/%H}/"
        assert len(client.list_objects_v2(Bucket="bucket", Prefix=folder)["Contents"]) == FILES
    return (time.perf_counter() - begun) * HOURS / SAMPLE_PAGES


def _client(s3: StubS3) -> Any:
    import boto3

    return boto3.client("s3", endpoint_url=s3.endpoint, region_name="us-east-1")


if __name__ == "__main__":
    for line in history_lines():
        print(*line, sep=" | ")
