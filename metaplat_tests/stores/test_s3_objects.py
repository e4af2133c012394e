"""What only S3 can go through: outages, refusals, credentials, keys landed by others."""

from __future__ import annotations

import socket
import time
from typing import TYPE_CHECKING, Any
from urllib.request import urlopen

import pytest

from metaplat.model.errors import PermanentStoreError, SettingsError, StoreError, TransientStoreError
from metaplat.settings import S3Settings
from metaplat.stores.s3_objects import S3Objects
from metaplat_tests.standins.s3_listing import landed_keys, listing_server
from metaplat_tests.standins.sick_s3 import sick_s3

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

PATIENCE_SECONDS = 90
"""Far more than it takes; an endpoint that is never given up takes minutes."""
LOGIN_PAGE = b"<html>please log in</html>"
ACTIONS: dict[str, Callable[[S3Objects], object]] = {
    "get": lambda store: store.get("a/b"),
    "get_many": lambda store: list(store.get_many(["a/b", "a/c"])),
    "put": lambda store: store.put("a/b", b"1"),
    "info": lambda store: store.info("a/b"),
    "list_objects": lambda store: store.list_objects("a/"),
    "list_prefixes": lambda store: store.list_prefixes(["a/", "b/"]),
    "list_tree": lambda store: store.list_tree("a/"),
    "delete": lambda store: store.delete("a/b"),
}


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "very-secret")


def at(endpoint: str, root: str = "s3://bucket/some", **settings: Any) -> S3Objects:
    return S3Objects(root, S3Settings(endpoint_url=endpoint, **{"retries": 0, **settings}))


def failure(store: S3Objects, action: str) -> StoreError:
    with pytest.raises(StoreError) as caught:
        ACTIONS[action](store)
    text = str(caught.value)
    assert "s3://bucket" in text
    assert "127.0.0.1" in text
    assert not any(part in text for part in ("\n", "list-type", "?", "very-secret", "X-Amz"))
    return caught.value


OUTAGES = [(500, "InternalError"), (503, "SlowDown"), (429, ""), (502, ""), (400, "RequestTimeout")]


@pytest.mark.parametrize(
    ("status", "code", "action"),
    [
        (status, code, action)
        for status, code in OUTAGES
        for action in ACTIONS
        if (action, code) != ("info", "RequestTimeout")  # an answer to HEAD has no body that could say so
    ],
)
def test_an_outage_may_be_run_again(status: int, code: str, action: str) -> None:
    with sick_s3(status, f"<Error><Code>{code}</Code></Error>".encode()) as endpoint:
        assert isinstance(failure(at(endpoint), action), TransientStoreError)


@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize(
    ("status", "code"),
    [
        (403, "AccessDenied"),
        (404, "NoSuchBucket"),
        (400, "ExpiredToken"),
        (301, "PermanentRedirect"),
        (401, ""),
    ],
)
def test_a_refusal_is_for_good(status: int, code: str, action: str) -> None:
    with sick_s3(status, f"<Error><Code>{code}</Code></Error>".encode()) as endpoint:
        assert isinstance(failure(at(endpoint), action), PermanentStoreError)


LISTINGS = ["list_objects", "list_prefixes", "list_tree"]
READS = ["get", "get_many", "info"]


@pytest.mark.parametrize(
    ("answer", "action"),
    [
        *(((200, LOGIN_PAGE), action) for action in LISTINGS),  # any bytes may be an object
        *(((404, b"<html>no such page</html>"), action) for action in LISTINGS + READS),
        *(((404, b""), action) for action in LISTINGS + READS),
    ],
)
def test_an_answer_that_is_not_of_s3_is_never_nothing_new(answer: tuple[int, bytes], action: str) -> None:
    with sick_s3(*answer) as endpoint:
        failure(at(endpoint), action)


@pytest.mark.parametrize("action", ["get", "get_many", "list_objects", "list_tree"])
def test_an_answer_that_breaks_off_may_be_asked_again(action: str) -> None:
    with sick_s3(200, b"<ListBucketResult><Contents>", promised=5000) as endpoint:
        assert isinstance(failure(at(endpoint), action), TransientStoreError)


@pytest.mark.parametrize("action", ACTIONS)
def test_nobody_at_the_endpoint_is_told_within_seconds(action: str) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        started = time.monotonic()
        store = at(f"http://127.0.0.1:{unused.getsockname()[1]}", retries=3)
        assert isinstance(failure(store, action), TransientStoreError)
    assert time.monotonic() - started < PATIENCE_SECONDS


def test_a_silent_endpoint_is_given_up_after_the_time_limit() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        started = time.monotonic()
        store = at(f"http://127.0.0.1:{silent.getsockname()[1]}", timeout_seconds=0.5, retries=1)
        error = failure(store, "list_objects")
    assert isinstance(error, TransientStoreError)
    assert error.answer == "no answer in time"
    assert time.monotonic() - started < PATIENCE_SECONDS


