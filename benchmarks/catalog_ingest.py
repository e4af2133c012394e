"""From files to observations that can be searched: the whole of an ingest, local and from S3.

Into a new index in SQLite, with the settings as they are: as many processes as there are cores. The files are
warm. By the clock, which a busy machine shows in; hence CPU a file beside it, the start of the processes
included. ``METAPLAT_BENCH_INGEST_FILES`` says how many files (20,000: 900 MB of disk, removed at the end),
``METAPLAT_BENCH_INGEST_OBJECTS`` how many objects of S3 (4,000).
"""

from __future__ import annotations

import os
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.catalog_files import write_files
from benchmarks.catalog_s3 import LATENCY_SECONDS, s3_of_files
from metaplat.catalog.ingesting.bulk import ingest_place
from metaplat.model.filters import EVERYTHING
from metaplat.settings import S3Settings, Settings
from metaplat.stores.catalog.sqlite_index import SqliteIndex

if TYPE_CHECKING:
    from collections.abc import Sequence

FILES = int(os.environ.get("METAPLAT_BENCH_INGEST_FILES", "20000"))
OBJECTS = int(os.environ.get("METAPLAT_BENCH_INGEST_OBJECTS", "4000"))
NOW = datetime(2026, 11, 1, tzinfo=UTC)

Line = tuple[str, str, str]


def ingest_lines() -> list[Line]:
    """Return files a second, each with its target."""
    with tempfile.TemporaryDirectory(prefix="metaplat-bench-") as name:
        folder = Path(name)
        write_files(folder / "archive", "fits", FILES)
        local = _timed(str(folder / "archive"), folder / "local", Settings(home=folder), FILES)
        again = _timed(str(folder / "archive"), folder / "local", Settings(home=folder), FILES)
        for variable in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            os.environ.setdefault(variable, "none")
        with s3_of_files(OBJECTS) as address:
            settings = Settings(home=folder, s3=S3Settings(endpoint_url=address))
            remote = _timed("s3://bucket/archive", folder / "remote", settings, OBJECTS)
    latency = f"{LATENCY_SECONDS * 1000:.0f} ms"
    return [
        (f"ingest {FILES:,} warm FITS files, two cores, until searchable", local, ">= 5,000 files/s"),
        ("the same again, all unchanged", again, ""),
        (f"ingest {OBJECTS:,} FITS objects of an S3 that answers after {latency}", remote, ">= 400 files/s"),
    ]


def _timed(place: str, where: Path, settings: Settings, files: int) -> str:
    index = SqliteIndex(where / "catalog.sqlite")
    began, before = time.perf_counter(), os.times()
    summary = ingest_place(place, index, settings, NOW)
    seconds, after = time.perf_counter() - began, os.times()
    assert index.count(EVERYTHING) == files, summary
    index.close()
    here, others = (_spent(before, after, places) * 1e6 / files for places in ((0, 1), (2, 3)))
    return (
        f"{files / seconds:,.0f} files/s ({seconds:.1f} s; CPU a file: {here:.0f} µs here,"
        f" {others:.0f} µs in the processes that read)"
    )


def _spent(before: Sequence[float], after: Sequence[float], places: tuple[int, ...]) -> float:
    return sum(after[place] - before[place] for place in places)


if __name__ == "__main__":
    for line in ingest_lines():
        print(*line, sep=" | ")
