"""Options that several commands share, and what they open."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from metaplat.domains import check_privacy
from metaplat.settings import CONFIG_VARIABLE, load_settings
from metaplat.stores.home import open_stores

if TYPE_CHECKING:
    from metaplat.stores.home import Stores


def _use_config(path: Path | None) -> Path | None:
    """Make ``--config`` hold for everything this process starts, Dagster's code location included."""
    if path is not None:
        os.environ[CONFIG_VARIABLE] = str(path.absolute())
    return path


Config = Annotated[
    Path | None,
    typer.Option(
        "--config", callback=_use_config, help="Settings file; default: METAPLAT_CONFIG, ./metaplat.toml."
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON for machines.")]
Domain = Annotated[str, typer.Argument(help="Name of a domain; `metaplat domains` lists them.")]
Partition = Annotated[
    str | None, typer.Option(help="One partition: a day in UTC, for example 2025-11-29, or a bucket.")
]
From = Annotated[str | None, typer.Option("--from", help="First partition of a range; default: the first.")]
To = Annotated[str | None, typer.Option("--to", help="Last one, itself included; default: the current one.")]


def configured_stores() -> Stores:
    """Read the settings and open the stores; raises SettingsError."""
    settings = load_settings()
    check_privacy(settings.privacy)
    return open_stores(settings)
