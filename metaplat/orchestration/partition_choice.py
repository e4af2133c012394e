"""Which partitions a person means: one, a range, or everything that landed and was not ingested.

Here: turning the arguments of a command into contiguous stretches of existing partitions.
Not here: the command line itself (``cli``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from metaplat.ingest.receipts import Receipts
from metaplat.model.errors import UsageError
from metaplat.model.partitioning import stretches
from metaplat.orchestration.clock import utc_now
from metaplat.orchestration.landing_watch import joined_within
from metaplat.orchestration.origins import stale
from metaplat.reports.verdict_log import VerdictLog

if TYPE_CHECKING:
    from datetime import datetime

    from metaplat.model.domain import MetadataDomain
    from metaplat.model.partitioning import Partitioning
    from metaplat.stores.home import Stores


NEAR = 31
"""Partitions between two stretches that one run does along."""


def named_partitions(
    partitioning: Partitioning, now: datetime, first: str | None, last: str | None
) -> list[str]:
    """Return every partition from ``first`` to ``last``, both included; None is the first or last there is.

    Raises
    ------
    UsageError
        One of them does not exist, or they are the wrong way round.
    """
    keys = partitioning.keys(now)
    first = partitioning.check(first, now) if first is not None else keys[0]
    last = partitioning.check(last, now) if last is not None else keys[-1]
    low, high = keys.index(first), keys.index(last)
    if low > high:
        raise UsageError(f"the range is the wrong way round: {first} lies after {last}")
    return keys[low : high + 1]


def named_stretches(
    partitioning: Partitioning, partition: str | None, first: str | None, last: str | None, *, missing: bool
) -> list[list[str]] | None:
    """Return the one stretch a person named, or None where they named none.

    Raises
    ------
    UsageError
        They contradict each other, or name what does not exist.
    """
    ranged = first is not None or last is not None
    if sum((partition is not None, ranged, missing)) > 1:
        raise UsageError("say one of --partition, --from/--to and --missing")
    if partition is None and not ranged:
        return None
    if partition is not None:
        first = last = partition
    return [named_partitions(partitioning, utc_now(), first, last)]


def missing_partitions(domain: MetadataDomain, stores: Stores, now: datetime) -> list[list[str]]:
    """Return stretches of the partitions that hold what was not ingested yet, or were never judged."""
    touched = stale(domain, stores, now)
    judged = {record.partition for record in VerdictLog(stores.state).load(domain.name)}
    unjudged = Receipts(stores.state, domain).load_all().keys() - judged
    return _runs(domain, touched | unjudged, now)


def ingested_partitions(domain: MetadataDomain, receipts: Receipts, now: datetime) -> list[list[str]]:
    """Return contiguous stretches of the partitions that were ingested."""
    return _runs(domain, set(receipts.load_all()), now)


def _runs(domain: MetadataDomain, chosen: set[str], now: datetime) -> list[list[str]]:
    keys = domain.partitions.keys(now)
    order = {key: position for position, key in enumerate(keys)}
    found = stretches(chosen, keys)
    if domain.cataloged:  # an archive has days here and there: a run costs more than the empty ones between
        found = joined_within(found, order, NEAR)
    return [keys[order[first] : order[last] + 1] for first, last in found]
