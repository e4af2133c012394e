"""Files of watched places are cataloged by a job: a sensor asks for it batch by batch, a schedule reconciles.

Here: the sensor on ``catalog.watch``, the batch it leaves for a run, the two jobs and the nightly schedule.
Not here: listing, settling and reading files (``catalog.ingesting``), the assets (``cataloged``).

A batch is kept in the state store until its run has cataloged it, and the catalog is asked again on every
tick: a run that fails, or never starts, loses nothing, since its files are still unknown on the next tick.
"""

import hashlib
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

import dagster as dg
import orjson

from metaplat.model.errors import MetaplatError
from metaplat.model.observation import path_on_disk, shown_path
from metaplat.orchestration.clock import utc_now
from metaplat.orchestration.collecting import is_under_way
from metaplat.orchestration.failures import RETRIES, failure_for
from metaplat.stores.catalog.opening import open_index
from metaplat.stores.home import Stores

if TYPE_CHECKING:
    from metaplat.catalog.ingesting.watching import Tick

JOB, RECONCILE_JOB = "catalog_files", "reconcile_catalog"
INTERVAL_SECONDS = 30
"""Between two ticks. Dagster must know it at load, when no settings are read, hence no setting."""
MAX_TOLD = 20
ASK_AGAIN_SECONDS = 600
"""After this the same batch is asked for again: its run failed, or never started."""


@dg.op(
    description="Reads the headers of one batch of files, and catalogs them.",
    retry_policy=RETRIES,
    config_schema={"batch": dg.Field(str, description="Key of the batch in the state store.")},
)
def catalog_batch(context: dg.OpExecutionContext, stores: dg.ResourceParam[Stores]) -> None:
    """Catalog once; what cannot be read is told, and does not fail the rest."""
    from metaplat.catalog.ingesting.bulk import ingest_entries
    from metaplat.catalog.ingesting.listing import FileEntry
    from metaplat.catalog.ingesting.watching import mark_vanished

    key = context.op_config["batch"]
    try:
        batch = orjson.loads(stores.state.get(key))
    except KeyError:
        context.log.info("the batch was cataloged by an earlier run")
        return
    entries = [FileEntry(path_on_disk(path), *rest) for path, *rest in batch["ready"]]
    try:
        with closing(open_index(stores.settings)) as index:
            summary = ingest_entries(
                entries, batch["place"], index, stores.settings, utc_now(), run_id=context.run_id
            )
            mark_vanished(index, batch["vanished"], utc_now())
        stores.state.delete(key)
    except MetaplatError as error:
        raise failure_for(error) from error
    for path, reason in summary.rejections[:MAX_TOLD]:
        context.log.warning("rejected: %s: %s", path, reason)
    context.add_output_metadata(
        {"place": batch["place"], **summary.counts, "vanished": len(batch["vanished"])}
    )


@dg.op(
    description="Compares watched places with the catalog, file by file, and repairs it.",
    retry_policy=RETRIES,
)
def reconcile_places(context: dg.OpExecutionContext, stores: dg.ResourceParam[Stores]) -> None:
    """Reconcile every watched place."""
    from metaplat.catalog.ingesting.reconciling import reconcile

    try:
        with closing(open_index(stores.settings)) as index:
            for place in stores.settings.catalog.watch:
                found = reconcile(place, index, stores.settings, utc_now())
                context.log.info("%s: %s", place, dict(found.counts))
    except MetaplatError as error:
        raise failure_for(error) from error


@dg.job(name=JOB, description="Catalogs one batch of files that the sensor found.")
def catalog_files_job() -> None:
    """Run the one op."""
    catalog_batch()


@dg.job(name=RECONCILE_JOB, description="Compares the watched places with the catalog, and repairs it.")
def reconcile_job() -> None:
    """Run the one op."""
    reconcile_places()


