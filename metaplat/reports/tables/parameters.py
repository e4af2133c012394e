"""The parameters that a run of the monitor had, as its reports show them.

Here: which ones, and how they are written; addresses that may carry a token (Spark's) are not shown.
Not here: their meaning and defaults (``settings``).
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from metaplat.settings import MonitorSettings

SHOWN = (
    "database",
    "table_prefix",
    "max_tables",
    "bucket_count",
    "pk_column",
    "engine",
    "bucket_fn",
    "region",
    "auto_repair",
    "strict_snapshot",
    "freshness_window_days",
    "count_check_enabled",
    "compare_source_type",
    "compare_database",
    "count_tolerance_pct",
    "file_size_check",
    "file_size_min_mb",
    "file_size_max_mb",
    "file_size_all",
    "data_bucket",
    "clear_key_samples",
    "skew_factor",
    "skew_floor_rows",
    "volume_runs",
    "volume_change_pct",
    "volume_floor_rows",
)


def parameters(settings: MonitorSettings) -> list[tuple[str, str]]:
    """Return name and value of the parameters that decide what a run finds."""
    return [(name, _written(getattr(settings, name))) for name in SHOWN]


def _written(value: object) -> str:
    if value is None:
        return "none"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, StrEnum):
        return value.value
    return f"{value:g}" if isinstance(value, float) else str(value)
