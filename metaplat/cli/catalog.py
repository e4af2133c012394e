"""``metaplat catalog``: observations are cataloged, found, followed and exported."""

from __future__ import annotations

import typer

from metaplat.cli import catalog_graph, catalog_ingest, catalog_search

app = typer.Typer(
    help="Observation files: catalog their headers, search, follow what was made from what, pre-flight.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

app.command()(catalog_ingest.ingest)
app.command()(catalog_ingest.watch)
app.command()(catalog_search.search)
app.command()(catalog_search.show)
app.command()(catalog_graph.graph)
app.command()(catalog_graph.relate)
app.command()(catalog_search.facets)
app.command()(catalog_graph.preflight)
app.command()(catalog_search.export)
app.command()(catalog_ingest.reconcile)
