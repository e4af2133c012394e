"""The tables that are monitored here: declared in the settings, or saved by discovery.

Here: joining the two; the code location calls this when it loads, so nothing is asked of the network.
Not here: asking Glue (``discover``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from metaplat.model.errors import SettingsError
from metaplat.model.table import MonitoredTable, SourceTable
from metaplat.monitor.discover import conventional_source, load_tables, refuse_self_comparison

if TYPE_CHECKING:
    from pathlib import Path

    from metaplat.settings import DeclaredTable, MonitorSettings, Settings

FILE = "monitored_tables.json"


def tables_path(settings: Settings) -> Path:
    """Return where discovery saves its answer."""
    return settings.monitor.tables_file or settings.home / FILE


def declared_tables(settings: Settings) -> list[MonitoredTable]:
    """Return all tables to monitor, by name; of two with one name the one of the settings counts.

    A declared table whose location only Glue knows has an empty location here; it is asked for when the
    table is examined.

    Raises
    ------
    SettingsError
        A declaration lacks both location and database or is there twice, or the saved file is unreadable.
    """
    tables = {table.name: table for table in load_tables(tables_path(settings))}
    declared = [_declared(entry, settings.monitor) for entry in settings.monitor.tables]
    for place, table in enumerate(declared):
        if any(other.name == table.name for other in declared[:place]):
            raise SettingsError(f"monitor.tables.{table.name}", "declared twice", "Remove one of the two.")
    tables |= {table.name: table for table in declared}
    return [tables[name] for name in sorted(tables)]


def _declared(entry: DeclaredTable, settings: MonitorSettings) -> MonitoredTable:
    if not entry.name:
        raise SettingsError("monitor.tables", "a table has an empty name", "Name it.")
    if not (entry.location or entry.database):
        problem = "it has neither a location nor a database"
        raise SettingsError(
            f"monitor.tables.{entry.name}", problem, "Give location, or database to ask Glue."
        )
    return MonitoredTable(
        entry.name,
        location=_without_slash(entry.location or ""),
        key_column=entry.pk_column or settings.pk_column,
        bucket_count=entry.bucket_count or settings.bucket_count,
        bucket_function=entry.bucket_fn or settings.bucket_fn,
        engine=entry.engine or settings.engine,
        database=entry.database,
        source=_source(entry, settings),
    )


def _source(entry: DeclaredTable, settings: MonitorSettings) -> SourceTable | None:
    """Return the source: a place named in the declaration, else the table that Glue has by convention."""
    if not settings.count_check_enabled:
        return None
    if entry.source_location:
        location = _without_slash(entry.source_location)
        return SourceTable(location.rpartition("/")[2], location=location, kind=settings.compare_source_type)
    if entry.database is None:
        return None
    refuse_self_comparison(settings, entry.database)
    return conventional_source(entry.name, entry.database, settings)


def _without_slash(location: str) -> str:
    return location.rstrip("/") or location
