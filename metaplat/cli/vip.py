"""``metaplat vip``: the vendor's lake is pulled, verified, repaired, remembered and drawn."""

from __future__ import annotations

import typer

from metaplat.cli import vip_history, vip_pull

app = typer.Typer(
    help="The vendor's lake: pull the hour's extract, verify and repair it, histories and charts.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

app.command()(vip_pull.pull)
app.command()(vip_pull.status)
app.command()(vip_pull.verify)
app.command()(vip_pull.repair)
app.command()(vip_history.history)
app.command()(vip_history.charts)
