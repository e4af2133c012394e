"""``metaplat collect``: a collector is run, and what it yields is landed."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from metaplat.cli.options import Config, Domain, Json, configured_stores
from metaplat.cli.output import note, print_json, print_table, progress_bar
from metaplat.collectors.collector import CollectRequest
from metaplat.domains import domain_named
from metaplat.ingest.collecting import Collected, collect_and_land, memory_of
from metaplat.ingest.landing import Landing
from metaplat.ingest.validate import to_utc
from metaplat.model.errors import UnknownNameError, UsageError
from metaplat.orchestration.clock import utc_now
from metaplat.orchestration.vip.extracts import EXTRACTS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from metaplat.collectors.collector import Collector
    from metaplat.ingest.landing import Landed
    from metaplat.model.domain import MetadataDomain, Record
    from metaplat.stores.home import Stores

MAX_LISTED = 50
"""Rejected things that are told one by one."""


@dataclass
class Told:
    """What a collector complained of, told when it has ended."""

    warnings: list[str] = field(default_factory=list)
    rejected: list[tuple[str, str]] = field(default_factory=list)

    def reject(self, name: str, reason: str) -> None:
        """Remember what could not be read."""
        self.rejected.append((name, reason))

    def tell(self) -> None:
        """Print warnings, then the list of what was rejected."""
        for warning in self.warnings:
            note(f"warning: {warning}")
        for name, reason in self.rejected[:MAX_LISTED]:
            note(f"rejected: {name}: {reason}")
        if len(self.rejected) > MAX_LISTED:
            note(f"rejected: and {len(self.rejected) - MAX_LISTED} more")


def collect(  # noqa: PLR0913, RUF100  # one parameter an option
    domain: Domain,
    source: Annotated[
        str | None,
        typer.Option(help="Which collector, for example kubectl; needed where there are several."),
    ] = None,
    path: Annotated[
        str | None,
        typer.Option(help="Folder or file, for sources that read saved files; event logs also s3://."),
    ] = None,
    url: Annotated[
        str | None, typer.Option(help="Address of the server, instead of the configured one.")
    ] = None,
    since: Annotated[
        str | None, typer.Option(help="Leave out what ended before this time (UTC date or time).")
    ] = None,
    user: Annotated[str | None, typer.Option(help="Only what this user ran.")] = None,
    name: Annotated[str | None, typer.Option(help="Only this name, or names like this: 'etl-*'.")] = None,
    tag: Annotated[
        list[str] | None, typer.Option(help="Only what has this tag, as KEY=VALUE; may be repeated.")
    ] = None,
    via: Annotated[
        str | None, typer.Option(help="Which way, for history-server: logs (the default) or rest.")
    ] = None,
    batch_size: Annotated[
        int | None, typer.Option(min=1, help="Records landed together; default: spark.batch_size.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the records, land nothing.")] = False,
    json: Json = False,
    config: Config = None,
) -> None:
    """Run a collector: read an outside system, and land what it says as raw objects.

    A record that is landed already, or of which more is known, is left as it is; so running it again changes
    nothing. What did not change since the last collection is not read again, except with --dry-run. `metaplat
    domains --json` names the sources of each domain. With --json, spark_applications prints one line per
    attempt. Exit code 1: something could not be read, and is listed; the rest is landed.

    Example: metaplat collect spark_applications --source event-logs --path ./spark-events --dry-run --json
    """
    chosen, stores, now = domain_named(domain), configured_stores(), utc_now()
    known, collector = _collector(chosen, source)
    if path and url and _is_address(path):
        raise UsageError("--path is an address, and --url is another one: only one can be read")
    told = Told()
    request = CollectRequest(
        stores.settings,
        now,
        told.warnings.append,
        Path(path) if path and not _is_address(path) else None,
        url or (path if path and _is_address(path) else None),
        _moment(since),
        user=user,
        name=name,
        tags=_tags(tag or ()),
        via=via,
        reject=told.reject,
    )
    try:
        if dry_run:
            _print_records(chosen, stores, collector(request), as_json=json)
        else:
            request = replace(request, memory=memory_of(chosen, stores, known))
            _land(chosen, stores, collector, request, batch_size=batch_size, as_json=json)
    finally:
        told.tell()  # also where it fails: what was found before may explain why
    if told.rejected:
        raise typer.Exit(1)


def _land(  # noqa: PLR0913, RUF100  # the parts of one collection
    domain: MetadataDomain,
    stores: Stores,
    collector: Collector,
    request: CollectRequest,
    *,
    batch_size: int | None,
    as_json: bool,
) -> None:
    preview, count = Landing(domain, stores, request.now).preview, 0
    with progress_bar() as draw:

        def each(record: Record, landed: Landed) -> None:
            nonlocal count
            count += 1
            draw("collect", count, None)
            if as_json and domain.streams:
                print_json(preview(record))
            if landed.status == "rejected":
                request.reject(_key_text(domain, record), landed.problem or "it cannot be landed")

        size = batch_size or stores.settings.spark.batch_size
        collected = collect_and_land(
            domain, stores, collector, request, batch_size=size, now=request.now, each=each
        )
    _print_landed(domain, collected, as_json=as_json)


def _collector(domain: MetadataDomain, source: str | None) -> tuple[str, Any]:  # the second is a Collector
    """Return the name of a source and its collector; ``event_logs`` means ``event-logs``."""
    if source is None and len(domain.collectors) == 1:
        return next(iter(domain.collectors.items()))
    if source is None:
        known = ", ".join(sorted(domain.collectors)) or _no_collector(domain)
        raise UsageError(f"say --source: {domain.name} has {known}")
    for name in (source, source.replace("_", "-")):
        if name in domain.collectors:
            return name, domain.collectors[name]
    raise UnknownNameError(f"source of {domain.name}", source, domain.collectors)


def _no_collector(domain: MetadataDomain) -> str:
    if domain.parent is not None:
        return f"none: it is made of what is collected for {domain.parent}"
    if domain.cataloged:
        return "none: catalog its files with `metaplat catalog ingest`"
    if domain.name == EXTRACTS:
        return "none: pull it with `metaplat vip pull`"
    if not domain.lands:
        return "none: write it from the delivered files with `metaplat vip history`"
    return "none: land its files with `metaplat land`"


def _is_address(path: str) -> bool:
    return "://" in path


def _tags(given: Sequence[str]) -> dict[str, str]:
    tags = {}
    for text in given:
        key, equals, value = text.partition("=")
        if not key or not equals:
            raise UsageError(f"--tag {text}: write it as KEY=VALUE")
        tags[key] = value
    return tags


def _moment(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        return to_utc(text if "T" in text or " " in text else f"{text}T00:00:00Z")
    except ValueError as error:
        raise UsageError(f"--since {text}: {error}; a date such as 2025-11-29 will do") from None


def _key_text(domain: MetadataDomain, record: Mapping[str, Any]) -> str:
    return "/".join(str(record[name]) for name in domain.keys if record.get(name) is not None)


def _print_records(domain: MetadataDomain, stores: Stores, records: Any, *, as_json: bool) -> None:  # noqa: ANN401, RUF100  # an iterator of records
    shown = map(Landing(domain, stores, utc_now()).preview, records)
    if as_json:
        for record in shown:
            print_json(record)
        return
    names = [each.name for each in domain.fields if each.key or not each.nullable]
    columns = [name for name in names if _fits_a_cell(domain, name)]
    print_table(columns, ([record.get(name) for name in columns] for record in shown))


def _fits_a_cell(domain: MetadataDomain, name: str) -> bool:
    column = domain.field(name)
    return not column.derived and isinstance(column.dtype, type)


def _print_landed(domain: MetadataDomain, collected: Collected, *, as_json: bool) -> None:
    for item in collected.landed:
        if item.problem and item.status != "rejected":
            note(f"warning: {item.key}: {item.problem}; its ingest will quarantine it")
    counts, partitions = collected.counts, sorted({item.partition for item in collected.landed})
    if as_json and not domain.streams:
        print_json({"records": len(collected.landed), **counts, "partitions": partitions})
        return
    if not collected.landed:
        note("nothing new was found")
    elif not as_json:
        print_table(("records", "status"), [(count, status) for status, count in counts.items()])
    if partitions:
        following = f"metaplat materialize {domain.name} --missing"
        note(f"partitions: {partitions[0]} to {partitions[-1]}; next: {following}")
