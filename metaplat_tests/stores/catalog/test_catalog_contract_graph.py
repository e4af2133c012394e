"""What every catalog index keeps of relationships and events."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from metaplat.model.errors import InvalidInputError
from metaplat.model.filters import EVERYTHING
from metaplat.model.observation import EVENT_FIELDS, RELATIONSHIP_FIELDS, Row
from metaplat.stores.catalog.index import Change, Edge
from metaplat_tests.stores.catalog.catalog_rows import DAY, NOW, edge, event, identity, observation, put

if TYPE_CHECKING:
    from collections.abc import Sequence

    from metaplat.stores.catalog.index import CatalogIndex

NUMBERS = {identity(number): number for number in range(3000)}


def relate(index: CatalogIndex, *edges: Row) -> int:
    """Record edges; returns how many were new."""
    return index.apply(Change(relationships=edges), NOW).relationships


def pairs(edges: Sequence[Edge]) -> list[tuple[int, int]]:
    """Return the numbers of parents and children."""
    return [(NUMBERS[edge.parent_dataset_id], NUMBERS[edge.child_dataset_id]) for edge in edges]


def test_edges_are_found_from_both_ends(index: CatalogIndex) -> None:
    assert relate(index, edge(0, 1), edge(0, 2), edge(1, 3), edge(2, 3), edge(0, 3, "calibration")) == 5
    assert sorted(pairs(index.edges([identity(0)], "children"))) == [(0, 1), (0, 2), (0, 3)]
    assert sorted(pairs(index.edges([identity(3)], "parents"))) == [(0, 3), (1, 3), (2, 3)]
    both = [identity(1), identity(2)]
    assert sorted(pairs(index.edges(both, "parents"))) == [(0, 1), (0, 2)]
    assert sorted(pairs(index.edges(both, "children"))) == [(1, 3), (2, 3)]
    assert index.edges([identity(0)], "parents") == index.edges(["none"], "children") == []
    assert pairs(index.edges([identity(3)], "parents", ["calibration"])) == [(0, 3)]
    assert pairs(index.edges([identity(3)], "parents", ["calibration", "derived"])) == pairs(
        index.edges([identity(3)], "parents")
    )


def test_an_edge_says_all_that_was_recorded(index: CatalogIndex) -> None:
    relate(index, edge(0, 1, "calibration", relationship_metadata='{"b": 1, "a": "é"}', run_id="r'1"))
    (found,) = index.edges([identity(1)], "parents")
    metadata = '{"b": 1, "a": "é"}'
    assert found == Edge(identity(0), identity(1), "calibration", metadata, "r'1", NOW, index.last_seq())
    assert index.last_seq() > 0


def test_an_edge_that_exists_is_left_as_it_is(index: CatalogIndex) -> None:
    relate(index, edge(0, 1, run_id="first"))
    seq = index.last_seq()
    again = Change(relationships=[edge(0, 1, run_id="second"), edge(0, 1, run_id="third")])
    assert index.apply(again, NOW + DAY).relationships == 0
    (found,) = index.edges([identity(0)], "children")
    assert (found.run_id, found.recorded_at, index.last_seq()) == ("first", NOW, seq)
    assert relate(index, edge(0, 1, "calibration"), edge(0, 1, "calibration")) == 1


def test_edges_come_in_a_stable_order_and_limited(index: CatalogIndex) -> None:
    relate(index, *(edge(0, number) for number in range(1, 40)))
    whole = index.edges([identity(0)], "children")
    assert len(whole) == 39
    assert index.edges([identity(0)], "children", limit=10) == whole[:10]
    assert index.edges([identity(0)], "children", ["derived"], 1) == whole[:1]


@pytest.mark.parametrize("kind", ["derived", "supersedes"])
def test_an_edge_to_itself_is_refused(index: CatalogIndex, kind: str) -> None:
    with pytest.raises(InvalidInputError, match=identity(1)):
        index.apply(Change([observation()], relationships=[edge(0, 1), edge(1, 1, kind)]), NOW)
    assert (index.edges([identity(0)], "children"), index.count(EVERYTHING), index.last_seq()) == ([], 0, 0)


@pytest.mark.parametrize(
    ("stored", "sent"),
    [
        ([edge(0, 1)], [edge(1, 0)]),
        ([edge(0, 1), edge(1, 2, "calibration"), edge(2, 3)], [edge(3, 0, "raw_to_processed")]),
        ([], [edge(0, 1), edge(1, 2), edge(2, 0)]),
        ([edge(0, 1), edge(2, 3)], [edge(1, 2), edge(3, 0)]),
        ([edge(0, 1, "supersedes")], [edge(1, 0, "supersedes")]),
        ([], [edge(2, 1, "supersedes"), edge(1, 0, "supersedes"), edge(0, 2, "supersedes")]),
        ([edge(number, number + 1) for number in range(2000)], [edge(2000, 0)]),
    ],
    ids=["two", "types mixed", "in one change", "two arcs", "two versions", "three versions", "a long chain"],
)
def test_an_edge_that_closes_a_circle_is_refused(
    index: CatalogIndex, stored: list[Row], sent: list[Row]
) -> None:
    relate(index, *stored)
    seq, ids = index.last_seq(), list(NUMBERS)[:5]
    before = index.edges(ids, "children")
    change = Change([observation(77)], relationships=[*sent, edge(50, 51)], events=[event("e")])
    with pytest.raises(InvalidInputError):
        index.apply(change, NOW)
    assert (index.edges(ids, "children"), index.last_seq()) == (before, seq)
    assert (index.get([identity(77)]), index.events("r")) == ([], [])


def test_a_newer_version_may_be_made_from_the_one_it_supersedes(index: CatalogIndex) -> None:
    assert relate(index, edge(0, 1, "derived"), edge(1, 0, "supersedes")) == 2
    assert relate(index, edge(0, 2), edge(1, 3), edge(2, 3)) == 3, "two ways to one dataset are no circle"


def test_dangling_edges_have_an_end_that_is_not_there(index: CatalogIndex) -> None:
    put(index, observation(0), observation(1), observation(2, file_state="vanished"))
    put(index, observation(3, file_state="rejected"))
    relate(index, edge(0, 1), edge(1, 2), edge(2, 5), edge(0, 9), edge(8, 1), edge(0, 3))
    assert sorted(pairs(index.dangling())) == [(0, 9), (1, 2), (2, 5), (8, 1)]
    assert len(index.dangling(2)) == 2
    put(index, observation(2), observation(5), observation(8), observation(9))
    assert index.dangling() == []


def test_an_event_said_again_is_the_same_one(index: CatalogIndex) -> None:
    change = Change(events=[event("a"), event("b", datasets=3), event("a", status="again")])
    assert index.apply(change, NOW).events == 2
    seq = index.last_seq()
    assert index.apply(Change(events=[event("b", datasets=4)]), NOW).events == 0
    assert index.last_seq() == seq
    found = {row["event_id"]: row for row in index.events("r")}
    assert (found["a"]["status"], found["b"]["datasets"]) == (None, 3)
    assert [list(row) for row in found.values()] == [[field.name for field in EVENT_FIELDS]] * 2


def test_events_of_a_run_come_oldest_first(index: CatalogIndex) -> None:
    texts = {"pipeline": "p'", "status": "ok", "message": "é\n%s", "detail": '{"b":1, "a":2}'}
    for number, action in enumerate(["preflight", "start", "progress", "finish"]):
        at = NOW + number * DAY
        rows = [event(f"{9 - number}", action=action, occurred_at=at, **texts)]
        index.apply(Change(events=[*rows, event(f"x{number}", run_id=None, occurred_at=at)]), at)
    found = index.events("r")
    assert [row["action"] for row in found] == ["preflight", "start", "progress", "finish"]
    assert {name: found[0][name] for name in texts} == texts
    assert [row["occurred_at"] for row in found] == [NOW + number * DAY for number in range(4)]
    assert index.events("other") == []


def test_tables_are_scanned_by_their_time_oldest_first(index: CatalogIndex) -> None:
    for number in range(4):
        at = NOW + number * DAY
        change = Change(relationships=[edge(0, number + 1)], events=[event(str(number), occurred_at=at)])
        index.apply(change, at)
    edges = list(index.scan_table("dataset_relationships", NOW + DAY, NOW + 3 * DAY))
    assert [row["recorded_at"] for row in edges] == [NOW + DAY, NOW + 2 * DAY]
    assert list(edges[0]) == [field.name for field in RELATIONSHIP_FIELDS]
    events = list(index.scan_table("processing_events", NOW + DAY, NOW + 3 * DAY))
    assert [row["event_id"] for row in events] == ["1", "2"]
    assert list(events[0]) == [field.name for field in EVENT_FIELDS]


def test_days_of_edges_and_events_are_told_apart(index: CatalogIndex) -> None:
    relate(index, edge(0, 1))
    after_edge = index.last_seq()
    index.apply(Change(events=[event("a", occurred_at=NOW + DAY)]), NOW + DAY)
    assert index.changed_days("dataset_relationships", 0) == {NOW.date(): after_edge}
    assert index.changed_days("processing_events", 0) == {(NOW + DAY).date(): index.last_seq()}
    assert index.changed_days("dataset_relationships", after_edge) == {}
    assert index.changed_days("observations", 0) == {}
