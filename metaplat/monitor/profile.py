"""The profile of a table: one listing, what is known of unchanged buckets, and a measurement of the others.

Here: what is taken over and what is measured, and keeping it.
Not here: measuring (``measure``), the kept object (``profile_state``), Glue's side of the frame (``facts``).
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import TYPE_CHECKING

from metaplat.model.errors import InvalidInputError
from metaplat.model.polars_schema import polars_schema
from metaplat.model.table import Engine
from metaplat.model.table_metrics import METRICS, FileFacts, TableProfile
from metaplat.model.verdict import Outcome
from metaplat.monitor.inventory import take_inventory
from metaplat.monitor.measure import Measured, Measurement
from metaplat.monitor.metrics_rows import fingerprint, listed_row, measured_rows, rows_frame
from metaplat.monitor.profile_state import ProfileState, ProfileStore
from metaplat.monitor.profilers.bucket import BucketProfiler
from metaplat.monitor.profilers.footer import FooterProfiler
from metaplat.monitor.profilers.global_ import GlobalProfiler
from metaplat.rules.frame_schema import judge_schema

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from datetime import datetime

    import polars as pl

    from metaplat.model.table import MonitoredTable
    from metaplat.model.table_metrics import Inventory, KeySample
    from metaplat.monitor.profilers.profiler import Profiler
    from metaplat.stores.objects import ObjectStore
    from metaplat.stores.tables.files import TableFiles

DIGEST_DIGITS = 16
"""Length of a key's digest in samples: enough to find the key again, given it."""


def own_profilers() -> dict[Engine, Profiler]:
    """Return the profilers that need nothing but the files."""
    return {
        Engine.FOOTER: FooterProfiler(),
        Engine.BUCKET: BucketProfiler(),
        Engine.GLOBAL: GlobalProfiler(),
    }


def profile_table(
    table: MonitoredTable,
    files: TableFiles,
    state: ObjectStore,
    *,
    run_id: str,
    now: datetime,
    profilers: Mapping[Engine, Profiler] | None = None,
    buckets: Collection[int] | None = None,
    clear_samples: bool = False,
) -> TableProfile:
    """Measure what changed in a table since it was profiled last, and keep it for the next time.

    Parameters
    ----------
    table : MonitoredTable
        The table.
    files : TableFiles
        Where it lies.
    state : ObjectStore
        The state store.
    run_id : str
        This run.
    now : datetime
        Time of this run, aware UTC.
    profilers : mapping of Engine to Profiler, optional
        Beside those that need nothing but the files, or in place of them.
    buckets : collection of int, optional
        Measure only these anew; the others are taken over as last measured. An engine that compares keys
        across buckets counts all of them as soon as one of these changed.
    clear_samples : bool
        Show failing keys in clear text; else as the first 16 hex digits of the SHA-256 of their text.

    Returns
    -------
    TableProfile
        Columns ``in_glue`` and ``glue_location`` are null.

    Raises
    ------
    MetaplatError
        The table cannot be listed, a store fails, or the engine cannot be used.
    """
    store = ProfileStore(state, table, clear_samples=clear_samples)
    known = store.load() or ProfileState(rows_frame(()), table.engine)
    objects = files.list_objects()
    inventory = take_inventory(table, objects)
    changed = _changed(inventory, known)
    wanted = changed if buckets is None else changed & set(buckets)
    if not wanted:
        return _profile(table, known, inventory, run_id, now)
    available = {**own_profilers(), **(profilers or {})}
    measured = Measurement(table, files, available, known).run(objects, inventory, wanted)
    known = store.load() or known  # another run may have measured other buckets meanwhile
    known = _succeed(known, measured, run_id, clear_samples=clear_samples)
    profile = _profile(table, known, measured.inventory, run_id, now, len(measured.footers.facts))
    verdict = judge_schema(profile.frame, METRICS)
    if verdict.outcome is not Outcome.PASSED:
        raise InvalidInputError(f"table {table.name}: the metrics frame is not lawful: {verdict.sentence}")
    store.save(known.without(measured.footers.gone))
    return profile


def _changed(inventory: Inventory, known: ProfileState) -> set[int]:
    """Return the buckets whose files are not those that were measured."""
    measured = dict(known.frame.select("id_bucket", "object_fingerprint").iter_rows())
    return {
        bucket for bucket, files in inventory.buckets.items() if fingerprint(files) != measured.get(bucket)
    }


def _succeed(known: ProfileState, measured: Measured, run_id: str, *, clear_samples: bool) -> ProfileState:
    """Return what is known now: what was measured, and what was known of the other buckets."""
    import polars as pl

    kept = known.frame.filter(~pl.col("id_bucket").is_in(measured.buckets))
    listed = {item.identity for files in measured.inventory.buckets.values() for item in files}
    facts = {identity: item for identity, item in known.facts.items() if identity in listed}
    facts |= {item.identity: item for item in measured.footers.facts.values()}
    schemas = {**known.schemas, **measured.footers.schemas}
    samples = [sample for sample in known.samples if sample.bucket not in measured.buckets]
    return ProfileState(
        pl.concat([kept, rows_frame(measured_rows(measured, run_id))]).sort("id_bucket"),
        measured.engine,
        facts,
        {name: schemas[name] for name in sorted({item.schema for item in facts.values() if item.schema})},
        [*samples, *(_shown(sample, clear=clear_samples) for sample in measured.counts.samples)],
        measured.function,
        measured.is_placed,
        measured.notes,
    )


def _shown(sample: KeySample, *, clear: bool) -> KeySample:
    if clear:
        return sample
    return replace(sample, key=hashlib.sha256(sample.key.encode()).hexdigest()[:DIGEST_DIGITS])


def _profile(
    table: MonitoredTable,
    known: ProfileState,
    inventory: Inventory,
    run_id: str,
    now: datetime,
    files_read: int = 0,
) -> TableProfile:
    facts = [
        known.facts.get(item.identity) or FileFacts(item.shown_key, item.identity, bucket, item.size)
        for bucket, listed in inventory.buckets.items()
        for item in listed
    ]
    return TableProfile(
        table,
        _whole_frame(table, known, inventory, run_id, now),
        inventory,
        sorted(facts, key=lambda item: item.key),
        known.schemas,
        known.engine,
        known.function,
        known.samples,
        files_read,
        tuple(known.notes),
    )


def _whole_frame(
    table: MonitoredTable, known: ProfileState, inventory: Inventory, run_id: str, now: datetime
) -> pl.DataFrame:
    """Return the metrics frame: a row for each bucket, also for those that were never measured."""
    import polars as pl

    frame, measured = known.frame, set(known.frame["id_bucket"])
    if unmeasured := [bucket for bucket in inventory.buckets if bucket not in measured]:
        rows = [listed_row(bucket, inventory.buckets[bucket]) for bucket in unmeasured]
        frame = pl.concat([frame, rows_frame(rows)]).sort("id_bucket")
    newest = [
        max((item.modified for item in inventory.buckets[bucket]), default=None)
        if fingerprint(inventory.buckets[bucket]) == measured_as
        else modified  # of the files that were measured
        for bucket, measured_as, modified in frame.select(
            "id_bucket", "object_fingerprint", "newest_modified"
        ).iter_rows()
    ]
    time = polars_schema(METRICS)["profiled_at"]
    return frame.with_columns(
        pl.lit(table.identity).alias("table"),
        pl.Series("newest_modified", newest, dtype=time),
        pl.lit(run_id).alias("run_id"),
        pl.lit(now, dtype=time).alias("profiled_at"),
    )
