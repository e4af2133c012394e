"""The engines that need a service, as the settings describe them.

Here: which profiler an engine means. Not here: counting (``profilers``), engines that need only the files.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from metaplat.model.table import Engine

if TYPE_CHECKING:
    from collections.abc import Mapping

    from metaplat.monitor.profilers.profiler import Profiler
    from metaplat.settings import MonitorSettings
    from metaplat.stores.tables.athena import Athena


def service_profilers(engine: Engine, settings: MonitorSettings) -> Mapping[Engine, Profiler]:
    """Return the profiler of ``engine`` where it needs a service; nothing is asked yet.

    Raises
    ------
    SettingsError
        The settings of the engine are wrong.
    """
    if engine is Engine.ATHENA:
        from metaplat.monitor.profilers.athena import AthenaProfiler

        return {engine: AthenaProfiler(open_athena(settings))}
    if engine is Engine.SPARK:
        from metaplat.monitor.profilers.spark import SparkProfiler

        return {engine: SparkProfiler(settings.spark_remote, settings.spark_master)}
    return {}


def open_athena(settings: MonitorSettings) -> Athena:
    """Return Athena as the settings describe it; nothing is asked yet."""
    from metaplat.stores.tables.athena import Athena

    return Athena(settings.region, settings.athena_workgroup, settings.athena_results)
