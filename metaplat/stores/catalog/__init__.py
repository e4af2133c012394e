"""The catalog index: observations, what was made from what, and who did it, searchable.

Here: the protocol (``index``), its implementations, and compilers of filters.
Not here: reading files, CQL2, pre-flight (``catalog``, ``collectors.headers``).
"""
