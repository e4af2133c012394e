"""The rules of the catalog's domains, in the order they are shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from metaplat.model.observation import FileState
from metaplat.model.verdict import Severity
from metaplat.rules.catalog.duplicates_by_content import duplicates_by_content
from metaplat.rules.catalog.edges import dangling_edges, self_edges, unreadable_ends
from metaplat.rules.catalog.file_states import rejected_files, vanished_files
from metaplat.rules.catalog.flagged_files import doubtful_times, quality_in_range, truncated_files
from metaplat.rules.catalog.freshness_per_mission import freshness_per_mission
from metaplat.rules.catalog.observation_time import observation_time
from metaplat.rules.catalog.runs import failed_runs, unfinished_runs
from metaplat.rules.catalog.time_within_mission import time_within_mission
from metaplat.rules.catalog.volume_per_mission import volume_per_mission
from metaplat.rules.completeness import completeness
from metaplat.rules.frame_schema import schema
from metaplat.rules.freshness import freshness
from metaplat.rules.primary_key import primary_key

if TYPE_CHECKING:
    from datetime import timedelta

    from metaplat.model.rule import Rule
    from metaplat.rules.catalog.time_within_mission import MissionWindows


def observation_rules(windows: MissionWindows, fresh_within: timedelta) -> tuple[Rule, ...]:
    """Return the rules of observations.

    Parameters
    ----------
    windows : callable
        When missions observed: see ``time_within_mission``.
    fresh_within : timedelta
        How old the newest observation may be.
    """
    return (
        primary_key(),
        schema(),
        _required("mission_id", 0.05, Severity.ERROR),
        _required("satellite_name", 0.1, Severity.WARN),
        _required("instrument_type", 0.1, Severity.WARN),
        observation_time(),
        time_within_mission(windows),
        quality_in_range(),
        doubtful_times(),
        truncated_files(),
        rejected_files(),
        vanished_files(),
        duplicates_by_content(),
        volume_per_mission(),
        freshness_per_mission(windows),
        freshness(fresh_within),
    )


def _required(column: str, max_missing: float, severity: Severity) -> Rule:
    where = {"file_state": (FileState.PRESENT.value,)}
    return completeness(column, max_missing, where, severity=severity, shown=("file_path",))


EDGE_RULES: tuple[Rule, ...] = (
    primary_key(),
    schema(),
    dangling_edges(),
    unreadable_ends(),
    self_edges(),
)
EVENT_RULES: tuple[Rule, ...] = (primary_key(), schema(), failed_runs(), unfinished_runs())
