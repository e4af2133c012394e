"""A PostgreSQL that is away, refuses, breaks off or was changed by others: said in words, without secrets."""

from __future__ import annotations

import multiprocessing
import random
import socket
import sys
import threading
import time
import uuid
from typing import TYPE_CHECKING

import pytest

from metaplat.model.errors import (
    InvalidInputError,
    MissingExtraError,
    PermanentStoreError,
    SettingsError,
    TransientStoreError,
    UsageError,
)
from metaplat.model.filters import EVERYTHING
from metaplat.stores.catalog import postgres_store
from metaplat.stores.catalog.index import Query
from metaplat.stores.catalog.postgres_index import PostgresIndex
from metaplat_tests.standins.postgres import DATABASE, PASSWORD, PostgresServer
from metaplat_tests.stores.catalog.catalog_rows import NOW, identity, observation, put

if TYPE_CHECKING:
    from collections.abc import Iterator

    from metaplat.model.observation import Row
    from metaplat.stores.catalog.index import CatalogIndex

SECRET = "hunter2"
BACKENDS = "FROM pg_stat_activity WHERE application_name = 'metaplat'"


@pytest.fixture
def schema(postgres_server: PostgresServer) -> Iterator[str]:
    """Name of a schema that nobody else uses."""
    name = f"s{uuid.uuid4().hex}"
    yield name
    postgres_server.execute(f"DROP SCHEMA IF EXISTS {name} CASCADE")


@pytest.fixture
def catalog(postgres_server: PostgresServer, schema: str) -> Iterator[CatalogIndex]:
    """Lend an index that holds one observation."""
    index = PostgresIndex(postgres_server.url(), schema)
    put(index, observation())
    yield index
    index.close()


@pytest.fixture
def visitor(postgres_server: PostgresServer) -> Iterator[str]:
    """Name of a user who may connect, with the password ``SECRET``, and nothing else."""
    name = f"u{uuid.uuid4().hex}"
    postgres_server.execute(f"CREATE ROLE {name} LOGIN PASSWORD '{SECRET}'")
    yield name
    postgres_server.execute(f"DROP OWNED BY {name}")
    postgres_server.execute(f"DROP ROLE {name}")


def end_connections(server: PostgresServer) -> None:
    """End every connection of metaplat, and wait until they are gone."""
    server.execute(f"SELECT pg_terminate_backend(pid, 60000) {BACKENDS}")


def listening() -> socket.socket:
    """Return a server's socket on a free port."""
    server = socket.create_server(("127.0.0.1", 0))
    server.settimeout(60)
    return server


# --- what cannot be reached


def test_a_wrong_password_is_said_without_showing_it(postgres_server: PostgresServer) -> None:
    index = PostgresIndex(postgres_server.url(password=SECRET))
    with pytest.raises(PermanentStoreError, match="password was refused") as caught:
        index.count(EVERYTHING)
    assert DATABASE in str(caught.value)
    assert SECRET not in str(caught.value)
    assert caught.value.__cause__ is None, "libpq's own words stay out of the log"


def test_a_database_that_does_not_exist_is_named(postgres_server: PostgresServer) -> None:
    with pytest.raises(PermanentStoreError, match=r"/nowhere: .*does not exist") as caught:
        PostgresIndex(postgres_server.url(database="nowhere")).last_seq()
    assert PASSWORD not in str(caught.value)


def test_a_server_that_is_down_may_come_back(unused_port: int) -> None:
    index = PostgresIndex(f"postgresql://u:{SECRET}@127.0.0.1:{unused_port}/archive")
    with pytest.raises(
        TransientStoreError, match=f"127.0.0.1:{unused_port}/archive: .*nobody answers"
    ) as caught:
        index.get([identity(0)])
    assert SECRET not in str(caught.value)


@pytest.fixture
def unused_port() -> int:
    """Return a port on which nobody listens."""
    with listening() as server:
        port: int = server.getsockname()[1]
    return port


def test_a_server_that_hangs_up_may_come_back() -> None:
    with listening() as server:
        thread = threading.Thread(target=lambda: server.accept()[0].close())
        thread.start()
        with pytest.raises(TransientStoreError, match="no connection"):
            PostgresIndex(f"postgresql://u@127.0.0.1:{server.getsockname()[1]}/archive").last_seq()
        thread.join()


def test_a_server_that_never_answers_is_given_up() -> None:
    with listening() as server:
        address = f"postgresql://u@127.0.0.1:{server.getsockname()[1]}/archive?connect_timeout=2"
        with pytest.raises(TransientStoreError, match="no answer in time"):
            PostgresIndex(address).last_seq()


@pytest.mark.parametrize(
    "url",
    [
        "",
        "/srv/catalog.sqlite",
        f"mysql://u:{SECRET}@host/db",
        f"postgresql+psycopg2://u:{SECRET}@host/db",
        f"postgresql://u:a@{SECRET}@host/db",
        f"postgresql://u:{SECRET}/x@host/db",
        f"postgresql://u:1/{SECRET}@host/db",
        f"postgresql://u:{SECRET}%@host/db",
        f"postgresql://u:{SECRET}@host",
        f"postgresql://u:{SECRET}@host:port/db",
        f"postgresql://u:x@host/db?nonsense={SECRET}",
    ],
)
def test_an_address_that_is_none_is_refused_without_showing_it(url: str) -> None:
    with pytest.raises(SettingsError, match="postgres_url") as caught:
        PostgresIndex(url)
    assert SECRET not in str(caught.value)


def test_a_schema_name_that_would_be_sql_is_refused(postgres_server: PostgresServer) -> None:
    with pytest.raises(UsageError, match="schema"):
        PostgresIndex(postgres_server.url(), "x; DROP TABLE y")


