"""What lies around a table: its snapshot file, and the raw input of that snapshot.

Here: looking at both; where that fails they are unknown, and the table is judged all the same.
Not here: reading them (``snapshot``, ``raw_input``).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from metaplat.model.errors import MetaplatError
from metaplat.model.table_evidence import RawInputFacts
from metaplat.monitor.raw_input import count_raw_input, raw_input_address
from metaplat.monitor.snapshot import read_snapshot

if TYPE_CHECKING:
    from metaplat.model.table import MonitoredTable
    from metaplat.model.table_evidence import SnapshotFacts
    from metaplat.settings import S3Settings


@dataclass(frozen=True)
class Surroundings:
    """The snapshot, its raw input, and in ``notes`` why one of them is unknown."""

    snapshot: SnapshotFacts | None = None
    raw_input: RawInputFacts | None = None
    notes: tuple[str, ...] = ()


def look_around(table: MonitoredTable, data_bucket: str | None, settings: S3Settings) -> Surroundings:
    """Look at what lies around ``table``; without data bucket or date there is no raw input to look for."""
    try:
        snapshot = read_snapshot(table.location, settings)
    except MetaplatError as error:
        return Surroundings(notes=(str(error),))
    if not data_bucket or snapshot is None or snapshot.day is None:
        return Surroundings(snapshot)
    address = raw_input_address(table, data_bucket, snapshot.day)
    try:
        return Surroundings(snapshot, count_raw_input(address, settings))
    except MetaplatError as error:
        return Surroundings(snapshot, RawInputFacts(address), (str(error),))
