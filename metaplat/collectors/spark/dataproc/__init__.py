"""Spark applications on Google Dataproc: what it knows of jobs and clusters, joined with event logs.

Here: asking Dataproc (``service``), what is kept of jobs and clusters (``jobs``, ``clusters``), which log is
of which YARN application (``application_logs``), the records (``records``), and the order of it all
(``collecting``).
Not here: reading event logs (``log_reading``), Dataproc Serverless (batches), which is another service.

The API gives no task, stage or byte figures. Event logs on ``gs://`` and ``hdfs://`` cannot be read from
here: a copy of them can, named by ``--path``.
"""

from metaplat.collectors.spark.dataproc.collecting import collect

__all__ = ["collect"]
