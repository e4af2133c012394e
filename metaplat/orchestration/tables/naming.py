"""What a monitored table is called in Dagster."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING

import dagster as dg

from metaplat.model.partitioning import IdBuckets

if TYPE_CHECKING:
    from metaplat.model.table import MonitoredTable

FOLDER = "table_profile"


def python_name(table: MonitoredTable) -> str:
    """Return the table's name in the letters that Dagster allows; no two tables have the same.

    Another letter becomes its code; since a plain name may look like that, a digest of the name follows.
    """
    name = re.sub(r"[^A-Za-z0-9_]", lambda found: f"_{ord(found[0]):x}_", table.name)
    if name == table.name:
        return name
    return f"{name}_{hashlib.sha256(table.name.encode('utf-8', 'surrogatepass')).hexdigest()[:8]}"


def asset_key(table: MonitoredTable) -> dg.AssetKey:
    """Return ``table_profile/<table>``."""
    return dg.AssetKey([FOLDER, python_name(table)])


def profile_job_name(table: MonitoredTable) -> str:
    """Return the name of the job that profiles the table, then checks it."""
    return f"profile_{python_name(table)}"


def check_job_name(table: MonitoredTable) -> str:
    """Return the name of the job of checks only."""
    return f"check_{python_name(table)}"


def buckets_of(table: MonitoredTable) -> IdBuckets:
    """Return how the table is partitioned."""
    return IdBuckets(table.bucket_count)
