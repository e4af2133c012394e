"""Listing of a large landing zone on S3, against boto3's paginator.

A stand-in for S3 takes 60 ms for each page of 1000 keys, as a real one does over a network. boto3 asks for
one page after the other; ``list_tree`` asks for folders side by side. A sensor tick lists few of them.
"""

from __future__ import annotations

import dataclasses
import os
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.request import urlopen

from metaplat.domains import domain_named
from metaplat.orchestration.landing_watch import watch_landing
from metaplat.settings import S3Settings, Settings
from metaplat.stores.home import open_stores
from metaplat.stores.s3_objects import S3Objects
from metaplat_tests.standins.s3_listing import listing_server

KEYS, DAYS = 100_000, 365
ROUNDS = 3


def measure() -> list[tuple[str, str, str]]:
    """Return rows of (what, figure, target)."""
    os.environ.setdefault("AWS_ACCESS_KEY_ID", "none")
    os.environ.setdefault("AWS_SECRET_ACCESS_KEY", "none")
    with listing_server(KEYS, DAYS) as endpoint:
        peer = min(_paginate(endpoint) for _ in range(2))
        peer_pages = _pages(endpoint) // 2
        ours = min(_list_tree(endpoint) for _ in range(ROUNDS))
        our_pages = _pages(endpoint) // ROUNDS
        quiet, folders, requests = _quiet_tick(endpoint)
    figure = f"{peer / ours:.1f} x ({peer:.2f} s, {peer_pages} pages; {ours:.2f} s, {our_pages} pages)"
    tick = f"{folders} of {DAYS} folders, {requests} requests, {quiet:.2f} s"
    return [
        (f"list {KEYS:,} keys of {DAYS} days on S3, against boto3's paginator", figure, ">= 10 x"),
        ("a sensor tick over them with nothing new", tick, "recent folders only"),
    ]


def _paginate(endpoint: str) -> float:
    import boto3

    client: Any = boto3.client("s3", endpoint_url=endpoint, region_name="us-east-1")
    started = time.perf_counter()
    pages = client.get_paginator("list_objects_v2").paginate(
        Bucket="bucket", Prefix="landing/job-executions/"
    )
    found = [item["Key"] for page in pages for item in page["Contents"]]
    elapsed = time.perf_counter() - started
    assert len(found) == KEYS
    return elapsed


def _list_tree(endpoint: str) -> float:
    store = S3Objects("s3://bucket/landing", S3Settings(endpoint_url=endpoint))
    started = time.perf_counter()
    found = store.list_tree("job-executions/")
    elapsed = time.perf_counter() - started
    assert len(found) == KEYS
    return elapsed


def _quiet_tick(endpoint: str) -> tuple[float, int, int]:
    """Return seconds, folders listed and requests of a tick after which nothing has landed."""
    domain, now = domain_named("job_executions"), datetime.now(UTC)
    with tempfile.TemporaryDirectory() as folder:
        stores = open_stores(Settings(home=Path(folder)))
        landing = S3Objects("s3://bucket/landing", S3Settings(endpoint_url=endpoint))
        stores = dataclasses.replace(stores, landing=landing)
        cursor = watch_landing(domain, stores, None, now, stores.settings.sensor).cursor.text()
        _pages(endpoint)
        started = time.perf_counter()
        seen = watch_landing(domain, stores, cursor, now, stores.settings.sensor)
        elapsed = time.perf_counter() - started
    assert not seen.touched
    return elapsed, seen.listed, _pages(endpoint)


def _pages(endpoint: str) -> int:
    with urlopen(f"{endpoint}/requests", timeout=10) as answer:
        return int(answer.read())


if __name__ == "__main__":
    for row in measure():
        print(*row, sep=" | ")
