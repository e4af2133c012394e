"""Catalogs in a VAST cluster that is none: the SDK's own session over a server in memory.

Here: ``vast_session`` and ``vast_index``.
Not here: the server (``vast_server``).
"""

from __future__ import annotations

from typing import Any

from vastdb._session_context import SessionContext
from vastdb.config import SessionConfig
from vastdb.features import Features
from vastdb.session import Session

from metaplat.settings import CatalogSettings
from metaplat.stores.catalog.vast_index import VastIndex
from metaplat_tests.standins.vast_server import VastServer

BUCKET = "metaplat"


class StandinSession(Session):  # type: ignore[misc]
    """The SDK's session, whose network is the server."""

    def __init__(self, server: VastServer) -> None:
        self.access = self.secret = "stand-in"
        self.api: Any = server
        self._context = SessionContext(server, server.endpoints[0], SessionConfig())
        self.features = Features(server.vast_version)
        self.adbc_driver_path = None
        self._end_user = None


def vast_index(server: VastServer | None = None) -> VastIndex:
    """Return a catalog in a new cluster, or in this one."""
    cluster = server or VastServer(BUCKET)
    settings = CatalogSettings(backend="vast", vast_endpoint=cluster.endpoints[0], vast_bucket=BUCKET)
    return VastIndex(settings, lambda: StandinSession(cluster))
