"""Doors to bucketed tables: their files, their Parquet footers and key columns, Glue, Athena.

Here: one module a door. Not here: what is measured of a table (``monitor``).
"""
