"""``metaplat vip history`` and ``charts``: what was delivered hour by hour, as datasets and drawn."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from metaplat.cli.options import Config, Json, configured_stores
from metaplat.cli.output import fail, note, print_json, print_table, progress_bar
from metaplat.cli.run_output import exit_on_failures
from metaplat.cli.vip_options import parse_hour
from metaplat.model.errors import UsageError
from metaplat.model.verdict import Outcome
from metaplat.orchestration.clock import utc_now
from metaplat.orchestration.progress import watching
from metaplat.orchestration.vip.charts import charts_address, write_chart_files
from metaplat.orchestration.vip.deliveries import configured_deliveries
from metaplat.orchestration.vip.histories import Span, calendar, due_span, read_histories
from metaplat.reports.verdict_log import verdict_item

if TYPE_CHECKING:
    from datetime import datetime

    from metaplat.orchestration.vip.runs import HistoryRun
    from metaplat.stores.home import Stores

First = Annotated[
    str | None, typer.Option("--from", help="First hour, or a day, in UTC; default: the first that is new.")
]
Last = Annotated[
    str | None, typer.Option("--to", help="Last one, itself included; default: the last closed hour.")
]


def history(
    first: First = None,
    last: Last = None,
    csv: Annotated[
        Path | None,
        typer.Option("--csv", "-o", help="Also write the three old history files to this folder."),
    ] = None,
    old: Annotated[
        Path | None, typer.Option("--import", help="First read old history files from this folder.")
    ] = None,
    source: Annotated[
        str | None,
        typer.Option("--copy-from", help="First copy missing hours from a folder or s3://bucket/prefix."),
    ] = None,
    json: Json = False,
    config: Config = None,
) -> None:
    """Write the three histories from the folders of delivered files, check them, and draw the charts.

    Without --from and --to, the hours that are new are added; with them, these hours are written anew, both
    included. Every hour has a row, a missing one too. What the checks say is told, and does not change the
    exit code: 0 where the histories are written, 3 where a store failed.

    Example: metaplat vip history --from 2022-02-08T08:00Z --to 2022-05-31T08:00Z --csv histories/
    """
    begun, stores = time.monotonic(), configured_stores()
    if old is not None:
        _import(stores, old)
    span = _span(stores, first, last)
    lost = 0
    if source is not None:
        is_named = first is not None or last is not None
        copied, lost = _copy(stores, source, span if is_named else None)
        span = span if is_named else _joined(due_span(stores, utc_now()), copied)
    span = _within_days(stores, span, first, last)
    run = None
    if span is not None:
        from metaplat.orchestration.vip.runs import run_history

        with progress_bar() as draw, watching(draw):
            run = run_history(stores, span)
    document = _document(stores, span, run, time.monotonic() - begun)
    if csv is not None:
        document["csv"] = _write_csv(stores, csv, span if first or last else calendar(stores, utc_now()))
    if json:
        print_json(document)
    else:
        _print_history(document, run)
    exit_on_failures([run] if run else [])
    if lost:
        raise typer.Exit(3)


def charts(
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Folder to write to; default: the store of reports.")
    ] = None,
    json: Json = False,
    config: Config = None,
) -> None:
    """Draw the ten charts of the histories: one page that works offline, and each as PNG and CSV.

    Example: metaplat vip charts -o charts/
    """
    from metaplat.stores.local_objects import LocalObjects

    stores = configured_stores()
    if output is None:
        files, place = write_chart_files(stores, utc_now()), stores.reports.address
    else:
        files = write_chart_files(stores, utc_now(), LocalObjects(output), "")
        place = str(output)
    written = [files.page, *files.images.values(), *files.tables.values()]
    if json:
        print_json({"page": f"{place}/{files.page}", "files": [f"{place}/{key}" for key in written]})
    else:
        note(f"wrote {place}/{files.page}, and {len(written) - 1} pictures and tables beside it")


def _span(stores: Stores, first: str | None, last: str | None) -> Span | None:
    """Return the hours that a person means; None where there is nothing to do."""
    now = utc_now()
    if first is None and last is None:
        return due_span(stores, now)
    begin = None if first is None else parse_hour(first)
    end = None if last is None else parse_hour(last, end_of_day=True)
    if begin is not None and end is not None and begin > end:
        raise UsageError(f"the range is the wrong way round: {first} lies after {last}")
    if begin is None or end is None:
        whole = calendar(stores, now)
        if whole is None:
            return None
        begin, end = begin or whole.first, end or whole.last
    end = min(end, now)
    return Span(begin, end.replace(minute=0, second=0, microsecond=0)) if begin <= end else None


def _within_days(stores: Stores, span: Span | None, first: str | None, last: str | None) -> Span | None:
    """Return the hours without those of the outermost days that the histories need not have.

    A day alone means its hours: not those before the first delivery on it, nor those that are not closed.
    """
    whole = calendar(stores, utc_now()) if span and (_is_day(first) or _is_day(last)) else None
    if span is None or whole is None:
        return span
    begin, end = span.first, span.last
    if _is_day(first) and begin.date() == whole.first.date():
        begin = whole.first
    if _is_day(last) and end.date() == whole.last.date():
        end = min(end, whole.last)
    return Span(begin, end) if begin <= end else None


def _is_day(text: str | None) -> bool:
    return text is not None and parse_hour(text) != parse_hour(text, end_of_day=True)


def _import(stores: Stores, folder: Path) -> None:
    from metaplat.vip.history.csv_files import read_csv
    from metaplat.vip.history.imported import save_imported

    config_name = stores.settings.vip.config
    read = read_csv(folder, config_name)
    save_imported(stores.state, config_name, read)
    note(f"read {read.jobs.height} hours of {config_name} from {folder}")


def _copy(stores: Stores, source: str, span: Span | None) -> tuple[list[datetime], int]:
    """Copy the missing hours of a span, or of all there is; return those copied, and how many failed."""
    from metaplat.model.extract import hours_between
    from metaplat.stores.deliveries import open_deliveries
    from metaplat.vip.history.calendar import known_range
    from metaplat.vip.history.consolidate import copy_missing_hours

    settings = stores.settings
    other = settings.model_copy(update={"vip": settings.vip.model_copy(update={"target": source})})
    there = open_deliveries(other)
    ends = (span.first, span.last) if span else known_range(there, settings, {})
    hours = hours_between(*ends) if ends else []
    done = copy_missing_hours(there, configured_deliveries(settings), settings, hours)
    note(f"copied {done.files} files of {len(done.copied)} hours, {done.bytes} bytes, from {source}")
    for hour, reason in done.failed.items():
        fail(f"{hour:%Y-%m-%d %H:%M} UTC is not copied whole: {reason}")
    return done.copied, len(done.failed)


def _joined(span: Span | None, hours: list[datetime]) -> Span | None:
    """Return a span that holds some hours, too."""
    ends = [*((span.first, span.last) if span else ()), *hours]
    return Span(min(ends), max(ends)) if ends else None


def _write_csv(stores: Stores, folder: Path, span: Span | None) -> list[str]:
    from metaplat.vip.history.csv_files import write_csv
    from metaplat.vip.history.histories import Histories

    rows = read_histories(stores, span.first, span.last) if span else Histories.empty()
    return [str(path) for path in write_csv(rows, folder, stores.settings)]


def _document(stores: Stores, span: Span | None, run: HistoryRun | None, seconds: float) -> dict[str, Any]:
    import polars as pl

    document: dict[str, Any] = {
        "config_name": stores.settings.vip.config,
        "from": _text(span.first) if span else None,
        "to": _text(span.last) if span else None,
    }
    rows = read_histories(stores, span.first, span.last) if span else None
    if rows is not None:
        counts = dict(rows.jobs.group_by("status").agg(pl.len()).sort("status").iter_rows())
        document |= {
            "hours": rows.jobs.height,
            "statuses": counts,
            "excused": int(rows.jobs["excused"].sum()),
            "rows": {"jobs": rows.jobs.height, "tables": rows.tables.height, "sizes": rows.sizes.height},
            "anomalies": rows.sizes.filter(pl.col("anomaly").is_in(["low", "high"])).height,
        }
    return document | {
        "run_id": run.run_id if run else None,
        "charts": charts_address(stores),
        "seconds": round(seconds, 3),
        "verdicts": [
            {"domain": name, **verdict_item(record)}
            for name, records in (run.verdicts_by_domain if run else {}).items()
            for record in records
        ],
        "failures": list(run.failures) if run else [],
    }


def _print_history(document: dict[str, Any], run: HistoryRun | None) -> None:
    if run is None:
        note(f"{document['config_name']}: nothing was delivered, or no hour is new")
        return
    verdicts = [(name, each) for name, records in run.verdicts_by_domain.items() for each in records]
    rows = [[each.outcome, name, each.rule, each.sentence] for name, each in verdicts if not each.partition]
    print_table(("state", "history", "rule", "found"), rows)
    days = {each.partition for _, each in verdicts if each.partition and each.outcome is Outcome.FAILED}
    if days:
        note(f"a rule fails on {len(days)} days: `metaplat report` and Dagster tell of each")
    counts = ", ".join(f"{count} {status}" for status, count in document["statuses"].items())
    span = f"{document['hours']} hours from {document['from']} to {document['to']}"
    note(f"{document['config_name']}: {span}: {counts}")
    note(f"charts: {document['charts']}")


def _text(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")
