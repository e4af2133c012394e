"""Relationships and events: writing them once, and following them.

Here: edges and the circles they may not close, edges that point nowhere, events of a run.
Not here: walking to a depth (``catalog.graph``), observations (``sql_writing``).
"""

from __future__ import annotations

from collections import defaultdict
from graphlib import CycleError, TopologicalSorter
from typing import TYPE_CHECKING, Any, Literal

from metaplat.model.errors import InvalidInputError
from metaplat.stores.catalog.index import Edge
from metaplat.stores.catalog.sql_values import TABLE_FIELDS, decoded_rows, decoder, microseconds, stored_value

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from metaplat.model.observation import Row
    from metaplat.stores.catalog.sql_dialect import Dialect, SqlSession
    from metaplat.stores.catalog.sql_sequence import Changes

SUPERSEDES = "supersedes"
KEY = ("parent_dataset_id", "child_dataset_id", "relationship_type")
EDGE_COLUMNS = tuple(field.name for field in TABLE_FIELDS["dataset_relationships"])
EVENT_COLUMNS = tuple(field.name for field in TABLE_FIELDS["processing_events"])
AT_ONCE = 500
SHOWN = 6
"""Datasets of a circle that an error names."""
EXISTING = """
SELECT parent_dataset_id, child_dataset_id, relationship_type FROM dataset_relationships
WHERE (parent_dataset_id, child_dataset_id, relationship_type) IN (VALUES {keys})
"""
BELOW = """
WITH RECURSIVE below (dataset_id) AS (
    {start}
    UNION SELECT r.child_dataset_id FROM dataset_relationships AS r
    JOIN below ON r.parent_dataset_id = below.dataset_id WHERE r.relationship_type {kind}
)
SELECT r.parent_dataset_id, r.child_dataset_id FROM dataset_relationships AS r
JOIN below ON r.parent_dataset_id = below.dataset_id WHERE r.relationship_type {kind}
"""
EDGES = """
SELECT {columns} FROM dataset_relationships WHERE {ends}{types}
ORDER BY {order}{limit}
"""
DANGLING = """
SELECT {columns} FROM dataset_relationships AS r
WHERE NOT EXISTS (SELECT 1 FROM observations AS o
                  WHERE o.dataset_id = r.parent_dataset_id AND o.file_state <> 'vanished')
   OR NOT EXISTS (SELECT 1 FROM observations AS o
                  WHERE o.dataset_id = r.child_dataset_id AND o.file_state <> 'vanished')
ORDER BY parent_dataset_id, child_dataset_id, relationship_type LIMIT ?
"""
EVENTS = "SELECT {columns} FROM processing_events WHERE run_id = ? ORDER BY change_seq"
EVENT_IDS = "SELECT event_id FROM processing_events WHERE {found}"


