"""What orchestration asks of the place that the rows of a domain come from, whichever it is.

Here: what is stale, what is newest, whether the place can be reached.
Not here: the places (``landing_watch``, ``cataloged``, ``vip.histories``), writing partitions (``assets``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from metaplat.ingest.partition import landing_prefix
from metaplat.ingest.receipts import Receipts
from metaplat.model.domain import Origin
from metaplat.orchestration.cataloged import check_index, newest_cataloged, stale_partitions
from metaplat.orchestration.landing_watch import watch_landing
from metaplat.orchestration.vip.deliveries import configured_deliveries
from metaplat.orchestration.vip.histories import days_of, due_span

if TYPE_CHECKING:
    from datetime import datetime

    from metaplat.model.domain import MetadataDomain
    from metaplat.stores.home import Stores


def stale(domain: MetadataDomain, stores: Stores, now: datetime) -> set[str]:
    """Return the partitions that are not as their origin is now; raises StoreError."""
    if domain.origin is Origin.CATALOG:
        return stale_partitions(domain, stores, now)
    if domain.origin is Origin.DELIVERIES:
        span = due_span(stores, now)
        return set(days_of(span)) if span else set()
    return set(watch_landing(domain, stores, None, now, stores.settings.sensor).touched)


def newest(domain: MetadataDomain, stores: Stores, now: datetime) -> str | None:
    """Return the newest partition of a domain; None where it never had one. Raises StoreError."""
    if domain.origin is Origin.CATALOG:
        return newest_cataloged(domain, stores, now)
    if domain.origin is Origin.DELIVERIES:
        return next(reversed(Receipts(stores.state, domain).load_all()), None)
    return _newest_landed(domain, stores, now)


def check_origin(domain: MetadataDomain, stores: Stores, partition: str) -> None:
    """Raise StoreError or SettingsError where the origin cannot be read: told before a run starts."""
    if domain.origin is Origin.CATALOG:
        check_index(stores)
    elif domain.origin is Origin.DELIVERIES:
        configured_deliveries(stores.settings).day_folders(stores.settings.vip.hour_prefix)
    else:
        stores.landing.list_objects(landing_prefix(domain, partition))


def _newest_landed(domain: MetadataDomain, stores: Stores, now: datetime) -> str | None:
    """Return the newest partition for which objects have landed, else the last one ingested."""
    keys = domain.partitions.keys(now)
    depth = domain.partitions.folder(keys[0]).count("/") + 1
    folders = set(stores.landing.list_folders(domain.landing, depth))
    for key in reversed(keys):
        there = domain.partitions.folder(key) in folders
        if there and stores.landing.list_objects(landing_prefix(domain, key)):
            return key
    return next(reversed(Receipts(stores.state, domain).load_all()), None)
