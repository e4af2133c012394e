"""``metaplat spark``: applications shown, compared and reported, from the lake or from their logs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from metaplat.cli.options import Config, Json, configured_stores
from metaplat.cli.output import note, print_json
from metaplat.cli.report import Output, write_report
from metaplat.cli.spark_compare_text import comparison_entry, comparison_lines
from metaplat.cli.spark_records import Wanted, find_records, spark_tables
from metaplat.cli.spark_text import application_lines
from metaplat.cli.text_page import print_lines, printable, text_width
from metaplat.model.errors import UsageError
from metaplat.orchestration.clock import utc_now

if TYPE_CHECKING:
    from collections.abc import Sequence

    from metaplat.reports.spark.attempts import Record

app = typer.Typer(
    help="Spark applications: what one did, what changed between two, and which of them need a look.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

Paths = Annotated[
    list[str] | None,
    typer.Option(
        "--path", help="Read event logs here (folder, log, s3://), not the lake; may be given several times."
    ),
]
Attempt = Annotated[str | None, typer.Option("--attempt", help="Only this attempt, as Spark numbers it.")]
Source = Annotated[str | None, typer.Option(help="Only what this source says, for example event-logs.")]


@app.command()
def show(
    application: Annotated[
        str | None,
        typer.Argument(
            metavar="APP",
            help="Application id; name, or names like 'etl-*' (the newest is shown); or source/id/attempt.",
        ),
    ] = None,
    path: Paths = None,
    attempt: Attempt = None,
    source: Source = None,
    html: Annotated[Path | None, typer.Option(help="Write the page of the application to this file.")] = None,
    json: Json = False,
    config: Config = None,
) -> None:
    """Show what an application did: findings first, then figures, a timeline, the longest stages, executors.

    It is read from the lake; with --path straight from its event log, and APP may be left out where there is
    only one. With --json, one line per attempt, with all of its stages and executors. The width is that of
    the terminal, or COLUMNS. Exit code 1: a log below --path could not be read, and is listed.

    Example: metaplat spark show --path ./spark-events/application_1763600000000_0042_1 --html page.html
    """
    if application is None and not path:
        raise UsageError("say APP: an application id or name; or --path, where its log is")
    if html is not None and json:
        raise UsageError("--html and --json contradict each other")
    wanted = Wanted(application, source, attempt)
    with find_records(configured_stores(), wanted, path or (), whole=None if json else 1) as records:
        if json:
            for record in records:
                print_json(record)
        elif html is not None:
            from metaplat.reports.spark.application_page import application_page

            write_report(html, application_page(records[0]).encode())
        else:
            _print_application(records)


@app.command()
def compare(
    first: Annotated[str, typer.Argument(metavar="A", help="Application id, name, or source/id/attempt.")],
    second: Annotated[
        str | None,
        typer.Argument(
            metavar="[B]",
            help="Another one; default: the newest two attempts of the name A, or of names like 'etl-*'.",
        ),
    ] = None,
    path: Paths = None,
    source: Source = None,
    json: Json = False,
    config: Config = None,
) -> None:
    """Compare two applications: figures side by side, settings that differ, stages that changed.

    B/A is the ratio; what is clearly worse or better is marked. Properties that differ in every run (ids,
    ports, times) are left out. Stages are the same where their names are, but for line numbers.

    Example: metaplat spark compare application_1763600000000_0042 application_1763600000000_0057
    """
    from metaplat.reports.spark.attempt_reading import read_attempt
    from metaplat.reports.spark.comparison import compare as set_side_by_side

    stores, places = configured_stores(), path or ()
    if second is None:
        with find_records(stores, Wanted(first, source), places, whole=2) as records:
            other, one = (read_attempt(record) for record in _newest_two(records, first))
    else:
        with find_records(stores, Wanted(first, source), places, whole=1) as records:
            one = read_attempt(records[0])
        with find_records(stores, Wanted(second, source), places, whole=1) as records:
            other = read_attempt(records[0])
    found = set_side_by_side(one, other)
    if json:
        print_json(comparison_entry(one, other, found))
    else:
        print_lines(list(comparison_lines(one, other, found, text_width())))


@app.command()
def report(output: Output = None, json: Json = False, config: Config = None) -> None:
    """Write the page of all applications: slowest against their history, most spill, waste, and failures.

    It is made of the last 30 days in the lake. Without an output file it goes to the report store as
    spark/index.html, with the page of every application it names beside it. --json prints its figures.

    Example: metaplat spark report -o spark.html
    """
    from metaplat.reports.spark.overview_figures import overview_figures
    from metaplat.reports.spark.overview_page import overview_page
    from metaplat.reports.spark.pages import recent_applications, write_named_pages, write_overview

    tables, now = spark_tables(configured_stores()), utc_now()
    if json:
        print_json(overview_figures(recent_applications(tables, now)).entry())
    elif output is not None:
        write_report(output, overview_page(recent_applications(tables, now), now).encode())
    else:
        write_named_pages(tables, now)
        note(f"wrote {tables.stores.reports.address}/{write_overview(tables, now)}")


def _print_application(records: Sequence[Record]) -> None:
    from metaplat.reports.spark.attempt_reading import read_attempt

    print_lines(list(application_lines(read_attempt(records[0]), text_width())))
    others = [f"{each['source']}/{each['app_id']}/{each['attempt_id'] or ''}" for each in records[1:]]
    if others:
        more = f" and {len(others) - 3} more" if len(others) > 3 else ""
        note(printable(f"also found: {', '.join(others[:3])}{more}"))


def _newest_two(records: Sequence[Record], name: str) -> tuple[Record, Record]:
    """Return the newest attempt and the one before it, as the same source tells of them."""
    newest = records[0]
    for each in records[1:]:
        if each["source"] == newest["source"]:
            return newest, each
    raise UsageError(f"there is only one attempt of {name}: say what to compare it with")
