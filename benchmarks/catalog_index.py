"""The catalog's index with many observations: how long questions take, in process, and what exports cost.

``METAPLAT_BENCH_OBSERVATIONS`` says how many (1,000,000; 1 GB of disk, removed at the end). The index is
filled as an ingest fills it, batch by batch. Questions are asked with other values each time; times are by
the clock, and a busy machine shows in them.
"""

from __future__ import annotations

import multiprocessing
import os
import random
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.catalog_rows import BATCH, DAYS, FIRST, MISSIONS, TARGETS, batches, edges, path_of, row_of
from metaplat.catalog.export import ExportFormat, export_observations
from metaplat.domains import domain_named
from metaplat.ingest.cataloged import CatalogedPartitions
from metaplat.model.filters import EVERYTHING, And, Compare
from metaplat.model.observation import dataset_id_of
from metaplat.settings import Settings
from metaplat.stores.catalog.index import FACET_COLUMNS, Change, Query
from metaplat.stores.catalog.sqlite_index import SqliteIndex
from metaplat.stores.home import open_stores

if TYPE_CHECKING:
    from collections.abc import Callable
    from multiprocessing.queues import Queue

OBSERVATIONS = int(os.environ.get("METAPLAT_BENCH_OBSERVATIONS", "1000000"))
QUESTIONS = 200
EDGES = 30_000
WRITERS, READERS = 4, 2
WRITTEN_BATCHES, WRITTEN_ROWS = 10, 500
NOW = datetime(2026, 11, 1, tzinfo=UTC)

Line = tuple[str, str, str]


def index_lines() -> list[Line]:
    """Return figures of an index with many observations, each with its target."""
    with tempfile.TemporaryDirectory(prefix="metaplat-bench-") as name:
        path = Path(name) / "catalog.sqlite"
        index = SqliteIndex(path)
        try:
            lines = [_filled(index, path), *_asked(index), *_exported(index, Path(name))]
            return [*lines, *_at_once(index, path)]
        finally:
            index.close()


def _filled(index: SqliteIndex, path: Path) -> Line:
    spent = clock = 0.0
    for batch in batches(OBSERVATIONS):
        begun, at = time.process_time(), time.perf_counter()
        index.apply(Change(observations=batch), NOW)
        spent, clock = spent + time.process_time() - begun, clock + time.perf_counter() - at
    index.apply(Change(relationships=edges(OBSERVATIONS, EDGES)), NOW)
    size = sum(each.stat().st_size for each in path.parent.glob("catalog.sqlite*"))
    figure = f"{OBSERVATIONS / clock:,.0f} rows/s, {spent / OBSERVATIONS * 1e6:.0f} µs CPU a row, "
    return f"write {OBSERVATIONS:,} new rows, {BATCH:,} at a time", f"{figure}{size / 1e9:.1f} GB", ""


