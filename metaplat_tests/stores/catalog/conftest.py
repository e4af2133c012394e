"""Fixtures of the catalog's stores: PostgreSQL, and empty catalogs of each implementation."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING

import pytest

from metaplat_tests.standins.postgres import postgres_programs, running_postgres
from metaplat_tests.stores.catalog.index_factories import IMPLEMENTATIONS, IndexFactory

if TYPE_CHECKING:
    from collections.abc import Iterator

    from metaplat.stores.catalog.index import CatalogIndex
    from metaplat_tests.standins.postgres import PostgresServer


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """Run a PostgreSQL for all tests of this process; without its programs, they skip."""
    programs = postgres_programs()
    if programs is None:
        pytest.skip("PostgreSQL is not installed")
    with running_postgres(programs) as server:
        yield server


@pytest.fixture(scope="session", params=IMPLEMENTATIONS)
def factory(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> IndexFactory:
    """Make catalogs of one implementation."""
    if request.param == "vast" and find_spec("vastdb") is None:
        pytest.skip("vastdb is not installed")
    folder = tmp_path_factory.mktemp("catalog")
    server = request.getfixturevalue("postgres_server") if request.param == "postgres" else None
    return IndexFactory(request.param, folder, server)


@pytest.fixture
def index(factory: IndexFactory) -> Iterator[CatalogIndex]:
    """Lend an empty catalog."""
    with factory.empty() as index:
        yield index
