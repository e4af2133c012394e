"""Job executions as Kubernetes reports them: Jobs joined with their Pods and the Events on those.

Here: two readers of one form, saved ``kubectl`` output (``saved``) and a live API server (``cluster``);
what is kept of an object (``objects``, read by ``reading``, strictly by ``members``); the join into
records (``executions``); why a run failed (``failure_cause``).
Not here: resource figures and row counts (Kubernetes does not know them), validation (``ingest``).
Environment variables, arguments and annotations are never kept.
"""

from metaplat.collectors.kubernetes.cluster import collect_cluster
from metaplat.collectors.kubernetes.saved import collect_saved

__all__ = ["collect_cluster", "collect_saved"]
