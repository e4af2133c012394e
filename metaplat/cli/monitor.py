"""``metaplat monitor``: bucketed tables are profiled, judged, repaired and reported."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from metaplat.cli.monitor_options import monitor_parameters, with_given
from metaplat.cli.monitor_output import (
    plan_entry,
    print_history,
    print_monitor,
    print_plans,
    print_tables,
    table_entry,
)
from metaplat.cli.options import Config, Json, configured_stores
from metaplat.cli.output import fail, note, print_content, print_json, progress_bar
from metaplat.cli.report import Output, ReportFormat, form_of, write_report
from metaplat.model.errors import UsageError
from metaplat.orchestration.clock import utc_now
from metaplat.orchestration.progress import watching
from metaplat.orchestration.tables.choice import nothing_found
from metaplat.reports.alerts.sinks import open_sinks

if TYPE_CHECKING:
    from metaplat.model.table import MonitoredTable
    from metaplat.settings import MonitorSettings
    from metaplat.stores.home import Stores

app = typer.Typer(
    help="Bucketed tables: partitions, counts, keys, freshness, schema, file sizes, repair.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

Table = Annotated[
    list[str] | None, typer.Option("--table", help="Only this table; may be given several times.")
]
Location = Annotated[
    str | None, typer.Option(help="A table that is not in Glue: its folder or s3://bucket/prefix.")
]
SourceLocation = Annotated[
    str | None, typer.Option(help="With --location: the table its rows are counted against.")
]
ReportDir = Annotated[
    Path | None, typer.Option(help="Folder to write the reports to, instead of the report bucket.")
]


@app.command()
@monitor_parameters
def run(
    given: dict[str, str],
    table: Table = None,
    location: Location = None,
    source_location: SourceLocation = None,
    report_dir: ReportDir = None,
    json: Json = False,
    config: Config = None,
) -> None:
    """Profile tables, repair them, judge them, write the reports and send the alerts.

    Without --database and --location, the declared tables are run: [[monitor.tables]] of the settings, and
    what `metaplat monitor discover` saved. Each parameter may be spelled with dashes or underscores, and
    booleans take a value. Exit code 1: an alert of severity high or medium; 3: a table could not be examined,
    or a report could not be written.

    Example: metaplat monitor run --location warehouse/part_orders --pk-column order_id --bucket-fn crc32
    """
    from metaplat.orchestration.tables.monitoring import run_monitor
    from metaplat.orchestration.tables.telling import tell

    stores = configured_stores()
    monitor = with_given(stores.settings.monitor, given)
    open_sinks(stores.settings.alerts)  # what is wrong with them is told before any work
    tables = _tables(stores, monitor, table, location, source_location)
    now = utc_now()
    with progress_bar() as draw, watching(draw):
        result = run_monitor(tables, stores, monitor, now=now, run_id=str(uuid.uuid4()))
    told = tell(result, stores, report_dir)
    if json:
        print_json(told.document)
    else:
        print_monitor(result, told)
    for problem in told.problems:
        fail(problem)
    for each in result.not_evaluated:
        fail(f"{each.table.name}: not evaluated: {each.problem}")
    if told.problems or result.not_evaluated:
        raise typer.Exit(3)
    if {"high", "medium"} & set(result.alert_levels):
        raise typer.Exit(1)


@app.command()
@monitor_parameters
def discover(given: dict[str, str], json: Json = False, config: Config = None) -> None:
    """Ask Glue for the tables of the database, and save them as the tables that Dagster serves.

    They are saved in monitored_tables.json of the home, so that loading the code location asks nobody, in
    place of what was saved of this database before; where nothing is found, nothing is saved. Run it again
    after tables were added or removed; `metaplat dev` shows them after a reload.

    Example: metaplat monitor discover --database lake --table-prefix part_
    """
    from metaplat.monitor.declared import tables_path
    from metaplat.monitor.discover import discover as ask
    from metaplat.monitor.discover import replace_saved
    from metaplat.stores.tables.glue import GlueCatalog

    stores = configured_stores()
    monitor = with_given(stores.settings.monitor, given)
    if monitor.database is None:
        raise UsageError("discover needs --database")
    tables = ask(GlueCatalog(monitor.region), monitor)
    if not tables:
        raise UsageError(f"{nothing_found(monitor)}; what was saved before stays")
    path = monitor.tables_file or tables_path(stores.settings)
    gone = replace_saved(path, monitor.database, tables)
    if json:
        entries = [table_entry(table) for table in tables]
        print_json({"saved": str(path), "tables": entries, "no_longer_monitored": gone})
        return
    print_tables(tables)
    note(f"saved {len(tables)} tables in {path}")
    if gone:
        note(f"no longer monitored: {', '.join(gone)}")


@app.command()
@monitor_parameters
def repair(
    given: dict[str, str],
    table: Table = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the plan, change nothing.")] = False,
    json: Json = False,
    config: Config = None,
) -> None:
    """Register in Glue the partitions that are on S3 and not registered; nothing is ever dropped.

    Registered partitions without any data are listed for a person to decide about. A second run plans
    nothing. Exit code 1: something is still missing after the repair; 3: a table could not be read.

    Example: metaplat monitor repair --database lake --auto-repair glue --dry-run
    """
    from metaplat.orchestration.tables.repairing import repair_tables

    stores = configured_stores()
    monitor = with_given(stores.settings.monitor, given)
    tables = _tables(stores, monitor, table, None, None)
    with progress_bar() as draw, watching(draw):
        repairs = repair_tables(tables, stores, monitor, dry_run=dry_run)
    if json:
        print_json({"dry_run": dry_run, "tables": [plan_entry(each) for each in repairs]})
    else:
        print_plans(repairs, dry_run=dry_run)
    unread = [each for each in repairs if each.problem]
    for each in unread:
        fail(f"{each.table.name}: {each.problem}")
    if unread:
        raise typer.Exit(3)
    if any(each.outcome and each.outcome.failed for each in repairs):
        raise typer.Exit(1)


@app.command()
@monitor_parameters
def report(
    given: dict[str, str],
    table: Table = None,
    location: Location = None,
    source_location: SourceLocation = None,
    form: Annotated[
        ReportFormat | None,
        typer.Option("--format", help="Default: by the ending of the output file, else json."),
    ] = None,
    output: Output = None,
    json: Json = False,
    config: Config = None,
) -> None:
    """Write the report of the tables as they were measured last; no data is read, nothing repaired or sent.

    Example: metaplat monitor report --location warehouse/part_orders --format html -o tables.html
    """
    from metaplat.orchestration.tables.monitoring import standing_result
    from metaplat.orchestration.tables.telling import rendered

    if json and form not in (None, ReportFormat.JSON):
        raise UsageError(f"--json and --format {form} contradict each other")
    stores = configured_stores()
    monitor = with_given(stores.settings.monitor, given)
    tables = _tables(stores, monitor, table, location, source_location)
    result = standing_result(tables, stores, monitor, utc_now())
    if form is None:
        form = ReportFormat.JSON if json or output is None else form_of(output)
    content = rendered(result, form.value)
    for each in result.not_evaluated:
        fail(f"{each.table.name}: not evaluated: {each.problem}")
    if output is None:
        print_content(content)
    else:
        write_report(output, content)
    if result.not_evaluated:
        raise typer.Exit(3)


@app.command()
def history(
    table: Annotated[str, typer.Argument(help="Name of the table.")],
    runs: Annotated[int, typer.Option(min=1, help="Newest runs to show.")] = 20,
    json: Json = False,
    config: Config = None,
) -> None:
    """Show what earlier runs measured of a table: rows, nulls, duplicates, bytes, one line a run.

    Example: metaplat monitor history part_orders --runs 7
    """
    from metaplat.monitor.history import History
    from metaplat.reports.tables.trends import run_totals

    kept = History(configured_stores().lake.objects)
    found = kept.identities(table)
    if len(found) > 1:
        raise UsageError(f"several tables are called {table}: say one of {', '.join(found)}")
    entries = run_totals(kept.load(found[0], runs=runs)) if found else []
    if json:
        print_json({"table": table, "runs": entries})
        return
    print_history(entries)
    if not entries:
        note(f"no run of {table} is kept; `metaplat monitor run` keeps one")


def _tables(
    stores: Stores,
    monitor: MonitorSettings,
    names: list[str] | None,
    location: str | None,
    source_location: str | None,
) -> list[MonitoredTable]:
    from metaplat.orchestration.tables.choice import chosen_tables, table_at

    if location is None and source_location is not None:
        raise UsageError("--source-location goes with --location")
    if location is None:
        return chosen_tables(stores.settings, monitor, names or ())
    if names:
        raise UsageError("say one of --table and --location")
    if monitor.database != stores.settings.monitor.database:
        raise UsageError("say one of --database and --location")
    return [table_at(location, source_location, monitor)]
