"""Records that could not become rows, kept with the reason and the object they came from.

Here: the form of a quarantined record and the one file a partition has for them.
Not here: deciding what is bad (``decode``, ``validate``). The raw object stays in the landing zone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson

from metaplat.ingest.redact import scrub, scrub_all

if TYPE_CHECKING:
    from collections.abc import Sequence

    from metaplat.model.domain import MetadataDomain
    from metaplat.stores.objects import ObjectStore


@dataclass(frozen=True)
class BadRecord:
    """One record in quarantine.

    Parameters
    ----------
    object : str
        Key of the landing object.
    position : int or None
        Index or line of the record in it, from 0; None where the object could not be read at all.
    reason : str
        What is wrong, in one line.
    record : object
        The record without its personal data, where it could be read.
    """

    object: str
    position: int | None
    reason: str
    record: Any = None


def quarantine_key(domain: MetadataDomain, partition: str) -> str:
    """Key of the quarantine file of a partition: one JSON line per bad record."""
    partitions = domain.partitions
    return f"{domain.name}/{partitions.column}={partitions.segment(partition)}.ndjson"


def write_quarantine(
    store: ObjectStore, domain: MetadataDomain, partition: str, bad: Sequence[BadRecord]
) -> None:
    """Replace the quarantine of a partition; without bad records the file goes away."""
    key = quarantine_key(domain, partition)
    if not bad:
        store.delete(key)
        return
    store.put(key, b"".join(_line(record) + b"\n" for record in bad))


def read_quarantine(store: ObjectStore, domain: MetadataDomain, partition: str) -> list[dict[str, Any]]:
    """Return the bad records of a partition as dicts with the names of ``BadRecord``."""
    try:
        content = store.get(quarantine_key(domain, partition))
    except KeyError:
        return []
    return [orjson.loads(line) for line in content.splitlines()]


def _line(record: BadRecord) -> bytes:
    entry = {
        "object": record.object,
        "position": record.position,
        "reason": scrub(record.reason),
        "record": scrub_all(record.record),
    }
    try:
        return orjson.dumps(entry)
    except TypeError:  # a lone surrogate: keep the record as text
        return orjson.dumps(entry | {"record": ascii(entry["record"])})
