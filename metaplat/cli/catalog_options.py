"""Options that the commands of the catalog share, and the search they ask for."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from metaplat.catalog.cql2 import parse_cql2
from metaplat.catalog.search import SearchRequest
from metaplat.catalog.words import parse_cone, parse_time
from metaplat.cli.options import configured_stores
from metaplat.model.errors import UsageError
from metaplat.stores.catalog.opening import open_index

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from metaplat.stores.catalog.index import CatalogIndex
    from metaplat.stores.home import Stores

Mission = Annotated[str | None, typer.Option(help="Only this mission, for example HST.")]
Target = Annotated[str | None, typer.Option(help="Only this target, as the header names it.")]
Start = Annotated[
    str | None,
    typer.Option("--from", help="Observed at or after this time (UTC): 2026-03-01, 2026-03-01T12:00."),
]
End = Annotated[
    str | None, typer.Option("--to", help="Observed before this time (UTC), which is not included.")
]
MinQuality = Annotated[
    float | None, typer.Option(help="Quality at least this, 0 to 1; files that state none are left out.")
]
Where = Annotated[
    str | None, typer.Option(help="""CQL2, text or JSON: "instrument_type = 'WFC3' AND file_size > 1e6".""")
]
ConeOption = Annotated[
    str | None, typer.Option("--cone", metavar="RA,DEC,RADIUS", help="Within this of a direction, degrees.")
]
Words = Annotated[
    str | None, typer.Option("--text", help="Words in the target, mission, satellite or instrument.")
]
Absent = Annotated[
    bool,
    typer.Option("--all", help="Also files that are vanished or rejected; else only those that are there."),
]


def search_request(
    mission: str | None,
    target: str | None,
    start: str | None,
    end: str | None,
    min_quality: float | None,
    where: str | None,
    cone: str | None,
    words: str | None,
) -> SearchRequest:
    """Return what the options ask for; raises UsageError."""
    _refuse_blank(
        {
            "--mission": mission,
            "--target": target,
            "--from": start,
            "--to": end,
            "--where": where,
            "--cone": cone,
            "--text": words,
        }
    )
    request = SearchRequest(
        mission=mission,
        target=target,
        start=None if start is None else parse_time(start),
        end=None if end is None else parse_time(end),
        min_quality=min_quality,
        cone=None if cone is None else parse_cone(cone),
        q=words,
    )
    return request if where is None else replace(request, where=parse_cql2(where))


def _refuse_blank(options: Mapping[str, str | None]) -> None:
    """Raise UsageError: a variable of the shell that is empty must not widen a search to everything."""
    for name, value in options.items():
        if value is not None and not value.strip():
            raise UsageError(f"{name} is blank: give a value, or leave {name} out")


@contextmanager
def opened_catalog() -> Iterator[tuple[Stores, CatalogIndex]]:
    """Give the stores and the index of the settings; raises SettingsError."""
    stores = configured_stores()
    index = open_index(stores.settings)
    try:
        yield stores, index
    finally:
        index.close()
