"""The Spark part of ``metaplat demo``: a small real job is run, and its event log collected.

Here: whether Spark can run here, running the sample job once, landing its attempt, telling its findings.
Not here: the job (``samples/spark_applications/small_job.py``), the rest of the demo.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from metaplat.cli.output import note
from metaplat.cli.spark_text import finding_lines
from metaplat.cli.text_page import print_lines, text_width
from metaplat.collectors.collector import CollectRequest
from metaplat.ingest.collecting import collect_and_land, memory_of
from metaplat.orchestration.clock import utc_now

if TYPE_CHECKING:
    from metaplat.model.domain import MetadataDomain
    from metaplat.stores.home import Stores

JOB_NAME = "nightly-orders"
JOB = Path(__file__).parent / "samples" / "spark_applications" / "small_job.py"
SECONDS = 180
SOURCE = "event-logs"


def land_small_job(domain: MetadataDomain, stores: Stores) -> int:
    """Run the sample job, where Spark can run and unless it was run before; return the attempts landed."""
    folder = _folder(stores)
    if not _logs(folder):
        missing = _missing()
        if missing:
            note(f"{domain.name}: the sample job is left out, since {missing}")
            return 0
        note(f"{domain.name}: a small Spark job runs; this takes about ten seconds")
        problem = _run(folder)
        if problem:
            note(f"warning: {domain.name}: the sample job is left out: {problem}")
            return 0
    now = utc_now()
    request = CollectRequest(
        stores.settings, now, note, path=folder, memory=memory_of(domain, stores, SOURCE)
    )
    collect_and_land(domain, stores, domain.collectors[SOURCE], request, batch_size=1, now=now)
    return len(_logs(folder))


def print_findings(stores: Stores) -> None:
    """Print what was found about the sample job, where it was run."""
    from metaplat.cli.spark_records import spark_tables
    from metaplat.reports.spark.attempt_reading import read_attempt
    from metaplat.reports.spark.attempts import find_attempts
    from metaplat.reports.spark.page_names import OVERVIEW

    if not _logs(_folder(stores)):
        return
    attempt = read_attempt(find_attempts(spark_tables(stores), JOB_NAME, whole=1)[0])
    name = f"Spark application {attempt.app_name}, {attempt.app_id}:"
    print_lines([[(name, "bold")], *finding_lines(attempt, text_width())])
    note(f"more of it: `metaplat spark show {attempt.app_name}`, and {stores.reports.address}/{OVERVIEW}")


def _folder(stores: Stores) -> Path:
    return stores.settings.home / "demo" / "spark-events"


def _missing() -> str | None:
    """Say what Spark needs and is not here; None where it can run."""
    if find_spec("pyspark") is None:
        return "pyspark is not installed: pip install 'metaplat[spark]'"
    if not os.environ.get("JAVA_HOME") and shutil.which("java") is None:
        return "there is no Java"
    return None


def _run(folder: Path) -> str | None:
    """Run the job, and keep its log only where it came to its end; return what went wrong."""
    aside = folder.with_name("spark-events.unfinished")
    shutil.rmtree(aside, ignore_errors=True)
    aside.mkdir(parents=True)
    command = [sys.executable, str(JOB), str(aside)]
    try:
        ended = subprocess.run(  # noqa: S603  # our own file
            command, capture_output=True, text=True, timeout=SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        return f"it took more than {SECONDS} s"
    if ended.returncode:
        lines = ended.stderr.strip().splitlines()
        return lines[-1][:300] if lines else f"it ended with {ended.returncode}"
    shutil.rmtree(folder, ignore_errors=True)
    aside.replace(folder)
    return None


def _logs(folder: Path) -> list[Path]:
    """Return the logs of the sample job: no hidden file, such as a checksum, is one."""
    if not folder.is_dir():
        return []
    return [each for each in folder.iterdir() if not each.name.startswith(".")]
