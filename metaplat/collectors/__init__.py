"""Readers of outside systems: each yields raw records in the landed form, and writes nothing.

Here: one package or module per outside system, and the form they share (``collector``).
Not here: landing, redaction (``ingest``), which domain a record belongs to (``domains``).
To add a source, write one function of the form ``Collector`` and name it in its domain's ``collectors``.
"""
