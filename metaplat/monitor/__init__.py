"""The table monitor: bucketed tables are listed, profiled, compared with Glue, and repaired.

Here: gathering the facts about one monitored table (``facts``), its profile and what is kept between runs.
Not here: reading files, Glue and Athena (``stores.tables``), judging the facts (``rules.tables``), reports
and alerts (``reports``), Dagster (``orchestration.tables``).
"""