@dg.schedule(
    name=f"{RECONCILE_JOB}_nightly",
    job_name=RECONCILE_JOB,
    cron_schedule="40 2 * * *",
    execution_timezone="UTC",
    default_status=dg.DefaultScheduleStatus.RUNNING,  # it skips where nothing is watched
    description="Compares the watched places with the catalog every night.",
)
def reconcile_nightly(
    context: dg.ScheduleEvaluationContext, stores: dg.ResourceParam[Stores]
) -> dg.RunRequest | dg.SkipReason:
    """Ask for one run a night."""
    del context
    if not stores.settings.catalog.watch:
        return dg.SkipReason("catalog.watch is empty")
    return dg.RunRequest()


@dg.sensor(
    name=f"{JOB}_found",
    job_name=JOB,
    minimum_interval_seconds=INTERVAL_SECONDS,
    default_status=dg.DefaultSensorStatus.RUNNING,  # it skips where catalog.watch is empty
    description="Asks for a run per batch of files that are new, rewritten or gone below catalog.watch.",
)
def catalog_files_sensor(
    context: dg.SensorEvaluationContext, stores: dg.ResourceParam[Stores]
) -> dg.SensorResult:
    """Look once at every watched place; where one cannot be listed, the tick fails with the reason."""
    from metaplat.catalog.ingesting.watching import tick

    places, now = stores.settings.catalog.watch, utc_now()
    if not places:
        return dg.SensorResult(skip_reason="catalog.watch is empty", cursor=context.cursor)
    if is_under_way(context.instance, JOB, now):
        return dg.SensorResult(skip_reason="the last batch is being cataloged", cursor=context.cursor)
    cursor = _Cursor.read(context.cursor)
    requests = []
    with closing(open_index(stores.settings)) as index:
        for place in places:
            found = tick(place, index, stores.settings, cursor.places.get(place), now)
            cursor.places[place] = found.cursor
            if found.ready or found.vanished:
                requests += _requested(stores, place, found, cursor, now)
    text = cursor.text(places)
    if not requests:
        return dg.SensorResult(skip_reason="nothing new below catalog.watch", cursor=text)
    return dg.SensorResult(run_requests=requests, cursor=text)


@dataclass
class _Cursor:
    """What the sensor remembers: the cursor of each place, and which batch was asked for last, and when."""

    places: dict[str, str] = field(default_factory=dict)
    asked: dict[str, tuple[str, int]] = field(default_factory=dict)

    @classmethod
    def read(cls, text: str | None) -> "_Cursor":
        try:
            found = orjson.loads(text or "")
            return cls(dict(found["places"]), {place: tuple(each) for place, each in found["asked"].items()})
        except (ValueError, KeyError, TypeError, AttributeError):
            return cls()  # a lost cursor loses nothing: the catalog says what is known

    def text(self, places: Sequence[str]) -> str:
        """Return it as it is stored, without places that are watched no longer."""
        kept = {place: self.places[place] for place in places if place in self.places}
        asked = {place: each for place, each in self.asked.items() if place in kept}
        return orjson.dumps({"places": kept, "asked": asked}).decode()


def _requested(
    stores: Stores, place: str, found: "Tick", cursor: _Cursor, now: datetime
) -> list[dg.RunRequest]:
    """Leave the batch of a tick for a run, and ask for it; not twice at once for the very same."""
    ready = [[shown_path(entry.path), *entry[1:]] for entry in found.ready]
    content = orjson.dumps({"place": place, "ready": ready, "vanished": list(found.vanished)})
    digest, moment = hashlib.sha256(content).hexdigest()[:24], int(now.timestamp())
    known, when = cursor.asked.get(place, ("", 0))
    if known == digest and 0 <= moment - when < ASK_AGAIN_SECONDS:
        return []
    key = f"catalog/inbox/{digest}.json"
    stores.state.put(key, content)
    cursor.asked[place] = (digest, moment)
    config = {"ops": {"catalog_batch": {"config": {"batch": key}}}}
    return [dg.RunRequest(run_key=f"{JOB}:{digest}:{moment}", run_config=config)]
