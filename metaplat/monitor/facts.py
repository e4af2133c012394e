"""All facts about one monitored table, gathered in one run.

Here: the order of things. List the table, ask Glue, register what is missing and ask again, measure; then the
source, what lies around the table, and the history.
Not here: any of these steps (each has a module), judging (``rules.tables``).
"""

from __future__ import annotations

from dataclasses import fields, replace
from typing import TYPE_CHECKING

from metaplat.model.table_evidence import TableFacts, TableLimits
from metaplat.monitor.engines import service_profilers
from metaplat.monitor.history import History
from metaplat.monitor.listed_files import ListedFiles
from metaplat.monitor.profile import profile_table
from metaplat.monitor.registering import located, register_missing
from metaplat.monitor.registration import with_registration
from metaplat.monitor.source import source_facts
from metaplat.monitor.surroundings import look_around
from metaplat.stores.tables.files import open_table_files
from metaplat.stores.tables.glue import GlueCatalog

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from metaplat.model.table import MonitoredTable
    from metaplat.settings import MonitorSettings
    from metaplat.stores.home import Stores

TREND_RUNS = 30
"""Earlier runs that reports show; the rules may need more."""


def gather_facts(
    table: MonitoredTable,
    *,
    stores: Stores,
    settings: MonitorSettings,
    now: datetime,
    run_id: str,
    buckets: Collection[int] | None = None,
    keep: bool = True,
    catalog: GlueCatalog | None = None,
) -> TableFacts:
    """Gather the facts about one table, and keep its metrics frame as history.

    Parameters
    ----------
    table : MonitoredTable
        The table; where it has no location, Glue's is taken.
    stores : Stores
        State and history, and section ``[s3]``.
    settings : MonitorSettings
        Limits, repair and engines.
    now : datetime
        Aware UTC.
    run_id : str
        Of this run.
    buckets : collection of int or None
        Measure these anew, and take the others over as they were measured last; None means all.
    keep : bool
        Whether the frame is appended to the history.
    catalog : GlueCatalog or None
        None opens the one of ``settings.region``.

    Raises
    ------
    SettingsError
        The location is no address, or the engine cannot be used as set.
    StoreError
        The location does not exist or is a file, Glue or a store refuses or fails.
    """
    s3 = stores.settings.s3
    catalog = catalog or GlueCatalog(settings.region)
    glue = catalog.table(table.database, table.name) if table.database else None
    table = located(table, glue)
    files = ListedFiles(open_table_files(table.location, s3))
    files.list_objects()  # a wrong location is told before anything else is asked
    registration = register_missing(table, glue, files, catalog=catalog, settings=settings)
    profile = profile_table(
        table,
        files,
        stores.state,
        run_id=run_id,
        now=now,
        profilers=service_profilers(table.engine, settings),
        buckets=buckets,
        clear_samples=settings.clear_key_samples,
    )
    frame = with_registration(profile.frame, table, glue, registration.partitions)
    source = None
    if table.source is not None and settings.count_check_enabled:
        source = source_facts(table.source, catalog=catalog, settings=s3, state=stores.state)
    around = look_around(table, settings.data_bucket, s3)
    missing_table = (
        (f"Glue has no table {table.database}.{table.name}.",) if table.database and not glue else ()
    )
    unknown_source = (source.problem,) if source and source.found and source.problem else ()
    notes = (*profile.notes, *missing_table, *unknown_source, *around.notes)
    profile = replace(profile, frame=frame, notes=notes)
    history = History(stores.lake.objects)
    earlier = history.load(table.identity, max(settings.volume_runs, TREND_RUNS) + 1)
    if keep:
        history.append(profile)
    return TableFacts(
        table,
        profile,
        limits_of(settings),
        now,
        history=earlier.filter(earlier["run_id"] != run_id),  # a run that was begun again is not its own past
        glue=glue,
        partitions=registration.partitions,
        source=source,
        snapshot=around.snapshot,
        raw_input=around.raw_input,
        repair=registration.repair,
        missing_before_repair=registration.missing_before,
    )


def limits_of(settings: MonitorSettings) -> TableLimits:
    """Return the thresholds of section ``[monitor]``."""
    return TableLimits(**{field.name: getattr(settings, field.name) for field in fields(TableLimits)})
