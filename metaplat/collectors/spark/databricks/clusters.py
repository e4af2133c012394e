"""Plain clusters of the Clusters API into typed values.

Here: what is kept of a cluster: its cost basis, its configuration, and where its logs go.
Not here: asking for clusters (``collecting``), finding logs (``context_logs``).
Source of the member names: https://docs.databricks.com/api/workspace/clusters/get
Environment variables and init scripts are never kept.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from metaplat.collectors.kubernetes.members import labels, member, text
from metaplat.collectors.spark.databricks.runs import identity, moment

if TYPE_CHECKING:
    from datetime import datetime

FACTS = {
    "spark_version": ("spark_version",),
    "node_type_id": ("node_type_id",),
    "driver_node_type_id": ("driver_node_type_id",),
    "num_workers": ("num_workers",),
    "autoscale.min_workers": ("autoscale", "min_workers"),
    "autoscale.max_workers": ("autoscale", "max_workers"),
    "cluster_cores": ("cluster_cores",),
    "cluster_memory_mb": ("cluster_memory_mb",),
    "cluster_source": ("cluster_source",),
    "runtime_engine": ("runtime_engine",),
    "instance_pool_id": ("instance_pool_id",),
    "policy_id": ("policy_id",),
    "availability": ("aws_attributes", "availability"),
}
"""What a cluster costs depends on these; by the name that is kept, without ``databricks.`` before it."""
GONE_STATES = frozenset({"TERMINATED", "TERMINATING", "ERROR"})


@dataclass(frozen=True)
class Cluster:
    """One cluster, as it is now.

    Parameters
    ----------
    source : str or None
        Who made it: ``JOB`` for one run, ``UI`` and ``API`` for many.
    context_id : str or None
        Its present, else last Spark context.
    is_up : bool
        Whether that context may still run.
    terminated : datetime or None
        When it ended, where it did.
    tags : dict
        Custom tags.
    spark_conf : dict
        Spark properties set on it.
    facts : dict of str to str
        By the names of ``FACTS``.
    log_destination : str or None
        Where its logs are delivered, as the API spells it.
    """

    name: str | None
    source: str | None
    context_id: str | None
    is_up: bool
    terminated: datetime | None
    tags: dict[str, str]
    spark_conf: dict[str, str]
    facts: dict[str, str]
    log_destination: str | None


def read_cluster(item: dict[str, Any]) -> Cluster:
    """Read a cluster, or the specification of one; InvalidInputError where a member is of a wrong type."""
    found = {name: member(item, *path) for name, path in FACTS.items()}
    destinations = (text(item, "cluster_log_conf", kind, "destination") for kind in ("s3", "dbfs", "volumes"))
    return Cluster(
        name=text(item, "cluster_name"),
        source=text(item, "cluster_source"),
        context_id=identity(item, "spark_context_id"),
        is_up=text(item, "state") not in GONE_STATES,
        terminated=moment(item, "terminated_time"),
        tags=labels(item, "custom_tags"),
        spark_conf=labels(item, "spark_conf"),
        facts={name: str(value) for name, value in found.items() if isinstance(value, str | int | float)},
        log_destination=next((one for one in destinations if one), None),
    )
