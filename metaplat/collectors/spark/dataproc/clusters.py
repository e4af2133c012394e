"""Clusters of Dataproc's API into plain values.

Here: what is kept of a cluster: its cost basis, its configuration of Spark, and where its event logs go.
Not here: asking for clusters (``collecting``), finding logs (``application_logs``).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

SPARK = "spark:"
"""Before the names of Spark properties among those of a cluster."""
GROUPS = {"master": "master_config", "worker": "worker_config", "secondary_worker": "secondary_worker_config"}
LOG_PROPERTIES = ("spark.eventLog.dir", "spark.history.fs.logDirectory")


@dataclass(frozen=True)
class Cluster:
    """One cluster, as it is now.

    Parameters
    ----------
    cluster_id : str or None
        Unique, unlike its name, which may be given again.
    tags : dict of str to str
        Labels.
    properties : dict of str to str
        Spark properties set on it.
    facts : dict of str to str
        Machines, image and zone, by short names.
    """

    cluster_id: str | None
    tags: dict[str, str]
    properties: dict[str, str]
    facts: dict[str, str]


def read_cluster(cluster: Any) -> Cluster:
    """Read a ``google.cloud.dataproc_v1.Cluster``."""
    config = cluster.config
    facts = {
        "image_version": config.software_config.image_version,
        "zone": _last(config.gce_cluster_config.zone_uri),
        "autoscaling_policy": _last(config.autoscaling_config.policy_uri),
    }
    for group, member in GROUPS.items():
        machines = getattr(config, member)
        facts[f"{group}.machine_type"] = _last(machines.machine_type_uri)
        facts[f"{group}.instances"] = str(machines.num_instances or "")
    return Cluster(
        cluster_id=cluster.cluster_uuid or None,
        tags=dict(cluster.labels),
        properties={
            name.removeprefix(SPARK): value
            for name, value in config.software_config.properties.items()
            if name.startswith(SPARK)
        },
        facts={name: value for name, value in facts.items() if value},
    )


def log_folder(properties: Mapping[str, str]) -> str | None:
    """Return where event logs go, by the properties of a job and of its cluster together."""
    return next((properties[name] for name in LOG_PROPERTIES if properties.get(name)), None)


def _last(uri: str) -> str:
    """Return the last part of a resource name."""
    return uri.rpartition("/")[2]
