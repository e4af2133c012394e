"""The sources of Spark applications by the names of the command line.

Here: which collector a name means; each is imported when it is run, since loading must stay light.
Not here: the collectors.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from metaplat.model.errors import UsageError

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


WAYS = "history-server"
"""The source that can be read in more than one way."""


def _collector(name: str, module: str) -> Collector:
    def collect(request: CollectRequest) -> Iterator[Mapping[str, Any]]:
        if request.via is not None and name != WAYS:
            raise UsageError(f"--via is for --source {WAYS}: there is only one way to read {name}")
        chosen: Collector = import_module(f"metaplat.collectors.spark.{module}").collect
        return chosen(request)

    return collect


COLLECTORS: Mapping[str, Collector] = {name: _collector(name, module) for name, module in MODULES.items()}
