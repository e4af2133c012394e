"""``metaplat report``: the asset-check report."""

from __future__ import annotations

import os
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from metaplat.cli.options import Config, configured_stores
from metaplat.cli.output import note, print_content
from metaplat.domains import all_domains, domain_named
from metaplat.ingest.receipts import Receipts
from metaplat.model.errors import UsageError
from metaplat.orchestration.clock import utc_now
from metaplat.reports.check_report import build_report
from metaplat.reports.export import as_csv, as_json
from metaplat.reports.html_page import as_html
from metaplat.reports.verdict_log import VerdictLog

if TYPE_CHECKING:
    from collections.abc import Sequence

    from metaplat.model.domain import MetadataDomain
    from metaplat.reports.check_report import CheckReport
    from metaplat.stores.home import Stores


class ReportFormat(StrEnum):
    """The forms of a report."""

    JSON = "json"
    CSV = "csv"
    HTML = "html"


Output = Annotated[
    Path | None, typer.Option("-o", "--output", help="File to write; default: as said above, else print.")
]


def report(
    domain: Annotated[str | None, typer.Argument(help="One domain; default: all.")] = None,
    form: Annotated[
        ReportFormat | None,
        typer.Option("--format", help="Default: by the ending of the output file, else json."),
    ] = None,
    output: Output = None,
    json: Annotated[bool, typer.Option("--json", help="The same as --format json.")] = False,
    config: Config = None,
) -> None:
    """Write the asset-check report: what passes, what fails, since when, and why.

    It tells what was judged last and judges nothing itself, so its exit code says nothing of the checks; that
    of `metaplat check` does.

    Example: metaplat report --format html -o checks.html
    """
    if json and form not in (None, ReportFormat.JSON):
        raise UsageError(f"--json and --format {form} contradict each other")
    chosen = all_domains() if domain is None else [domain_named(domain)]
    if form is None:
        form = ReportFormat.JSON if json or output is None else form_of(output)
    content = rendered(current_report(chosen, configured_stores()), form)
    if output is None:
        print_content(content)
        return
    write_report(output, content)


def write_report(output: Path, content: bytes) -> None:
    """Replace a report file, and say so; raises UsageError where it cannot be written."""
    try:
        _write(output, content)
    except OSError as error:
        raise UsageError(f"cannot write {output}: {error.strerror}") from error
    note(f"wrote {output}")


def form_of(output: Path) -> ReportFormat:
    """Return the form that a file's ending asks for; JSON where it asks for none."""
    ending = output.suffix.removeprefix(".").lower()
    return ReportFormat(ending) if ending in set(ReportFormat) else ReportFormat.JSON


def _write(output: Path, content: bytes) -> None:
    """Replace a file in one step, so that whoever serves it never shows half a page."""
    if output.exists() and not output.is_file():  # a pipe or a device is written to, never replaced
        output.write_bytes(content)
        return
    target = output.resolve()  # a link stays one
    target.parent.mkdir(parents=True, exist_ok=True)
    aside = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    try:
        aside.write_bytes(content)
        aside.replace(target)
    finally:
        aside.unlink(missing_ok=True)


def current_report(domains: Sequence[MetadataDomain], stores: Stores) -> CheckReport:
    """Return the report of what was judged last."""
    log = VerdictLog(stores.state)
    records = {domain.name: log.load(domain.name) for domain in domains}
    receipts = {domain.name: Receipts(stores.state, domain).load_all() for domain in domains}
    return build_report(domains, records, receipts, utc_now())


def rendered(report: CheckReport, form: ReportFormat) -> bytes:
    """Return a report in one of its forms."""
    if form is ReportFormat.JSON:
        return as_json(report)
    return (as_csv(report) if form is ReportFormat.CSV else as_html(report)).encode()
