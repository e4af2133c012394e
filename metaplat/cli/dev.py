"""``metaplat dev``: the Dagster UI and daemon on ``home``."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from metaplat.cli.options import Config, Json, configured_stores
from metaplat.cli.output import note, print_json
from metaplat.orchestration.instance import dagster_environment, open_instance
from metaplat.orchestration.leftovers import end_leftovers

if TYPE_CHECKING:
    from types import FrameType

SUPERSEDED = "Function `dev_command` is superseded"
"""Beginning of a warning of Dagster's about its own command, of no use to who runs ours."""


def dev(
    port: Annotated[int, typer.Option(help="Port of the UI.")] = 3000,
    host: Annotated[str, typer.Option(help="Address to listen on; 0.0.0.0 lets others in.")] = "127.0.0.1",
    json: Json = False,
    config: Config = None,
) -> None:
    """Start the Dagster UI and its daemon, with all settings in place; stop both with Ctrl-C.

    Sensors and schedules run while it runs: what is landed is ingested and checked by itself. With --json,
    the address is printed as one JSON document.

    Example: metaplat dev --port 3001
    """
    settings = configured_stores().settings
    with open_instance(settings) as instance:  # what is wrong with its storage is told in one line
        end_leftovers(instance)  # they would count against max_concurrent_runs
    variables = dagster_environment(settings)
    environment = os.environ | variables | {"METAPLAT_HOME": str(settings.home)}
    url = f"http://{host}:{port}"
    if json:
        print_json({"url": url, "dagster_home": variables["DAGSTER_HOME"]})
    else:
        note(f"Dagster on {url}, kept in {variables['DAGSTER_HOME']}")
    # A shell starts background jobs with SIGINT ignored; Dagster would inherit that, and never stop.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    arguments = ["dev", "-m", "metaplat.definitions", "--host", host, "--port", str(port)]
    process = subprocess.Popen(  # noqa: S603
        [sys.executable, "-W", f"ignore:{SUPERSEDED}", "-m", "dagster", *arguments],
        env=environment,
        start_new_session=True,  # so that a Ctrl-C reaches it once, from here
    )

    def stop(number: int, frame: FrameType | None) -> None:
        """Pass on any wish to end as SIGINT: on SIGTERM Dagster would leave its children behind."""
        del number, frame
        process.send_signal(signal.SIGINT)

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    code = process.wait()
    raise typer.Exit(0 if code in (0, -signal.SIGINT) else 3)
