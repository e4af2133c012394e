"""The extract of an hour: pulled before its partition is ingested.

Here: what a run of ``vip_extracts`` does before it ingests, landing what a pull left.
Not here: the pull (``vip.pulling``), ingesting (``assets``), the sensor that asks for runs (``due``).

The API exports the present only. So the current hour is pulled, an hour with a job is gone on with, and a
past hour without one fails and says so, whoever asks. Too early is no failure: the run ends without a result.
"""

from __future__ import annotations

import time
from datetime import timedelta
from typing import TYPE_CHECKING

from metaplat.domains import domain_named
from metaplat.ingest.landing import Landing
from metaplat.ingest.partition import landing_prefix
from metaplat.model.errors import MetaplatError, PermanentSourceError, SettingsError
from metaplat.model.extract import EXTRACT_FIELDS, ExtractStatus, hour_start
from metaplat.orchestration.assets import Prepared
from metaplat.orchestration.clock import utc_now
from metaplat.orchestration.vip.deliveries import configured_deliveries
from metaplat.orchestration.vip.pulled_days import days_pulled
from metaplat.vip.pulling.remembered import ExtractMemory, is_open

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from metaplat.model.domain import MetadataDomain
    from metaplat.model.extract import Extract
    from metaplat.settings import Settings
    from metaplat.stores.home import Stores

EXTRACTS = "vip_extracts"
COLUMNS = tuple(field.name for field in EXTRACT_FIELDS)
UNPULLED = frozenset({ExtractStatus.MISSING, ExtractStatus.SKIPPED})
"""Nothing is landed for these: there is no extract."""
EARLY = timedelta(seconds=30)
"""A run may begin so long before the vendor's slot: starting takes time, and it waits for the rest."""
BEHIND_SECONDS = 0.5
"""What clocks are apart, and what a time in whole seconds leaves out."""
MANY = 48
"""With more partitions in a run, those of days that nobody knows are not looked at one by one."""


def land_extract(stores: Stores, now: datetime) -> Callable[[Extract], None]:
    """Return what lands an extract as a pull has left it: for ``vip_extracts`` to ingest."""
    from metaplat.vip.pulling.document import extract_document

    landing = Landing(domain_named(EXTRACTS), stores, now)

    def land(extract: Extract) -> None:
        if extract.status not in UNPULLED:
            document = extract_document(extract)
            landing.land_record({name: document[name] for name in COLUMNS})

    return land


def pull_hours(domain: MetadataDomain, stores: Stores, keys: Sequence[str]) -> Prepared:
    """Pull, or go on with, what the partitions of a run are made of.

    Raises
    ------
    SettingsError, StoreError
        What is known of many partitions cannot be listed.
    """
    prepared, config = Prepared(), stores.settings.vip.config
    hours = {key: hour_of(domain, key) for key in keys}
    known = days_known(stores) if len(keys) > MANY and stores.settings.vip.company else None
    for key, hour in hours.items():
        if known is not None and f"{hour:%Y%m%d}" not in known and hour < hour_start(utc_now()):
            prepared.failed[key] = _lost(config, hour)
            continue
        try:
            extract = _extract(domain, stores, key, hour)
        except MetaplatError as error:
            prepared.failed[key] = error
            continue
        if extract is not None and extract.status is ExtractStatus.SKIPPED:
            prepared.skipped[key] = extract.reason or "nothing is due yet"
        else:
            prepared.keys.append(key)
    return prepared


def hour_of(domain: MetadataDomain, key: str) -> datetime:
    """Return the start of the hour that a partition is, aware UTC."""
    window = domain.partitions.window(key)
    assert window is not None  # noqa: S101  # hours are windows
    return window[0]


def days_known(stores: Stores) -> set[str]:
    """Return the days, as YYYYMMDD, of which a pull, the landing zone or the target knows anything.

    A click on "missing" in a backfill asks for years of hours: three listings answer for most of them.

    Raises
    ------
    SettingsError, StoreError
        One of the three cannot be listed.
    """
    landed = stores.landing.list_folders(domain_named(EXTRACTS).landing, 3)
    delivered = configured_deliveries(stores.settings).day_folders(stores.settings.vip.hour_prefix)
    return {day.replace("/", "") for day in (*days_pulled(stores), *landed, *delivered)}


def _wait_for_slot(stores: Stores, hour: datetime, now: datetime) -> None:
    """Wait for a slot that is some seconds ahead.

    A vendor may count its hour from the last export. Each export that came a minute after its slot would push
    all later ones on by that minute, until an hour has none.
    """
    memory, config = ExtractMemory(stores.state), stores.settings.vip.config
    known = [memory.load(config, hour - back) for back in (timedelta(), timedelta(hours=1))]
    slots = [each.next_slot for each in known if each is not None and each.next_slot is not None]
    ahead = max(slots, default=now) - now
    if timedelta() < ahead <= EARLY:
        time.sleep(ahead.total_seconds() + BEHIND_SECONDS)


def _extract(domain: MetadataDomain, stores: Stores, key: str, hour: datetime) -> Extract | None:
    """Return the extract of an hour as it is now; None where only what landed counts."""
    from metaplat.vip.pulling.pull import pull  # here, since every start of Dagster would pay for it
    from metaplat.vip.pulling.repair import repair

    settings, now = stores.settings, utc_now()
    land = land_extract(stores, now)
    is_set_up = settings.vip.company is not None
    if is_set_up and hour == hour_start(now):
        _wait_for_slot(stores, hour, now)
        return _unless_missing(settings, pull(settings, stores.state, utc_now, hour=hour, saved=land).extract)
    known = ExtractMemory(stores.state).load(settings.vip.config, hour)
    if is_set_up and known is not None and is_open(known):
        extract = repair(settings, stores.state, hour, utc_now, saved=land)
    elif stores.landing.list_objects(landing_prefix(domain, key)):
        return None
    elif not is_set_up:
        raise SettingsError("vip.company", "is not set, so nothing can be pulled", "Set section [vip].")
    else:
        extract = pull(settings, stores.state, utc_now, hour=hour, saved=land).extract
    return _unless_missing(settings, extract)


def _unless_missing(settings: Settings, extract: Extract) -> Extract:
    if extract.status is ExtractStatus.MISSING:  # its hour may also have ended meanwhile
        raise _lost(settings.vip.config, extract.hour)
    return extract


def _lost(config_name: str, hour: datetime) -> PermanentSourceError:
    return PermanentSourceError(
        "vendor lake",
        f"pull {config_name} of {hour:%Y-%m-%d %H:%M} UTC",
        "the hour can no longer be pulled: the API exports the present only, and no job was accepted in it",
        "It stays missing. Copy its folder from elsewhere, or put it on the list vip.excused.",
    )
