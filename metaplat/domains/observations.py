"""Observations: one row per file of an archive, as its header describes it.

Here: the declaration.
Not here: the columns (``model.observation``), reading headers (``collectors.headers``), search (``catalog``),
the rules (``rules.catalog``).
"""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING

from metaplat.model.domain import MetadataDomain, Origin
from metaplat.model.observation import OBSERVATION_FIELDS
from metaplat.model.partitioning import DailyOrUnknown
from metaplat.model.retention import Retention
from metaplat.rules.catalog.all_rules import observation_rules

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

FRESH_WITHIN = timedelta(days=1)
BEFORE_THE_FIRST = "1957-10-03"
"""The day before the first satellite: key of the partition of files without a usable time."""


def mission_windows() -> Mapping[str, tuple[datetime | None, datetime | None]]:
    """Return begin and end of every mission, as the mappings of the settings say; asked by rules.

    Raises
    ------
    SettingsError
        The settings, or the mappings they name, cannot be read.
    """
    from metaplat.settings import load_settings

    path = load_settings().catalog.mappings
    return _windows(path, path.stat().st_mtime_ns if path and path.is_file() else None)


@lru_cache(maxsize=4)  # many partitions are checked in a row
def _windows(path: Path | None, changed: int | None) -> Mapping[str, tuple[datetime | None, datetime | None]]:
    from metaplat.collectors.headers.mappings import load_mappings

    del changed  # a file that was edited is read again
    return load_mappings(path).mission_windows


DOMAIN = MetadataDomain(
    name="observations",
    doc="One row per file of an observation archive, as its header describes it.",
    fields=OBSERVATION_FIELDS,
    partitions=DailyOrUnknown(BEFORE_THE_FIRST, by="observation_timestamp"),
    landing="observations/",
    rules=observation_rules(mission_windows, FRESH_WITHIN),
    retention=Retention(archive=timedelta(days=36500)),
    cadence="17 * * * *",
    fresh_within=FRESH_WITHIN,
    origin=Origin.CATALOG,
)
