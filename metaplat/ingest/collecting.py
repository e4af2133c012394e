"""A collector is run, and what it yields is landed batch by batch.

Here: the order that makes a killed collection safe: a batch is landed, then what was read is remembered.
Not here: reading (``collectors``), landing one record (``landing``), Dagster and the command line.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from metaplat.ingest.collector_memory import CollectorMemory
from metaplat.ingest.landing import Landed, Landing
from metaplat.model.errors import OutsideError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from datetime import datetime
    from typing import Any

    from metaplat.collectors.collector import CollectRequest
    from metaplat.model.domain import MetadataDomain, Record
    from metaplat.stores.home import Stores


@dataclass
class Collected:
    """What one collection did.

    Parameters
    ----------
    landed : list of Landed
        What became of each record.
    """

    landed: list[Landed] = field(default_factory=list)

    @property
    def counts(self) -> dict[str, int]:
        """Records by what became of them."""
        statuses = [item.status for item in self.landed]
        return {status: statuses.count(status) for status in sorted(set(statuses))}

    @property
    def partitions(self) -> list[str]:
        """Partitions that records were landed for, in order."""
        return sorted({item.partition for item in self.landed if item.status == "landed"})


def memory_of(domain: MetadataDomain, stores: Stores, source: str) -> CollectorMemory:
    """Return what a source of a domain remembers."""
    return CollectorMemory(stores.state, domain, source)


def collect_and_land(  # noqa: PLR0913, RUF100  # the parts of one collection
    domain: MetadataDomain,
    stores: Stores,
    collector: Callable[[CollectRequest], Iterable[Record]],
    request: CollectRequest,
    *,
    batch_size: int,
    now: datetime,
    each: Callable[[Record, Landed], None] = lambda record, landed: None,  # noqa: ARG005
) -> Collected:
    """Run a collector, and land what it yields.

    Parameters
    ----------
    domain : MetadataDomain
        For which it is collected.
    stores : Stores
        Where to land.
    collector : callable
        What is run, a Collector.
    request : CollectRequest
        What is asked; its memory is kept batch by batch, where it is one of ``memory_of``.
    batch_size : int
        Records that are landed before what was read is remembered.
    now : datetime
        Aware UTC.
    each : callable
        Called with every record and what became of it.

    Raises
    ------
    OutsideError
        The outside system or the landing zone failed; what was yielded before is landed all the same.
    """
    landing, collected = Landing(domain, stores, now), Collected()
    batch: list[Mapping[str, Any]] = []
    problem: OutsideError | None = None
    records = iter(collector(request))
    while True:
        try:
            record = next(records, None)
        except OutsideError as error:
            record, problem = None, error
        if record is not None:
            batch.append(record)
        if record is None or len(batch) >= batch_size:
            for item in batch:
                landed = landing.land_record(item)
                collected.landed.append(landed)
                each(item, landed)
            batch.clear()
            if isinstance(request.memory, CollectorMemory):
                request.memory.commit()
        if record is None:
            break
    if problem is not None:
        raise problem
    return collected
