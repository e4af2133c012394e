"""The catalog's domains as assets: their partitions come from the index, not from landing objects.

Here: opening the index for one piece of work, which partitions changed, and the sensor that asks for them.
Not here: writing them (``ingest.cataloged``), cataloging files (``catalog_files``).
"""

from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

import dagster as dg

from metaplat.ingest.cataloged import CatalogedPartitions, Results
from metaplat.ingest.cataloged_frames import with_states
from metaplat.model.domain import MetadataDomain
from metaplat.model.partitioning import stretches
from metaplat.orchestration.clock import utc_now
from metaplat.orchestration.collecting import is_under_way
from metaplat.orchestration.jobs import ingest_job_name, partition_tags
from metaplat.orchestration.landing_watch import covering
from metaplat.stores.catalog.opening import open_index
from metaplat.stores.home import Stores

if TYPE_CHECKING:
    import polars as pl

EDGES = "dataset_relationships"
INTERVAL_SECONDS = 30
"""Between two ticks. Dagster must know it at load, when no settings are read, hence no setting."""
LOOK_SECONDS = 3600
"""After this all receipts are looked at: they show what a run that was killed has left."""


def write_cataloged(domain: MetadataDomain, stores: Stores, partitions: list[str], now: datetime) -> Results:
    """Write partitions of a domain of the catalog; raises StoreError where the index cannot be read."""
    with closing(open_index(stores.settings)) as index:
        return CatalogedPartitions(domain, stores, index, now).write(partitions)


def stale_partitions(domain: MetadataDomain, stores: Stores, now: datetime) -> set[str]:
    """Return the partitions that changed in the index since they were written, or never were."""
    with closing(open_index(stores.settings)) as index:
        return CatalogedPartitions(domain, stores, index, now).stale()


def newest_cataloged(domain: MetadataDomain, stores: Stores, now: datetime) -> str | None:
    """Return the newest partition that has rows in the index; None in an empty catalog."""
    with closing(open_index(stores.settings)) as index:
        return max(CatalogedPartitions(domain, stores, index, now).changes(), default=None)


def check_index(stores: Stores) -> None:
    """Raise StoreError or SettingsError where the index cannot be read: told before a run starts."""
    with closing(open_index(stores.settings)) as index:
        index.last_seq()


def with_current_states(edges: "pl.DataFrame", stores: Stores) -> "pl.DataFrame":
    """Return relationships with the states of their ends as they are now in the index."""
    import polars as pl

    with closing(open_index(stores.settings)) as index:
        rows = with_states(index, edges.to_dicts())
    return pl.DataFrame(rows, schema=edges.schema) if rows else edges


def build_changes_sensor(domain: MetadataDomain) -> dg.SensorDefinition:
    """Make the sensor on the changes of the index; where that cannot be read, the tick fails and says why."""

    @dg.sensor(
        name=f"{domain.name}_changed",
        job_name=ingest_job_name(domain),
        minimum_interval_seconds=INTERVAL_SECONDS,
        default_status=dg.DefaultSensorStatus.RUNNING,  # it skips where the catalog is empty
        description=f"Asks for the partitions of {domain.name} that changed in the catalog index.",
    )
    def changed_rows(
        context: dg.SensorEvaluationContext, stores: dg.ResourceParam[Stores]
    ) -> dg.SensorResult:
        now, cursor = utc_now(), _Cursor.read(context.cursor)
        busy = is_under_way(context.instance, ingest_job_name(domain), now)
        with closing(open_index(stores.settings)) as index:
            parts = CatalogedPartitions(domain, stores, index, now)
            changes = cursor.asked_for(parts, index.last_seq(), now, busy=busy)
        requests = _requests(domain, changes, now, stores.settings.sensor.max_run_requests)
        if not requests:
            return dg.SensorResult(skip_reason="nothing changed in the catalog", cursor=cursor.text())
        return dg.SensorResult(run_requests=requests, cursor=cursor.text())

    return changed_rows


@dataclass
class _Cursor:
    """Up to which change all was asked for, and when the receipts were looked at last."""

    seq: int | None = None
    looked: int = 0

    @classmethod
    def read(cls, text: str | None) -> "_Cursor":
        numbers = (text or "").split("@")
        if not all(each.isascii() and each.isdecimal() for each in numbers):
            return cls()
        return cls(*map(int, numbers[:2]))

    def text(self) -> str:
        """Return it as it is stored."""
        return f"{self.seq or 0}@{self.looked}"

    def asked_for(
        self, parts: CatalogedPartitions, last: int, now: datetime, *, busy: bool
    ) -> dict[str, int]:
        """Return the partitions to write now, each with its last change, and remember that.

        At first, and once in a while, these are all that are stale: a run that was killed left some, and days
        that lay ahead have come. Else it is what changed since the last tick.
        """
        moment, seen = int(now.timestamp()), self.seq
        due = not busy and not 0 <= moment - self.looked < LOOK_SECONDS
        if seen is not None and last < seen:  # a catalog begun anew: its numbers are those of other changes
            found = parts.changes()
        elif seen is None or due:
            changes, stale, self.looked = parts.changes(), parts.stale(), moment
            found = {key: seq for key, seq in changes.items() if key in stale}
        else:
            found = parts.changes(seen) if last > seen else {}
        self.seq = max(last, *found.values(), 0)
        return found


def _requests(
    domain: MetadataDomain, changes: dict[str, int], now: datetime, most: int
) -> list[dg.RunRequest]:
    keys = domain.partitions.keys(now)
    order = {key: position for position, key in enumerate(keys)}
    chosen = covering(stretches(set(changes), keys), order, most)
    seq = max(changes.values(), default=0)
    return [
        dg.RunRequest(
            run_key=f"{domain.name}:{first}:{last}:{seq}:{int(now.timestamp())}",
            tags=partition_tags(first, last),
        )
        for first, last in chosen
    ]
