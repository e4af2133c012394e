"""Queries in Athena: waiting, paging, failing, stopping."""

from __future__ import annotations

import json
import time
from types import SimpleNamespace
from typing import TYPE_CHECKING
from urllib.request import Request, urlopen

import pytest

from metaplat.model.errors import PermanentStoreError, SettingsError, TransientStoreError
from metaplat.stores.tables import athena as module
from metaplat.stores.tables.athena import Athena
from metaplat_tests.standins.athena_sql import AthenaSql, athena_sql

if TYPE_CHECKING:
    from collections.abc import Iterator

ATHENA = Athena("us-east-1")


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[AthenaSql]:
    """Athena, with SQL."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setattr(module, "FIRST_PAUSE", 0.001)
    with athena_sql() as athena:
        athena.connection.execute("CREATE SCHEMA sales")
        monkeypatch.setenv("AWS_ENDPOINT_URL_ATHENA", athena.address)
        yield athena


def test_rows_come_by_name_as_text_with_null_apart_from_the_empty_text(server: AthenaSql) -> None:
    sql = "SELECT 1 AS one, NULL AS nothing, '' AS empty, true AS yes"
    assert ATHENA.query(sql, "sales") == [{"one": "1", "nothing": None, "empty": "", "yes": "true"}]
    (query,) = server.queries.values()
    assert query["looks"] == 3  # queued, running, done


@pytest.mark.parametrize("rows", [0, 1, 6, 7, 8, 50])
def test_all_pages_are_read(server: AthenaSql, rows: int) -> None:
    found = ATHENA.query(f"SELECT range AS n FROM range({rows}) ORDER BY n", "sales")
    assert [row["n"] for row in found] == [str(number) for number in range(rows)]
    assert server.page_rows == 7


def test_results_go_where_the_settings_say(server: AthenaSql) -> None:
    Athena("us-east-1", "primary", "s3://mine/here").query("SELECT 1 AS x", "sales")
    ATHENA.query("SELECT 1 AS x", "sales")
    assert [query["output"] for query in server.queries.values()] == ["s3://mine/here", "s3://results/"]


def test_without_an_output_location_the_option_is_named(server: AthenaSql) -> None:
    server.output_location = None
    with pytest.raises(PermanentStoreError, match="Give --athena-results s3://bucket/prefix"):
        ATHENA.query("SELECT 1 AS x", "sales")


def test_results_that_are_no_address_are_a_settings_error() -> None:
    with pytest.raises(SettingsError, match="athena_results"):
        Athena("us-east-1", "primary", "/tmp/results")


def test_a_failed_query_says_the_reason_athena_gave(server: AthenaSql) -> None:
    with pytest.raises(PermanentStoreError, match=r"query \S+: FAILED: SYNTAX_ERROR: .*nonsense") as caught:
        ATHENA.query("SELECT nonsense", "sales")
    assert "\n" not in str(caught.value)
    assert len(server.queries) == 1


def test_a_cancelled_query_is_no_result(server: AthenaSql) -> None:
    server.states = ("QUEUED", "CANCELLED")
    with pytest.raises(PermanentStoreError, match="CANCELLED: no reason was given"):
        ATHENA.query("SELECT 1 AS x", "sales")


def test_a_query_that_takes_too_long_is_stopped(server: AthenaSql) -> None:
    server.states = ("RUNNING",) * 10_000
    with pytest.raises(TransientStoreError, match=r"no result within 0\.05 s"):
        ATHENA.query("SELECT 1 AS x", "sales", wait_seconds=0.05)
    (query,) = server.queries.values()
    assert query["stopped"]


def test_an_interrupt_stops_the_query(server: AthenaSql, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(_: float) -> None:
        raise KeyboardInterrupt

    clock = SimpleNamespace(sleep=interrupt, monotonic=time.monotonic)  # of Athena only: others sleep too
    monkeypatch.setattr("metaplat.stores.tables.athena.time", clock)
    with pytest.raises(KeyboardInterrupt):
        ATHENA.execute("SELECT 1 AS x", "sales")
    (query,) = server.queries.values()
    assert query["stopped"]


def test_throttled_requests_are_tried_again_and_start_one_query(server: AthenaSql) -> None:
    server.throttled = 1
    assert ATHENA.query("SELECT 1 AS x", "sales") == [{"x": "1"}]
    assert len(server.queries) == 1


def test_a_statement_without_rows_is_executed(server: AthenaSql) -> None:
    ATHENA.execute("CREATE TABLE made (x INTEGER)", "sales")
    assert server.connection.execute("SELECT count(*) FROM sales.made").fetchone() == (0,)
    with pytest.raises(PermanentStoreError, match="FAILED"):
        ATHENA.execute("CREATE TABLE made (x INTEGER)", "sales")


def test_results_kept_by_another_server_are_read_alike(
    moto_endpoint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_ATHENA", moto_endpoint)
    cells = [["n", "c"], ["1", "5"], ["2", "6"]]
    result = {
        "rows": [{"Data": [{"VarCharValue": cell} for cell in row]} for row in cells],
        "column_info": [],
    }
    seed = {"account_id": "123456789012", "region": "us-east-1", "results": [result]}
    address = f"{moto_endpoint}/moto-api/static/athena/query-results"
    body = json.dumps(seed).encode()
    with urlopen(Request(address, body, {"Content-Type": "application/json"}), timeout=10) as answer:
        assert answer.status == 201
    athena = Athena("us-east-1", "primary", "s3://results/here")
    assert athena.query("SELECT n, c FROM t", "sales") == [{"n": "1", "c": "5"}, {"n": "2", "c": "6"}]
    assert athena.query("SELECT n, c FROM t", "sales") == []
