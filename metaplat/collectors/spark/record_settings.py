"""Which settings a record depends on: where one of those changes, what was read is read again.

Here: the settings that change no record, and the text of all others.
Not here: the settings (``settings.sections``), what is remembered (each source).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from metaplat.settings import SparkSettings

WITHOUT_EFFECT = {
    "batch_size",
    "databricks_host",
    "databricks_token",
    "dataproc_endpoint",
    "dataproc_project",
    "dataproc_region",
    "emr_region",
    "event_logs",
    "history_server",
    "max_apps",
    "processes",
    "recursive",
    "replay_seconds",
    "retries",
    "timeout_seconds",
}
"""They say where and how to read, and change no record."""


def record_settings(settings: SparkSettings) -> str:
    """Return the settings that records depend on, as text; no secret is in it."""
    return settings.model_dump_json(exclude=WITHOUT_EFFECT)
