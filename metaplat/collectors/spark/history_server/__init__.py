"""A Spark History Server: its list by REST, and each attempt by its event log or by REST.

Here: ``collect``; asking the server (``server``, ``exchange``, ``address``), its list (``listing``), and the
two ways to read an attempt: ``zipped_logs`` (the default) and ``rest``.
Not here: reading an event log (``log_reading``), what is concluded (``conclusions``).
"""

from metaplat.collectors.spark.history_server.collection import collect

__all__ = ["collect"]
