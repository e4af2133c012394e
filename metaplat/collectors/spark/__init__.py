"""Spark applications, from event logs, a History Server and the clouds that run them.

Here: one package a source (``log_files`` and ``events`` for event logs, ``history_server``, ``emr``,
``databricks``, ``dataproc``), the attempt they all fill (``attempt``), and what is concluded from it
(``conclusions``: derived figures, findings, cost).
Not here: landing (``ingest``), the declared columns (``domains.spark_applications``), pages
(``reports.spark``).
"""
