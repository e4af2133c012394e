"""Measuring some buckets anew: footers, the bucket function, keys, and falling back to the whole table.

Here: which engine counts what. Not here: what is taken over from earlier runs (``profile``), counting itself
(``profilers``).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from metaplat.model.errors import SettingsError
from metaplat.model.table import BucketFunction, Engine
from metaplat.monitor.bucket_functions import infer_function
from metaplat.monitor.inventory import take_inventory
from metaplat.monitor.profilers.key_reader import KeyReader, UnreadableKeysError
from metaplat.monitor.profilers.profiler import CountRequest, KeyCounts
from metaplat.monitor.table_footers import TableFooters, read_table_footers

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    import polars as pl

    from metaplat.model.landed import ObjectInfo
    from metaplat.model.table import MonitoredTable
    from metaplat.model.table_metrics import Inventory
    from metaplat.monitor.profile_state import ProfileState
    from metaplat.monitor.profilers.profiler import Profiler
    from metaplat.stores.tables.files import TableFiles

SAMPLE_BUCKETS, SAMPLE_KEYS = 3, 333
"""A sample has at least so many buckets where there are, and at most so many keys of each."""
ENOUGH_KEYS = 100
MOST_BUCKETS = 64


@dataclass(frozen=True)
class Measured:
    """What was measured now.

    Parameters
    ----------
    inventory : Inventory
        Of the listing that was measured; a bucket whose files changed meanwhile was listed again.
    buckets : set of int
        What was measured.
    footers : TableFooters
        Of their files.
    counts : KeyCounts
        Of their keys.
    engine : Engine
        What counted the keys.
    function : BucketFunction or None
        What was verified.
    is_placed : bool
        Whether no key is known to lie in a wrong bucket.
    notes : sequence of str
        Why it fell back.
    """

    inventory: Inventory
    buckets: set[int]
    footers: TableFooters
    counts: KeyCounts
    engine: Engine
    function: BucketFunction | None
    is_placed: bool
    notes: Sequence[str] = ()


@dataclass(frozen=True)
class Measurement:
    """One measurement of a table.

    Parameters
    ----------
    table : MonitoredTable
        The table.
    files : TableFiles
        Where it lies.
    profilers : mapping of Engine to Profiler
        What can count.
    previous : ProfileState
        What was measured last; of an empty frame where nothing was.
    """

    table: MonitoredTable
    files: TableFiles
    profilers: Mapping[Engine, Profiler]
    previous: ProfileState

    def run(self, objects: Sequence[ObjectInfo], inventory: Inventory, wanted: set[int]) -> Measured:
        """Measure buckets, and whatever else must be measured for them.

        Files that vanish meanwhile are looked for once more: their bucket is listed again, and what is there
        then is measured.

        Parameters
        ----------
        objects : sequence of ObjectInfo
            The listing.
        inventory : Inventory
            Of the listing.
        wanted : set of int
            Buckets that changed.
        """
        measured = self._attempt(inventory, wanted)
        now = self._listed_again(objects, measured)
        return measured if now is None else self._attempt(take_inventory(self.table, now), wanted)

    def _attempt(self, inventory: Inventory, wanted: set[int]) -> Measured:
        engine, previous = self.table.engine, self.previous
        if engine is Engine.FOOTER:
            footers = read_table_footers(self.table, self.files, inventory, wanted)
            return self._count(engine, inventory, footers, None)
        if engine is Engine.BUCKET and previous.is_placed and previous.function:
            footers = read_table_footers(self.table, self.files, inventory, wanted)
            measured = self._count(engine, inventory, footers, previous.function)
            if measured.is_placed:
                return measured
        trusted = self.table.bucket_function is BucketFunction.NONE
        by_bucket = engine is Engine.BUCKET and (previous.frame.is_empty() or trusted)
        return self._anew(inventory, wanted if by_bucket else set(inventory.buckets))

    def _anew(self, inventory: Inventory, scope: set[int]) -> Measured:
        """Measure with nothing known of the bucket function."""
        footers = read_table_footers(self.table, self.files, inventory, scope)
        function, sampled = self._function(footers)
        engine, notes = self.table.engine, []
        if engine is Engine.BUCKET:
            trusted = self.table.bucket_function is BucketFunction.NONE or not footers.countable
            if function is None and not trusted:
                notes.append(
                    f"No bucket function is proved by a sample of {sampled} keys, "
                    "so keys were compared across the whole table."
                )
            elif trusted or not self._was_misplaced(function):
                measured = self._count(engine, inventory, footers, function)
                if measured.is_placed:
                    return measured
            rest = set(inventory.buckets) - scope
            footers.add(read_table_footers(self.table, self.files, inventory, rest))
            engine = Engine.GLOBAL
        measured = self._count(engine, inventory, footers, function)
        if engine is not self.table.engine and (misplaced := _misplaced(measured.counts)):
            notes.append(
                f"{misplaced} rows lie in another bucket than {function} says for their key, "
                "so keys were compared across the whole table."
            )
        return replace(measured, notes=notes)

    def _was_misplaced(self, function: BucketFunction | None) -> bool:
        """Whether this very function failed last time: then keys are compared across buckets at once."""
        return not self.previous.is_placed and self.previous.function is function

    def _count(
        self,
        engine: Engine,
        inventory: Inventory,
        footers: TableFooters,
        function: BucketFunction | None,
    ) -> Measured:
        if engine not in self.profilers:
            raise SettingsError(
                "monitor.engine",
                f"engine {engine} cannot be used here",
                f"Take one of {', '.join(sorted(self.profilers))}.",
            )
        request = CountRequest(self.table, self.files, footers.countable, function)
        counts = self.profilers[engine].count_keys(request)
        by_key = {info.key: (info, bucket) for bucket, pairs in footers.keyed.items() for info, _ in pairs}
        for key, problem in counts.problems.items():
            info, bucket = by_key[key]
            footers.spoil(info, bucket, problem)
        verified = function is not None and counts.frame["misplaced_keys"].null_count() == 0
        trusted = self.table.bucket_function is BucketFunction.NONE or not request.buckets
        is_placed = trusted or (verified and _misplaced(counts) == 0)
        buckets = set(footers.keyed)
        return Measured(
            inventory, buckets, footers, counts, engine, function if verified else None, is_placed
        )

    def _function(self, footers: TableFooters) -> tuple[BucketFunction | None, int]:
        """Return the bucket function to verify, and how many keys were sampled to find it."""
        if self.table.bucket_function is BucketFunction.NONE:
            return None, 0
        if self.table.bucket_function is not BucketFunction.INFER:
            return self.table.bucket_function, 0
        sample = self._sample(footers)
        return infer_function(sample, self.table.bucket_count), sum(map(len, sample.values()))

    def _sample(self, footers: TableFooters) -> dict[int, pl.Series]:
        """Return some keys of three buckets far apart, and of more where those hold few."""
        reader = KeyReader(CountRequest(self.table, self.files, footers.countable, None))
        sample: dict[int, pl.Series] = {}
        for bucket in _spread(footers.countable):
            if len(sample) >= SAMPLE_BUCKETS and sum(map(len, sample.values())) >= ENOUGH_KEYS:
                break
            try:
                keys = next((block.drop_nulls() for block in reader.blocks(bucket, SAMPLE_KEYS)), None)
            except UnreadableKeysError:  # the count will say so
                continue
            if keys is not None and len(keys):
                sample[bucket] = keys
        return sample

    def _listed_again(self, objects: Sequence[ObjectInfo], measured: Measured) -> list[ObjectInfo] | None:
        """Return the listing of now where buckets with unreadable files changed meanwhile; else None."""
        changed = {}
        for bucket in sorted(measured.footers.unknown):
            folder = self.table.folder(bucket)
            now = self.files.list_folder(folder)
            if take_inventory(self.table, now).buckets[bucket] != measured.inventory.buckets[bucket]:
                changed[folder] = now
        if not changed:
            return None
        kept = [item for item in objects if item.key.partition("/")[0] not in changed]
        return [*kept, *(item for now in changed.values() for item in now)]


def _misplaced(counts: KeyCounts) -> int:
    return int(counts.frame["misplaced_keys"].sum())


def _spread(buckets: Collection[int]) -> list[int]:
    """Return buckets so that the first few are far apart."""
    ordered = sorted(buckets)
    first = dict.fromkeys(ordered[index] for index in (0, len(ordered) // 2, -1)) if ordered else {}
    return [*first, *(bucket for bucket in ordered if bucket not in first)][:MOST_BUCKETS]
