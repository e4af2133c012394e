"""Many writers and readers at once, on every catalog that processes may share: exact, and in order."""

from __future__ import annotations

import multiprocessing
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from metaplat.model.errors import InvalidInputError
from metaplat.model.filters import EVERYTHING, Compare
from metaplat.stores.catalog.index import Change, Query
from metaplat_tests.standins.postgres import PostgresServer
from metaplat_tests.stores.catalog.catalog_rows import DAY, NOW, edge, event, identity, observation
from metaplat_tests.stores.catalog.index_factories import IndexFactory

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import date
    from pathlib import Path

    from metaplat.stores.catalog.index import CatalogIndex

WRITERS, ROUNDS, ROWS = 4, 6, 40
"""Each writer upserts ``ROWS`` rows of its own, and as many that all of them share, in each round."""


@pytest.fixture(params=["sqlite", "postgres"])
def shared(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[], CatalogIndex]]:
    """Open one catalog, which is empty at first, as often as is wanted; each a connection of its own."""
    server = request.getfixturevalue("postgres_server") if request.param == "postgres" else None
    factory = IndexFactory(request.param, tmp_path, server)
    with factory.shared() as opened:
        yield opened


def write(index: CatalogIndex, writer: int) -> None:
    """Upsert, patch, relate and tell, in rounds."""
    for turn in range(ROUNDS):
        own = [observation(1000 * writer + 100 + row, version=str(turn)) for row in range(ROWS)]
        common = [observation(row, version=f"{writer}:{turn}", mission_id="ALL") for row in range(ROWS)]
        moved = {own[0]["dataset_id"]: {"observation_timestamp": NOW + writer * DAY}}
        edges = [edge(row, 1000 * writer + 100 + row) for row in range(ROWS)]
        events = [event(f"{turn}"), event(f"{writer}:{turn}")]
        index.apply(Change([*own, *reversed(common)], moved, edges, events), NOW)


def write_apart(opened: Callable[[], CatalogIndex], writer: int) -> None:
    """Do the same with an index of one's own."""
    index = opened()
    try:
        write(index, writer)
    finally:
        index.close()


def write_in_process(implementation: str, folder: Path, socket: Path | None, writer: int) -> None:
    """Do the same in a process of its own."""
    factory = IndexFactory(implementation, folder, PostgresServer(socket) if socket else None)
    write_apart(lambda: factory.opened("shared"), writer)


def check_exact(index: CatalogIndex) -> None:
    datasets = ROWS * (WRITERS + 1)
    assert index.count(EVERYTHING) == datasets
    summaries = {summary.mission_id: summary.datasets for summary in index.summaries()}
    assert summaries == {"SOHO": ROWS * WRITERS, "ALL": ROWS}
    rows = index.search(Query(where=Compare("mission_id", "=", "ALL"), limit=ROWS + 1))
    assert [row["revision"] for row in rows] == [WRITERS * ROUNDS] * ROWS, (
        "no change was lost or counted twice"
    )
    assert index.totals(EVERYTHING) == (
        datasets,
        sum(block[0] for b in index.scan(EVERYTHING, ["file_size"]) for block in b),
    )
    children = index.edges([identity(row) for row in range(ROWS)], "children")
    assert len(children) == ROWS * WRITERS
    assert len(index.events("r")) == ROUNDS * (WRITERS + 1)


@pytest.mark.parametrize("apart", [True, False], ids=["an index each", "one index"])
def test_threads_that_write_at_once_leave_exact_counts(
    shared: Callable[[], CatalogIndex], apart: bool
) -> None:
    index = shared()
    opened = shared if apart else (lambda: index)
    with ThreadPoolExecutor(WRITERS) as pool:
        list(pool.map(lambda writer: write(opened(), writer), range(WRITERS)))
    check_exact(index)


@pytest.mark.parametrize("implementation", ["sqlite", "postgres"])
def test_processes_that_write_at_once_into_a_new_catalog_leave_exact_counts(
    implementation: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    server = request.getfixturevalue("postgres_server") if implementation == "postgres" else None
    folder_of_server = server and server.folder
    context = multiprocessing.get_context("spawn")
    factory = IndexFactory(implementation, tmp_path, server)
    with factory.shared() as opened:
        parts = [(implementation, tmp_path, folder_of_server, writer) for writer in range(WRITERS)]
        writers = [context.Process(target=write_in_process, args=part) for part in parts]
        for writer in writers:
            writer.start()
        for writer in writers:
            writer.join(600)
        assert [writer.exitcode for writer in writers] == [0] * WRITERS
        check_exact(opened())


def test_a_reader_that_follows_the_numbers_misses_no_change(shared: Callable[[], CatalogIndex]) -> None:
    """Numbers that became visible out of order would be passed over: the reader asks for later ones only."""
    seen: dict[str, int] = {}
    days: dict[date | None, int] = {}
    done = threading.Event()
    reader = shared()

    def follow() -> None:
        last, last_day, ended = 0, 0, False
        while not ended:
            ended = done.is_set()  # one more look after the last write
            fresh = reader.search(Query(where=Compare("change_seq", ">", last), limit=10_000))
            seen.update({row["dataset_id"]: row["change_seq"] for row in fresh})
            last = max([last, *(row["change_seq"] for row in fresh)])
            days.update(reader.changed_days("observations", last_day))
            last_day = max(days.values(), default=0)

    with ThreadPoolExecutor(WRITERS + 1) as pool:
        following = pool.submit(follow)
        writing = [pool.submit(write, shared(), writer) for writer in range(WRITERS)]
        try:
            for writer in writing:
                writer.result()
        finally:
            done.set()
        following.result()
    rows = reader.search(Query(limit=10_000))
    assert seen == {row["dataset_id"]: row["change_seq"] for row in rows}
    assert days == reader.changed_days("observations", 0)


def test_readers_see_whole_changes_only(shared: Callable[[], CatalogIndex]) -> None:
    """Each change holds a row, an edge and an event; a reader that sees one of them sees all of them."""
    writer, reader = shared(), shared()
    done = threading.Event()
    halves = []

    def look() -> None:
        while not done.is_set():
            events = len(reader.events("r"))
            edges = len(reader.edges([identity(0)], "children"))
            summed = sum(summary.datasets for summary in reader.summaries())
            rows = reader.count(EVERYTHING)
            if not events <= edges <= summed <= rows:
                halves.append((events, edges, summed, rows))

    with ThreadPoolExecutor(1) as pool:
        looking = pool.submit(look)
        for number in range(1, 60):
            writer.apply(Change([observation(number)], {}, [edge(0, number)], [event(str(number))]), NOW)
        done.set()
        looking.result()
    assert halves == []


def test_of_two_edges_that_close_a_circle_together_one_is_refused(
    shared: Callable[[], CatalogIndex],
) -> None:
    both = [shared(), shared()]
    gate = threading.Barrier(2)

    def relate(turn: int, way: int) -> bool:
        gate.wait()
        try:
            both[way].apply(Change(relationships=[edge(2 * turn + way, 2 * turn + 1 - way)]), NOW)
        except InvalidInputError:
            return False
        return True

    with ThreadPoolExecutor(2) as pool:
        for turn in range(10):
            said = list(pool.map(relate, [turn, turn], [0, 1]))
            assert sorted(said) == [False, True]
