"""What was made from what: ancestors, descendants, and the impact of a bad dataset.

Here: walking edges to a depth, breadth first, and the graph as CSV.
Not here: recording edges (``pipelines``), refusing circles (``stores.catalog``).
"""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Literal

from metaplat.model.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from metaplat.stores.catalog.index import CatalogIndex, Edge

MAX_DEPTH = 100
MISSING = "missing"
NODE_COLUMNS = (
    "dataset_id",
    "file_path",
    "mission_id",
    "target_object",
    "observation_timestamp",
    "processing_status",
    "data_quality_score",
    "file_state",
)
EDGE_COLUMNS = ("parent_dataset_id", "child_dataset_id", "relationship_type", "run_id", "recorded_at")
CSV_COLUMNS = (*EDGE_COLUMNS, "depth", "parent_path", "child_path", "parent_state", "child_state")


class Direction(StrEnum):
    """Which way to walk from a dataset."""

    ANCESTORS = "ancestors"
    DESCENDANTS = "descendants"
    BOTH = "both"


@dataclass(frozen=True)
class Graph:
    """Datasets and the relationships between them.

    Parameters
    ----------
    roots : sequence of str
        Where the walk began.
    nodes : sequence of dict
        ``NODE_COLUMNS`` and ``depth`` (0 for a root; ancestors below zero), nearest first; ``file_state`` is
        ``missing`` where a dataset is not cataloged.
    edges : sequence of Edge
        All edges walked.
    truncated : bool
        Whether there is more than the limit or the depth allowed.
    """

    roots: Sequence[str]
    nodes: Sequence[dict[str, Any]]
    edges: Sequence[Edge]
    truncated: bool


def graph_of(
    index: CatalogIndex,
    roots: Sequence[str],
    direction: Direction = Direction.BOTH,
    *,
    depth: int = 2,
    types: Sequence[str] = (),
    limit: int = 500,
) -> Graph:
    """Walk the relationships of datasets.

    Parameters
    ----------
    index : CatalogIndex
        Where they are.
    roots : sequence of str
        Dataset ids to begin with.
    direction : Direction
        What they were made from, what was made from them, or both.
    depth : int
        Steps away from a root, from 0 to ``MAX_DEPTH``.
    types : sequence of str
        Only these types of relationships; empty means all.
    limit : int
        Datasets beside the roots, at most.

    Raises
    ------
    UsageError
        Depth or limit is out of range.
    """
    if not 0 <= depth <= MAX_DEPTH:
        raise UsageError(f"depth {depth}: it must be from 0 to {MAX_DEPTH}")
    if limit < 1:
        raise UsageError(f"limit {limit}: it must be at least 1")
    walk = _Walk(index, types, limit, dict.fromkeys(roots, 0))
    if direction is not Direction.DESCENDANTS:
        walk.go(roots, "parents", depth)
    if direction is not Direction.ANCESTORS:
        walk.go(roots, "children", depth)
    return Graph(tuple(roots), _nodes(index, walk.depths), tuple(walk.edges), walk.truncated)


def check_types(types: Sequence[str], allowed: Sequence[str]) -> None:
    """Raise UsageError where a type of relationship is none of those allowed: nothing would be found."""
    for kind in types:
        if kind not in allowed:
            known = ", ".join(allowed)
            raise UsageError(f"relationship type {kind!r} is none of {known} (catalog.relationship_types)")


def impact_of(index: CatalogIndex, bad: Sequence[str], *, limit: int = 10_000) -> Graph:
    """Return everything that was made from bad datasets, however many steps away."""
    return graph_of(index, bad, Direction.DESCENDANTS, depth=MAX_DEPTH, limit=limit)


class _Walk:
    def __init__(self, index: CatalogIndex, types: Sequence[str], limit: int, depths: dict[str, int]) -> None:
        self._index, self._types, self._most = index, types, limit + len(depths)
        self.depths, self.truncated = depths, False
        self.edges: dict[Edge, None] = {}

    def go(self, roots: Sequence[str], direction: Literal["parents", "children"], depth: int) -> None:
        """Walk one way, all datasets of a step at once."""
        frontier, sign = list(dict.fromkeys(roots)), -1 if direction == "parents" else 1
        seen = set(frontier)
        for step in range(1, depth + 1):
            found = self._index.edges(frontier, direction, self._types)
            far = [edge.parent_dataset_id if sign < 0 else edge.child_dataset_id for edge in found]
            frontier = []
            for edge, other in zip(found, far, strict=True):
                if other not in self.depths and len(self.depths) >= self._most:
                    self.truncated = True
                    continue
                self.edges[edge] = None
                self.depths.setdefault(other, sign * step)
                if other not in seen:
                    seen.add(other)
                    frontier.append(other)
            if not frontier:
                return
        self.truncated |= bool(frontier) and bool(
            self._index.edges(frontier, direction, self._types, limit=1)
        )


def graph_csv(graph: Graph) -> str:
    """Return the edges of a graph as CSV with a heading, one line an edge, ids and paths of both ends."""
    nodes = {node["dataset_id"]: node for node in graph.nodes}
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(CSV_COLUMNS)
    for edge in graph.edges:
        parent, child = nodes[edge.parent_dataset_id], nodes[edge.child_dataset_id]
        values = [getattr(edge, name) for name in EDGE_COLUMNS[:-1]]
        depth = child["depth"] if child["depth"] > 0 else parent["depth"]
        paths = [parent["file_path"], child["file_path"]]
        states = [parent["file_state"], child["file_state"]]
        writer.writerow([*values, edge.recorded_at.isoformat(), depth, *paths, *states])
    return text.getvalue()


def _nodes(index: CatalogIndex, depths: dict[str, int]) -> list[dict[str, Any]]:
    known = {row["dataset_id"]: row for row in index.get(list(depths))}
    absent: dict[str, Any] = dict.fromkeys(NODE_COLUMNS)
    nodes = [
        {name: known[key][name] for name in NODE_COLUMNS} | {"depth": depth}
        if key in known
        else absent | {"dataset_id": key, "file_state": MISSING, "depth": depth}
        for key, depth in depths.items()
    ]
    return sorted(nodes, key=lambda node: (abs(node["depth"]), node["depth"]))
