"""Which tables a person means: those of a Glue database, one folder, or the declared ones."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from metaplat.model.errors import UnknownNameError, UsageError
from metaplat.model.table import MonitoredTable, SourceTable
from metaplat.monitor.declared import declared_tables
from metaplat.monitor.discover import discover
from metaplat.stores.tables.glue import GlueCatalog

if TYPE_CHECKING:
    from collections.abc import Sequence

    from metaplat.settings import MonitorSettings, Settings


def chosen_tables(
    settings: Settings, monitor: MonitorSettings, names: Sequence[str] = ()
) -> list[MonitoredTable]:
    """Return the tables to examine, by name: those of the Glue database where one is set, and declared ones.

    Parameters
    ----------
    settings : Settings
        Say what is declared.
    monitor : MonitorSettings
        Section ``[monitor]`` with the options of the command over it.
    names : sequence of str
        Only these; all where it is empty.

    Raises
    ------
    UnknownNameError
        A name is not among them.
    UsageError
        There is none.
    StoreError
        Glue cannot be asked.
    """
    declared = {table.name: table for table in declared_tables(settings)}
    if monitor.database is not None:
        found = {table.name: table for table in discover(GlueCatalog(monitor.region), monitor)}
        by_hand = {table.name for table in settings.monitor.tables}
        found |= {name: table for name, table in declared.items() if name in by_hand}
    else:
        found = declared
    for name in names:
        if name not in found:
            raise UnknownNameError("table", name, found)
    if not found:
        raise UsageError(nothing_found(monitor))
    return [found[name] for name in sorted(set(names) or found)]


def nothing_found(monitor: MonitorSettings) -> str:
    """Say that there is no table, and what to do: a slip of the pen must not look like a healthy lake."""
    if monitor.database is None:
        return (
            "no table to monitor: give --database or --location, declare [[monitor.tables]], or run "
            "`metaplat monitor discover`"
        )
    named = f"no table of {monitor.database} starts with {monitor.table_prefix!r}"
    return f"{named} (those ending in _er are left out)"


def table_at(location: str, source_location: str | None, monitor: MonitorSettings) -> MonitoredTable:
    """Return the table at a folder or ``s3://bucket/prefix`` that no catalog knows.

    Raises
    ------
    UsageError
        The location has no last part to name the table by.
    """
    source = None
    if source_location is not None:
        source = SourceTable(_name(source_location), location=_without_slash(source_location))
    return MonitoredTable(
        _name(location),
        _without_slash(location),
        monitor.pk_column,
        bucket_count=monitor.bucket_count,
        bucket_function=monitor.bucket_fn,
        engine=monitor.engine,
        source=source,
    )


def _name(location: str) -> str:
    """Return the last part of an address, or of the folder that a path means: of ``.`` its own name."""
    place = location if "://" in location else os.path.abspath(location)  # noqa: PTH100  # resolves no links
    name = place.rstrip("/").rpartition("/")[2]
    if not (name and location.strip()):
        raise UsageError(f"{location!r} is no folder of a table, and no address s3://bucket/prefix")
    return name


def _without_slash(location: str) -> str:
    return location.rstrip("/") or location
