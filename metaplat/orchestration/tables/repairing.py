"""Repairs of many tables: planned, shown or carried out, one table's failure stopping no other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from metaplat.model.errors import MetaplatError, UsageError
from metaplat.model.table import RepairMode
from metaplat.monitor.inventory import take_inventory
from metaplat.monitor.repair import execute_repair, plan_repair
from metaplat.orchestration.progress import tracked
from metaplat.stores.tables.athena import Athena
from metaplat.stores.tables.files import open_table_files
from metaplat.stores.tables.glue import GlueCatalog

if TYPE_CHECKING:
    from collections.abc import Sequence

    from metaplat.model.table import MonitoredTable
    from metaplat.model.table_evidence import RepairOutcome, RepairPlan
    from metaplat.settings import MonitorSettings
    from metaplat.stores.home import Stores


@dataclass(frozen=True)
class TableRepair:
    """What a repair of one table plans, what came of it, and why it could not even be planned."""

    table: MonitoredTable
    plan: RepairPlan | None = None
    outcome: RepairOutcome | None = None
    problem: str | None = None


def repair_tables(
    tables: Sequence[MonitoredTable], stores: Stores, settings: MonitorSettings, *, dry_run: bool
) -> list[TableRepair]:
    """Plan the repair of each table, and carry it out unless it is a dry run.

    Raises
    ------
    UsageError
        Repair is switched off.
    """
    if settings.auto_repair is RepairMode.OFF:
        raise UsageError("auto_repair is off: say --auto-repair glue, athena or msck")
    return [_repair(table, stores, settings, dry_run=dry_run) for table in tracked("tables", list(tables))]


def _repair(
    table: MonitoredTable, stores: Stores, settings: MonitorSettings, *, dry_run: bool
) -> TableRepair:
    catalog = GlueCatalog(settings.region)
    try:
        glue = catalog.table(table.database, table.name) if table.database else None
        if glue is None:
            return TableRepair(table, problem="it is not in Glue")
        partitions = catalog.partitions(glue)
        files = open_table_files(table.location, stores.settings.s3)
        inventory = take_inventory(table, files.list_objects())
        plan = plan_repair(table, glue, partitions, inventory, settings.auto_repair)
        if dry_run:
            return TableRepair(table, plan)
        athena = Athena(settings.region, settings.athena_workgroup, settings.athena_results)
        repaired = execute_repair(plan, table, glue, partitions, catalog=catalog, athena=athena)
    except MetaplatError as error:
        return TableRepair(table, problem=str(error))
    return TableRepair(table, plan, repaired.outcome)
