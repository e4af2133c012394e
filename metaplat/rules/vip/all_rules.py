"""The rules of the vendor's lake, in the order they are shown, without those that fit any domain."""

from __future__ import annotations

from typing import TYPE_CHECKING

from metaplat.rules.vip.calendar_complete import calendar_complete
from metaplat.rules.vip.closed_hours import Excuses, no_excuses
from metaplat.rules.vip.extracts import extract_ended_well, promise_kept
from metaplat.rules.vip.incomplete_jobs import incomplete_jobs
from metaplat.rules.vip.lateness import lateness
from metaplat.rules.vip.missing_hours import missing_hours
from metaplat.rules.vip.missing_tables import missing_tables
from metaplat.rules.vip.schema_drift import schema_compatible, schema_unchanged
from metaplat.rules.vip.slo_rules import error_budget_left, slo_burn
from metaplat.rules.vip.unexpected_tables import unexpected_tables
from metaplat.rules.vip.volume_anomalies import volume_anomalies

if TYPE_CHECKING:
    from collections.abc import Callable

    from metaplat.model.rule import Rule
    from metaplat.rules.vip.error_budget import Slo


def extract_rules(excuses: Excuses = no_excuses) -> tuple[Rule, ...]:
    """Return the rules of ``vip_extracts``.

    Parameters
    ----------
    excuses : callable
        Gives the excused hours. Asked when a partition is judged.
    """
    return (extract_ended_well(excuses), promise_kept(excuses))


EXTRACT_RULES: tuple[Rule, ...] = extract_rules()


def job_metrics_rules(slo: Callable[[], Slo]) -> tuple[Rule, ...]:
    """Return the rules of ``historical_job_metrics``, whose rows say which hours are excused.

    Parameters
    ----------
    slo : callable
        Gives the objective. Asked when a partition is judged.
    """
    return (
        calendar_complete(),
        missing_hours(),
        incomplete_jobs(),
        lateness(),
        error_budget_left(slo),
        slo_burn(slo),
    )


def table_metrics_rules(excuses: Excuses = no_excuses) -> tuple[Rule, ...]:
    """Return the rules of ``historical_table_metrics``.

    Parameters
    ----------
    excuses : callable
        Gives the excused hours. Asked when a partition is judged.
    """
    return (missing_tables(excuses), unexpected_tables(excuses), schema_compatible(), schema_unchanged())


def job_size_rules() -> tuple[Rule, ...]:
    """Return the rules of ``historical_job_size``, whose rows say which hours are excused."""
    return (volume_anomalies(),)
