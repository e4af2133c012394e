"""One partition, from its landing objects to the lake, the quarantine and the hot store.

Here: the order of the steps, so that a run killed anywhere is repaired by running it again: strays are landed
first, then quarantine, lake and hot rows are written, and the receipt comes last.
Not here: the steps themselves (the other modules), Dagster (``orchestration``).
"""

from __future__ import annotations

import hashlib
from collections import Counter
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from metaplat import __version__
from metaplat.ingest.deduplicate import Deduplicated, deduplicate
from metaplat.ingest.frame import build_frame
from metaplat.ingest.hot_rows import put_hot_rows
from metaplat.ingest.provisional import provisional_runs, settled_elsewhere
from metaplat.ingest.quarantine import BadRecord, write_quarantine
from metaplat.ingest.reader import ReadResult, RecordReader
from metaplat.ingest.receipts import Receipts
from metaplat.ingest.strays import land_strays
from metaplat.model.errors import MetaplatError, StoreError
from metaplat.model.landed import IngestReceipt, ObjectInfo, inventory_digest

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence
    from datetime import datetime

    from metaplat.model.domain import MetadataDomain
    from metaplat.stores.home import Stores

MAX_ROUNDS = 3
"""How often a partition is read again because objects landed meanwhile; the sensor sees what is later."""


class PartitionIngest:
    """Ingests partitions of one domain.

    Parameters
    ----------
    domain : MetadataDomain
        What is ingested.
    stores : Stores
        Where from and where to.
    now : datetime
        Aware UTC; decides which partitions exist and which hot rows have expired.

    Attributes
    ----------
    touched : set of str
        Partitions for which strays were landed, so that they are to be ingested again.

    Raises
    ------
    SettingsError
        The privacy settings do not fit the domain.
    """

    def __init__(self, domain: MetadataDomain, stores: Stores, now: datetime) -> None:
        self._domain, self._stores, self._now = domain, stores, now
        self._receipts = Receipts(stores.state, domain)
        self._reader = RecordReader(domain, stores.settings, now)
        self.touched: set[str] = set()

    def run(self, partition: str, settled: Collection[str] = ()) -> IngestReceipt:
        """Ingest one partition; where all objects were read before, none is read again.

        Parameters
        ----------
        partition : str
            Its key.
        settled : collection of str
            Runs whose real row was found in another partition, besides those known from earlier.

        Raises
        ------
        StoreError
            A store failed; what was written so far is repaired by running again.
        """
        receipt = self._receipts.load(partition)
        left_out = tuple(sorted({*(receipt.settled if receipt else ()), *settled}))
        for _ in range(MAX_ROUNDS):
            objects = self._listed(partition)
            digest = self._digest(objects, left_out)
            if receipt and receipt.digest == digest and receipt.stored == self._stored(partition):
                return receipt
            if not objects and self._stored(partition):  # they have expired: the rows stay
                return receipt or self._receipt_of_lake(partition)
            receipt = self._ingest(partition, objects, digest, left_out)
        assert receipt is not None  # noqa: S101  # at least one round
        return receipt

    def _ingest(
        self, partition: str, objects: Sequence[ObjectInfo], digest: str, settled: tuple[str, ...]
    ) -> IngestReceipt:
        domain, stores = self._domain, self._stores
        read = self._read(partition, objects)
        unique = deduplicate(domain, read.rows, settled)
        if domain.parent is None:  # what its objects hold elsewhere, the parent lands where it belongs
            self.touched.update(land_strays(stores.landing, domain, read.strays))
        write_quarantine(stores.quarantine, domain, partition, read.bad)
        written = stores.lake.write(domain, partition, build_frame(domain, unique.rows))
        hot_problem = put_hot_rows(stores, domain, unique.rows, self._now)
        receipt = _receipt(domain, partition, read, unique, objects)
        receipt = replace(receipt, digest=digest, settled=settled, stored=written.identity)
        receipt = replace(receipt, hot_problem=hot_problem)
        self._receipts.save(receipt)
        return receipt

    def _receipt_of_lake(self, partition: str) -> IngestReceipt:
        """Make up the receipt of rows whose objects and receipt are gone."""
        rows = self._stores.lake.read(self._domain, [partition]).to_dicts()
        unique = Deduplicated(rows=rows)
        receipt = _receipt(self._domain, partition, ReadResult(records=len(rows)), unique, ())
        self._receipts.save(receipt)
        return receipt

    def _listed(self, partition: str) -> list[ObjectInfo]:
        return self._stores.landing.list_objects(landing_prefix(self._domain, partition))

    def _stored(self, partition: str) -> str:
        """Identity of the lake object as it is now; empty where there is none."""
        lake = self._stores.lake
        found = lake.objects.info(lake.key(self._domain, partition))
        return found.identity if found else ""

    def _digest(self, objects: Sequence[ObjectInfo], settled: tuple[str, ...]) -> str:
        """Digest of the objects and of what decides how they are read: other settings, other rows."""
        settings = self._stores.settings
        key = settings.privacy.hash_key
        secret = key.get_secret_value() if key else ""
        privacy = (settings.privacy.drop, settings.privacy.hash, secret)
        limit = settings.ingest.max_object_mb
        how = repr((__version__, self._domain.columns, privacy, limit, settled))
        return hashlib.sha256(f"{inventory_digest(objects)}{how}".encode()).hexdigest()

    def _read(self, partition: str, objects: Sequence[ObjectInfo]) -> ReadResult:
        result, limit = ReadResult(), self._stores.settings.ingest.max_object_mb << 20
        landed = {item.key: item for item in objects}
        order = sorted(landed, key=lambda key: (landed[key].modified, key))  # last landed wins
        for key, content in self._stores.landing.get_many(order, max_bytes=limit):
            item = landed[key]
            if content is not None:
                self._reader.read(partition, item, content, result)
            elif item.size > limit:
                reason = f"the object of {item.size / 2**20:.0f} MiB is larger than ingest.max_object_mb"
                result.records += 1
                result.bad.append(BadRecord(item.shown_key, None, f"{reason}; split it, or raise the limit"))
        return result  # an object that vanished meanwhile changes the listing, so the next round sees it


