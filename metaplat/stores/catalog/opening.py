"""The catalog index that the settings name.

Here: which store it is, and what it needs. Opening is lazy: nothing is asked before it is needed.
Not here: the stores themselves.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from metaplat.model.errors import SettingsError

if TYPE_CHECKING:
    from metaplat.settings import Settings
    from metaplat.stores.catalog.index import CatalogIndex

CATALOG_FILE = "catalog.sqlite"


def open_index(settings: Settings) -> CatalogIndex:
    """Return the index of ``settings.catalog``, unopened; close it in the end (``contextlib.closing``).

    Raises
    ------
    SettingsError
        The backend needs a key that is missing; MissingExtraError where its library is.
    """
    catalog = settings.catalog
    if catalog.backend == "postgres":
        if catalog.postgres_url is None:
            raise SettingsError(
                "catalog.postgres_url",
                "the backend postgres needs it",
                "Set METAPLAT_CATALOG__POSTGRES_URL to postgresql://user:password@host/database.",
            )
        from metaplat.stores.catalog.postgres_index import PostgresIndex

        return PostgresIndex(catalog.postgres_url.get_secret_value())
    if catalog.backend == "vast":
        if catalog.vast_endpoint is None:
            raise SettingsError(
                "catalog.vast_endpoint", "the backend vast needs it", "Set it to the address of the cluster."
            )
        from metaplat.stores.catalog.vast_index import VastIndex

        return VastIndex(catalog)
    from metaplat.stores.catalog.sqlite_index import SqliteIndex

    return SqliteIndex(settings.home / CATALOG_FILE)
