"""Facts are gathered once a run: by the profile step, and judged by the check step that follows it.

Here: which doors and settings the facts are gathered through, and keeping them for the check step of the same
run. In another process the check step gathers its own, which costs a listing and reads no file again.
Not here: gathering itself (``monitor.facts``).
"""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING

from metaplat.model.table import RepairMode
from metaplat.monitor.changes import changed_buckets
from metaplat.monitor.facts import gather_facts
from metaplat.monitor.registering import located
from metaplat.stores.tables.files import open_table_files
from metaplat.stores.tables.glue import GlueCatalog

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from metaplat.model.table import MonitoredTable
    from metaplat.model.table_evidence import TableFacts
    from metaplat.settings import MonitorSettings
    from metaplat.stores.home import Stores

KEPT_RUNS = 4
DIGEST_LENGTH = 16

_gathered: OrderedDict[tuple[str | None, str], TableFacts] = OrderedDict()


def profile_buckets(
    table: MonitoredTable, stores: Stores, buckets: Collection[int], now: datetime, run_id: str
) -> TableFacts:
    """Profile some buckets of a table, repair it where the settings say so, and keep the frame as history."""
    facts = gather_facts(
        table, stores=stores, settings=stores.settings.monitor, now=now, run_id=run_id, buckets=buckets
    )
    _gathered[run_id, table.identity] = facts
    while len(_gathered) > KEPT_RUNS:
        _gathered.popitem(last=False)
    return facts


def facts_for_checks(table: MonitoredTable, stores: Stores, now: datetime, run_id: str | None) -> TableFacts:
    """Return the facts of this run's profile step, else those of the table as it was measured last."""
    if (run_id, table.identity) in _gathered:
        return _gathered[run_id, table.identity]
    return standing_facts(table, stores, stores.settings.monitor, now)


def standing_facts(
    table: MonitoredTable, stores: Stores, settings: MonitorSettings, now: datetime
) -> TableFacts:
    """Return the facts with the figures as they were measured last: nothing is read, repaired or kept."""
    settings = settings.model_copy(update={"auto_repair": RepairMode.OFF})
    return gather_facts(table, stores=stores, settings=settings, now=now, run_id="", buckets=(), keep=False)


def changed_now(table: MonitoredTable, stores: Stores) -> dict[str, str]:
    """Return the buckets whose files are not those measured last, with a digest of what lies there now.

    Raises
    ------
    SettingsError, StoreError
        The table cannot be found or listed.
    """
    settings = stores.settings.monitor
    glue = GlueCatalog(settings.region).table(table.database, table.name) if table.database else None
    table = located(table, glue)
    files = open_table_files(table.location, stores.settings.s3)
    changed = changed_buckets(table, files, stores.state, clear_samples=settings.clear_key_samples)
    return {str(bucket): digest[:DIGEST_LENGTH] for bucket, digest in changed.items()}
