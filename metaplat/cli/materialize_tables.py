"""``metaplat materialize`` and ``check`` of a monitored table: its buckets are profiled and judged."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import typer

from metaplat.cli.options import configured_stores
from metaplat.cli.output import note, print_json, progress_bar
from metaplat.cli.run_output import exit_on_failures, latest_verdicts, print_outcomes
from metaplat.model.errors import UnknownNameError, UsageError
from metaplat.model.partitioning import IdBuckets
from metaplat.model.verdict import Outcome, Severity
from metaplat.monitor.declared import declared_tables
from metaplat.orchestration.clock import utc_now
from metaplat.orchestration.partition_choice import named_stretches
from metaplat.orchestration.progress import watching
from metaplat.reports.verdict_log import verdict_item

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from metaplat.model.table import MonitoredTable
    from metaplat.orchestration.tables.runs import TableRunOutcome
    from metaplat.stores.home import Stores

    RunBuckets = Callable[[MonitoredTable, Stores, Sequence[str]], TableRunOutcome]

PREFIX = "table_profile/"


def is_table(name: str) -> bool:
    """Return whether a person means a monitored table rather than a domain."""
    return name.startswith(PREFIX)


def materialize_named(
    name: str, partition: str | None, first: str | None, last: str | None, *, missing: bool, as_json: bool
) -> None:
    """Profile buckets of a table in one Dagster run: all of them where none is named."""
    from metaplat.orchestration.tables.runs import materialize_table

    if missing:
        raise UsageError("--missing is for domains: unchanged buckets of a table are never read twice anyway")
    _run_and_print(materialize_table, name, partition, first, last, as_json=as_json)


def check_named(
    name: str, partition: str | None, first: str | None, last: str | None, *, as_json: bool
) -> None:
    """Judge buckets of a table as they were measured last."""
    from metaplat.orchestration.tables.runs import check_table

    _run_and_print(check_table, name, partition, first, last, as_json=as_json)


def _run_and_print(
    run: RunBuckets,
    name: str,
    partition: str | None,
    first: str | None,
    last: str | None,
    *,
    as_json: bool,
) -> None:
    stores = configured_stores()
    table = _declared(name, stores)
    buckets = IdBuckets(table.bucket_count)
    named = named_stretches(buckets, partition, first, last, missing=False)
    [stretch] = named or [buckets.keys(utc_now())]
    with progress_bar() as draw, watching(draw):
        outcome = run(table, stores, stretch)
    verdicts = latest_verdicts([outcome])
    if as_json:
        print_json(_document(name, outcome))
    else:
        print_outcomes([outcome])
        note(f"{len(outcome.buckets)} buckets of {table.name}")
    exit_on_failures([outcome])
    if any(each.outcome is Outcome.FAILED and each.severity is not Severity.INFO for each in verdicts):
        raise typer.Exit(1)


def _document(name: str, outcome: TableRunOutcome) -> dict[str, Any]:
    return {
        "domain": name,
        "run_id": outcome.run_id,
        "run_ids": [outcome.run_id],
        "partitions": list(outcome.buckets),
        "verdicts": [verdict_item(record) | {"domain": name} for record in latest_verdicts([outcome])],
        "failures": list(outcome.failures),
    }


def _declared(name: str, stores: Stores) -> MonitoredTable:
    tables = {f"{PREFIX}{table.name}": table for table in declared_tables(stores.settings)}
    if name not in tables:
        raise UnknownNameError("table", name, tables)
    return tables[name]
