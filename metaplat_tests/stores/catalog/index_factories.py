"""Empty catalogs of each implementation, as often as a test wants one.

Here: which implementations there are, and how each is opened empty, or opened again.
Not here: servers (``standins``).
"""

from __future__ import annotations

import itertools
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from metaplat.stores.catalog.index import CatalogIndex
    from metaplat_tests.standins.postgres import PostgresServer

IMPLEMENTATIONS = ("sqlite", "postgres", "vast")


class IndexFactory:
    """Makes new catalogs of one implementation, and closes them.

    Parameters
    ----------
    implementation : str
        One of ``IMPLEMENTATIONS``.
    folder : Path
        For files.
    server : PostgresServer or None
        Where catalogs in PostgreSQL are kept.
    """

    names = itertools.count()

    def __init__(self, implementation: str, folder: Path, server: PostgresServer | None) -> None:
        self.implementation, self._folder, self._server = implementation, folder, server

    @contextmanager
    def empty(self) -> Iterator[CatalogIndex]:
        """Lend a new, empty catalog."""
        name = f"catalog_{next(self.names)}"
        index = self.opened(name)
        try:
            yield index
        finally:
            index.close()
            self._remove(name)

    @contextmanager
    def shared(self) -> Iterator[Callable[[], CatalogIndex]]:
        """Lend a function that opens one catalog, empty at first, again and again."""
        indexes: list[CatalogIndex] = []

        def opened() -> CatalogIndex:
            indexes.append(self.opened("shared"))
            return indexes[-1]

        try:
            yield opened
        finally:
            for index in indexes:
                index.close()
            self._remove("shared")

    def opened(self, name: str) -> CatalogIndex:
        """Open the catalog with a name: the same name, the same rows (in VAST: a new one)."""
        if self.implementation == "sqlite":
            from metaplat.stores.catalog.sqlite_index import SqliteIndex

            return SqliteIndex(self._folder / f"{name}.sqlite")
        if self._server is not None:
            from metaplat.stores.catalog.postgres_index import PostgresIndex

            return PostgresIndex(self._server.url(), schema=name)
        from metaplat_tests.standins.vast_session import vast_index

        return vast_index()

    def _remove(self, name: str) -> None:
        if self._server is not None:
            self._server.execute(f"DROP SCHEMA IF EXISTS {name} CASCADE")
        for path in self._folder.glob(f"{name}.sqlite*"):
            path.unlink()
