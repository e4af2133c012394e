"""What ``metaplat monitor`` prints for people, and the entries it prints for machines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from metaplat.cli.output import note, print_table

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from metaplat.model.table import MonitoredTable
    from metaplat.model.table_evidence import RepairPlan
    from metaplat.orchestration.tables.repairing import TableRepair
    from metaplat.orchestration.tables.telling import Told
    from metaplat.reports.tables.report_document import MonitorResult


def print_monitor(result: MonitorResult, told: Told) -> None:
    """Print a line per table, a line per alert, what was noted about tables, and where the reports are."""
    columns = (
        "table",
        "state",
        "s3",
        "glue",
        "rows",
        "source",
        "nulls",
        "duplicates",
        "engine",
        "files read",
    )
    print_table(columns, [_line(row) for row in told.document["tables"]], width=None)
    if result.alerts:
        alerts = zip(result.alert_levels, result.alerts, strict=True)
        print_table(("severity", "alert"), [[level, text] for level, text in alerts], width=None)
    for row in told.document["tables"]:
        for text in row["notes"] or ():
            note(f"{row['table']}: {' '.join(text.split())}")
    for address in told.reports.values():
        note(f"wrote {address}")
    for line in told.deliveries:
        note(line)


def _line(row: Mapping[str, Any]) -> list[object]:
    names = (
        "table",
        "state",
        "s3_partitions",
        "glue_partitions",
        "count_part",
        "count_src",
        "pk_nulls",
        "pk_dupes",
    )
    return [_cell(row[name]) for name in (*names, "engine", "files_read")]


def _cell(value: object) -> object:
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else value


def table_entry(table: MonitoredTable) -> dict[str, Any]:
    """Return a table as JSON values."""
    source = table.source
    return {
        "table": table.name,
        "database": table.database,
        "location": table.location,
        "key_column": table.key_column,
        "bucket_count": table.bucket_count,
        "bucket_function": table.bucket_function.value,
        "engine": table.engine.value,
        "source": None if source is None else (source.location or f"{source.database}.{source.name}"),
    }


def print_tables(tables: Sequence[MonitoredTable]) -> None:
    """Print one line per table."""
    columns = ("table", "location", "key", "buckets", "source")
    entries = [table_entry(table) for table in tables]
    names = ("table", "location", "key_column", "bucket_count", "source")
    print_table(columns, [[entry[name] for name in names] for entry in entries], width=None)


def plan_entry(repair: TableRepair) -> dict[str, Any]:
    """Return what a repair planned and did as JSON values."""
    outcome = repair.outcome
    return {
        "table": repair.table.name,
        "mode": repair.plan.mode.value if repair.plan else None,
        "add": _added(repair.plan),
        "drop_list": list(repair.plan.drop_list) if repair.plan else None,
        "before": outcome.before if outcome else None,
        "after": outcome.after if outcome else None,
        "still_missing": list(outcome.still_missing) if outcome else None,
        "problem": repair.problem or (outcome.problem if outcome else None),
    }


def _added(plan: RepairPlan | None) -> list[dict[str, Any]] | None:
    return None if plan is None else [{"bucket": bucket, "location": where} for bucket, where in plan.add]


def print_plans(repairs: Sequence[TableRepair], *, dry_run: bool) -> None:
    """Print what each repair would do, or did."""
    rows = []
    for each in repairs:
        entry = plan_entry(each)
        added = entry["add"]
        rows.append(
            [
                each.table.name,
                entry["mode"],
                None if added is None else len(added),
                entry["before"],
                entry["after"],
                entry["problem"],
            ]
        )
    print_table(("table", "mode", "planned", "before", "after", "problem"), rows, width=None)
    for each in repairs:
        for bucket, location in each.plan.add if dry_run and each.plan else ():
            note(f"{each.table.name}: would register id_bucket={bucket} at {location}")
        for partition in each.plan.drop_list if each.plan else ():
            note(f"{each.table.name}: registered without data, to drop by hand: {partition}")


def print_history(entries: Sequence[Mapping[str, Any]]) -> None:
    """Print one line per run."""
    columns = ("profiled_at", "buckets", "rows", "key_nulls", "duplicate_rows", "misplaced_keys", "bytes")
    headings = ("run", "buckets", "rows", "nulls", "duplicates", "misplaced", "bytes")
    print_table(headings, [[_cell(entry[name]) for name in columns] for entry in entries], width=None)
