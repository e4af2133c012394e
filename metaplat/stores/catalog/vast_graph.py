"""Relationships in VAST DB: edges of datasets, circles, and edges that point nowhere.

Here: ``edges``, ``refuse_circles``, ``dangling``.
Not here: walking the graph for people (``catalog.graph``).
"""

from __future__ import annotations

from collections import defaultdict
from graphlib import CycleError, TopologicalSorter
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from metaplat.model.errors import InvalidInputError
from metaplat.model.filters import EVERYTHING, And, Compare, Filter, In
from metaplat.model.observation import FileState
from metaplat.stores.catalog.index import Edge
from metaplat.stores.catalog.vast_reading import KEYS_AT_ONCE, by_keys, frames, rows_of
from metaplat.stores.catalog.vast_tables import OBSERVATIONS, RELATIONSHIPS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from metaplat.model.observation import Row
    from metaplat.stores.catalog.vast_session import VastTables

SUPERSEDES = "supersedes"
ENDS = ["parent_dataset_id", "child_dataset_id"]
LEVELS = 32
"""Deeper descendants are found faster by reading all edges once."""


def edges(
    tables: VastTables, dataset_ids: Sequence[str], end: str, types: Sequence[str], limit: int | None
) -> list[Edge]:
    """Return the edges whose ``end`` is one of these, by that end, the other end and type."""
    kinds: Filter = In("relationship_type", types) if types else EVERYTHING
    other = ENDS[1 - ENDS.index(end)]
    order = attrgetter(end, other, "relationship_type")
    return sorted(_edges_at(tables, end, dataset_ids, kinds), key=order)[:limit]


def _edges_at(tables: VastTables, end: str, keys: Sequence[str], kinds: Filter) -> Iterator[Edge]:
    unique = list(dict.fromkeys(keys))
    for start in range(0, len(unique), KEYS_AT_ONCE):
        where = And((In(end, unique[start : start + KEYS_AT_ONCE]), kinds))
        for frame in frames(tables, RELATIONSHIPS, RELATIONSHIPS.columns, where):
            yield from map(Edge._make, frame.iter_rows())


def refuse_circles(tables: VastTables, fresh: Sequence[Row]) -> None:
    """Refuse edges that would close a circle, of derivations or of newer versions.

    Raises
    ------
    InvalidInputError
        One would; the text shows the circle.
    """
    for operator in ("<>", "="):
        kind = Compare("relationship_type", operator, SUPERSEDES)
        part = [edge for edge in fresh if (edge["relationship_type"] == SUPERSEDES) == (operator == "=")]
        if part:
            children = _descendants(tables, part, kind)
            try:
                TopologicalSorter(children).prepare()
            except CycleError as error:
                circle = " → ".join(reversed(error.args[1]))
                raise InvalidInputError(
                    f"a relationship would close the circle {circle}; nothing was written"
                ) from error


def _descendants(tables: VastTables, fresh: Sequence[Row], kind: Filter) -> dict[str, set[str]]:
    """Return children by parent: of the new edges, and of everything that hangs below them.

    A circle that new edges close consists of them and of stored edges below their children.
    """
    children: dict[str, set[str]] = defaultdict(set)
    for new in fresh:
        children[new[ENDS[0]]].add(new[ENDS[1]])
    seen: set[str] = set()
    frontier = {new[ENDS[1]] for new in fresh}
    for _ in range(LEVELS):
        if not frontier:
            return children
        seen |= frontier
        below: set[str] = set()
        for edge in _edges_at(tables, "parent_dataset_id", sorted(frontier), kind):
            children[edge.parent_dataset_id].add(edge.child_dataset_id)
            below.add(edge.child_dataset_id)
        frontier = below - seen
    for row in rows_of(frames(tables, RELATIONSHIPS, ENDS, kind)):
        children[row[ENDS[0]]].add(row[ENDS[1]])
    return children


def dangling(tables: VastTables, limit: int) -> list[Edge]:
    """Return edges of which an end is no observation, or one whose file vanished."""
    found: list[Edge] = []
    for frame in frames(tables, RELATIONSHIPS, RELATIONSHIPS.columns):
        block = [Edge._make(row) for row in frame.iter_rows()]
        usable = _usable(tables, {end for edge in block for end in edge[:2]})
        found += [edge for edge in block if not usable.issuperset(edge[:2])]
        if len(found) >= limit:
            break
    return sorted(found, key=lambda edge: edge[:3])[:limit]


def _usable(tables: VastTables, keys: Iterable[str]) -> set[str]:
    """Return those that are observations, and did not vanish."""
    columns = ["dataset_id", "file_state"]
    rows: Iterator[Mapping[str, Any]] = rows_of(
        by_keys(tables, OBSERVATIONS, columns, "dataset_id", sorted(keys))
    )
    return {row["dataset_id"] for row in rows if row["file_state"] != FileState.VANISHED}
