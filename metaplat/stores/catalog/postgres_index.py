"""The catalog index in PostgreSQL: for several hosts that share one catalog.

Here: ``PostgresIndex``.
Not here: the questions and their statements (``sql_index`` and its neighbours), transactions
(``postgres_store``), connections (``postgres_connection``).
"""

from __future__ import annotations

from metaplat.stores.catalog.postgres_store import SCHEMA, PostgresStore
from metaplat.stores.catalog.sql_dialect import POSTGRES
from metaplat.stores.catalog.sql_index import SqlIndex


class PostgresIndex(SqlIndex):
    """See ``CatalogIndex``; threads and forked processes may share one.

    Parameters
    ----------
    url : str
        ``postgresql://user:password@host:port/database``; libpq's may follow: ``?sslmode=require``.
        The user needs CREATE in the database for the first use; who may read the tables only, reads.
    schema : str
        The schema that holds the tables: a catalog each.

    Raises
    ------
    MissingExtraError
        psycopg2 is not installed.
    SettingsError
        The address cannot be read.
    UsageError
        The schema has no name that PostgreSQL takes as it is.
    """

    def __init__(self, url: str, schema: str = SCHEMA) -> None:
        store = PostgresStore(url, schema)
        super().__init__(store, POSTGRES)
        self._address = store.address if schema == SCHEMA else f"{store.address} ({schema})"

    @property
    def address(self) -> str:
        """Host and database, without user and password."""
        return self._address
