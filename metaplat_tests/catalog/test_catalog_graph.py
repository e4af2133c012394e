"""What was made from what: walking, impact, limits, CSV, and names of datasets."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from metaplat.catalog.graph import CSV_COLUMNS, Direction, graph_csv, graph_of, impact_of
from metaplat.catalog.ingesting.bulk import ingest_place
from metaplat.catalog.naming import dataset_named
from metaplat.catalog.pipelines import PipelineRuns
from metaplat.model.errors import InvalidInputError, UsageError
from metaplat.model.observation import dataset_id_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from metaplat.catalog.client import Catalog

NOW = datetime(2026, 3, 2, tzinfo=UTC)


def ident(name: str) -> str:
    return dataset_id_of(f"/made/up/{name}")


def relate(catalog: Catalog, *edges: str, kind: str = "raw_to_processed") -> None:
    runs = PipelineRuns(catalog.index, catalog.settings.catalog, NOW)
    for edge in edges:
        parent, child = edge.split(">")
        runs.relate([ident(parent)], [ident(child)], kind)


def named(catalog: Catalog, root: str, direction: Direction, **limits: int) -> dict[str, int]:
    """Depth of each dataset of a graph, by its made-up name."""
    names = {ident(letter): letter for letter in "abcdefgh"}
    found = graph_of(catalog.index, [ident(root)], direction, **limits)  # type: ignore[arg-type]
    return {names[node["dataset_id"]]: node["depth"] for node in found.nodes}


def test_ancestors_and_descendants_are_found_to_a_depth(catalog: Catalog) -> None:
    relate(catalog, "a>b", "b>c", "c>d", "e>c", "c>f")
    assert named(catalog, "c", Direction.ANCESTORS, depth=1) == {"c": 0, "b": -1, "e": -1}
    assert named(catalog, "c", Direction.ANCESTORS, depth=9) == {"c": 0, "b": -1, "e": -1, "a": -2}
    assert named(catalog, "c", Direction.DESCENDANTS, depth=9) == {"c": 0, "d": 1, "f": 1}
    assert named(catalog, "c", Direction.BOTH, depth=1) == {"c": 0, "b": -1, "e": -1, "d": 1, "f": 1}
    assert named(catalog, "c", Direction.BOTH, depth=0) == {"c": 0}


def test_a_dataset_reached_on_two_ways_is_walked_once_at_the_nearer_depth(catalog: Catalog) -> None:
    relate(catalog, "a>b", "a>c", "b>d", "c>d", "a>d", "d>e")
    found = graph_of(catalog.index, [ident("a")], Direction.DESCENDANTS, depth=5)
    assert named(catalog, "a", Direction.DESCENDANTS, depth=5) == {"a": 0, "b": 1, "c": 1, "d": 1, "e": 2}
    assert len(found.edges) == 6
    assert not found.truncated


def test_impact_is_everything_made_from_a_bad_dataset(catalog: Catalog) -> None:
    relate(catalog, *(f"{parent}>{child}" for parent, child in zip("abcdefg", "bcdefgh", strict=True)))
    found = impact_of(catalog.index, [ident("b")])
    assert [node["dataset_id"] for node in found.nodes] == [ident(letter) for letter in "bcdefgh"]


def test_a_limit_cuts_the_graph_and_says_so(catalog: Catalog) -> None:
    relate(catalog, *(f"a>{letter}" for letter in "bcdefgh"))
    found = graph_of(catalog.index, [ident("a")], Direction.DESCENDANTS, depth=3, limit=3)
    assert len(found.nodes) == 4
    assert found.truncated
    assert {edge.child_dataset_id for edge in found.edges} <= {node["dataset_id"] for node in found.nodes}


def test_a_depth_that_is_too_small_says_that_there_is_more(catalog: Catalog) -> None:
    relate(catalog, "a>b", "b>c")
    assert graph_of(catalog.index, [ident("a")], Direction.DESCENDANTS, depth=1).truncated
    assert not graph_of(catalog.index, [ident("a")], Direction.DESCENDANTS, depth=2).truncated


def test_only_some_types_are_walked(catalog: Catalog) -> None:
    relate(catalog, "a>b")
    relate(catalog, "a>c", kind="calibration")
    found = graph_of(catalog.index, [ident("a")], Direction.BOTH, types=["calibration"])
    assert [edge.child_dataset_id for edge in found.edges] == [ident("c")]


def test_circles_and_types_nobody_declared_are_refused(catalog: Catalog) -> None:
    relate(catalog, "a>b", "b>c")
    with pytest.raises(InvalidInputError):
        relate(catalog, "c>a")
    with pytest.raises(UsageError, match="raw_to_processed, calibration, derived, supersedes"):
        relate(catalog, "a>d", kind="friend")


@pytest.mark.parametrize(("depth", "limit"), [(-1, 5), (101, 5), (1, 0)])
def test_a_depth_or_limit_out_of_range_is_told(catalog: Catalog, depth: int, limit: int) -> None:
    with pytest.raises(UsageError, match="it must be"):
        graph_of(catalog.index, [ident("a")], depth=depth, limit=limit)


def test_csv_has_a_line_an_edge_with_paths_and_states(
    catalog: Catalog, archive: Path, delivered: Callable[[int], list[Path]]
) -> None:
    raw, made = delivered(2)
    ingest_place(str(archive), catalog.index, catalog.settings, NOW)
    ids = [dataset_named(catalog.index, str(path)) for path in (raw, made)]
    PipelineRuns(catalog.index, catalog.settings.catalog, NOW).relate(
        ids[:1], [ids[1], ident("g")], "derived"
    )
    rows = list(csv.DictReader(io.StringIO(graph_csv(catalog.graph(str(raw))))))
    assert tuple(rows[0]) == CSV_COLUMNS
    assert {(row["child_path"], row["child_state"]) for row in rows} == {
        (str(made), "present"),
        ("", "missing"),
    }
    assert {row["parent_path"] for row in rows} == {str(raw)}


def test_a_dataset_is_named_by_id_beginning_path_or_relative_path(
    catalog: Catalog, archive: Path, delivered: Callable[[int], list[Path]], monkeypatch: pytest.MonkeyPatch
) -> None:
    [path] = delivered(1)
    ingest_place(str(archive), catalog.index, catalog.settings, NOW)
    wanted = dataset_id_of(str(path))
    monkeypatch.chdir(archive)
    for name in (wanted, wanted[:8], str(path), path.name, f"./{path.name}"):
        assert dataset_named(catalog.index, name) == wanted


@pytest.mark.parametrize("name", ["", "no such file", "abcdef", "0" * 32, "s3://bucket/key", "a\0b"])
def test_an_unknown_dataset_is_one_clear_line(catalog: Catalog, name: str) -> None:
    with pytest.raises(UsageError, match="is cataloged; `metaplat catalog search`"):
        dataset_named(catalog.index, name)
