"""The sources of Spark applications by the names of the command line.

Here: which collector a name means; each is imported when it is run, since loading must stay light.
Not here: the collectors.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from metaplat.collectors.collector import Collector, CollectRequest

MODULES = {
    "event-logs": "event_logs",
    "history-server": "history_server",
    "emr": "emr",
    "databricks": "databricks",
    "dataproc": "dataproc",
}
"""Module or package of this package, by source; each has a function ``collect``."""


def _collector(module: str) -> Collector:
    def collect(request: CollectRequest) -> Iterator[Mapping[str, Any]]:
        chosen: Collector = import_module(f"metaplat.collectors.spark.{module}").collect
        return chosen(request)

    return collect


COLLECTORS: Mapping[str, Collector] = {name: _collector(module) for name, module in MODULES.items()}
