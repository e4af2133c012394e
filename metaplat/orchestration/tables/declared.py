"""Which monitored tables the code location serves: known from files alone, when it is loaded.

Here: the one place where settings are read at load, since assets cannot be declared later. No store and no
service is asked, and where nothing can be declared not even the library of the settings is imported.
"""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import TYPE_CHECKING

from metaplat.model.errors import SettingsError

if TYPE_CHECKING:
    from metaplat.model.table import MonitoredTable

CONFIG_FILE = Path("metaplat.toml")
TABLES_FILE = Path("monitored_tables.json")
HOME = Path(".metaplat")


def tables_at_load() -> list[MonitoredTable]:
    """Return the tables that the settings declare and that ``metaplat monitor discover`` saved.

    Settings that cannot be read cost the tables, not the whole location: the log says why, and so does every
    run and every tick, which read them too.
    """
    if not _may_declare():
        return []
    from metaplat.monitor.declared import declared_tables
    from metaplat.settings import load_settings

    try:
        return declared_tables(load_settings())
    except SettingsError as error:
        logging.getLogger("metaplat").warning("no monitored table is served: %s", error)
        return []


def _may_declare() -> bool:
    """Whether there is a file or a variable that could declare a table."""
    variables = [name.upper() for name in os.environ]
    home = Path(os.environ.get("METAPLAT_HOME") or HOME)
    return (
        "METAPLAT_CONFIG" in variables
        or any(name.startswith("METAPLAT_MONITOR__") for name in variables)
        or CONFIG_FILE.exists()
        or (home / TABLES_FILE).exists()
    )
