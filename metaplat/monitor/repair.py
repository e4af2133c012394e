"""Register exactly the partitions that lie on S3 and are not in Glue, and believe only what Glue then says.

Here: the plan, the three ways to carry it out, reading Glue again. Nothing is ever dropped.
Not here: whether a repair is wanted (``facts``), the statements' text (``repair_sql``), the requests
(``stores.tables``).
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, NamedTuple, Protocol

from metaplat.model.errors import MetaplatError
from metaplat.model.table import RepairMode
from metaplat.model.table_evidence import RepairOutcome, RepairPlan
from metaplat.monitor.registration import (
    KEY,
    dangling_partitions,
    missing_buckets,
    registered_buckets,
)
from metaplat.monitor.repair_sql import add_statements, msck_statement

if TYPE_CHECKING:
    from collections.abc import Sequence

    from metaplat.model.glue_table import GluePartition, GlueTable
    from metaplat.model.table import MonitoredTable
    from metaplat.model.table_metrics import Inventory
    from metaplat.stores.tables.glue import GlueCatalog

PAUSES = (0.5, 0.5, 1.0)
"""Seconds before each further look at Glue: what was just registered may not be listed yet."""
SHOWN = 3
"""Refused partitions named in a problem."""


class Statements(Protocol):
    """Runs a statement in Athena and waits for its end; raises MetaplatError where it fails."""

    def execute(self, sql: str, database: str) -> None:
        """Run ``sql`` with ``database`` as the current one."""


class Repaired(NamedTuple):
    """What a repair did, and what Glue lists now."""

    outcome: RepairOutcome
    partitions: Sequence[GluePartition]


def plan_repair(
    table: MonitoredTable,
    glue: GlueTable,
    partitions: Sequence[GluePartition],
    inventory: Inventory,
    mode: RepairMode,
) -> RepairPlan:
    """Return what a repair would register: expected buckets that hold data and are not in Glue.

    There is nothing to add where Athena computes the partitions, where the table is not partitioned by
    exactly ``id_bucket``, or where it does not lie on S3.
    """
    if glue.projected:
        return RepairPlan(mode)
    drop_list = tuple(dangling_partitions(table, inventory, partitions))
    by_bucket = [name.lower() for name, _ in glue.partition_keys] == [KEY]
    if not by_bucket or not table.location.startswith("s3://"):
        return RepairPlan(mode, drop_list=drop_list)
    root = table.location.rstrip("/")
    missing = missing_buckets(table, inventory, partitions)
    return RepairPlan(mode, tuple((b, f"{root}/{table.folder(b)}/") for b in missing), drop_list)


def execute_repair(
    plan: RepairPlan,
    table: MonitoredTable,
    glue: GlueTable,
    partitions: Sequence[GluePartition],
    *,
    catalog: GlueCatalog,
    athena: Statements | None = None,
    pauses: Sequence[float] = PAUSES,
) -> Repaired:
    """Carry out a plan and read Glue again; a failing call becomes the outcome's problem.

    Parameters
    ----------
    plan : RepairPlan
        What to register, and how; an empty plan, or one with mode ``off``, makes no request.
    table, glue, partitions
        The table, what Glue says of it, and the partitions registered before.
    catalog : GlueCatalog
        Where partitions are read, and by mode ``glue`` registered.
    athena : Statements or None
        For the modes ``athena`` and ``msck``.
    pauses : sequence of float
        Seconds before each further look while partitions of the plan are not listed.
    """
    before = len(registered_buckets(table, partitions))
    if not plan.add or plan.mode is RepairMode.OFF:
        return Repaired(RepairOutcome(plan, before, before, tuple(b for b, _ in plan.add)), partitions)
    try:
        problem = _register(plan, glue, catalog, athena)
    except MetaplatError as error:
        problem = str(error)
    try:
        partitions = _look_again(plan, table, glue, catalog, () if problem else pauses)
    except MetaplatError as error:
        problem = problem or str(error)
    registered = registered_buckets(table, partitions)
    missing = tuple(bucket for bucket, _ in plan.add if bucket not in registered)
    return Repaired(RepairOutcome(plan, before, len(registered), missing, problem), partitions)


def _register(
    plan: RepairPlan, glue: GlueTable, catalog: GlueCatalog, athena: Statements | None
) -> str | None:
    """Carry out the plan; why some were refused, or None."""
    if plan.mode is RepairMode.GLUE:
        refused = catalog.add_partitions(glue, [((str(bucket),), place) for bucket, place in plan.add])
        return _told(refused)
    if athena is None:
        return f"repair by {plan.mode} needs Athena, which is not configured"
    statements = [msck_statement(glue)] if plan.mode is RepairMode.MSCK else add_statements(glue, plan.add)
    for statement in statements:
        athena.execute(statement, glue.database)
    return None


def _look_again(
    plan: RepairPlan, table: MonitoredTable, glue: GlueTable, catalog: GlueCatalog, pauses: Sequence[float]
) -> list[GluePartition]:
    """Read the partitions, again after each pause while some of the plan are not listed."""
    wanted = {bucket for bucket, _ in plan.add}
    partitions = catalog.partitions(glue, columns=True)
    for pause in pauses:
        if wanted <= registered_buckets(table, partitions).keys():
            break
        time.sleep(pause)
        partitions = catalog.partitions(glue, columns=True)
    return partitions


def _told(refused: dict[tuple[str, ...], str]) -> str | None:
    if not refused:
        return None
    named = [f"{KEY}={'/'.join(values)}: {reason}" for values, reason in refused.items()]
    more = f" and {len(named) - SHOWN} more" if len(named) > SHOWN else ""
    return f"Glue refused {len(named)} partitions: {'; '.join(named[:SHOWN])}{more}"
