"""``metaplat demo``: the bundled samples, from landing to the report."""

from __future__ import annotations

import hashlib
from dataclasses import astuple, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from metaplat.cli.demo_catalog import catalog_samples, print_catalog
from metaplat.cli.demo_spark import land_small_job, print_findings
from metaplat.cli.demo_vip import print_history, pull_sample, write_sample_history
from metaplat.cli.options import Config, Json, configured_stores
from metaplat.cli.output import note, print_content, print_table, progress_bar
from metaplat.cli.report import ReportFormat, current_report, rendered
from metaplat.cli.run_output import exit_on_failures
from metaplat.collectors.collector import CollectRequest
from metaplat.domains import all_domains
from metaplat.ingest.landing import Landing
from metaplat.model.domain import Origin
from metaplat.orchestration.clock import utc_now
from metaplat.orchestration.partition_choice import missing_partitions, named_partitions
from metaplat.orchestration.progress import watching
from metaplat.orchestration.vip.extracts import EXTRACTS
from metaplat.reports.wording import verdict_table

if TYPE_CHECKING:
    from metaplat.model.domain import MetadataDomain
    from metaplat.reports.check_report import CheckReport
    from metaplat.stores.home import Stores

SAMPLES = Path(__file__).parent / "samples"
PAGE = "checks.html"
SPARK = "spark_applications"
EPOCH = datetime.fromtimestamp(0, UTC)


def demo(
    spark: Annotated[
        bool,
        typer.Option(
            "--spark/--no-spark", help="Run a small Spark job, where there is Java, and collect it."
        ),
    ] = True,
    json: Json = False,
    config: Config = None,
) -> None:
    """Land the bundled samples, materialize every domain, check, report. Running it again changes nothing.

    The samples hold planted faults, so some checks fail; the exit code is 0 all the same. Where there is Java
    and pyspark, a small Spark job is run and collected too, and its findings are shown. Bundled observation
    files are cataloged, and a search, a graph and a pre-flight are shown. An extract is pulled from a
    stand-in of a vendor's lake, and six weeks of deliveries are judged and drawn. With --json, the report is
    printed as one JSON document.

    Example: metaplat demo
    """
    stores, chosen = configured_stores(), all_domains()
    note(f"observations: {catalog_samples(stores)} files are new in the catalog")
    for domain in chosen:
        if domain.origin is Origin.DELIVERIES:
            continue
        if domain.parent is None and domain.lands:
            landed = land_small_job(domain, stores) if spark and domain.name == SPARK else 0
            landed += pull_sample(stores) if domain.name == EXTRACTS else 0
            note(f"{domain.name}: {landed + _land_samples(domain, stores)} sample objects are landed")
        _materialize_landed(domain, stores)
    write_sample_history(stores)
    report = current_report(chosen, stores)
    _put_page(report, stores)
    if json:
        print_content(rendered(report, ReportFormat.JSON))
    else:
        columns = ("domain", "rule", "state", "failing", "since", "found")
        print_table(columns, map(astuple, verdict_table(report)))
        if spark:
            print_findings(stores)
        print_catalog(stores)
        print_history(stores)
    note(f"report: {stores.reports.address}/{PAGE}; look around with `metaplat dev`")


def _put_page(report: CheckReport, stores: Stores) -> None:
    """Store the report as a page; where the stored one differs in its time only, it is left as it is."""
    timeless = rendered(replace(report, generated_at=EPOCH), ReportFormat.HTML)
    mark = f"<!-- {hashlib.sha256(timeless).hexdigest()} -->\n".encode()
    try:
        unchanged = stores.reports.get(PAGE).endswith(mark)
    except KeyError:
        unchanged = False
    if not unchanged:
        stores.reports.put(PAGE, rendered(report, ReportFormat.HTML) + mark)


def _materialize_landed(domain: MetadataDomain, stores: Stores) -> None:
    """Ingest and check in one run from the first to the last new partition, so that empty days show.

    Days of observations are far apart: a run each stretch of them.
    """
    from metaplat.orchestration.runs import materialize

    stretches = missing_partitions(domain, stores, utc_now())
    if not stretches:
        note(f"{domain.name}: nothing new to materialize")
        return
    if not domain.cataloged:
        stretches = [named_partitions(domain.partitions, utc_now(), stretches[0][0], stretches[-1][-1])]
    with progress_bar() as draw, watching(draw):
        outcomes = [materialize(domain, stores, each) for each in stretches]
    exit_on_failures(outcomes)


def _land_samples(domain: MetadataDomain, stores: Stores) -> int:
    """Land the files of a domain, and what its ``kubectl`` collector reads from saved lists."""
    folder, now = SAMPLES / domain.name, utc_now()
    landing = Landing(domain, stores, now)
    landed = landing.land_files(sorted((folder / "landed").glob("*.ndjson")))
    saved = folder / "kubectl"
    if saved.is_dir():
        request = CollectRequest(stores.settings, now, note, path=saved)
        landed += [landing.land_record(record) for record in domain.collectors["kubectl"](request)]
    return len(landed)
