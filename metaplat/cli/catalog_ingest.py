"""``metaplat catalog ingest``, ``watch`` and ``reconcile``: files into the catalog."""

from __future__ import annotations

import signal
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from metaplat.catalog.ingesting.bulk import ingest_place
from metaplat.cli.catalog_options import opened_catalog
from metaplat.cli.catalog_output import as_document, one_line
from metaplat.cli.options import Config, Json
from metaplat.cli.output import fail, note, print_json, print_table, progress_bar
from metaplat.model.errors import UsageError
from metaplat.model.observation import IngestStatus
from metaplat.orchestration.clock import utc_now

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from metaplat.catalog.ingesting.reconciling import Reconciliation
    from metaplat.catalog.ingesting.results import FileResult, IngestSummary
    from metaplat.catalog.ingesting.watch_loop import Watched
    from metaplat.stores.home import Stores

MAX_LISTED = 50
"""Rejected files that are told one by one."""

Places = Annotated[
    list[str] | None,
    typer.Argument(metavar="[PLACE]...", help="Folders, files, s3://bucket/prefix; default: catalog.watch."),
]


def ingest(
    places: Annotated[
        list[str], typer.Argument(metavar="PLACE...", help="Folders, files or s3://bucket/prefix.")
    ],
    force: Annotated[
        bool, typer.Option("--force", help="Read also what is unchanged, or in quarantine.")
    ] = False,
    json: Json = False,
    config: Config = None,
) -> None:
    """Catalog every observation file of a place: FITS, HDF5, NetCDF and CSV, told by their content.

    Only headers are read, and only of files that are new or changed: running it again changes nothing, and
    goes on where a killed one stopped. With --json, one line per file: path, status (cataloged, updated,
    unchanged or rejected), error, observation. Exit code 1: a file was rejected; the others are cataloged.

    Example: metaplat catalog ingest /archive/2026 s3://mission/raw
    """
    with opened_catalog() as (stores, index), progress_bar() as draw:
        summaries = [
            ingest_place(
                place,
                index,
                stores.settings,
                utc_now(),
                on_result=_print_line if json else None,
                progress=lambda done, total: draw("catalog", done, total),
                force=force,
            )
            for place in places
        ]
    if not json:
        _print_summaries(summaries)
    if any(summary.rejected for summary in summaries):
        raise typer.Exit(1)


def _print_line(result: FileResult) -> None:
    row = result.observation
    print_json(
        {
            "path": result.path,
            "status": result.status,
            "error": result.error or (row["extraction_reason"] if row else None),
            "observation": as_document(row) if row is not None else None,
        }
    )


def _print_summaries(summaries: Sequence[IngestSummary]) -> None:
    columns = ("place", *(status.value for status in IngestStatus), "left_out", "seconds")
    rows = [
        [summary.place, *summary.counts.values(), summary.left_out, f"{summary.seconds:.1f}"]
        for summary in summaries
    ]
    print_table(columns, rows, width=None)
    rejections = [each for summary in summaries for each in summary.rejections]
    for path, reason in rejections[:MAX_LISTED]:
        note(one_line(f"rejected: {path}: {reason}"))
    rejected = sum(summary.rejected for summary in summaries)
    if rejected > MAX_LISTED:
        note(f"rejected: and {rejected - MAX_LISTED} more; --json lists all")


def watch(
    place: Annotated[
        str | None, typer.Argument(help="Folder or s3://bucket/prefix; default: the one of catalog.watch.")
    ] = None,
    interval: Annotated[float, typer.Option(min=0.1, help="Seconds between two looks.")] = 10.0,
    looks: Annotated[
        int | None, typer.Option(min=1, help="End after so many looks; default: at Ctrl-C.")
    ] = None,
    json: Json = False,
    config: Config = None,
) -> None:
    """Catalog what arrives in a place, until Ctrl-C: new, renamed, rewritten and removed files.

    A file is taken once nothing writes to it any more: it looks the same in two looks, or was written
    catalog.settle_seconds ago. `metaplat dev` does the same for all of catalog.watch. With --json, one line
    per file. An outage is told, and the next look tries again.

    Example: metaplat catalog watch /archive/incoming --interval 30
    """
    from metaplat.catalog.ingesting.watch_loop import watch as watch_place

    stop, done = threading.Event(), 0
    with opened_catalog() as (stores, index), _stopping(stop):

        def after_look(watched: Watched) -> None:
            nonlocal done
            done += 1
            _note_look(watched)
            if looks is not None and done >= looks:
                stop.set()

        watch_place(
            _one_place(place, stores),
            index,
            stores.settings,
            stop,
            interval,
            on_look=after_look,
            on_result=_print_line if json else _note_result,
            on_problem=lambda error: fail(str(error)),
        )


def reconcile(
    places: Places = None,
    empty: Annotated[
        bool, typer.Option("--allow-empty", help="Mark all files as vanished where a place is empty now.")
    ] = False,
    json: Json = False,
    config: Config = None,
) -> None:
    """Compare places with the catalog file by file, and repair it: missing, changed, failed, vanished.

    Failed files are tried again when they are due; gzip files are read to their end once. With --json, one
    document per place. Exit code 1: a file is rejected.

    Example: metaplat catalog reconcile /archive/2026
    """
    from metaplat.catalog.ingesting.reconciling import reconcile as compare_and_repair

    with opened_catalog() as (stores, index), progress_bar() as draw:
        chosen = places or stores.settings.catalog.watch
        if not chosen:
            raise UsageError("say PLACE, or set catalog.watch")
        found = [
            compare_and_repair(
                place,
                index,
                stores.settings,
                utc_now(),
                allow_empty=empty,
                progress=lambda done, total: draw("reconcile", done, total),
            )
            for place in chosen
        ]
    for each in found:
        print_json(each.as_dict()) if json else _print_reconciliation(each)
    if any(each.ingest.rejected for each in found):
        raise typer.Exit(1)


@contextmanager
def _stopping(stop: threading.Event) -> Iterator[None]:
    """Let Ctrl-C and SIGTERM end the watch after the look under way; a second Ctrl-C ends it at once."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def end(number: int, frame: object) -> None:
        del frame
        stop.set()
        signal.signal(number, before[signal.Signals(number)])

    for number in before:
        signal.signal(number, end)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _one_place(place: str | None, stores: Stores) -> str:
    watched = stores.settings.catalog.watch
    if place is not None:
        return place
    if len(watched) == 1:
        return watched[0]
    raise UsageError(f"say PLACE: catalog.watch names {len(watched)} places")


def _note_result(result: FileResult) -> None:
    note(one_line(f"{result.status}: {result.path}" + (f": {result.error}" if result.error else "")))


def _note_look(watched: Watched) -> None:
    look = watched.tick
    if look.vanished:
        note(f"vanished: {len(look.vanished)} files")
    for folder in look.unlisted:
        note(one_line(f"warning: {folder.path}: {folder.reason}"))


def _print_reconciliation(found: Reconciliation) -> None:
    rows = [[kind, count] for kind, count in sorted(found.counts.items())]
    print_table(("files", "how many"), rows)
    for path, reason in found.ingest.rejections[:MAX_LISTED]:
        note(one_line(f"rejected: {path}: {reason}"))
    verdict = "agree" if found.agrees else "differed, and the catalog was set right"
    note(one_line(f"{found.place} and the catalog {verdict}; {found.in_quarantine} files in quarantine"))
