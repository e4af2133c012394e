"""A Dataproc that throttles, refuses, is slow, is down, or is none."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import pytest

from metaplat.collectors.spark.dataproc import collect
from metaplat.model.errors import (
    MissingExtraError,
    PermanentSourceError,
    SettingsError,
    TransientSourceError,
    UsageError,
)
from metaplat_tests.standins.dataproc_api import DataprocApi
from metaplat_tests.standins.dataproc_jobs import application, cluster, job
from metaplat_tests.standins.platform_collection import Collection

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LIST = "/jobs"


@pytest.fixture(autouse=True)
def _nobody(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Nothing of the person who runs the tests is used, and no metadata server is looked for."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("NO_GCE_CHECK", "true")
    monkeypatch.delenv("GOOGLE_APPLICATION_CREDENTIALS", raising=False)
    monkeypatch.delenv("GOOGLE_CLOUD_PROJECT", raising=False)


@pytest.fixture
def api() -> Iterator[DataprocApi]:
    with DataprocApi([job(f"j{number}", application(number)) for number in (1, 2, 3)]) as serving:
        serving.clusters["etl"] = cluster()
        yield serving


def collection(url: str | None, **settings: Any) -> Collection:
    given = {"dataproc_endpoint": url, "dataproc_project": "acme", "retries": 1, "timeout_seconds": 60}
    return Collection(collect, given | settings)


@pytest.mark.parametrize("fault", [429, 500, 503, "dropped"])
def test_what_passes_is_tried_again(api: DataprocApi, fault: int | str) -> None:
    api.faults[LIST].append(fault)
    assert len(collection(api.url).run()) == 3
    assert len(api.paths(LIST)) == 4


@pytest.mark.parametrize(
    ("fault", "answer"),
    [
        (429, "HTTP 429, 1 times"),
        (503, "HTTP 503, 1 times"),
        ("dropped", "the connection failed 1 times"),
        ("cut", "the connection failed 1 times"),
        ("slow", r"no answer within 0\.2 s, 1 times"),
    ],
)
def test_what_stays_is_an_outage(api: DataprocApi, fault: int | str, answer: str) -> None:
    api.retry_after = "3600"
    api.broken[LIST] = fault
    seconds = 0.2 if fault == "slow" else 60
    with pytest.raises(
        TransientSourceError, match=f"Dataproc of acme in us-central1: list the jobs: {answer}"
    ):
        collection(api.url, retries=0, timeout_seconds=seconds).run()
    assert len(api.paths(LIST)) == 1


def test_a_service_that_is_down_is_an_outage() -> None:
    with DataprocApi() as gone:
        url = gone.url
    with pytest.raises(TransientSourceError, match="the connection failed"):
        collection(url, retries=0).run()


def test_an_outage_in_the_middle_keeps_what_came_before(api: DataprocApi) -> None:
    records = collect(collection(api.url, retries=0).request())
    assert next(records)["run_id"] == "j1"
    api.broken[LIST] = 503
    assert next(records)["run_id"] == "j2", "of the page that was answered"
    with pytest.raises(TransientSourceError, match="list the jobs"):
        next(records)


def test_no_permission_to_list_is_said_with_the_role(api: DataprocApi) -> None:
    api.broken[LIST] = 403
    with pytest.raises(PermanentSourceError, match=r"HTTP 403\..*role Dataproc Viewer"):
        collection(api.url).run()


def test_credentials_that_are_refused_are_said(api: DataprocApi) -> None:
    api.broken[LIST] = 401
    with pytest.raises(PermanentSourceError, match=r"refused\..*Renew the credentials"):
        collection(api.url).run()


def test_credentials_that_expire_in_the_middle_stop_the_collection(api: DataprocApi) -> None:
    api.broken["/clusters/"] = 401
    with pytest.raises(PermanentSourceError, match="Renew the credentials"):
        collection(api.url).run()


def test_a_project_or_region_that_is_none_is_said(api: DataprocApi) -> None:
    api.broken[LIST] = 404
    with pytest.raises(PermanentSourceError, match=r"HTTP 404\..*spark\.dataproc_project"):
        collection(api.url).run()


def test_a_login_page_is_no_dataproc(api: DataprocApi) -> None:
    api.broken[LIST] = "html"
    with pytest.raises(PermanentSourceError, match="an answer that is not Dataproc's"):
        collection(api.url).run()


def test_a_page_token_that_never_changes_ends(api: DataprocApi) -> None:
    api.stuck = True
    with pytest.raises(PermanentSourceError, match="every page with the same token"):
        collection(api.url).run()


def test_expired_credentials_are_said_and_never_shown(
    api: DataprocApi, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The token is renewed before anything is asked: nobody outside is reached."""
    account = service_account(f"{api.url}/token")
    (tmp_path / "account.json").write_text(json.dumps(account), encoding="utf-8")
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "account.json"))
    with pytest.raises(PermanentSourceError, match=r"the credentials were refused\..*Renew") as caught:
        collection(None, dataproc_project=None).run()
    assert api.paths() == ["/token"]
    assert "Dataproc of ours" in str(caught.value), "the project of the credentials"
    assert "assertion" not in str(caught.value)


def service_account(token_uri: str) -> dict[str, str]:
    """Return credentials of nobody."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    key = rsa.generate_private_key(public_exponent=65537, key_size=2048).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return {
        "type": "service_account",
        "project_id": "ours",
        "private_key_id": "1",
        "private_key": key.decode(),
        "client_email": "nobody@ours.iam.gserviceaccount.com",
        "token_uri": token_uri,
    }


def test_without_credentials_it_is_said_where_they_go() -> None:
    with pytest.raises(PermanentSourceError, match=r"find credentials.*Set the credentials"):
        collection(None).run()


def test_a_file_of_credentials_that_is_none_is_said_and_not_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "account.json").write_text('{"private_key": "hush"', encoding="utf-8")
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "account.json"))
    with pytest.raises(PermanentSourceError, match="find credentials") as caught:
        collection(None).run()
    assert "hush" not in str(caught.value)


def test_without_a_project_the_setting_is_named(api: DataprocApi) -> None:
    with pytest.raises(SettingsError, match=r"spark\.dataproc_project"):
        collection(api.url, dataproc_project=None).run()


@pytest.mark.parametrize("url", ["dataproc.example.com", "ftp://x", "http://", "https://[::1", "http://x:0"])
def test_an_address_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(UsageError, match="looks like https://"):
        collection(url).run()


def test_the_address_of_the_request_comes_first(api: DataprocApi) -> None:
    assert len(collection("http://elsewhere.example.com").run(url=api.url)) == 3


def test_without_the_sdk_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "google.cloud.dataproc_v1", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'metaplat\[dataproc\]'"):
        collection(None).run()
