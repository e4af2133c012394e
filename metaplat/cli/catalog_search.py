"""``metaplat catalog search``, ``show``, ``facets`` and ``export``: questions to the catalog."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from metaplat.catalog.export import ExportFormat, export_observations
from metaplat.catalog.naming import dataset_named
from metaplat.catalog.query_columns import resolved
from metaplat.catalog.search import facets as count_facets
from metaplat.catalog.search import filter_of, iterate
from metaplat.catalog.search import search as search_page
from metaplat.cli.catalog_options import (
    Absent,
    ConeOption,
    End,
    MinQuality,
    Mission,
    Start,
    Target,
    Where,
    Words,
    opened_catalog,
    search_request,
)
from metaplat.cli.catalog_output import as_document, print_observation, print_rows
from metaplat.cli.options import Config, Json
from metaplat.cli.output import note, print_json, print_table
from metaplat.domains import domain_named
from metaplat.ingest.cataloged import CatalogedPartitions
from metaplat.model.errors import MetaplatError, UsageError
from metaplat.orchestration.clock import utc_now
from metaplat.stores.catalog.index import FACET_COLUMNS

if TYPE_CHECKING:
    from metaplat.stores.catalog.index import CatalogIndex
    from metaplat.stores.home import Stores

SHOWN = 50
"""Observations of a table, where nobody says how many."""

Columns = Annotated[str | None, typer.Option("--fields", help="Only these columns, with commas between.")]
Dataset = Annotated[
    str, typer.Argument(metavar="DATASET", help="Dataset id, its beginning, path or s3:// address.")
]


def search(  # noqa: PLR0913, RUF100  # one parameter an option
    mission: Mission = None,
    target: Target = None,
    start: Start = None,
    end: End = None,
    min_quality: MinQuality = None,
    where: Where = None,
    cone: ConeOption = None,
    text: Words = None,
    sort: Annotated[
        str | None,
        typer.Option(help="Columns, with commas between; -name is descending. Default: newest first."),
    ] = None,
    fields: Columns = None,
    limit: Annotated[
        int | None, typer.Option(min=1, help="At most so many; default: all with --json, else 50.")
    ] = None,
    token: Annotated[str | None, typer.Option(help="Go on where an earlier search ended.")] = None,
    count: Annotated[bool, typer.Option("--count", help="Print how many match, and nothing else.")] = False,
    absent: Absent = False,
    json: Json = False,
    config: Config = None,
) -> None:
    """Find observations. Every condition holds together with every other.

    With --json, one line per observation. An unknown field or a value of a wrong type is an error that lists
    the fields there are. Where there is more, the token to go on with is told on standard error.

    Example: metaplat catalog search --mission HST --from 2026-03-01 --to 2026-04-01 --min-quality 0.8
    """
    request = search_request(mission, target, start, end, min_quality, where, cone, text)
    columns = _columns(fields)
    request = replace(request, sort=_listed(sort), fields=columns, token=token, absent=absent)
    with opened_catalog() as (_, index):
        if count:
            number = index.count(filter_of(request), absent=absent)
            print_json({"count": number}) if json else print_json(number)
            return
        if json and limit is None:
            for row in iterate(index, request):
                print_json(as_document(row))
            return
        page = search_page(index, replace(request, limit=limit or SHOWN))
        if json:
            for row in page.rows:
                print_json(as_document(row))
        else:
            print_rows(page.rows, columns)
        if page.token:
            note(f"there are more: go on with --token {page.token}")
        elif not json:
            note(f"{len(page.rows)} observations")


def show(dataset: Dataset, json: Json = False, config: Config = None) -> None:
    """Show one dataset: every known column, its earlier revisions, and what it was made from and into.

    Example: metaplat catalog show /archive/2026/hst_0001.fits
    """
    with opened_catalog() as (_, index):
        dataset_id = dataset_named(index, dataset)
        row = index.get([dataset_id])[0]
        revisions = index.revisions(dataset_id)
        edges = [edge._asdict() for way in ("parents", "children") for edge in _edges(index, dataset_id, way)]
    if json:
        document = as_document(row)
        print_json(
            document | {"revisions": [as_document(each) for each in revisions], "relationships": edges}
        )
    else:
        print_observation(row, revisions, edges)


def facets(  # noqa: PLR0913, RUF100  # one parameter an option
    by: Annotated[
        list[str] | None, typer.Option("--by", help=f"Count by: {', '.join(FACET_COLUMNS)}. May be repeated.")
    ] = None,
    mission: Mission = None,
    target: Target = None,
    start: Start = None,
    end: End = None,
    min_quality: MinQuality = None,
    where: Where = None,
    cone: ConeOption = None,
    text: Words = None,
    limit: Annotated[int, typer.Option(min=1, help="Values of each column, the most frequent.")] = 20,
    json: Json = False,
    config: Config = None,
) -> None:
    """Count observations by mission, instrument and so on, and sum up each mission.

    The sums of missions are of all their files that are there; only --mission narrows them.

    Example: metaplat catalog facets --by instrument_type --mission HST
    """
    request = search_request(mission, target, start, end, min_quality, where, cone, text)
    with opened_catalog() as (_, index):
        found = count_facets(index, request, tuple(by or FACET_COLUMNS), limit)
        summaries = index.summaries(mission)
    if json:
        counted = {name: [each._asdict() for each in values] for name, values in found.items()}
        print_json({"facets": counted, "missions": [vars(summary) for summary in summaries]})
        return
    rows = [[name, each.value, each.datasets] for name, values in found.items() for each in values]
    print_table(("by", "value", "datasets"), rows)
    columns = ("mission_id", "datasets", "bytes", "mean_quality", "calibrated", "first", "last")
    print_table(columns, [[_shown(vars(summary)[name]) for name in columns] for summary in summaries])


def export(  # noqa: PLR0913, RUF100  # one parameter an option
    output: Annotated[Path, typer.Option("--output", "-o", help="File to write; it appears whole.")],
    form: Annotated[
        ExportFormat | None, typer.Option("--format", help="Default: by the name of the file, else parquet.")
    ] = None,
    mission: Mission = None,
    target: Target = None,
    start: Start = None,
    end: End = None,
    min_quality: MinQuality = None,
    where: Where = None,
    cone: ConeOption = None,
    text: Words = None,
    fields: Columns = None,
    absent: Absent = False,
    json: Json = False,
    config: Config = None,
) -> None:
    """Write the matching observations to a Parquet, CSV or NDJSON file, out of the lake.

    Months of the lake that changed in the catalog since they were written are written anew first.

    Example: metaplat catalog export --mission HST --from 2026-01-01 -o hst.parquet
    """
    request = search_request(mission, target, start, end, min_quality, where, cone, text)
    columns, chosen = _columns(fields), form or _form_of(output)
    domain = domain_named("observations")
    with opened_catalog() as (stores, index):
        where_filter = filter_of(request)
        _refresh(stores, index)
        rows = export_observations(
            stores.lake, domain, where_filter, output, chosen, columns=columns, absent=absent
        )
    if json:
        print_json({"output": str(output), "format": chosen, "rows": rows})
    else:
        note(f"{rows} observations in {output}")


def _shown(value: object) -> object:
    return f"{value:.4g}" if isinstance(value, float) else value


def _refresh(stores: Stores, index: CatalogIndex) -> None:
    """Write the months that changed; one that cannot be written ends the export, which would lack rows."""
    partitions = CatalogedPartitions(domain_named("observations"), stores, index, utc_now())
    for result in partitions.write(sorted(partitions.stale())).values():
        if isinstance(result, MetaplatError):
            raise result


def _edges(index: CatalogIndex, dataset_id: str, way: Any) -> Any:
    return index.edges([dataset_id], way)


def _listed(text: str | None) -> tuple[str, ...]:
    return tuple(word.strip() for word in (text or "").split(",") if word.strip())


def _columns(text: str | None) -> tuple[str, ...]:
    """Return the columns that names, also those of STAC, stand for, each once; raises UsageError."""
    return tuple(dict.fromkeys(resolved(name) for name in _listed(text)))


def _form_of(path: Path) -> ExportFormat:
    suffix = path.suffix.removeprefix(".").lower()
    if suffix in {each.value for each in ExportFormat}:
        return ExportFormat(suffix)
    if suffix:
        known = ", ".join(ExportFormat)
        raise UsageError(f"{path.name}: no format is called {suffix!r}; say --format {known}")
    return ExportFormat.PARQUET
