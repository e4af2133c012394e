"""The pages of Spark applications in the report store: one an attempt, and the page of all.

Here: which pages are written; one that says nothing new is left as it is.
Not here: what a page shows (``application_page``, ``overview_page``), its name (``page_names``).
"""

from __future__ import annotations

from datetime import UTC, timedelta
from typing import TYPE_CHECKING, Any

from metaplat.reports.spark.application_page import application_page
from metaplat.reports.spark.attempts import find_attempts
from metaplat.reports.spark.overview_figures import COLUMNS, overview_figures
from metaplat.reports.spark.overview_page import DAYS, overview_page
from metaplat.reports.spark.page_names import FOLDER, OVERVIEW, page_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    import polars as pl

    from metaplat.reports.spark.attempts import SparkTables
    from metaplat.stores.home import Stores
    from metaplat.stores.objects import ObjectStore


def write_pages(stores: Stores, records: Iterable[Mapping[str, Any]]) -> list[str]:
    """Write the page of each record, with its stages and executors; return their keys, in order.

    Raises
    ------
    StoreError
        The report store fails.
    """
    keys = []
    for record in records:
        key = page_name(record)
        put_if_changed(stores.reports, key, application_page(record).encode())
        keys.append(key)
    return keys


def write_named_pages(tables: SparkTables, now: datetime) -> list[str]:
    """Write the pages of the applications that the overview names; return their keys."""
    named = overview_figures(recent_applications(tables, now)).named()
    return [
        key
        for each in named
        for key in write_pages(
            tables.stores, find_attempts(tables, f"{each.source}/{each.app_id}/{each.attempt_id or ''}")
        )
    ]


def write_overview(tables: SparkTables, now: datetime) -> str:
    """Write the page of all applications of the last days; return its key.

    It links to the application pages that are there: write those first.
    """
    pages = {item.key for item in tables.stores.reports.list_objects(f"{FOLDER}/")}
    page = overview_page(recent_applications(tables, now), now, pages)
    put_if_changed(tables.stores.reports, OVERVIEW, page.encode())
    return OVERVIEW


def recent_applications(tables: SparkTables, now: datetime) -> pl.DataFrame:
    """Read the rows of the last ``DAYS`` days.

    Returns
    -------
    polars.DataFrame, shape (attempts, len(COLUMNS))
        Of every source; none where the lake holds none.
    """
    domain = tables.applications
    days = (now.astimezone(UTC) - timedelta(days=each) for each in range(DAYS, -2, -1))  # clocks differ
    partitions = [domain.partitions.key_of(day) for day in days]
    return tables.stores.lake.read(domain, partitions, COLUMNS)


def put_if_changed(objects: ObjectStore, key: str, content: bytes) -> bool:
    """Write an object unless it has this content; return whether it was written."""
    stored = objects.info(key)
    if stored is not None and stored.size == len(content):
        try:
            if objects.get(key) == content:
                return False
        except KeyError:  # removed meanwhile
            pass
    objects.put(key, content)
    return True