def _asked(index: SqliteIndex) -> list[Line]:
    chance = random.Random(11)

    def some_id() -> str:
        return dataset_id_of(path_of(chance.randrange(OBSERVATIONS)))

    def day_of_mission() -> And:
        start = FIRST + timedelta(days=chance.randrange(DAYS))
        return And(
            (
                Compare("mission_id", "=", chance.choice(MISSIONS)),
                Compare("observation_timestamp", ">=", start),
                Compare("observation_timestamp", "<", start + timedelta(days=1)),
            )
        )

    def search(where: Any) -> list[Any]:
        return index.search(Query(where=where, limit=100))

    step = max(10, OBSERVATIONS // (EDGES // 3))

    def related() -> object:
        key = dataset_id_of(path_of(chance.randrange(1, OBSERVATIONS // step) * step))
        return index.edges([key], "parents"), index.edges([key], "children")

    questions: list[tuple[str, Callable[[], object], str]] = [
        ("by id", lambda: index.get([some_id()]), "<= 5 ms"),
        ("a mission's day, the newest 100", lambda: search(day_of_mission()), "<= 5 ms"),
        (
            "a target, the newest 100",
            lambda: search(Compare("target_object", "=", chance.choice(TARGETS))),
            "<= 5 ms",
        ),
        ("related, both ways", related, "<= 5 ms"),
        ("summary of a mission", lambda: index.summaries(chance.choice(MISSIONS)), "<= 20 ms"),
        ("summaries of all", index.summaries, "<= 20 ms"),
        ("all facets", lambda: index.facets(EVERYTHING, FACET_COLUMNS), "<= 20 ms"),
        (
            "all facets of a mission",
            lambda: index.facets(Compare("mission_id", "=", chance.choice(MISSIONS)), FACET_COLUMNS),
            "<= 20 ms",
        ),
    ]
    return [(f"p95: {name}", _percentile(ask, chance), target) for name, ask, target in questions]


def _percentile(ask: Callable[[], object], chance: random.Random) -> str:
    """Return how long questions take whose pages were read before, and how long they took the first time."""
    (median, slow), (_, first) = reversed([_times(ask, chance) for _ in range(2)])
    return f"{slow:.2f} ms (median {median:.2f} ms; first time {first:.2f} ms)"


def _times(ask: Callable[[], object], chance: random.Random) -> tuple[float, float]:
    """Return median and 95th percentile of the same questions each time, in ms."""
    chance.seed(11)
    took = []
    for _ in range(QUESTIONS):
        at = time.perf_counter()
        ask()
        took.append((time.perf_counter() - at) * 1e3)
    took.sort()
    return took[len(took) // 2], took[int(len(took) * 0.95)]


def _exported(index: SqliteIndex, folder: Path) -> list[Line]:
    domain = domain_named("observations")
    stores = open_stores(Settings(home=folder / "home"))
    partitions = CatalogedPartitions(domain, stores, index, NOW)
    at = time.perf_counter()
    for failed in (each for each in partitions.write(sorted(partitions.stale())).values()):
        assert not isinstance(failed, Exception), failed
    refreshed = time.perf_counter() - at
    at = time.perf_counter()
    rows = export_observations(stores.lake, domain, EVERYTHING, folder / "all.parquet", ExportFormat.PARQUET)
    seconds = time.perf_counter() - at
    assert rows == OBSERVATIONS, rows
    return [
        ("bring the lake up to date, all months", f"{OBSERVATIONS / refreshed:,.0f} rows/s", ""),
        ("export to Parquet, all columns", f"{rows / seconds:,.0f} rows/s", ">= 500,000 rows/s"),
    ]


def _at_once(index: SqliteIndex, path: Path) -> list[Line]:
    """Let four processes write and two ask at the same time."""
    before = index.count(EVERYTHING)
    context = multiprocessing.get_context("spawn")
    answers: Queue[Any] = context.Queue()
    over = context.Event()
    writers = [context.Process(target=_write, args=(path, number, answers)) for number in range(WRITERS)]
    readers = [context.Process(target=_read, args=(path, over, answers)) for _ in range(READERS)]
    for process in (*writers, *readers):
        process.start()
    written = [answers.get(timeout=600) for _ in writers]
    over.set()
    took = sorted(each for _ in readers for each in answers.get(timeout=600))
    for process in (*writers, *readers):
        process.join()
    added = index.count(EVERYTHING) - before
    slow, median = took[int(len(took) * 0.95)], took[len(took) // 2]
    expected = WRITERS * WRITTEN_BATCHES * WRITTEN_ROWS
    exact = "exact" if added == expected and sum(written) == expected else f"{added} instead of {expected}"
    return [
        (f"{WRITERS} writers and {READERS} readers at once: rows counted", exact, "exact, no error"),
        (
            "p95 of the readers meanwhile",
            f"{slow:.1f} ms (median {median:.1f} ms, {len(took):,} questions)",
            "<= 50 ms",
        ),
    ]


def _write(path: Path, number: int, answers: Queue[Any]) -> None:
    index, written = SqliteIndex(path), 0
    for batch in range(WRITTEN_BATCHES):
        first = batch * WRITTEN_ROWS
        rows = [row_of(each, 10**6, f"new-{number}") for each in range(first, first + WRITTEN_ROWS)]
        written += len(index.apply(Change(observations=rows), NOW).observations)
    index.close()
    answers.put(written)


def _read(path: Path, over: Any, answers: Queue[Any]) -> None:
    index, chance = SqliteIndex(path), random.Random(os.getpid())
    took: list[float] = []
    while not over.is_set() or not took:
        mission = Compare("mission_id", "=", chance.choice(MISSIONS))
        day = FIRST + timedelta(days=chance.randrange(DAYS))
        window = And((mission, Compare("observation_timestamp", "<", day)))
        at = time.perf_counter()
        index.search(Query(where=window, limit=100))
        took.append((time.perf_counter() - at) * 1e3)
    index.close()
    answers.put(took)


if __name__ == "__main__":
    for line in index_lines():
        print(*line, sep=" | ", flush=True)
