"""The only doors to storage: objects, lake, hot store, SQL.

Here: one module per protocol and one per implementation; each turns the failures of its library into
``TransientStoreError`` or ``PermanentStoreError``.
Not here: what is stored and why (``ingest``, ``reports``), outside systems (``collectors``).
To add a store, write one module that implements the protocol, open it in ``stores.home``, and add it to
the contract test of the protocol.
"""
