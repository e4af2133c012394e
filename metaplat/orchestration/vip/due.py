"""The sensor that asks for the extract of the hour as soon as the vendor allows it.

Here: when a run of ``vip_extracts`` is due, and the hours that ended without one.
Not here: what that run does (``extracts``).

What passes between the time the vendor names and our export moves every later one on, until an hour is lost.
So the sensor looks often, asks a little early (the run waits for the very time), and the hour that can be
pulled comes before those that were missed.
"""

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import dagster as dg

from metaplat.model.domain import MetadataDomain
from metaplat.model.extract import hour_start, hours_between
from metaplat.orchestration.clock import utc_now
from metaplat.orchestration.collecting import is_under_way
from metaplat.orchestration.jobs import ingest_job_name, partition_tags
from metaplat.orchestration.vip.extracts import EARLY, EXTRACTS
from metaplat.orchestration.vip.pulled_days import days_pulled
from metaplat.stores.home import Stores
from metaplat.vip.pulling.remembered import ExtractMemory, is_open

INTERVAL_SECONDS = 20
"""Between two ticks."""
ASK_AGAIN_SECONDS = 600
"""After this an extract that has not ended is asked for again: its run failed, or never started."""
ONE_HOUR = timedelta(hours=1)
LOOK_BACK = timedelta(hours=24)
"""Missed hours further back are left to the history."""


def build_due_sensor(domain: MetadataDomain) -> dg.SensorDefinition:
    """Make the sensor that asks for the extract of the hour, and once for every hour that was missed."""

    @dg.sensor(
        name=f"{EXTRACTS}_due",
        job_name=ingest_job_name(domain),
        minimum_interval_seconds=INTERVAL_SECONDS,
        default_status=dg.DefaultSensorStatus.RUNNING,  # it skips where vip.company is not set
        description="Asks for the extract of the hour as soon as the vendor allows it.",
    )
    def extract_due(context: dg.SensorEvaluationContext, stores: dg.ResourceParam[Stores]) -> dg.SensorResult:
        if stores.settings.vip.company is None:
            return dg.SensorResult(skip_reason="vip.company is not set", cursor=context.cursor)
        now, cursor, requests = utc_now(), _Cursor.read(context.cursor), list[dg.RunRequest]()
        waiting = _waiting(domain, context.instance, stores, now, cursor)
        if waiting is None:
            requests.append(_due_request(domain, now))
            cursor.asked = now.timestamp()
        requests += _missed_requests(domain, stores, now, cursor)
        if not requests:
            return dg.SensorResult(skip_reason=waiting, cursor=cursor.text())
        return dg.SensorResult(run_requests=requests, cursor=cursor.text())

    return extract_due


@dataclass
class _Cursor:
    """Up to which hour missed ones were looked for, and when the current one was asked for last."""

    hour: str = ""
    asked: float = 0.0

    @classmethod
    def read(cls, text: str | None) -> "_Cursor":
        try:
            hour, asked = json.loads(text or "")
            return cls(str(hour), float(asked))
        except (ValueError, TypeError):
            return cls()

    def text(self) -> str:
        """Return it as it is stored."""
        return json.dumps([self.hour, self.asked])


def _waiting(
    domain: MetadataDomain, instance: dg.DagsterInstance, stores: Stores, now: datetime, cursor: _Cursor
) -> str | None:
    """Say why nothing is asked for now; None where the extract of the hour is due."""
    if is_under_way(instance, ingest_job_name(domain), now):
        return "a run is under way"
    memory, config, hour = ExtractMemory(stores.state), stores.settings.vip.config, hour_start(now)
    current, before = (memory.load(config, hour - back) for back in (timedelta(), ONE_HOUR))
    if current is not None and current.job_guid and not is_open(current):
        return f"the extract of {hour:%H:%M} UTC is {current.status}"
    known = [extract for extract in (current, before) if extract is not None]
    slot = max((extract.next_slot for extract in known if extract.next_slot is not None), default=hour)
    if slot > now + (EARLY if hour_start(slot) == hour else timedelta()):
        return f"too early: the vendor allows the next export at {slot:%Y-%m-%d %H:%M:%S} UTC"
    asked_since = max(slot, hour).timestamp() <= cursor.asked
    if asked_since and 0 <= now.timestamp() - cursor.asked < ASK_AGAIN_SECONDS:
        return "it was asked for a moment ago"
    return None


def _missed_requests(
    domain: MetadataDomain, stores: Stores, now: datetime, cursor: _Cursor
) -> list[dg.RunRequest]:
    """Return one request for every hour that ended without an extract: its run fails, and shows it red."""
    current = hour_start(now)
    if cursor.hour == current.isoformat():
        return []
    vip, begin = stores.settings.vip, current - LOOK_BACK
    known = ExtractMemory(stores.state).load_range(vip.config, begin, current - ONE_HOUR)
    pulled = {hour for hour, extract in known.items() if extract.job_guid}
    first = begin if _pulled_before(stores, begin) else min(pulled, default=current)
    looked, cursor.hour = cursor.hour, current.isoformat()  # as text: both are written alike, in UTC
    return [
        _missed_request(domain, hour, vip.config)
        for hour in hours_between(first, current - ONE_HOUR)
        if hour not in pulled
        and hour.isoformat() >= looked
        and not any(excuse.holds(hour) for excuse in vip.excuses)
    ]


def _pulled_before(stores: Stores, moment: datetime) -> bool:
    """Whether an hour before ``moment`` has a job, however long ago: it may have been a long outage."""
    newest = max((day for day in days_pulled(stores) if day <= f"{moment:%Y%m%d}"), default=None)
    if newest is None:
        return False
    start = datetime.strptime(newest, "%Y%m%d").replace(tzinfo=UTC)
    last = min(start + timedelta(hours=23), moment - ONE_HOUR)
    known = ExtractMemory(stores.state).load_range(stores.settings.vip.config, start, last)
    return any(extract.job_guid for extract in known.values())


def _due_request(domain: MetadataDomain, now: datetime) -> dg.RunRequest:
    key = domain.partitions.key_of(hour_start(now))
    return dg.RunRequest(f"{domain.name}:{key}:{int(now.timestamp())}", tags=partition_tags(key, key))


def _missed_request(domain: MetadataDomain, hour: datetime, config_name: str) -> dg.RunRequest:
    """Ask for a run without checks: they would stay failed for ever, with nothing there to check."""
    key = domain.partitions.key_of(hour)
    return dg.RunRequest(
        f"{domain.name}:{key}:missed:{config_name}",
        tags=partition_tags(key, key),
        asset_selection=[dg.AssetKey(domain.name)],
        asset_check_keys=[],
    )