class GraphWriter:
    """Writes the relationships and events of one transaction; parameters as of ``ObservationWriter``."""

    def __init__(self, session: SqlSession, dialect: Dialect, changes: Changes, now: int) -> None:
        self._session, self._dialect, self._changes, self._now = session, dialect, changes, now

    def write_edges(self, edges: Iterable[Row]) -> int:
        """Write relationships that are new; returns how many.

        Raises
        ------
        InvalidInputError
            One has no end or type, leads from a dataset to itself, or closes a circle.
        """
        wanted: dict[tuple[str, ...], Row] = {}
        for edge in edges:
            key = tuple(edge.get(name) or "" for name in KEY)
            if not all(key):
                raise InvalidInputError(f"a relationship needs {', '.join(KEY)}; it has {', '.join(key)}")
            if key[0] == key[1]:
                raise InvalidInputError(f"the dataset {key[0]} cannot be {key[2]} of itself")
            wanted.setdefault(key, edge)
        existing = self._existing(list(wanted))
        new = {key: edge for key, edge in wanted.items() if key not in existing}
        rows = []
        for edge in new.values():
            number = self._changes.next()
            filled = edge | {"recorded_at": self._now, "change_seq": number}
            rows.append([stored_value(filled.get(name)) for name in EDGE_COLUMNS])
            self._changes.touch("dataset_relationships", self._now, number)
        if rows:
            self._session.insert("dataset_relationships", EDGE_COLUMNS, rows)
            self._refuse_circles(new)
        return len(rows)

    def write_events(self, events: Iterable[Row]) -> int:
        """Write events that are new; returns how many."""
        wanted: dict[str, Row] = {}
        for event in events:
            wanted.setdefault(event["event_id"], event)
        found = self._dialect.among.format(column="event_id", values=self._dialect.mark)
        known = set(self._session.rows(EVENT_IDS.format(found=found), [self._dialect.pack(list(wanted))]))
        rows = []
        for event in (event for key, event in wanted.items() if (key,) not in known):
            number = self._changes.next()
            occurred = self._now if event.get("occurred_at") is None else microseconds(event["occurred_at"])
            filled = event | {"occurred_at": occurred, "change_seq": number}
            rows.append([stored_value(filled.get(name)) for name in EVENT_COLUMNS])
            self._changes.touch("processing_events", occurred, number)
        if rows:
            self._session.insert("processing_events", EVENT_COLUMNS, rows)
        return len(rows)

    def _existing(self, keys: Sequence[tuple[str, ...]]) -> set[tuple[Any, ...]]:
        found: set[tuple[Any, ...]] = set()
        for start in range(0, len(keys), AT_ONCE):
            part = keys[start : start + AT_ONCE]
            marks = ", ".join([f"({self._dialect.marks(3)})"] * len(part))
            found.update(
                self._session.rows(EXISTING.format(keys=marks), [text for key in part for text in key])
            )
        return found

    def _refuse_circles(self, new: Iterable[tuple[str, ...]]) -> None:
        """Look for circles below the new edges; those of ``supersedes`` and all others are apart."""
        children = defaultdict(set)
        for _, child, kind in new:
            children[kind == SUPERSEDES].add(child)
        for is_superseding, starts in children.items():
            kind = f"{'=' if is_superseding else '<>'} '{SUPERSEDES}'"
            start = self._dialect.unpacked.format(values=self._dialect.mark)
            statement = BELOW.format(start=start, kind=kind)
            graph = defaultdict(set)
            for parent, child in self._session.rows(statement, [self._dialect.pack(sorted(starts))]):
                graph[child].add(parent)
            try:
                TopologicalSorter(graph).prepare()
            except CycleError as error:
                raise InvalidInputError(
                    f"the relationships would close a circle: {_shown(error.args[1])}"
                ) from error


def edges_of(
    session: SqlSession,
    dialect: Dialect,
    ends: Sequence[str],
    direction: Literal["parents", "children"],
    types: Sequence[str],
    limit: int | None,
) -> list[Edge]:
    """Return the edges at these ends, by the end asked for, the other end and type."""
    order = KEY if direction == "children" else (KEY[1], KEY[0], KEY[2])
    parameters: list[Any] = [ends[0] if len(ends) == 1 else dialect.pack(list(ends))]
    among = "{column} = {values}" if len(ends) == 1 else dialect.among
    statement = EDGES.format(
        columns=", ".join(EDGE_COLUMNS),
        ends=among.format(column=order[0], values=dialect.mark),
        types=f" AND relationship_type IN ({dialect.marks(len(types))})" if types else "",
        order=", ".join(order),
        limit="" if limit is None else f" LIMIT {dialect.mark}",
    )
    found = session.rows(statement, [*parameters, *types, *([] if limit is None else [limit])])
    return _edges(found)


def dangling_edges(session: SqlSession, dialect: Dialect, limit: int) -> list[Edge]:
    """Return edges of which an end is no observation, or one whose file vanished."""
    statement = dialect.filled(DANGLING.format(columns=", ".join(EDGE_COLUMNS)))
    return _edges(session.rows(statement, [limit]))


def events_of(session: SqlSession, dialect: Dialect, run_id: str) -> list[Row]:
    """Return the events of a run, oldest first."""
    statement = dialect.filled(EVENTS.format(columns=", ".join(EVENT_COLUMNS)))
    return decoded_rows(EVENT_COLUMNS, session.rows(statement, [run_id]))


def _shown(circle: Sequence[str]) -> str:
    ends = circle if len(circle) <= SHOWN else (*circle[: SHOWN // 2], "...", *circle[-SHOWN // 2 :])
    return " → ".join(ends)


def _edges(rows: Iterable[Sequence[Any]]) -> list[Edge]:
    return [Edge._make(row) for row in decoder(EDGE_COLUMNS)(rows)]
