"""Partitions of the catalog's domains, from the index to the lake: what landing objects are to other domains.

Here: writing partitions, and which of them changed since.
Not here: cataloging files (``catalog.ingesting``), frames of index rows (``cataloged_frames``), Dagster.

Observations lie in files of a month, which are written whole, so that export and SQL read few; their receipts
stay one a day. The index is the source: written again from the same rows, a file has the same bytes.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING, cast

from metaplat.ingest.cataloged_frames import day_counts, edges_frame, events_frame, observations_frame
from metaplat.ingest.receipts import Receipts
from metaplat.model.errors import MetaplatError
from metaplat.model.filters import And, Compare, Filter, IsNull, Or
from metaplat.model.landed import IngestReceipt
from metaplat.model.partitioning import DailyOrUnknown

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping
    from datetime import date

    import polars as pl

    from metaplat.ingest.cataloged_frames import DayCount
    from metaplat.model.domain import MetadataDomain
    from metaplat.stores.catalog.index import CatalogIndex, Table
    from metaplat.stores.home import Stores

Results = dict[str, IngestReceipt | MetaplatError]
TIME = "observation_timestamp"


class CatalogedPartitions:
    """The partitions of one of the catalog's domains.

    Parameters
    ----------
    domain : MetadataDomain
        One whose rows come from the index.
    stores : Stores
        Where the lake and the receipts are.
    index : CatalogIndex
        Where the rows come from.
    now : datetime
        Aware UTC; decides which partitions exist.
    """

    def __init__(self, domain: MetadataDomain, stores: Stores, index: CatalogIndex, now: datetime) -> None:
        self._domain, self._stores, self._index, self._now = domain, stores, index, now
        self._receipts = Receipts(stores.state, domain)
        self._table = cast("Table", domain.name)

    def changes(self, after_seq: int = 0) -> dict[str, int]:
        """Return the partitions with changes after ``after_seq``, each with its largest number of a change.

        Raises
        ------
        StoreError
            The index cannot be read.
        """
        found: dict[str, int] = {}
        for day, seq in self._index.changed_days(self._table, after_seq).items():
            key = self._key_of(day)
            found[key] = max(seq, found.get(key, 0))
        return found

    def stale(self) -> set[str]:
        """Return the partitions that changed in the index since they were written, or never were.

        So are those whose file in the lake is gone, or is not the one their receipt speaks of: a writer that
        was overtaken by another may have put older rows there, and one that was killed said nothing.
        """
        changes, receipts = self.changes(), self._receipts.load_all()
        lake = self._stores.lake
        listed = lake.objects.list_objects(f"lake/{self._domain.name}/")
        stored = {item.key: item.identity for item in listed}
        return {
            key
            for key, seq in changes.items()
            if key not in receipts
            or receipts[key].digest != str(seq)
            or receipts[key].stored != stored.get(lake.key(self._domain, key))
            or self._is_moved(receipts[key])
        }

    def write(self, partitions: Iterable[str]) -> Results:
        """Write partitions; one that fails does not lose the others.

        Returns
        -------
        dict
            Receipt or error by partition key, those asked for first. Days written before that lie in the
            same files follow, since their rows are as new as the others now.
        """
        asked, changes = list(partitions), self.changes()
        known = self._receipts.load_all()
        days = self._domain.partitions
        if not isinstance(days, DailyOrUnknown):
            return {key: self._attempt([key], changes)[key] for key in asked}
        if days.unknown in known and self._is_moved(known[days.unknown]):
            asked.append(days.unknown)  # what lay ahead when it was written has a day of its own by now
        files: dict[str, set[str]] = defaultdict(set)
        for key in asked:
            files[days.segment(key)].add(key)
        for key in known:
            if days.segment(key) in files:
                files[days.segment(key)].add(key)
        written: Results = {}
        for keys in files.values():
            written |= self._attempt(sorted(keys), changes)
        return {key: written[key] for key in dict.fromkeys((*asked, *written))}

    def _attempt(self, keys: Collection[str], changes: Mapping[str, int]) -> Results:
        try:
            return dict(self._write_file(list(keys), changes))
        except MetaplatError as error:
            return dict.fromkeys(keys, error)

    def _write_file(self, keys: list[str], changes: Mapping[str, int]) -> dict[str, IngestReceipt]:
        frame = self._frame(keys[0])
        written = self._stores.lake.write(self._domain, keys[0], frame)
        counts = day_counts(frame, self._domain, keys)
        receipts = {key: self._receipt(key, counts[key], changes, written.identity) for key in keys}
        for receipt in receipts.values():
            self._receipts.save(receipt)
        return receipts

    def _receipt(self, key: str, count: DayCount, changes: Mapping[str, int], stored: str) -> IngestReceipt:
        return IngestReceipt(
            partition=key,
            digest=str(changes.get(key, 0)),
            rows=count.rows,
            records=count.rows,
            oldest=count.oldest,
            newest=count.newest,
            stored=stored,
        )

    def _frame(self, key: str) -> pl.DataFrame:
        """Return all rows of the file that holds a partition."""
        if isinstance(self._domain.partitions, DailyOrUnknown):
            return observations_frame(self._domain, self._index, self._file_filter(key))
        window = self._domain.partitions.window(key)
        assert window is not None  # noqa: S101  # the others are by day
        rows = self._index.scan_table(self._table, *window)
        if self._table == "dataset_relationships":
            return edges_frame(self._domain, self._index, rows)
        return events_frame(self._domain, rows)

    def _file_filter(self, key: str) -> Filter:
        """Return what is in the file of a partition of observations: a month's usable days, or all others."""
        days = cast("DailyOrUnknown", self._domain.partitions)
        first, end = days.first_time, days.end_time(self._now)
        if key == days.unknown:
            return Or((IsNull(TIME), Compare(TIME, "<", first), Compare(TIME, ">=", end)))
        window = days.window(key)
        assert window is not None  # noqa: S101  # only the unknown has none
        month = window[0].replace(day=1)
        following = (month + timedelta(days=32)).replace(day=1)
        return And((Compare(TIME, ">=", max(month, first)), Compare(TIME, "<", min(following, end))))

    def _key_of(self, day: date | None) -> str:
        days = self._domain.partitions
        moment = None if day is None else datetime.combine(day, time(), UTC)
        if isinstance(days, DailyOrUnknown):
            return days.key_at(moment, self._now)
        return days.key_of(moment)

    def _is_moved(self, receipt: IngestReceipt) -> bool:
        """Whether the unknown holds rows that lay ahead when it was written, and have a day by now."""
        days = self._domain.partitions
        if not isinstance(days, DailyOrUnknown) or receipt.partition != days.unknown:
            return False
        return receipt.oldest is not None and receipt.oldest < days.end_time(self._now)
