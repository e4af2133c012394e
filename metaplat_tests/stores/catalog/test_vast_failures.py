"""The catalog in VAST DB when the cluster, the settings or the installation are not as they should be."""

from __future__ import annotations

import socket
import sys
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest

from metaplat.model.errors import (
    InvalidInputError,
    MissingExtraError,
    PermanentStoreError,
    SettingsError,
    TransientStoreError,
)
from metaplat.model.filters import EVERYTHING
from metaplat.settings import CatalogSettings
from metaplat.stores.catalog import vast_session
from metaplat.stores.catalog.index import Change
from metaplat.stores.catalog.vast_index import VastIndex
from metaplat_tests.stores.catalog.catalog_rows import NOW, edge, identity, observation, put

pytest.importorskip("vastdb")

if TYPE_CHECKING:
    from collections.abc import Iterator

from vastdb import errors

from metaplat_tests.standins.vast_server import VastServer, http_error
from metaplat_tests.standins.vast_session import BUCKET, vast_index

SECRET = "wo:rd-secret"


def catalog_at(endpoint: str | None, **changes: Any) -> VastIndex:
    """Return a catalog that uses the SDK as it is."""
    keys = {"vast_access_key": "key", "vast_secret_key": SECRET} | changes
    return VastIndex(CatalogSettings(backend="vast", vast_endpoint=endpoint, **keys))


@contextmanager
def answering(status: int, server: str, body: str = "") -> Iterator[str]:
    """Run a server that answers everything so; yields its address."""

    class Handler(BaseHTTPRequestHandler):
        def version_string(self) -> str:
            return server

        def answer(self) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body.encode())

        def __getattr__(self, name: str) -> Any:
            if name.startswith("do_"):
                return self.answer
            raise AttributeError(name)

        def log_message(self, *_args: object) -> None:
            """Stay silent."""

    listening = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=listening.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listening.server_port}"
    finally:
        listening.shutdown()
        listening.server_close()
        thread.join()


def test_what_is_no_vast_cluster_is_said_to_be_none() -> None:
    with answering(200, "nginx") as endpoint, pytest.raises(PermanentStoreError) as told:
        catalog_at(endpoint).count(EVERYTHING)
    assert "refused (UnsupportedServer)" in str(told.value)
    assert "catalog.vast_endpoint" in str(told.value)
    assert SECRET not in str(told.value)


def test_an_older_cluster_is_told_to_be_upgraded() -> None:
    with answering(200, "vast 4.7") as endpoint, pytest.raises(PermanentStoreError, match="upgrade it"):
        catalog_at(endpoint).count(EVERYTHING)


def test_wrong_keys_are_no_passing_failure() -> None:
    body = "<Error><Code>AccessDenied</Code><Message>no</Message></Error>"
    with answering(403, "vast 5.5.0.10", body) as endpoint, pytest.raises(PermanentStoreError) as told:
        catalog_at(endpoint).count(EVERYTHING)
    assert "HTTP 403 AccessDenied" in str(told.value)
    assert "catalog.vast_access_key" in str(told.value)
    assert "?" not in str(told.value), "no part of a query is shown"


def test_a_failing_cluster_may_be_tried_again() -> None:
    with answering(500, "vast 5.5.0.10") as endpoint, pytest.raises(TransientStoreError, match="HTTP 500"):
        catalog_at(endpoint).apply(Change(), NOW)


def test_an_unreachable_cluster_may_be_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vast_session, "TRIES", 1)
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        index = catalog_at(f"http://127.0.0.1:{unused.getsockname()[1]}")
        with pytest.raises(TransientStoreError, match="the connection failed") as told:
            index.last_seq()
    assert "127.0.0.1" in str(told.value)
    assert "Check that catalog.vast_endpoint" in str(told.value)


@pytest.mark.parametrize("missing", ["vast_access_key", "vast_secret_key", "vast_endpoint"])
def test_settings_that_are_missing_are_named(missing: str) -> None:
    endpoint = None if missing == "vast_endpoint" else "http://127.0.0.1:1"
    keys = {missing: None} if endpoint else {}
    with pytest.raises(SettingsError, match=missing):
        catalog_at(endpoint, **keys).count(EVERYTHING)


def test_without_the_library_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "vastdb", None)
    index = catalog_at("http://127.0.0.1:1")
    for ask in (lambda: index.count(EVERYTHING), lambda: index.apply(Change(), NOW)):
        with pytest.raises(MissingExtraError, match=r"metaplat\[vast\]"):
            ask()


def test_a_bucket_that_does_not_exist_is_to_be_created() -> None:
    with pytest.raises(PermanentStoreError, match="Create the bucket"):
        vast_index(VastServer("another")).count(EVERYTHING)


def test_a_writer_that_never_gets_its_turn_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vast_session, "TURN_SECONDS", 0.0)
    server = VastServer(BUCKET)
    index = vast_index(server)
    index.count(EVERYTHING)
    tried: list[str] = []

    def refuse(call: str) -> None:
        if call == "update":
            tried.append(call)
            raise http_error(errors.Conflict, "TabularConflict")

    server.before = refuse
    with pytest.raises(TransientStoreError, match="HTTP 409 TabularConflict"):
        put(index, observation())
    assert tried


def test_a_conflict_at_the_very_end_starts_the_change_again() -> None:
    server = VastServer(BUCKET)
    index = vast_index(server)
    put(index, observation())
    refused: list[str] = []

    def refuse(call: str) -> None:
        if call == "commit" and len(refused) < 3:
            refused.append(call)
            raise http_error(errors.Conflict, "TabularConflict")

    server.before = refuse
    assert put(index, observation(version="2")) == ["updated"]
    assert len(refused) == 3
    assert [row["version"] for row in index.revisions(identity(0))] == [None, "2"]


def test_a_change_that_fails_midway_leaves_nothing() -> None:
    server = VastServer(BUCKET)
    index = vast_index(server)
    put(index, observation())
    calls: list[str] = []

    def fail(call: str) -> None:
        calls.append(call)
        if call == "update" and calls.count("update") == 2:
            raise errors.ConnectionError(cause=TimeoutError("secret=1"), may_retry=False)

    server.before = fail
    change = Change([observation(version="2"), observation(1)], {}, [edge(0, 1)])
    with pytest.raises(TransientStoreError, match="TimeoutError") as told:
        index.apply(change, NOW)
    assert "secret" not in str(told.value)
    server.before = lambda _call: None
    assert (index.count(EVERYTHING), index.last_seq()) == (1, 1)
    assert index.edges([identity(0)], "children") == []
    assert index.apply(change, NOW).relationships == 1


def test_a_refused_change_is_not_logged_as_a_failure(caplog: pytest.LogCaptureFixture) -> None:
    index = vast_index()
    with pytest.raises(InvalidInputError):
        index.apply(Change(patches={"missing": {"version": "1"}}), NOW)
    assert not caplog.records
