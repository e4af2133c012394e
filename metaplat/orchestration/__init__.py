"""Domains become Dagster assets, checks, sensors and schedules.

Here: everything that imports dagster: one module per Dagster concept, and ``build`` that puts them together.
Not here: what is ingested (``ingest``) or judged (``rules``). Nothing here is specific to one domain.
Loading must stay light: no heavy library, no network, no environment at import.
"""
