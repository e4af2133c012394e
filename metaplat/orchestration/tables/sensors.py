"""One sensor per monitored table asks for the buckets whose files changed, a few runs per tick.

What changed is known without a cursor: the kept profile says which files were measured. The cursor remembers
what was asked for and when, so that a run that still waits is not asked for on every tick, and a run that
came to nothing is asked for again.
"""

import hashlib
import json
import time
from collections.abc import Mapping

import dagster as dg

from metaplat.model.partitioning import stretches
from metaplat.model.table import MonitoredTable
from metaplat.orchestration.clock import utc_now
from metaplat.orchestration.jobs import partition_tags
from metaplat.orchestration.landing_watch import covering
from metaplat.orchestration.tables.gathering import changed_now
from metaplat.orchestration.tables.naming import buckets_of, profile_job_name, python_name
from metaplat.stores.home import Stores

INTERVAL_SECONDS = 60
"""Between two ticks: each lists the table once."""

ASK_AGAIN_SECONDS = 3600
"""After this a bucket that was asked for, and is still not measured, is asked for again: its run failed, or
another run that ended later did not know of it. Where its run still waits, the second one reads nothing."""

DIGEST_LENGTH = 12

Asked = tuple[str, int]
"""Digest of a bucket's files, and when they were asked for (Unix time)."""


def build_table_sensor(table: MonitoredTable) -> dg.SensorDefinition:
    """Make the sensor on the prefix of a monitored table.

    Where the table cannot be listed, the tick fails with the reason.
    """

    @dg.sensor(
        name=f"{python_name(table)}_changed",
        job_name=profile_job_name(table),
        minimum_interval_seconds=INTERVAL_SECONDS,
        default_status=dg.DefaultSensorStatus.RUNNING,  # without it a new file is seen once a day
        description=f"Asks for the buckets of {table.name} whose files changed.",
    )
    def changed_files(
        context: dg.SensorEvaluationContext, stores: dg.ResourceParam[Stores]
    ) -> dg.SensorResult:
        changed = changed_now(table, stores)
        turn, asked = _read_cursor(context.cursor)
        now = int(utc_now().timestamp())
        standing = {b: at for b, at in asked.items() if b in changed and _still_asked(at, changed[b], now)}
        fresh = {bucket: digest for bucket, digest in changed.items() if bucket not in standing}
        asked = {**standing, **{bucket: (digest, now) for bucket, digest in fresh.items()}}
        cursor = json.dumps([turn + 1 if fresh else turn, asked], separators=(",", ":"))
        if not fresh:
            waiting = f"; {len(changed)} buckets were asked for before" if changed else ""
            return dg.SensorResult(
                skip_reason=f"no file of {table.name} has changed since the last look{waiting}",
                cursor=cursor,
            )
        most = stores.settings.sensor.max_run_requests
        return dg.SensorResult(run_requests=_requests(table, fresh, turn, most), cursor=cursor)

    return changed_files


def _requests(table: MonitoredTable, fresh: Mapping[str, str], turn: int, most: int) -> list[dg.RunRequest]:
    keys = buckets_of(table).keys(utc_now())
    order = {key: position for position, key in enumerate(keys)}
    requests = []
    for first, last in covering(stretches(set(fresh), keys), order, most):
        held = [key for key in keys[order[first] : order[last] + 1] if key in fresh]
        content = hashlib.sha256("".join(f"{key}{fresh[key]}" for key in held).encode()).hexdigest()
        # Dagster drops a key it knows for ever, in silence; files that come back have the digest they had
        run_key = f"{table.name}:{first}:{last}:{turn}:{content[:DIGEST_LENGTH]}"
        requests.append(dg.RunRequest(run_key=run_key, tags=partition_tags(first, last)))
    return requests


def _still_asked(at: Asked, digest: str, now: int) -> bool:
    """Whether a bucket was asked for with the files that lie there now, and not long ago."""
    return at[0] == digest and 0 <= now - at[1] < ASK_AGAIN_SECONDS


def _read_cursor(text: str | None) -> tuple[int, dict[str, Asked]]:
    """Return the number of this turn, counted from the time the cursor was begun, and what was asked for."""
    try:
        turn, asked = json.loads(text or "")
        return int(turn), {bucket: (str(digest), int(when)) for bucket, (digest, when) in asked.items()}
    except (ValueError, TypeError, AttributeError):
        return int(time.time()), {}
