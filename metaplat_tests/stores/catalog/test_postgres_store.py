"""Transactions of the catalog in PostgreSQL: streams, many values at once, and whole or nothing."""

from __future__ import annotations

import uuid
from itertools import islice
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from metaplat.model.errors import InvalidInputError
from metaplat.stores.catalog.postgres_store import STREAMED, PostgresStore
from metaplat_tests.stores.catalog.catalog_rows import texts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from metaplat_tests.standins.postgres import PostgresServer

MANY = 2 * STREAMED + 1


@pytest.fixture(scope="module")
def store(postgres_server: PostgresServer) -> Iterator[PostgresStore]:
    """Lend a store whose ``counters`` tests may fill."""
    name = f"s{uuid.uuid4().hex}"
    store = PostgresStore(postgres_server.url(), name)
    yield store
    store.close()
    postgres_server.execute(f"DROP SCHEMA {name} CASCADE")


def test_a_stream_yields_every_row_also_beside_another_one(store: PostgresStore) -> None:
    with store.reading("read") as session:
        numbers = session.stream("SELECT generate_series(1, %s)", [MANY])
        others = session.stream("SELECT generate_series(1, %s)", [MANY])
        assert list(islice(others, 3)) == [(1,), (2,), (3,)]
        assert sum(number for (number,) in numbers) == MANY * (MANY + 1) // 2
        assert sum(1 for _ in others) == MANY - 3


def test_a_stream_that_fails_on_its_way_says_why(store: PostgresStore) -> None:
    statement = "SELECT 1 / (%s - number) FROM generate_series(1, %s) AS number"
    with pytest.raises(InvalidInputError, match="division by zero"), store.reading("read") as session:
        list(session.stream(statement, [STREAMED + 5, MANY]))
    with store.reading("read") as session:
        assert session.rows("SELECT 1") == [(1,)]


def test_a_reader_sees_one_state_and_cannot_write(store: PostgresStore) -> None:
    with store.reading("read") as reader:
        before = reader.rows("SELECT count(*) FROM counters")
        with store.writing("write") as writer:
            writer.insert("counters", ["name", "value"], [("meanwhile", 1)])
        assert reader.rows("SELECT count(*) FROM counters") == before
    with store.reading("read") as reader:
        assert reader.rows("SELECT count(*) FROM counters") == [(before[0][0] + 1,)]


@settings(max_examples=30)
@given(written=st.lists(texts, max_size=20), numbers=st.lists(st.integers(-(2**63), 2**63 - 1), max_size=9))
def test_values_come_back_as_they_were(store: PostgresStore, written: list[str], numbers: list[int]) -> None:
    with store.reading("read") as session:
        assert session.rows("SELECT unnest(%s)", [written]) == [(text,) for text in written]
        found = session.rows("SELECT number FROM unnest(%s::bigint[]) AS number", [numbers])
        assert found == [(number,) for number in numbers]
        reals = [number / 7 for number in numbers]
        assert session.rows("SELECT unnest(%s::float8[])", [reals]) == [(real,) for real in reals]


@settings(max_examples=30)
@given(names=st.lists(texts, max_size=8, unique=True))
def test_rows_are_inserted_and_updated_as_they_were_given(store: PostgresStore, names: list[str]) -> None:
    with store.writing("write") as session:
        session.run("DELETE FROM counters")
        session.insert("counters", ["name", "value"], [(name, place) for place, name in enumerate(names)])
        session.run_many(
            "UPDATE counters SET value = value * %s WHERE name = %s", [(-2, name) for name in names]
        )
        session.run_many("DELETE FROM counters WHERE name = %s", [])
    with store.reading("read") as session:
        found = session.rows("SELECT name, value FROM counters ORDER BY value DESC")
    assert found == [(name, -2 * place) for place, name in enumerate(names)]


def test_an_error_of_the_caller_undoes_the_whole(store: PostgresStore) -> None:
    def write_half() -> None:
        with store.writing("write") as session:
            session.insert("counters", ["name", "value"], [("half", 1)])
            raise KeyError("half")

    with pytest.raises(KeyError, match="half"):
        write_half()
    with store.reading("read") as session:
        assert session.rows("SELECT name FROM counters WHERE name = %s", ["half"]) == []


def test_sums_of_whole_numbers_are_whole_numbers(store: PostgresStore) -> None:
    with store.reading("read") as session:
        ((total, mean, nothing),) = session.rows(
            "SELECT sum(n), avg(n), sum(n) FILTER (WHERE n > 9) FROM unnest(ARRAY[1, 2]::bigint[]) AS n"
        )
    assert (total, mean, nothing) == (3, 1.5, None)
    assert (type(total), type(mean)) == (int, float)
