"""Our partitionings as Dagster's partitions definitions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import dagster as dg

from metaplat.model.partitioning import Daily, DailyOrUnknown, Hourly, IdBuckets, Partitioning

if TYPE_CHECKING:
    from collections.abc import Collection


def partitions_definition(partitioning: Partitioning) -> dg.PartitionsDefinition[str]:
    """Return the definition whose keys are those of ``partitioning``; the current window exists already."""
    if isinstance(partitioning, Daily | DailyOrUnknown):
        return dg.DailyPartitionsDefinition(start_date=partitioning.start, timezone="UTC", end_offset=1)
    if isinstance(partitioning, Hourly):
        return dg.HourlyPartitionsDefinition(start_date=partitioning.start, timezone="UTC", end_offset=1)
    if isinstance(partitioning, IdBuckets):
        return dg.StaticPartitionsDefinition([str(number) for number in range(partitioning.count)])
    raise TypeError(f"no Dagster partitions for {type(partitioning).__name__}")


def in_order(keys: Collection[str], partitioning: Partitioning) -> list[str]:
    """Sort the keys of a run: a range run gives them in no useful order."""
    wanted = set(keys)
    return [key for key in partitions_definition(partitioning).get_partition_keys() if key in wanted]
