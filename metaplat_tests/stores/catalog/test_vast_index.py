"""The catalog in VAST DB beyond what every catalog promises: the default store's answers, limits, turns."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from metaplat.model import filters as f
from metaplat.model.errors import InvalidInputError
from metaplat.stores.catalog.index import FACET_COLUMNS, Change, Query, Sort
from metaplat.stores.catalog.sqlite_index import SqliteIndex
from metaplat_tests.stores.catalog.catalog_rows import (
    DAY,
    NOW,
    after_of,
    edge,
    event,
    filters,
    identity,
    ids_of,
    observation,
    observations,
    put,
    sorts,
)
from metaplat_tests.stores.catalog.catalog_truth import is_on_border

pytest.importorskip("vastdb")

if TYPE_CHECKING:
    from metaplat.model.observation import Row
    from metaplat.stores.catalog.index import CatalogIndex, Table
    from metaplat_tests.standins.vast_server import VastServer

from metaplat_tests.standins.vast_server import VastServer as Server
from metaplat_tests.standins.vast_session import BUCKET, vast_index

TABLES: tuple[Table, ...] = ("observations", "dataset_relationships", "processing_events")


@pytest.fixture
def server() -> VastServer:
    """Return an empty cluster."""
    return Server(BUCKET)


def unnumbered(row: Row) -> Row:
    """Return the row without the number of its change, which each store gives out as it likes."""
    return {name: value for name, value in row.items() if name != "change_seq"}


@settings(max_examples=20)
@given(data=st.data())
def test_answers_are_those_of_the_default_store(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    path = tmp_path_factory.mktemp("equal") / "catalog.sqlite"
    vast = vast_index(Server(BUCKET, seed=data.draw(st.integers(0, 9))))
    sqlite = SqliteIndex(path)
    stores: list[CatalogIndex] = [vast, sqlite]
    try:
        for rows in data.draw(st.lists(st.lists(observations(), max_size=8), min_size=1, max_size=3)):
            changes = [store.apply(Change(rows, {}, [edge(0, 1)], [event("e")]), NOW) for store in stores]
            assert changes[0] == changes[1]
        held = vast.search(Query(absent=True))
        where = data.draw(filters())
        assume(not is_on_border(where, held))
        assert vast.count(where) == sqlite.count(where)
        assert vast.facets(where, FACET_COLUMNS) == sqlite.facets(where, FACET_COLUMNS)
        for table in TABLES:
            assert set(vast.changed_days(table, 0)) == set(sqlite.changed_days(table, 0))
        query = Query(where, data.draw(sorts()), (), data.draw(st.integers(1, 4)), None, absent=True)
        for _ in range(6):
            pages = [store.search(query) for store in stores]
            assert [unnumbered(row) for row in pages[0]] == [unnumbered(row) for row in pages[1]]
            if not pages[0]:
                break
            after = after_of(query, pages[0][-1])
            query = Query(where, query.sort, (), query.limit, after, absent=True)
    finally:
        for store in stores:
            store.close()


def test_no_limit_is_ever_sent_because_rows_come_in_any_order(server: VastServer) -> None:
    from vastdb.config import QueryConfig

    index = vast_index(server)
    put(index, *(observation(number, file_size=number, version=str(number % 3)) for number in range(50)))
    rest = f.Or([f.Compare("version", "=", "1"), f.Compare("file_size", "=", 0)])
    found = index.search(Query(rest, [Sort("file_size", descending=True)], ["file_size"], 2))
    assert [row["file_size"] for row in found] == [49, 46]
    assert server.limits == {QueryConfig().limit_rows_per_sub_split}


@pytest.mark.parametrize("descending", [True, False])
def test_time_is_walked_in_windows_and_no_row_falls_between_them(
    server: VastServer, descending: bool
) -> None:
    index = vast_index(server)
    days = [0, 1, 7, 7.5, 8, 500, 27_000, 40_000, 300_000]
    times = [NOW + way * timedelta(days=day) for day in days for way in (-1, 1)] + [None, None]
    put(index, *(observation(number, observation_timestamp=time) for number, time in enumerate(times)))
    for limit in (1, 4, 100):
        query = Query(sort=[Sort("observation_timestamp", descending=descending)], limit=limit)
        shown: list[Row] = []
        while page := index.search(query):
            shown += page
            query = Query(sort=query.sort, limit=limit, after=after_of(query, page[-1]))
        order = sorted({time for time in times if time is not None}, reverse=descending)
        assert list(dict.fromkeys(row["observation_timestamp"] for row in shown)) == [*order, None]
        assert len(set(ids_of(shown))) == len(shown) == len(times)


def test_only_the_rows_of_a_page_are_read_whole(server: VastServer) -> None:
    index = vast_index(server)
    put(index, *map(observation, range(30)))
    server.queries.clear()
    index.search(Query(limit=3))
    wide = [query for query in server.queries if "mission_specific" in query.columns]
    assert len(wide) == 1
    assert len(server.queries[0].columns) < 5


@pytest.mark.parametrize("letter", ["x", "é", "\U0001f52d"])
def test_text_longer_than_a_cell_comes_back_whole(server: VastServer, letter: str) -> None:
    index = vast_index(server)
    long = '{"a": "' + letter * 300_000 + '"}'
    put(index, observation(0, mission_specific=long), observation(1, mission_specific="{}"))
    assert index.get([identity(0)])[0]["mission_specific"] == long
    assert put(index, observation(0, mission_specific=long)) == ["unchanged"]
    index.apply(Change(patches={identity(0): {"processing_status": "archived"}}), NOW)
    assert index.get([identity(0)])[0]["mission_specific"] == long
    assert put(index, observation(0, mission_specific=long + " ")) == ["updated"]
    assert [row["mission_specific"] for row in index.revisions(identity(0))] == [long, long, long + " "]


def test_filters_and_order_see_the_whole_of_a_long_text(server: VastServer) -> None:
    index = vast_index(server)
    texts = ["b" * 200_000 + "needle", "a", "c" * 200_000, None]
    put(index, *(observation(number, mission_specific=text) for number, text in enumerate(texts)))
    assert index.count(f.Contains("mission_specific", "needle")) == 1
    assert index.count(f.IsNull("mission_specific")) == 1
    assert index.count(f.Compare("mission_specific", ">", "b")) == 2
    found = index.search(Query(sort=[Sort("mission_specific")], columns=["dataset_id"]))
    assert ids_of(found) == [identity(1), identity(0), identity(2), identity(3)]
    (event_row, edge_row) = event("e", detail="d" * 200_000), edge(0, 1, relationship_metadata="m" * 200_000)
    index.apply(Change(relationships=[edge_row], events=[event_row]), NOW)
    assert index.events("r")[0]["detail"] == "d" * 200_000
    assert index.edges([identity(0)], "children")[0].relationship_metadata == "m" * 200_000


def test_other_text_longer_than_a_cell_is_cut_and_flagged_and_stops_no_other_file(server: VastServer) -> None:
    index = vast_index(server)
    odd = observation(0, target_object="é" * 100_000, flags="truncated")
    assert put(index, odd, observation(1)) == ["inserted", "inserted"]
    row = index.get([identity(0)])[0]
    assert row["flags"] == "truncated,text_cut"
    assert len(row["target_object"]) > 60_000
    assert put(index, odd) == ["unchanged"]
    with pytest.raises(InvalidInputError, match="file_path"):
        put(index, observation(2, file_path="/" + "x" * 200_000))


def test_a_change_larger_than_a_request_is_written_whole(server: VastServer) -> None:
    index = vast_index(server)
    rows = [observation(number, mission_specific="x" * 100_000) for number in range(80)]
    put(index, *rows)
    assert put(index, *(row | {"version": "2"} for row in rows)) == ["updated"] * 80
    found = index.get([row["dataset_id"] for row in rows])
    assert {(row["version"], len(row["mission_specific"])) for row in found} == {("2", 100_000)}


def test_writers_take_turns_and_lose_nothing(server: VastServer) -> None:
    writers, rounds = 4, 5
    indexes = [vast_index(server) for _ in range(writers)]

    def write(writer: int) -> None:
        for turn in range(rounds):
            common = observation(0, version=f"{writer}:{turn}")
            own = observation(1 + writer * rounds + turn)
            indexes[writer].apply(Change([common, own], {}, [edge(0, 1000 + turn)], [event(str(turn))]), NOW)

    with ThreadPoolExecutor(writers) as pool:
        list(pool.map(write, range(writers)))
    index = indexes[0]
    row = index.get([identity(0)])[0]
    assert row["revision"] == writers * rounds == len(index.revisions(identity(0)))
    assert index.count(f.EVERYTHING) == 1 + writers * rounds
    assert (len(index.events("r")), len(index.edges([identity(0)], "children"))) == (rounds, rounds)
    numbers = [one["change_seq"] for one in index.revisions(identity(0))]
    assert numbers == sorted(set(numbers))
    assert index.last_seq() == 2 * writers * rounds + 2 * rounds


def test_two_that_create_the_same_catalog_at_once_create_one(server: VastServer) -> None:
    gate = threading.Barrier(2)
    met = threading.local()

    def wait_for_the_other(call: str) -> None:
        if call == "commit" and not getattr(met, "before", False):
            met.before = True
            gate.wait(60)

    server.before = wait_for_the_other
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda number: put(vast_index(server), observation(number)), range(2)))
    server.before = lambda _call: None
    assert server.conflicts > 0
    assert vast_index(server).count(f.EVERYTHING) == 2
    assert vast_index(server).last_seq() == 2


def test_readers_see_whole_changes_while_one_is_written(server: VastServer) -> None:
    index, reader = vast_index(server), vast_index(server)
    put(index, observation(0))
    seen: list[tuple[int, int]] = []

    def look(call: str) -> None:
        if call == "commit" and threading.current_thread() is threading.main_thread():
            server.before = lambda _call: None
            with ThreadPoolExecutor(1) as pool:
                seen.append(pool.submit(lambda: (reader.count(f.EVERYTHING), reader.last_seq())).result())

    reader.count(f.EVERYTHING)
    server.before = look
    put(index, *map(observation, range(1, 5)))
    assert seen == [(1, 1)]
    assert (reader.count(f.EVERYTHING), reader.last_seq()) == (5, 5)


def test_a_scan_is_of_one_moment_and_may_be_left_early(server: VastServer) -> None:
    index = vast_index(server)
    put(index, *map(observation, range(40)))
    blocks = iter(index.scan(f.EVERYTHING, ["dataset_id"]))
    first = next(blocks)
    put(index, *map(observation, range(40, 80)))
    rest = [row for block in blocks for row in block]
    assert len(first) + len(rest) == 40
    left = index.scan(f.EVERYTHING, ["dataset_id"])
    next(iter(left))
    del left
    assert index.count(f.EVERYTHING) == 80


def test_unknown_columns_and_times_without_a_zone_are_refused(server: VastServer) -> None:
    index = vast_index(server)
    with pytest.raises(InvalidInputError, match="no column 'nothing'"):
        index.count(f.Compare("nothing", "=", "x"))
    with pytest.raises(InvalidInputError, match="no column 'nothing'"):
        index.search(Query(sort=[Sort("nothing")]))
    with pytest.raises(InvalidInputError, match="has no zone"):
        index.count(f.Overlaps(NOW.replace(tzinfo=None), None))
    with pytest.raises(InvalidInputError, match="has no zone"):
        put(index, observation(observation_timestamp=NOW.replace(tzinfo=None)))
    with pytest.raises(InvalidInputError, match="file_size"):
        put(index, observation(file_size="large"))
    with pytest.raises(InvalidInputError, match="goes on after 2 values"):
        index.search(Query(sort=[Sort("version")], after=["1"]))
    assert index.count(f.EVERYTHING) == 0


def test_closing_gives_connections_back(server: VastServer) -> None:
    index = vast_index(server)
    put(index, observation(observation_timestamp=NOW + DAY))
    before = server.closed
    index.close()
    index.close()
    assert server.closed == before + 1
    assert index.count(f.EVERYTHING) == 1
