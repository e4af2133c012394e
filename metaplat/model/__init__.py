"""The nouns: domain, field, partitioning, rule, verdict, evidence, retention, and the error tree.

Here: small frozen dataclasses and pure functions on them; the words every other room speaks.
Not here: I/O, settings, libraries (standard library only), Dagster, polars frames other than as a type.
To add a kind of metadata, declare a ``MetadataDomain`` in ``metaplat.domains``; nothing changes here.
"""
