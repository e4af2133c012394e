"""What Glue says of a table, and a repair where that is wanted and needed.

Here: the order: ask, compare with the listing, register, believe what Glue then says.
Not here: comparing (``registration``), planning and registering (``repair``), requests (``stores.tables``).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from metaplat.model.errors import PermanentStoreError
from metaplat.model.table import RepairMode
from metaplat.monitor.discover import projected_digits
from metaplat.monitor.engines import open_athena
from metaplat.monitor.inventory import take_inventory
from metaplat.monitor.registration import missing_buckets
from metaplat.monitor.repair import execute_repair, plan_repair

if TYPE_CHECKING:
    from collections.abc import Sequence

    from metaplat.model.glue_table import GluePartition, GlueTable
    from metaplat.model.table import MonitoredTable
    from metaplat.model.table_evidence import RepairOutcome
    from metaplat.settings import MonitorSettings
    from metaplat.stores.tables.files import TableFiles
    from metaplat.stores.tables.glue import GlueCatalog


@dataclass(frozen=True)
class Registration:
    """What Glue lists after any repair (None: not asked), what was missing before it, and what it did."""

    partitions: Sequence[GluePartition] | None = None
    missing_before: Sequence[int] = ()
    repair: RepairOutcome | None = None


def located(table: MonitoredTable, glue: GlueTable | None) -> MonitoredTable:
    """Return the table with what only Glue may know: its location, and the width of its bucket numbers.

    Raises
    ------
    PermanentStoreError
        Nobody knows where the table lies.
    """
    if not table.location:
        location = (glue.location or "").rstrip("/") if glue else ""
        if not location:
            answer = "it has no location" if glue else "there is no such table"
            system = f"Glue table {table.database}.{table.name}"
            raise PermanentStoreError(system, "find its files", answer, "Correct it, or leave it out.")
        table = replace(table, location=location)
    if glue is not None and not table.bucket_digits:
        table = replace(table, bucket_digits=projected_digits(glue))
    return table


def register_missing(
    table: MonitoredTable,
    glue: GlueTable | None,
    files: TableFiles,
    *,
    catalog: GlueCatalog,
    settings: MonitorSettings,
) -> Registration:
    """Compare Glue with the listing, and repair by ``settings.auto_repair``; a failed repair is a fact.

    Raises
    ------
    StoreError
        Glue or the table's store refuses or fails.
    """
    if glue is None:
        return Registration()
    partitions = catalog.partitions(glue, columns=True)
    if glue.projected:
        return Registration(partitions)
    inventory = take_inventory(table, files.list_objects())
    missing = tuple(missing_buckets(table, inventory, partitions))
    plan = plan_repair(table, glue, partitions, inventory, settings.auto_repair)
    if not plan.add or plan.mode is RepairMode.OFF:
        return Registration(partitions, missing)
    athena = None if plan.mode is RepairMode.GLUE else open_athena(settings)
    repaired = execute_repair(plan, table, glue, partitions, catalog=catalog, athena=athena)
    return Registration(repaired.partitions, missing, repaired.outcome)
