"""The catalog index in a SQLite file: the embedded default.

Here: ``SqliteIndex``.
Not here: statements (``sql_index``), connections (``sqlite_pool``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from metaplat.stores.catalog.sql_dialect import SQLITE
from metaplat.stores.catalog.sql_index import SqlIndex
from metaplat.stores.catalog.sql_schema import schema
from metaplat.stores.catalog.sqlite_pool import SqlitePool

if TYPE_CHECKING:
    from pathlib import Path

REPAIR = (
    "Restore it from a backup. Without one, move it away with its -wal and its -shm and ingest again:"
    " observations come back, relationships and events are only in the lake."
)


class SqliteIndex(SqlIndex):
    """See ``CatalogIndex``. The file and its folder are made on first use; any thread or process may use it.

    Parameters
    ----------
    path : Path
        The file, on a local disk: WAL mode does not work on network file systems.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(SqlitePool(path, schema(SQLITE), REPAIR), SQLITE)
        self._path = path

    @property
    def address(self) -> str:
        """Where it is."""
        return str(self._path)

    def __reduce__(self) -> tuple[type[SqliteIndex], tuple[Path]]:
        """Pickle as its path: connections stay in their process."""
        return SqliteIndex, (self._path,)
