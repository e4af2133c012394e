"""``metaplat collect``: a collector is run, and what it yields is landed."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from metaplat.cli.options import Config, Domain, Json, configured_stores
from metaplat.cli.output import note, print_json, print_table, progress_bar
from metaplat.collectors.collector import CollectRequest
from metaplat.domains import domain_named
from metaplat.ingest.landing import Landed, Landing
from metaplat.ingest.redact import build_redactor
from metaplat.ingest.validate import to_utc
from metaplat.model.errors import UnknownNameError, UsageError
from metaplat.orchestration.clock import utc_now

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from metaplat.model.domain import MetadataDomain
    from metaplat.stores.home import Stores


def collect(
    domain: Domain,
    source: Annotated[
        str | None,
        typer.Option(help="Which collector, for example kubectl; needed where there are several."),
    ] = None,
    path: Annotated[
        Path | None, typer.Option(help="Folder or file, for sources that read saved files.")
    ] = None,
    url: Annotated[
        str | None, typer.Option(help="Address of the server, instead of the configured one.")
    ] = None,
    since: Annotated[
        str | None, typer.Option(help="Leave out what ended before this time (UTC date or time).")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the records, land nothing.")] = False,
    json: Json = False,
    config: Config = None,
) -> None:
    """Run a collector: read an outside system, and land what it says as raw objects.

    A record that is landed already, or of which more is known, is left as it is; so running it again changes
    nothing. `metaplat domains --json` names the sources of each domain.

    Example: metaplat collect job_executions --source kubectl --path ./saved --dry-run --json
    """
    chosen, stores, now = domain_named(domain), configured_stores(), utc_now()
    warnings: list[str] = []
    request = CollectRequest(stores.settings, now, warnings.append, path, url, _moment(since))
    records = _collector(chosen, source)(request)
    if dry_run:
        _print_records(chosen, stores, records, as_json=json)
    else:
        landing = Landing(chosen, stores, now)
        with progress_bar() as draw:
            landed = []
            for record in records:
                landed.append(landing.land_record(record))
                draw("collect", len(landed), None)
        _print_landed(chosen, landed, as_json=json)
    for warning in warnings:
        note(f"warning: {warning}")


def _collector(domain: MetadataDomain, source: str | None) -> Any:  # noqa: ANN401, RUF100  # a Collector
    if source is None and len(domain.collectors) == 1:
        return next(iter(domain.collectors.values()))
    if source is None:
        known = ", ".join(sorted(domain.collectors)) or "none: land its files with `metaplat land`"
        raise UsageError(f"say --source: {domain.name} has {known}")
    if source not in domain.collectors:
        raise UnknownNameError(f"source of {domain.name}", source, domain.collectors)
    return domain.collectors[source]


def _moment(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        return to_utc(text if "T" in text or " " in text else f"{text}T00:00:00Z")
    except ValueError as error:
        raise UsageError(f"--since {text}: {error}") from None


def _print_records(
    domain: MetadataDomain, stores: Stores, records: Iterator[Mapping[str, Any]], *, as_json: bool
) -> None:
    redact = build_redactor(domain, stores.settings.privacy)
    shown = (redact(record) for record in records)
    if as_json:
        for record in shown:
            print_json(record)
        return
    names = [field.name for field in domain.fields if field.key or not field.nullable]
    columns = [name for name in names if not domain.field(name).derived]
    print_table(columns, ([record.get(name) for name in columns] for record in shown))


def _print_landed(domain: MetadataDomain, landed: list[Landed], *, as_json: bool) -> None:
    counts = Counter(item.status for item in landed)
    partitions = sorted({item.partition for item in landed})
    for item in landed:
        if item.problem:
            note(f"warning: {item.key}: {item.problem}; its ingest will quarantine it")
    if as_json:
        print_json({"records": len(landed), **counts, "partitions": partitions})
        return
    print_table(("records", "status"), [(count, status) for status, count in sorted(counts.items())])
    if partitions:
        following = f"metaplat materialize {domain.name} --missing"
        note(f"partitions: {partitions[0]} to {partitions[-1]}; next: {following}")
