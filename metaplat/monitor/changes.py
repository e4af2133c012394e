"""Which buckets of a table have changed since they were measured last.

Here: one listing against the kept profile; no file is read. Not here: measuring (``profile``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from metaplat.model.landed import inventory_digest
from metaplat.monitor.inventory import take_inventory
from metaplat.monitor.profile_state import ProfileStore

if TYPE_CHECKING:
    from metaplat.model.table import MonitoredTable
    from metaplat.stores.objects import ObjectStore
    from metaplat.stores.tables.files import TableFiles


def changed_buckets(
    table: MonitoredTable, files: TableFiles, state: ObjectStore, *, clear_samples: bool
) -> dict[int, str]:
    """Return the buckets whose files are not those measured last, with a digest of their files now.

    A table that was never measured, or under other settings, has changed in every bucket with files.

    Raises
    ------
    StoreError
        The table cannot be listed, or the state store fails.
    """
    inventory = take_inventory(table, files.list_objects())
    known = ProfileStore(state, table, clear_samples=clear_samples).load()
    measured: dict[int, str] = {}
    if known is not None:
        columns = known.frame.select("id_bucket", "object_fingerprint")
        measured = dict(zip(columns["id_bucket"], columns["object_fingerprint"], strict=True))
    digests = {bucket: inventory_digest(listed) for bucket, listed in inventory.buckets.items()}
    return {
        bucket: digest
        for bucket, digest in digests.items()
        if (inventory.buckets[bucket] or bucket in measured) and measured.get(bucket) != digest
    }
