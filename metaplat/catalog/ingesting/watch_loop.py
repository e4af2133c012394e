"""A place is watched until it is told to stop: looks at intervals, sooner where something happens.

Here: the loop of ``metaplat catalog watch``.
Not here: one look (``watching``), the sensor that does the same in Dagster (``orchestration``).
"""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from metaplat.catalog.ingesting.bulk import ingest_entries
from metaplat.catalog.ingesting.wake import woken
from metaplat.catalog.ingesting.watching import Tick, mark_vanished, tick
from metaplat.collectors.headers.mappings import load_mappings
from metaplat.model.errors import MetaplatError, Transient

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Iterator

    from metaplat.catalog.ingesting.results import FileResult, IngestSummary
    from metaplat.collectors.headers.mappings import Mappings
    from metaplat.settings import Settings
    from metaplat.stores.catalog.index import CatalogIndex

PAUSE_SECONDS = 1.0
"""Least time between two looks: what looks the same in both has rested so long."""

_STEP_SECONDS = 0.1


@dataclass(frozen=True)
class Watched:
    """What one look led to; ``ingest`` is None where nothing was ready."""

    tick: Tick
    ingest: IngestSummary | None


def watch(
    place: str,
    index: CatalogIndex,
    settings: Settings,
    stop: threading.Event,
    interval: float,
    *,
    on_look: Callable[[Watched], None] | None = None,
    on_result: Callable[[FileResult], None] | None = None,
    on_problem: Callable[[MetaplatError], None] | None = None,
) -> None:
    """Catalog what arrives in a place until ``stop`` is set.

    Parameters
    ----------
    place : str
        A folder, a file, or ``s3://bucket/prefix``.
    index : CatalogIndex
        Where to.
    settings : Settings
        As for ``tick`` and ``ingest_entries``.
    stop : threading.Event
        Ends it, after the look that is under way.
    interval : float
        Seconds between looks.
    on_look, on_result : callable or None
        Told of each look, and of each file.
    on_problem : callable or None
        Told of an outage; the next look tries again.

    Raises
    ------
    MetaplatError
        Something that will not pass by itself.
    """
    cursor: str | None = None
    mappings = load_mappings(settings.catalog.mappings)
    with woken(place) as wake:
        while not stop.is_set():
            wake.clear()
            with _outages_told(on_problem):
                watched = _look(place, index, settings, mappings, cursor, on_result)
                cursor = watched.tick.cursor
                if on_look is not None:
                    on_look(watched)
                if watched.tick.more:
                    continue
            _rest(stop, wake, interval)


def _look(
    place: str,
    index: CatalogIndex,
    settings: Settings,
    mappings: Mappings,
    cursor: str | None,
    on_result: Callable[[FileResult], None] | None,
) -> Watched:
    now, summary = datetime.now(UTC), None
    found = tick(place, index, settings, cursor, now, mappings=mappings)
    if found.vanished:
        mark_vanished(index, found.vanished, now)
    if found.ready:
        summary = ingest_entries(
            found.ready, found.place, index, settings, now, mappings=mappings, on_result=on_result
        )
    return Watched(found, summary)


@contextmanager
def _outages_told(on_problem: Callable[[MetaplatError], None] | None) -> Iterator[None]:
    try:
        yield
    except MetaplatError as error:
        if not isinstance(error, Transient):
            raise
        if on_problem is not None:
            on_problem(error)


def _rest(stop: threading.Event, wake: threading.Event, interval: float) -> None:
    """Wait for the interval to end, or for something to happen, or for the stop."""
    begun = time.monotonic()
    while not stop.wait(_STEP_SECONDS):
        rested = time.monotonic() - begun
        if rested >= interval or (wake.is_set() and rested >= PAUSE_SECONDS):
            return
