"""Questions about observations: which are there, what was made from what, whether a pipeline may start.

Here: finding and reading files into the index (``ingesting``), search and its CQL2 fronts, relationships,
pre-flight and pipelines, the lake of months.
Not here: formats (``collectors.headers``), the index itself (``stores.catalog``), Dagster, the command line.
"""
