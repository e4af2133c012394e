"""One sensor tells people of checks that fail, and of those that pass again.

Here: Dagster's side of alerts. It reads the failed checks from the verdict log, which every run of checks
writes (as do ``metaplat check`` and ``metaplat monitor run``), and not from Dagster's event log, which knows
nothing of checks outside Dagster and keeps no figures to word an alert with.
Not here: which subjects there are, and sending (``alerting``).
"""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import dagster as dg

from metaplat.orchestration.alerting import (
    AlertSubject,
    declared_subjects,
    receivers_of,
    send_alerts,
    standing_now,
)
from metaplat.orchestration.clock import utc_now
from metaplat.reports.alerts.notify import DeliveryOutcome
from metaplat.stores.home import Stores

if TYPE_CHECKING:
    from metaplat.settings import Settings

INTERVAL_SECONDS = 60
"""Between two ticks."""

Subjects = Sequence[AlertSubject] | Callable[["Settings"], Sequence[AlertSubject]]


def build_alert_sensor(subjects: Subjects = declared_subjects) -> dg.SensorDefinition:
    """Make the sensor ``alerts``.

    It never asks for a run; what it did is the reason of its skipping. A sink that does not answer is in that
    reason and tried again on the next tick; a store that does not answer fails the tick.

    Parameters
    ----------
    subjects : sequence of AlertSubject, or callable
        What is watched; a callable is asked on every tick.
    """

    @dg.sensor(
        name="alerts",
        minimum_interval_seconds=INTERVAL_SECONDS,
        default_status=dg.DefaultSensorStatus.RUNNING,  # without it nobody ever hears of anything
        description="Tells the sinks of section [alerts] which checks fail, and which pass again.",
    )
    def alerts(context: dg.SensorEvaluationContext, stores: dg.ResourceParam[Stores]) -> dg.SkipReason:
        receivers = receivers_of(stores.settings)
        if not receivers:
            return dg.SkipReason("no sink is set up in section [alerts.sinks] of the settings")
        watched = subjects(stores.settings) if callable(subjects) else subjects
        standing = standing_now(stores, watched)
        outcomes = send_alerts(stores, receivers, standing, utc_now())
        for outcome in outcomes:
            if outcome.problem:
                context.log.warning("sink %s: %s", outcome.sink, outcome.problem)
        firing = sum(len(stand.alerts) for stand in standing.values())
        return dg.SkipReason(said(outcomes, firing))

    return alerts


def said(outcomes: Sequence[DeliveryOutcome], firing: int) -> str:
    """Say in one line what was sent."""
    if not outcomes:
        return f"nothing new to tell; {firing} alerts stand"
    return "; ".join(
        f"{outcome.sink}: {len(outcome.notices)} not delivered ({outcome.problem})"
        if outcome.problem
        else f"{outcome.sink}: told of {len(outcome.notices)}"
        for outcome in outcomes
    )
