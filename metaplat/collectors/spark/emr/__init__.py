"""Spark applications on Amazon EMR: what the service knows of clusters and steps, joined with event logs.

Here: asking EMR (``service``), what is kept of a cluster and its steps (``cluster``, read by ``describing``,
``submission``), which of them are asked for again (``inventory``), where logs lie (``log_folders``), which
cluster a log is of (``owners``), which step an application is of (``step_joins``), which logs are opened
again (``known_logs``), the records (``logged``, ``stepped``), and the order of it all (``collection``).
Not here: reading event logs (``log_reading``), EMR on EKS and EMR Serverless, which have other services.

EMR gives no task, stage or byte figures. An application whose event log can be read gives a full record; a
Spark step without one gives what the inventory knows, flagged ``no_event_log``.
"""

from metaplat.collectors.spark.emr.collection import collect

__all__ = ["collect"]
