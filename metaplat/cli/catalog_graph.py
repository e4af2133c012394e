"""``metaplat catalog graph``, ``relate`` and ``preflight``: what pipelines ask and tell."""

from __future__ import annotations

from typing import Annotated

import typer

from metaplat.catalog.graph import (
    MAX_DEPTH,
    Direction,
    Graph,
    check_types,
    graph_csv,
    graph_of,
    impact_of,
)
from metaplat.catalog.naming import dataset_named
from metaplat.catalog.pipelines import PipelineRuns
from metaplat.catalog.preflight import PreflightRequest, PreflightResult, State
from metaplat.catalog.preflight import preflight as check_all
from metaplat.catalog.search import filter_of
from metaplat.cli.catalog_options import (
    ConeOption,
    End,
    MinQuality,
    Mission,
    Start,
    Target,
    Where,
    Words,
    opened_catalog,
    search_request,
)
from metaplat.cli.catalog_output import one_line
from metaplat.cli.options import Config, Json
from metaplat.cli.output import note, print_content, print_json, print_table
from metaplat.model.errors import UsageError
from metaplat.orchestration.clock import utc_now

WORDS = {State.PASSED: "passed", State.FAILED: "failed", State.UNKNOWN: "not evaluated"}
Datasets = Annotated[
    list[str], typer.Argument(metavar="DATASET...", help="Dataset ids, paths or s3:// addresses.")
]


def graph(
    datasets: Datasets,
    direction: Annotated[Direction, typer.Option("--dir", help="Which way to walk.")] = Direction.BOTH,
    depth: Annotated[int, typer.Option(min=0, max=MAX_DEPTH, help="Steps away.")] = 2,
    kind: Annotated[
        list[str] | None, typer.Option("--type", help="Only this type of relationship; may be repeated.")
    ] = None,
    impact: Annotated[
        bool, typer.Option("--impact", help="Everything that was made from it, however far away.")
    ] = False,
    limit: Annotated[int, typer.Option(min=1, help="Datasets beside those named, at most.")] = 500,
    csv: Annotated[bool, typer.Option("--csv", help="Print the relationships as CSV.")] = False,
    json: Json = False,
    config: Config = None,
) -> None:
    """Show what datasets were made from, and what was made from them.

    With --json, one document of nodes and edges; ancestors have a depth below zero.

    Example: metaplat catalog graph /archive/calibration/bad_flat.fits --impact
    """
    if csv and json:
        raise UsageError("--csv and --json contradict each other")
    if impact and (kind or direction is Direction.ANCESTORS):
        raise UsageError("--impact follows every type of relationship, to what was made: no --type or --dir")
    with opened_catalog() as (stores, index):
        check_types(kind or (), stores.settings.catalog.relationship_types)
        roots = [dataset_named(index, name) for name in datasets]
        if impact:
            found = impact_of(index, roots, limit=limit)
        else:
            found = graph_of(index, roots, direction, depth=depth, types=kind or (), limit=limit)
    if json:
        edges = [edge._asdict() for edge in found.edges]
        print_json({"roots": roots, "nodes": found.nodes, "edges": edges, "truncated": found.truncated})
    elif csv:
        print_content(graph_csv(found).encode())
    else:
        print_graph(found)
    if found.truncated:
        note("there is more than --depth or --limit allows")


def relate(
    parents: Annotated[list[str], typer.Option("--parent", help="What it was made from; may be repeated.")],
    children: Annotated[list[str], typer.Option("--child", help="What was made; may be repeated.")],
    kind: Annotated[
        str, typer.Option("--type", help="One of catalog.relationship_types.")
    ] = "raw_to_processed",
    json: Json = False,
    config: Config = None,
) -> None:
    """Record that every child was made from every parent. Running it again changes nothing.

    Example: metaplat catalog relate --parent raw.fits --parent flat.fits --child reduced.fits
    """
    with opened_catalog() as (stores, index):
        made_from, made = ([dataset_named(index, name) for name in names] for names in (parents, children))
        new = PipelineRuns(index, stores.settings.catalog, utc_now()).relate(made_from, made, kind)
    if json:
        print_json({"relationships": new})
    else:
        note(f"{new} relationships are new")


def preflight(  # noqa: PLR0913, RUF100  # one parameter an option
    mission: Mission = None,
    target: Target = None,
    start: Start = None,
    end: End = None,
    where: Where = None,
    cone: ConeOption = None,
    text: Words = None,
    min_quality: MinQuality = None,
    min_datasets: Annotated[int, typer.Option(min=1, help="How many are needed.")] = 1,
    max_datasets: Annotated[int | None, typer.Option(min=1, help="How many are read, the newest.")] = None,
    window_days: Annotated[
        float | None, typer.Option(help="How far back; default: catalog.window_days, or --from and --to.")
    ] = None,
    out_ratio: Annotated[float | None, typer.Option(min=0, help="Bytes of output per byte of input.")] = None,
    output: Annotated[
        str | None, typer.Option(help="Folder or s3://bucket/prefix of the output; its room is measured.")
    ] = None,
    run_id: Annotated[
        str | None, typer.Option(help="Write the answer to the audit trail, under this run.")
    ] = None,
    pipeline: Annotated[str, typer.Option(help="Name of the pipeline, with --run-id.")] = "preflight",
    json: Json = False,
    config: Config = None,
) -> None:
    """Check whether a pipeline may start: datasets, quality, files as cataloged, room for the output.

    Everything that fails is told at once. Exit code 1: it may not start.

    Example: metaplat catalog preflight --mission HST --min-datasets 3 --output /data/out
    """
    asked = search_request(mission, target, start, end, None, where, cone, text)
    with opened_catalog() as (stores, index):
        defaults = stores.settings.catalog
        windowed = window_days
        if window_days is None and start is None and end is None:
            windowed = defaults.window_days
        request = PreflightRequest(
            filter_of(asked),
            min_datasets=min_datasets,
            max_datasets=max_datasets,
            min_quality=defaults.min_quality if min_quality is None else min_quality,
            window_days=windowed,
            out_ratio=defaults.out_ratio if out_ratio is None else out_ratio,
            output=output,
        )
        result = check_all(index, request, stores.settings, utc_now())
        if run_id is not None:
            PipelineRuns(index, defaults, utc_now()).preflight(run_id, pipeline, result)
    if json:
        print_json(vars(result) | {"checks": [vars(check) for check in result.checks]})
    else:
        print_preflight(result)
    if not result.ok:
        raise typer.Exit(1)


def print_preflight(result: PreflightResult) -> None:
    """Print the checks of a pre-flight, and samples of what fails."""
    print_table(
        ("check", "state", "found"),
        [[each.name, WORDS[each.state], each.message] for each in result.checks],
        width=None,
    )
    for check in result.checks:
        for sample in check.samples:
            note(one_line(f"{check.name}: {sample['file_path']}: {sample['found']}"))
    note("it may start" if result.ok else "it may not start")


def print_graph(found: Graph) -> None:
    """Print datasets by their distance, then the relationships."""
    columns = ("depth", "dataset_id", "file_state", "processing_status", "file_path")
    nodes = sorted(found.nodes, key=lambda node: node["depth"])
    print_table(columns, [[node[name] for name in columns] for node in nodes], width=None)
    edges = ("relationship_type", "parent_dataset_id", "child_dataset_id", "run_id")
    print_table(edges, [[getattr(edge, name) for name in edges] for edge in found.edges], width=None)