def ingest_partitions(
    domain: MetadataDomain, stores: Stores, partitions: Iterable[str], now: datetime
) -> dict[str, IngestReceipt | MetaplatError]:
    """Ingest partitions one by one; one that fails does not lose the others.

    Returns
    -------
    dict
        Receipt or error by partition key, in the order given. A partition that got strays from a later one
        is ingested once more. Behind those given come partitions whose stand-in rows were settled by them.
    """
    ingest = PartitionIngest(domain, stores, now)
    results: dict[str, IngestReceipt | MetaplatError] = {}

    def attempt(partition: str, settled: Collection[str] = ()) -> None:
        try:
            results[partition] = ingest.run(partition, settled)
        except MetaplatError as error:
            results[partition] = error

    for partition in partitions:
        attempt(partition)
    for partition in ingest.touched & results.keys():
        attempt(partition)
    done = [partition for partition, result in results.items() if isinstance(result, IngestReceipt)]
    with suppress(StoreError):  # the checks read the same files and tell; the next ingest tries again
        for partition, settled in settled_elsewhere(domain, stores, done).items():
            attempt(partition, settled)
    return results


def landing_prefix(domain: MetadataDomain, partition: str) -> str:
    """Prefix of the landing objects of a partition, with a trailing slash."""
    return f"{domain.landing}{domain.partitions.folder(partition)}/"


def _receipt(
    domain: MetadataDomain,
    partition: str,
    read: ReadResult,
    unique: Deduplicated,
    objects: Sequence[ObjectInfo],
) -> IngestReceipt:
    timed = domain.partitions.window(partition) is not None
    times = [row[domain.partitions.by] for row in unique.rows] if timed else []
    return IngestReceipt(
        partition=partition,
        identities=frozenset(item.identity for item in objects),
        rows=len(unique.rows),
        records=read.records,
        quarantined=len(read.bad),
        repeated=unique.repeated,
        superseded=unique.superseded,
        stale=unique.stale,
        conflicts=unique.conflicts,
        rerouted=sum(len(records) for records in read.strays.values()),
        unknown_fields=read.unknown_fields,
        conflict_samples=unique.conflict_samples,
        reasons=dict(sorted(Counter(bad.reason for bad in read.bad).items())),
        newest=max(times, default=None),
        oldest=min(times, default=None),
        provisional=provisional_runs(domain, unique.rows),
    )
