"""Objects in the landing zone, and the receipt of what an ingest made of them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime


class ObjectInfo(NamedTuple):
    """One stored object as a listing shows it; a tuple, since listings make very many of them.

    Parameters
    ----------
    key : str
        Path below the store's root, with ``/``.
    size : int
        Bytes.
    modified : datetime
        Time of the last writing, aware UTC; of one-second resolution on S3.
    etag : str
        Changes whenever the content is written anew.
    """

    key: str
    size: int
    modified: datetime
    etag: str

    @property
    def identity(self) -> str:
        """Short digest of key, size and etag: equal where the very same writing is meant."""
        written = f"{self.key}\0{self.size}\0{self.etag}".encode("utf-8", "surrogateescape")
        return hashlib.blake2b(written, digest_size=9).hexdigest()

    @property
    def shown_key(self) -> str:
        """The key as text that can be stored anywhere: a local name need not be UTF-8."""
        return self.key.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def inventory_digest(objects: Iterable[ObjectInfo]) -> str:
    """Digest of a listing, whatever its order."""
    return hashlib.sha256("\n".join(sorted(item.identity for item in objects)).encode()).hexdigest()


@dataclass(frozen=True)
class IngestReceipt:
    """What one ingest of one partition read and did; kept beside the partition until the next one.

    Every record read is in exactly one of ``rows``, ``quarantined``, ``repeated``, ``superseded``, ``stale``,
    ``conflicts`` and ``rerouted``.

    Parameters
    ----------
    partition : str
        Partition key.
    identities : frozenset of str
        ``ObjectInfo.identity`` of each object read.
    digest : str
        ``inventory_digest`` of them.
    rows : int
        Rows in the lake partition.
    records : int
        Records found in the objects; an unreadable object counts as one.
    quarantined : int
        Records kept in quarantine.
    repeated : int
        Dropped: same key, same content.
    superseded : int
        Dropped: a running row that a later one of the same run replaced.
    stale : int
        Dropped: a running row that arrived after the terminal one.
    conflicts : int
        Dropped: same key, other content; the last landed one won.
    rerouted : int
        Records of other partitions, landed again in the folder of theirs.
    unknown_fields : int
        Fields outside the declaration, kept in ``extra``.
    conflict_samples : sequence of mapping
        Keys and objects of up to 20 conflicts.
    reasons : mapping of str to int
        Quarantined records by reason.
    newest, oldest : datetime or None
        Newest and oldest value of the partitioning column.
    stored : str
        ``ObjectInfo.identity`` of the lake object as written: any other is not of this ingest.
    hot_problem : str
        Why rows are missing from the hot store, in one line; empty where none is.
    provisional : sequence of str
        Runs of which the partition holds a row under a stand-in key.
    settled : sequence of str
        Runs whose stand-in row is left out here, since their real one lies in another partition.
    """

    partition: str
    identities: frozenset[str] = frozenset()
    digest: str = ""
    rows: int = 0
    records: int = 0
    quarantined: int = 0
    repeated: int = 0
    superseded: int = 0
    stale: int = 0
    conflicts: int = 0
    rerouted: int = 0
    unknown_fields: int = 0
    conflict_samples: Sequence[Mapping[str, object]] = ()
    reasons: Mapping[str, int] = field(default_factory=dict)
    newest: datetime | None = None
    oldest: datetime | None = None
    stored: str = ""
    hot_problem: str = ""
    provisional: Sequence[str] = ()
    settled: Sequence[str] = ()
