"""What assets, checks and sensors are given: our stores, and SQL over the lake.

Here: resources that open plain objects when a run or tick starts; settings are read then, not at load.
Not here: the stores themselves (``stores``).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import dagster as dg

from metaplat.orchestration.leftovers import held
from metaplat.stores.home import Stores, open_stores

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from metaplat.catalog.client import Catalog


class StoresResource(dg.ConfigurableResource[Stores]):
    """Opens the stores; assets ask for ``stores: dg.ResourceParam[Stores]``."""

    config_path: str = ""

    @contextmanager
    def yield_for_execution(self, context: dg.InitResourceContext) -> Iterator[Stores]:
        """Open the stores by the settings file at ``config_path``, else by the usual places.

        For a run it is also said that this process works on it: where all of Dagster is killed, nobody else
        could tell later that the run has died. A pull that seems to go on would keep the next one waiting.
        """
        stores = open_configured_stores(self.config_path)
        if context.run is None or context.instance is None:  # a tick
            yield stores
            return
        with held(context.instance, context.run.run_id):
            yield stores


class LakeSqlResource(dg.ConfigurableResource["DuckDBPyConnection"]):
    """An in-memory DuckDB connection with one view per domain over the lake."""

    config_path: str = ""

    @contextmanager
    def yield_for_execution(self, context: dg.InitResourceContext) -> Iterator["DuckDBPyConnection"]:
        """Open a connection through dagster-duckdb, and close it when the step ends."""
        del context
        from dagster_duckdb import DuckDBResource

        from metaplat.domains import all_domains
        from metaplat.stores.sql import create_views

        with DuckDBResource(database=":memory:").get_connection() as connection:
            create_views(connection, open_configured_stores(self.config_path).lake, all_domains())
            yield connection


class CatalogResource(dg.ConfigurableResource["Catalog"]):
    """The observation catalog for pipelines; assets ask for ``catalog: dg.ResourceParam[Catalog]``."""

    config_path: str = ""

    @contextmanager
    def yield_for_execution(self, context: dg.InitResourceContext) -> Iterator["Catalog"]:
        """Open the catalog, and close it when the step ends."""
        del context
        from metaplat.catalog.client import Catalog

        with Catalog(open_configured_stores(self.config_path).settings) as catalog:
            yield catalog


def open_configured_stores(config_path: str = "") -> Stores:
    """Read the settings and open the stores; raises SettingsError."""
    from metaplat.domains import check_privacy
    from metaplat.settings import load_settings

    settings = load_settings(Path(config_path) if config_path else None)
    check_privacy(settings.privacy)
    return open_stores(settings)


def default_resources() -> dict[str, object]:
    """Return the resources every definition of metaplat may ask for."""
    return {"stores": StoresResource(), "lake_sql": LakeSqlResource(), "catalog": CatalogResource()}
