"""What every profiler is asked, and what it answers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import polars as pl

    from metaplat.model.landed import ObjectInfo
    from metaplat.model.table import BucketFunction, MonitoredTable
    from metaplat.model.table_metrics import KeySample
    from metaplat.stores.tables.files import TableFiles
    from metaplat.stores.tables.parquet_footer import Footer


@dataclass(frozen=True)
class CountRequest:
    """Which keys to count.

    Parameters
    ----------
    table : MonitoredTable
        The table.
    files : TableFiles
        Where it lies.
    buckets : mapping of int to sequence of (ObjectInfo, Footer)
        The buckets to count, with their readable data files that have the key column.
    function : BucketFunction or None
        Verify it on every key; None where there is nothing to verify.
    """

    table: MonitoredTable
    files: TableFiles
    buckets: Mapping[int, Sequence[tuple[ObjectInfo, Footer]]]
    function: BucketFunction | None


@dataclass(frozen=True)
class KeyCounts:
    """What was counted.

    Parameters
    ----------
    frame : polars.DataFrame, shape (buckets, 6)
        ``id_bucket``, ``key_nulls``, ``distinct_keys``, ``duplicate_rows``, ``duplicate_keys``,
        ``misplaced_keys``, all Int64, defined as in ``model.table_metrics.METRICS``; by ``id_bucket``, a row
        for each bucket of the request but those with problems. What an engine cannot know is null.
    samples : sequence of KeySample
        At most 20 per bucket and kind, keys in clear text.
    problems : mapping of str to str
        Key of a file -> why its key column could not be read, in one sentence.
    whole_table : bool
        Whether keys were compared across buckets; else only inside each.
    """

    frame: pl.DataFrame
    samples: Sequence[KeySample] = ()
    problems: Mapping[str, str] = field(default_factory=dict)
    whole_table: bool = True


class Profiler(Protocol):
    """Counts keys; raises MetaplatError where its engine cannot be used."""

    def count_keys(self, request: CountRequest) -> KeyCounts:
        """Count the keys of the requested buckets."""
