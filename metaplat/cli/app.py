"""All commands under one name."""

from __future__ import annotations

import typer

from metaplat.cli import (
    alerts,
    catalog,
    collect,
    demo,
    dev,
    domains,
    land,
    materialize,
    monitor,
    query,
    report,
    spark,
    vip,
)
from metaplat.cli.options import Config

app = typer.Typer(
    name="metaplat",
    help="Operational metadata as Dagster assets: collected, validated, judged and told.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback()
def metaplat(config: Config = None) -> None:
    """Operational metadata as Dagster assets: collected, validated, judged and told."""


app.command()(demo.demo)
app.command()(dev.dev)
app.command()(domains.domains)
app.command()(collect.collect)
app.command()(land.land)
app.command()(materialize.materialize)
app.command()(materialize.check)
app.command()(report.report)
app.command()(query.query)
app.add_typer(monitor.app, name="monitor")
app.add_typer(alerts.app, name="alerts")
app.add_typer(spark.app, name="spark")
app.add_typer(catalog.app, name="catalog")
app.add_typer(vip.app, name="vip")
