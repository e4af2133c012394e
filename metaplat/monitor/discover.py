"""Which tables there are to monitor, as Glue answers, and the file that keeps this answer.

Here: choosing tables of a database, naming their sources, saving and loading.
Not here: tables declared by hand (``declared``), examining them (``facts``).
Loading the file needs no network and no heavy library: the code location does it on every start.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from metaplat.model.errors import SettingsError
from metaplat.model.table import CompareSource, MonitoredTable, SourceTable
from metaplat.stores.local_errors import writing_error
from metaplat.stores.local_writing import replace

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from metaplat.model.glue_table import GlueTable
    from metaplat.settings import MonitorSettings
    from metaplat.stores.tables.glue import GlueCatalog

LEFT_OUT = "_er"
"""Tables whose names end so are not monitored."""
MONITORED_PREFIX = "part_"
"""How bucketed tables are named by convention, whatever prefix was asked for."""
FORM = 1
"""Version of the saved file."""
MOST_DIGITS = 18
"""What Athena takes as ``projection.<column>.digits``."""
DISCOVER_AGAIN = "Run metaplat monitor discover again, or remove the file."


@dataclass(frozen=True)
class SavedTables:
    """Content of the saved file."""

    form: int
    tables: list[MonitoredTable]


def discover(glue: GlueCatalog, settings: MonitorSettings) -> list[MonitoredTable]:
    """Return the tables of ``settings.database`` to monitor, by name, at most ``max_tables``.

    A table without a location, or with one that is not on S3, is among them: its problem shows when it is
    examined.

    Raises
    ------
    SettingsError
        No database is set, or a table would be compared with itself.
    StoreError
        Glue does not answer, or has no such database.
    """
    if not settings.database:
        advice = "Give --database, or set database in section [monitor]."
        raise SettingsError("monitor.database", "discovery needs a Glue database", advice)
    refuse_self_comparison(settings, settings.database)
    found = glue.tables(settings.database, settings.table_prefix)
    chosen = [table for table in found if not table.name.endswith(LEFT_OUT)]
    return [_monitored(table, settings) for table in chosen[: settings.max_tables or None]]


def conventional_source(name: str, database: str, settings: MonitorSettings) -> SourceTable | None:
    """Return the table that ``name`` is compared with by convention.

    ``part_x`` has the source ``ext_x``, or ``part_x`` of the other database. None where counts are not
    checked, and for a table that would be its own source: ``ext_x``, where all tables are monitored.
    """
    if not settings.count_check_enabled:
        return None
    kind = settings.compare_source_type
    source = name if kind is CompareSource.PART else f"ext_{_dataset(name, settings.table_prefix)}"
    other = settings.compare_database or database
    if (source, other.lower()) == (name, database.lower()):
        return None
    return SourceTable(source, other, kind=kind)


def refuse_self_comparison(settings: MonitorSettings, database: str) -> None:
    """Raise SettingsError where the tables of ``database`` would be compared with themselves."""
    other = settings.compare_database or database
    is_part = settings.compare_source_type is CompareSource.PART
    if settings.count_check_enabled and is_part and other.lower() == database.lower():
        problem = f"type part with database {other} compares the table with itself"
        advice = "Set compare_database to another database, or compare_source_type to ext."
        raise SettingsError("monitor.compare_source_type", problem, advice)


def save_tables(path: Path, tables: list[MonitoredTable]) -> None:
    """Replace the saved file, in one atomic step; folders above it are created.

    Raises
    ------
    StoreError
        The file cannot be written.
    """
    from pydantic import TypeAdapter

    content = TypeAdapter(SavedTables).dump_json(SavedTables(FORM, tables), indent=2)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        replace(str(path.absolute()), content + b"\n")
    except OSError as error:
        raise writing_error(path.parent, f"write {path.name!r}", error) from error


def replace_saved(path: Path, database: str, tables: Sequence[MonitoredTable]) -> list[str]:
    """Put the tables of a database in place of those that were saved of it; return names no longer saved.

    Tables of other databases stay, but for those of a name that is used now: Dagster knows them by name.

    Raises
    ------
    SettingsError, StoreError
        The saved file is unreadable, or cannot be written.
    """
    before, now = load_tables(path), {table.name: table for table in tables}
    kept = {table.name: table for table in before if table.database != database}
    whole = kept | now
    save_tables(path, [whole[name] for name in sorted(whole)])
    return [table.name for table in before if table.name not in whole]


def load_tables(path: Path) -> list[MonitoredTable]:
    """Return the saved tables; none where the file does not exist.

    Raises
    ------
    SettingsError
        The file cannot be read, or is not what ``save_tables`` writes.
    """
    from pydantic import TypeAdapter, ValidationError

    try:
        saved = TypeAdapter(SavedTables).validate_json(path.read_bytes())
    except FileNotFoundError:
        return []
    except OSError as error:
        raise SettingsError(str(path), f"cannot be read ({error.strerror})", DISCOVER_AGAIN) from error
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False, include_context=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        problem = f"is not a list of monitored tables ({': '.join(filter(None, (where, first['msg'])))})"
        raise SettingsError(str(path), problem, DISCOVER_AGAIN) from error
    usable = all(_usable(table) for table in saved.tables)
    if saved.form != FORM or not usable:
        raise SettingsError(str(path), "is not a list of monitored tables of this version", DISCOVER_AGAIN)
    return saved.tables


def _monitored(table: GlueTable, settings: MonitorSettings) -> MonitoredTable:
    return MonitoredTable(
        table.name,
        location=(table.location or "").rstrip("/"),
        key_column=settings.pk_column,
        bucket_count=settings.bucket_count,
        bucket_digits=projected_digits(table),
        bucket_function=settings.bucket_fn,
        engine=settings.engine,
        database=table.database,
        source=conventional_source(table.name, table.database, settings),
    )


def projected_digits(table: GlueTable) -> int:
    """Return the width of bucket numbers in folder names: only projection tells it; 0 means not padded."""
    digits = table.parameters.get("projection.id_bucket.digits", "").strip()
    if not table.projected or not (digits.isascii() and digits.isdigit()):
        return 0
    return min(int(digits[:3]), MOST_DIGITS)


def _dataset(name: str, prefix: str) -> str:
    """Return the name without its kind: ``x`` of ``part_x``."""
    if name.startswith(MONITORED_PREFIX):
        return name.removeprefix(MONITORED_PREFIX)
    if prefix.endswith("_") and name.startswith(prefix):
        return name.removeprefix(prefix)
    return name.partition("_")[2] or name


def _usable(table: MonitoredTable) -> bool:
    return bool(table.name) and table.bucket_count >= 1 and 0 <= table.bucket_digits <= MOST_DIGITS
