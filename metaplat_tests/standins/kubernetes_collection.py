"""Collecting planted or recorded Kubernetes objects, with the warnings that came up.

Here: requests to the real collectors, so that a test says only what it plants and what it expects.
Not here: builders (``kubernetes_objects``), the server (``kubernetes_api``).
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from metaplat.collectors.collector import CollectRequest
from metaplat.collectors.kubernetes import collect_cluster, collect_saved
from metaplat.settings import KubernetesSettings, Settings

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

RECORDED = Path(__file__).parents[1] / "data" / "kubernetes"
NOW = datetime(2025, 11, 30, tzinfo=UTC)


@dataclass
class Collected:
    """Records by the Job's own name, and warnings in their order."""

    records: list[Mapping[str, Any]]
    warnings: list[str] = field(default_factory=list)

    def __getitem__(self, job: str) -> Mapping[str, Any]:
        return next(record for record in self.records if record["kubernetes_job_name"] == job)

    @property
    def only(self) -> Mapping[str, Any]:
        """The one record that was expected."""
        assert len(self.records) == 1, (self.records, self.warnings)
        return self.records[0]


def from_files(path: Path | None, since: datetime | None = None, **settings: Any) -> Collected:
    """Collect from saved files, as source ``kubectl`` does."""
    warnings: list[str] = []
    kubernetes = Settings(kubernetes=KubernetesSettings(**settings))
    request = CollectRequest(kubernetes, NOW, warnings.append, path=path, since=since)
    return Collected(list(collect_saved(request)), warnings)


def from_server(url: str | None, since: datetime | None = None, **settings: Any) -> Collected:
    """Collect from a server, as source ``cluster`` does."""
    warnings: list[str] = []
    kubernetes = Settings(kubernetes=KubernetesSettings(**settings))
    request = CollectRequest(kubernetes, NOW, warnings.append, url=url, since=since)
    return Collected(list(collect_cluster(request)), warnings)


def save(folder: Path, **lists: Iterable[Any]) -> Path:
    """Write ``jobs``, ``pods`` and ``events`` as ``kubectl get -o json`` does; returns the folder."""
    for plural, items in lists.items():
        content = {"kind": "List", "apiVersion": "v1", "metadata": {}, "items": list(items)}
        (folder / f"{plural}.json").write_text(json.dumps(content), encoding="utf-8")
    return folder


def planted(
    folder: Path, job: Any, pods: Iterable[Any] = (), events: Iterable[Any] = (), **settings: Any
) -> Collected:
    """Collect one planted Job with its Pods and Events."""
    return from_files(save(folder, jobs=[job], pods=pods, events=events), **settings)