@pytest.mark.parametrize("action", sorted(ACTIONS))
def test_a_wrong_bucket_is_named(moto_endpoint: str, action: str) -> None:
    error = failure(at(moto_endpoint, "s3://bucket-that-is-not/some"), action)
    assert isinstance(error, PermanentStoreError)
    assert "NoSuchBucket" in str(error)


def test_no_credentials_anywhere_is_one_clear_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    error = failure(at("http://127.0.0.1:1"), "list_objects")
    assert isinstance(error, PermanentStoreError)
    assert "no AWS credentials" in str(error)


def test_a_profile_is_used(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, moto_endpoint: str, s3_bucket: str
) -> None:
    (tmp_path / "credentials").write_text("[ops]\naws_access_key_id = a\naws_secret_access_key = b\n")
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_PROFILE", "ops")
    store = at(moto_endpoint, f"s3://{s3_bucket}")
    store.put("a", b"1")
    assert store.get("a") == b"1"


def test_a_profile_that_does_not_exist_is_one_clear_line(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    assert isinstance(failure(at("http://127.0.0.1:1"), "get"), PermanentStoreError)


def test_the_standard_variable_names_the_endpoint(
    monkeypatch: pytest.MonkeyPatch, moto_endpoint: str, s3_bucket: str
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", moto_endpoint)
    store = S3Objects(f"s3://{s3_bucket}/deep/prefix/", S3Settings())
    store.put("a/b", b"1")
    assert store.address == f"s3://{s3_bucket}/deep/prefix"
    assert [item.key for item in store.list_objects()] == ["a/b"]


@pytest.mark.parametrize("root", ["s3://", "s3:///x", "bucket/x", "gs://bucket"])
def test_an_address_that_is_none_is_a_settings_error(root: str) -> None:
    with pytest.raises(SettingsError):
        S3Objects(root, S3Settings()).list_objects()


def test_folder_markers_of_consoles_are_no_objects(
    moto_endpoint: str, s3_bucket: str, s3_client: Any
) -> None:
    for key, body in {"p/a/": b"", "p/a/b/": b"", "p/a/b/x": b"1", "p/a/empty": b"", "p/": b""}.items():
        s3_client.put_object(Bucket=s3_bucket, Key=key, Body=body)
    store = at(moto_endpoint, f"s3://{s3_bucket}/p")
    expected = ["a/b/x", "a/empty"]
    assert [item.key for item in store.list_objects()] == expected
    assert [item.key for item in store.list_objects("a/")] == expected
    assert [item.key for item in store.list_tree("a/")] == expected
    assert [item.key for item in store.list_prefixes(["a/b/"])["a/b/"]] == ["a/b/x"]


@pytest.mark.parametrize("odd", ["a//x", "a/./x", "a/../x", "a/b\x7f", "a/\ttab"])
def test_one_odd_key_neither_hides_others_nor_is_lost(
    moto_endpoint: str, s3_bucket: str, s3_client: Any, odd: str
) -> None:
    for key in ("a/1", "a/b/2", odd):
        s3_client.put_object(Bucket=s3_bucket, Key=f"p/{key}", Body=key.encode())
    store = at(moto_endpoint, f"s3://{s3_bucket}/p")
    assert [item.key for item in store.list_objects("a/")] == sorted(["a/1", "a/b/2", odd])
    assert store.list_tree("a/") == store.list_objects("a/")
    assert store.get(odd) == odd.encode()
    assert dict(store.get_many(["a/1", odd, odd + "none"])) == {
        "a/1": b"a/1",
        odd: odd.encode(),
        odd + "none": None,
    }
    info = store.info(odd)
    assert info is not None
    assert info in store.list_objects("a/")
    store.delete(odd)
    assert store.info(odd) is None


def told(endpoint: str, what: str) -> int:
    with urlopen(f"{endpoint}/{what}", timeout=PATIENCE_SECONDS) as answer:
        return int(answer.read())


def test_the_listing_of_a_year_asks_for_days_side_by_side() -> None:
    with listing_server(3000, 365) as endpoint:
        store = at(endpoint, "s3://bucket/landing")
        listed = store.list_tree("job-executions/")
        requests, side_by_side = (told(endpoint, what) for what in ("requests", "side-by-side"))
    assert [f"landing/{item.key}" for item in listed] == landed_keys(3000, 365)
    assert requests == 1 + 1 + 12 + 365
    assert side_by_side >= 4


def test_a_folder_of_many_pages_is_listed_whole() -> None:
    with listing_server(3500, 2) as endpoint:
        store = at(endpoint, "s3://bucket/landing")
        listed = store.list_prefixes(["job-executions/2025/01/01/", "job-executions/2025/01/02/"])
        assert [len(items) for items in listed.values()] == [1750, 1750]
        assert len(store.list_tree("job-executions/")) == len(store.list_objects("job-executions/")) == 3500
