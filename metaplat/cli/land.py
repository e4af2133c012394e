"""``metaplat land``: files become raw objects of the landing zone."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from metaplat.cli.options import Config, Domain, Json, configured_stores
from metaplat.cli.output import note, print_json, print_table
from metaplat.domains import domain_named
from metaplat.ingest.landing import Landing
from metaplat.orchestration.clock import utc_now


def land(
    domain: Domain,
    files: Annotated[
        list[Path], typer.Argument(help="Files: a JSON object, an array or NDJSON, plain, .gz or .zst.")
    ],
    partition: Annotated[
        str | None, typer.Option(help="Land for this partition, whatever the records say.")
    ] = None,
    json: Json = False,
    config: Config = None,
) -> None:
    """Land files as raw objects, unchanged, in the folder of the partition their records name.

    What cannot be read is landed all the same, with a warning, and its ingest puts it into quarantine. Next,
    `metaplat materialize DOMAIN --missing` ingests it, or a running `metaplat dev` does so by itself. With
    --json, one JSON line per file.

    Example: metaplat land job_executions run-17.json runs.ndjson.gz
    """
    chosen = domain_named(domain)
    landed = Landing(chosen, configured_stores(), utc_now()).land_files(files, partition)
    for path, item in zip(files, landed, strict=True):
        if item.problem:
            note(f"warning: {path}: {item.problem}; landed as it is, its ingest will quarantine what is bad")
    if json:
        for path, item in zip(files, landed, strict=True):
            print_json({"file": str(path), **asdict(item)})
        return
    rows = [[item.status, item.partition, ", ".join(item.also), item.key] for item in landed]
    print_table(("status", "partition", "also", "object"), rows)
