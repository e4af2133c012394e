"""Spark applications on Databricks: what the workspace knows of runs and clusters, joined with event logs.

Here: the workspace (``workspace``), what is kept of runs and clusters (``runs``, ``clusters``), which log is
of which Spark context (``context_logs``), the records (``records``), and the order of it all
(``collecting``).
Not here: reading event logs (``log_reading``).

The API gives no task, stage or byte figures. A cluster that serves many runs is one application in its log:
its figures are counted once, in a record of their own, and never shared out among the runs.
"""

from metaplat.collectors.spark.databricks.collecting import collect

__all__ = ["collect"]
