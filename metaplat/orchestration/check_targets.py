"""Which materialization a check result of a partition speaks of.

Here: the only import of a private Dagster class; ``metaplat_tests/orchestration`` guards it against a change.
Without a target the UI shows no per-partition status for a range run (docs/decisions/0002).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import dagster as dg
from dagster._core.definitions.asset_checks.asset_check_evaluation import (
    AssetCheckEvaluationTargetMaterializationData as Target,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

BLOCK = 500


def latest_targets(
    instance: dg.DagsterInstance, key: dg.AssetKey, partitions: Iterable[str]
) -> dict[str, Target]:
    """Return the latest materialization of each partition that has one, by partition key.

    In two steps, because asking for the newest N materializations of many partitions misses some of them as
    soon as one has been materialized often.
    """
    storage = instance.event_log_storage
    event = dg.DagsterEventType.ASSET_MATERIALIZATION
    ids = sorted(storage.get_latest_storage_id_by_partition(key, event, set(partitions)).values())
    found: dict[str, Target] = {}
    for low in range(0, len(ids), BLOCK):
        wanted = dg.AssetRecordsFilter(asset_key=key, storage_ids=ids[low : low + BLOCK])
        for record in instance.fetch_materializations(wanted, limit=BLOCK).records:
            if record.partition_key is not None:
                run_id = record.event_log_entry.run_id
                found[record.partition_key] = Target(
                    storage_id=record.storage_id, run_id=run_id, timestamp=record.timestamp
                )
    return found
