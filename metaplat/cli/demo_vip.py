"""The vendor's lake in ``metaplat demo``: an extract from a stand-in, and six weeks of history.

Here: starting the stand-in server, one pull from it, the tree of delivered files, what is shown of it.
Not here: the server and the tree (``metaplat_tests.standins.vip``), the rest of the demo.

Pull and history have configurations of their own: the pull is of now, the history of a fixed stretch.
"""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from metaplat.cli.output import note, progress_bar
from metaplat.cli.run_output import exit_on_failures
from metaplat.model.errors import MetaplatError
from metaplat.orchestration.clock import utc_now
from metaplat.orchestration.progress import watching
from metaplat.orchestration.vip.charts import charts_address
from metaplat.orchestration.vip.extracts import land_extract
from metaplat.orchestration.vip.histories import due_span, read_histories

if TYPE_CHECKING:
    from collections.abc import Iterator

    from metaplat.settings import Settings
    from metaplat.stores.home import Stores

STANDIN = "metaplat_tests.standins.vip"
CONFIG = "onDemandExtract1DayProd"
"""Configuration of the pull from the stand-in server; the history is that of the other environment."""
FIRST_HOUR = datetime(2026, 1, 5, tzinfo=UTC)
HOURS = 42 * 24
SECONDS = 20.0


def pull_sample(stores: Stores) -> int:
    """Pull one extract from a stand-in server, unless that was done before; return the extracts landed."""
    from metaplat.vip.pulling.pull import pull
    from metaplat.vip.pulling.remembered import ExtractMemory

    missing = _missing()
    if missing:
        note(f"vip_extracts: the pull from a stand-in server is left out, since {missing}")
        return 0
    if ExtractMemory(stores.state).load_range(CONFIG, FIRST_HOUR, utc_now()):
        return 0
    landed: list[str] = []
    land = land_extract(stores, utc_now())
    try:
        with _standin_server() as variables:
            settings = _pointed_at(variables, stores.settings)
            pulled = pull(settings, stores.state, utc_now, tell=note, saved=land)
            landed.append(pulled.extract.status)
            kept = f"{len(pulled.extract.delivered)} of {pulled.extract.files_promised} promised files"
            note(f"vip_extracts: {kept} are delivered to {pulled.extract.folder}")
    except MetaplatError as error:
        note(f"warning: vip_extracts: the pull from the stand-in server is left out: {error}")
    return len(landed)


def write_sample_history(stores: Stores) -> None:
    """Write six weeks of delivered files, unless they are there, and the histories made of them."""
    from metaplat.orchestration.vip.runs import run_history

    if stores.settings.root is not None or stores.settings.vip.target is not None or _missing():
        note("vip: the history of delivered files is left out: it is written to a local home only")
        return
    done = stores.settings.home / "demo" / "vip-history"
    if not done.exists():
        _write_tree(stores)
        done.parent.mkdir(parents=True, exist_ok=True)
        done.touch()
    span = due_span(stores, utc_now())
    if span is None:
        note("vip: no hour is new in the histories")
        return
    with progress_bar() as draw, watching(draw):
        run = run_history(stores, span)
    exit_on_failures([run])


def print_history(stores: Stores) -> None:
    """Tell what six weeks of history hold, and where the charts are."""
    import polars as pl

    rows = read_histories(stores, FIRST_HOUR, utc_now())
    if rows.jobs.is_empty():
        return
    counts = dict(rows.jobs.group_by("status").agg(pl.len()).sort("status").iter_rows())
    odd = rows.sizes.filter(pl.col("anomaly").is_in(["low", "high"])).height
    told = ", ".join(f"{count} {status}" for status, count in counts.items())
    note(f"\nVendor lake, {rows.jobs.height} hours: {told}; {odd} of unusual volume")
    note(f"charts: {charts_address(stores)}")


def _missing() -> str | None:
    """Say what the stand-in needs and is not here; None where it can be started."""
    if find_spec("metaplat_tests") is None:
        return "the tests of metaplat are not installed"
    lacking = [name for name in ("aiohttp", "vl_convert") if find_spec(name) is None]
    return f"{lacking[0]} is not installed: pip install 'metaplat[vip]'" if lacking else None


@contextmanager
def _standin_server() -> Iterator[dict[str, str]]:
    """Run the stand-in server; give the settings it asks for, by variable."""
    command = [sys.executable, "-m", STANDIN, "--files", "24", "--size", "20000", "--seed", "7"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603  # our own
        assert process.stdout is not None  # noqa: S101  # a pipe was asked for
        try:
            said: dict[str, Any] = json.loads(process.stdout.readline() or "{}")
            yield said.get("environment", {})
        finally:
            process.terminate()
            process.wait(SECONDS)


def _pointed_at(variables: dict[str, str], settings: Settings) -> Settings:
    """Return the settings with section ``[vip]`` as the stand-in asks for."""
    from metaplat.settings import VipSettings

    prefix = "METAPLAT_VIP__"
    given = {name.removeprefix(prefix).lower(): value for name, value in variables.items()}
    values = given | {"config_name": CONFIG, "environment": "Prod", "poll_seconds": 0.2}
    return settings.model_copy(update={"vip": VipSettings.model_validate(values)})


def _write_tree(stores: Stores) -> None:
    """Write the delivered files in a process of its own: the tree is part of the tests, not of metaplat."""
    note("vip: six weeks of delivered files are written")
    settings = stores.settings
    hours = ["--first", FIRST_HOUR.isoformat(), "--hours", str(HOURS)]
    where = ["--to", str(settings.home), "--prefix", settings.vip.hour_prefix]
    command = [sys.executable, "-m", f"{STANDIN}.history_tree", *where, *hours]
    command += ["--config-name", settings.vip.config]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, timeout=300)  # noqa: S603  # our own
