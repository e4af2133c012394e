"""The rows of ``historical_job_metrics``.

Here: one row an hour, from the judged hours.
Not here: judging them (``passage``), tables and volumes (``table_rows``, ``size_rows``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from metaplat.model.extract import JOB_METRICS_FIELDS, ExtractStatus
from metaplat.model.polars_schema import polars_schema

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    import polars as pl

    from metaplat.settings import Settings
    from metaplat.vip.history.passage import Hour


def job_rows(hours: Sequence[Hour], settings: Settings, config_name: str) -> pl.DataFrame:
    """Return the frame of ``JOB_METRICS_FIELDS``, one row an hour.

    ``n_tables_delivered`` counts expected tables, and all of them where nothing says which are expected.
    ``completeness`` is delivered over expected tables; 0 for an hour without any table that misses some, or
    without any file; null where nothing is expected of an hour that has some.
    """
    import polars as pl

    return pl.DataFrame(
        [_row(hour, settings, config_name) for hour in hours],
        schema=polars_schema(JOB_METRICS_FIELDS),
        orient="row",
    )


def excuse(hour: datetime, settings: Settings) -> str | None:
    """Return why the loss of an hour is excused; None where it is not."""
    return next((each.reason for each in settings.vip.excuses if each.holds(hour)), None)


def _row(each: Hour, settings: Settings, config_name: str) -> dict[str, Any]:
    counts, papers, expected = each.counts, each.papers, each.expectation.tables
    is_missing = each.status is ExtractStatus.MISSING
    reason = excuse(each.hour, settings)
    ended = None if is_missing else papers.finished_at
    duration = None
    if ended is not None and papers.accepted_at is not None and ended >= papers.accepted_at:
        duration = (ended - papers.accepted_at).total_seconds()
    return {
        "config_name": config_name,
        "hour_utc": each.hour,
        "job_guid": papers.job_guid,
        "status": each.status.value,
        "excused": reason is not None,
        "excuse": reason,
        "started_at": papers.accepted_at,
        "completed_at": ended,
        "duration_s": duration,
        "lag_min": None if is_missing else each.lag_min,
        "n_tables_expected": None if expected is None else len(expected),
        "n_tables_delivered": len(each.delivered if expected is None else each.delivered & expected),
        "expected_source": each.expectation.source,
        "n_files_promised": counts["n_promised"],
        "n_files_delivered": counts["n_data"] if counts["n_kept"] is None else counts["n_kept"],
        "n_files_size_mismatch": counts["n_other_size"],
        "n_files_schema": counts["n_schema"],
        "n_files_script": counts["n_script"],
        "completeness": _completeness(each),
        "file_completeness": _file_completeness(each),
        "missing_tables": sorted(each.missing_tables),
        "unexpected_tables": sorted(each.unexpected_tables),
    }


def _completeness(each: Hour) -> float | None:
    if expected := each.expectation.tables:
        return len(each.delivered & expected) / len(expected)
    return None if each.counts["n_vendor"] else 0.0


def _file_completeness(each: Hour) -> float | None:
    kept, promised = each.counts["n_kept"], each.counts["n_promised"]
    if kept is not None and promised:
        return kept / promised
    return None if each.counts["n_vendor"] else 0.0