def test_a_missing_library_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg2", None)
    with pytest.raises(MissingExtraError, match=r"metaplat\[postgres\]"):
        PostgresIndex("postgresql://u@host/db")


# --- what is refused


def test_without_the_right_to_create_tables_nothing_is_stored(
    postgres_server: PostgresServer, schema: str, visitor: str
) -> None:
    index = PostgresIndex(postgres_server.url(visitor, SECRET), schema)
    with pytest.raises(PermanentStoreError, match="permission denied") as caught:
        put(index, observation())
    assert SECRET not in str(caught.value)
    index.close()


def test_a_user_who_may_only_read_reads(
    postgres_server: PostgresServer, catalog: CatalogIndex, schema: str, visitor: str
) -> None:
    postgres_server.execute(f"GRANT USAGE ON SCHEMA {schema} TO {visitor}")
    postgres_server.execute(f"GRANT SELECT ON ALL TABLES IN SCHEMA {schema} TO {visitor}")
    index = PostgresIndex(postgres_server.url(visitor, SECRET), schema)
    assert index.search(Query()) == catalog.search(Query())
    with pytest.raises(PermanentStoreError, match="permission denied"):
        put(index, observation(1))
    assert index.count(EVERYTHING) == 1
    index.close()


def test_a_database_that_cannot_hold_every_text_is_refused(
    postgres_server: PostgresServer, schema: str
) -> None:
    how = "ENCODING 'LATIN1' LOCALE 'C' LOCALE_PROVIDER libc TEMPLATE template0"
    postgres_server.execute(f"CREATE DATABASE {schema} {how}")
    index = PostgresIndex(postgres_server.url(database=schema))
    with pytest.raises(PermanentStoreError, match="LATIN1"):
        put(index, observation())
    index.close()
    postgres_server.execute(f"DROP DATABASE {schema}")


@pytest.mark.parametrize(
    "wrong",
    [{"attempts": "many"}, {"file_size": 2**63}, {"file_path": None}, {"version": "a\0b"}, {"flags": {}}],
    ids=str,
)
def test_a_value_that_its_column_cannot_take_is_refused(catalog: CatalogIndex, wrong: Row) -> None:
    with pytest.raises(InvalidInputError):
        put(catalog, observation(1), observation(2, **wrong))
    assert catalog.count(EVERYTHING) == 1


def test_text_that_no_index_can_hold_is_refused_and_the_next_change_works(catalog: CatalogIndex) -> None:
    noise = "".join(map(chr, random.Random(1).choices(range(0x4E00, 0x9FFF), k=2000)))  # it does not compress
    for number in (0, 1):
        with pytest.raises(InvalidInputError, match="index row size"):
            put(catalog, observation(number, target_object=noise))
    assert put(catalog, observation(0, target_object="M31"), observation(1)) == ["updated", "inserted"]
    assert put(catalog, observation(0, mission_specific=noise)) == ["updated"]


# --- what breaks


def test_a_connection_that_was_ended_is_replaced(
    postgres_server: PostgresServer, catalog: CatalogIndex
) -> None:
    assert catalog.count(EVERYTHING) == 1
    end_connections(postgres_server)
    assert catalog.count(EVERYTHING) == 1
    end_connections(postgres_server)
    assert put(catalog, observation(1)) == ["inserted"]


def test_a_scan_goes_on_where_its_connection_was_ended(
    postgres_server: PostgresServer, catalog: CatalogIndex
) -> None:
    put(catalog, *map(observation, range(25_000)))
    blocks = iter(catalog.scan(EVERYTHING, ["dataset_id"]))
    next(blocks)
    end_connections(postgres_server)
    assert sum(map(len, blocks)) == 15_000


def test_a_writer_that_waits_too_long_gives_up(
    catalog: CatalogIndex, postgres_server: PostgresServer, schema: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres_store, "WAIT", "50ms")
    store = postgres_store.PostgresStore(postgres_server.url(), schema)
    with store.writing("hold the catalog"):
        with pytest.raises(TransientStoreError, match="lock timeout"):
            put(catalog, observation(1))
        assert catalog.count(EVERYTHING) == 1, "readers do not wait"
    store.close()
    assert put(catalog, observation(1)) == ["inserted"]


def test_tables_that_were_removed_are_made_again(
    catalog: CatalogIndex, postgres_server: PostgresServer, schema: str
) -> None:
    postgres_server.execute(f"DROP SCHEMA {schema} CASCADE")
    with pytest.raises(TransientStoreError, match="removed"):
        catalog.count(EVERYTHING)
    assert catalog.count(EVERYTHING) == 0
    assert put(catalog, observation()) == ["inserted"]


def test_a_forked_process_leaves_the_connections_of_its_parent_alone(catalog: CatalogIndex) -> None:
    def look() -> None:
        assert catalog.count(EVERYTHING) == 1
        catalog.close()

    child = multiprocessing.get_context("fork").Process(target=look)
    child.start()
    child.join(120)
    assert child.exitcode == 0
    assert put(catalog, observation(1), now=NOW) == ["inserted"]


def test_no_connection_is_left_when_it_is_closed(postgres_server: PostgresServer, schema: str) -> None:
    end_connections(postgres_server)
    index = PostgresIndex(postgres_server.url(), schema)
    put(index, observation())
    blocks = iter(index.scan(EVERYTHING))
    next(blocks)
    del blocks
    index.close()
    deadline = time.monotonic() + 60
    while postgres_server.execute(f"SELECT 1 {BACKENDS}") and time.monotonic() < deadline:
        time.sleep(0.01)  # the server notices a moment later
    assert postgres_server.execute(f"SELECT query {BACKENDS}") == []
