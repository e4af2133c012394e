"""Credentials of the lake from the settings and from AWS Secrets Manager, as moto plays it over HTTP."""

from __future__ import annotations

import json
import logging
import threading
import traceback
import uuid
from typing import TYPE_CHECKING, Any

import pytest
from pydantic import SecretStr

from metaplat.collectors.vip.credentials import VipCredentials
from metaplat.collectors.vip.redaction import redacting_logs
from metaplat.model.errors import PermanentStoreError, SettingsError
from metaplat.settings import VipSettings
from metaplat_tests.collectors.vip.vip_api import EXPORT, FILES, TOKEN, Reply, VipApi
from metaplat_tests.collectors.vip.vip_asking import ask

if TYPE_CHECKING:
    from collections.abc import Callable

WHOLE = {
    "Veson_client_id": "canary-id", "Veson_client_secret": "canary-secret\n", "AWS_bucket": "bucket/lake",
    "AWS_access_key_id": "canary-access", "AWS_secret_key_id": "canary-key",
}  # fmt: skip


@pytest.fixture(autouse=True)
def _environment(moto_endpoint: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_SECRETS_MANAGER", moto_endpoint)


@pytest.fixture
def manager(moto_endpoint: str) -> Any:
    """Return a boto3 client of Secrets Manager: what others than metaplat would use."""
    import boto3

    return boto3.client("secretsmanager", region_name="us-east-1", endpoint_url=moto_endpoint)


@pytest.fixture
def stored(manager: Any) -> Callable[[object], str]:
    """Return a function that stores a secret and returns its name."""

    def store(content: object) -> str:
        name = f"vip/{uuid.uuid4().hex}"
        if isinstance(content, bytes):
            manager.create_secret(Name=name, SecretBinary=content)
        else:
            text = content if isinstance(content, str) else json.dumps(content)
            manager.create_secret(Name=name, SecretString=text)
        return name

    return store


def pair(settings: VipSettings) -> tuple[str, str]:
    found = VipCredentials(settings).client()
    return found.client_id.get_secret_value(), found.client_secret.get_secret_value()


def test_the_settings_come_first_and_aws_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_SECRETS_MANAGER", "http://127.0.0.1:1")
    given = VipSettings(client_id=SecretStr(" a "), client_secret=SecretStr("b\n"), secret_id="none")
    assert pair(given) == ("a", "b")


def test_a_secret_gives_what_the_settings_do_not(stored: Callable[[object], str]) -> None:
    name = stored(WHOLE)
    assert pair(VipSettings(secret_id=name)) == ("canary-id", "canary-secret")
    assert pair(VipSettings(secret_id=name, client_id=SecretStr("mine"))) == ("mine", "canary-secret")
    assert pair(VipSettings(secret_id=stored(json.dumps(WHOLE).encode()))) == ("canary-id", "canary-secret")


def test_the_names_of_the_fields_are_settings(stored: Callable[[object], str]) -> None:
    given = VipSettings(
        secret_id=stored({"i": "x", "s": "y", "b": "z"}), secret_client_id_field="i",
        secret_client_secret_field="s", secret_bucket_field="b", target_from_secret=True,
    )  # fmt: skip
    assert pair(given) == ("x", "y")
    keys = VipCredentials(given).delivery_keys()
    assert keys is not None
    assert (keys.bucket, keys.access_key, keys.secret_key) == ("z", None, None)


def test_an_arn_says_its_region(
    manager: Any, stored: Callable[[object], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    arn = manager.describe_secret(SecretId=stored(WHOLE))["ARN"]
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")
    assert pair(VipSettings(secret_id=arn))[0] == "canary-id"
    with pytest.raises(SettingsError, match=r"vip\.secret_region"):
        pair(VipSettings(secret_id="no-arn"))


def test_bucket_and_keys_are_taken_from_the_secret_where_that_is_wanted(
    stored: Callable[[object], str],
) -> None:
    name = stored(WHOLE)
    assert VipCredentials(VipSettings(secret_id=name)).delivery_keys() is None
    keys = VipCredentials(VipSettings(secret_id=name, target_from_secret=True)).delivery_keys()
    assert keys is not None
    assert keys.access_key is not None
    assert keys.secret_key is not None
    assert (keys.bucket, keys.access_key.get_secret_value()) == ("bucket/lake", "canary-access")
    assert keys.secret_key.get_secret_value() == "canary-key"
    assert "canary" not in repr(keys)


@pytest.mark.parametrize(
    ("content", "key"),
    [
        ("canary-no-json", "vip.secret_id"),
        ('["canary"]', "vip.secret_id"),
        ({"Veson_client_id": "canary"}, "vip.secret_client_secret_field"),
        ({**WHOLE, "Veson_client_id": 5}, "vip.secret_client_id_field"),
        ({**WHOLE, "Veson_client_id": " "}, "vip.secret_client_id_field"),
        ({**WHOLE, "AWS_bucket": None}, "vip.secret_bucket_field"),
        ({**WHOLE, "AWS_access_key_id": ""}, "vip.secret_id"),
    ],
)
def test_a_secret_that_lacks_something_is_named_by_its_key(
    stored: Callable[[object], str], content: object, key: str
) -> None:
    credentials = VipCredentials(VipSettings(secret_id=stored(content), target_from_secret=True))
    with pytest.raises(SettingsError) as caught:
        (credentials.client(), credentials.delivery_keys())
    assert caught.value.key == key
    assert caught.value.__context__ is None
    assert "canary" not in "".join(traceback.format_exception(caught.value))


def test_a_target_from_no_secret_is_a_settings_error() -> None:
    with pytest.raises(SettingsError, match=r"vip\.target_from_secret"):
        VipCredentials(VipSettings(target_from_secret=True)).delivery_keys()


def test_a_secret_that_does_not_exist_says_what_to_check() -> None:
    with pytest.raises(
        PermanentStoreError, match=r"read secret vip/none.*vip\.secret_id and vip\.secret_region"
    ):
        pair(VipSettings(secret_id="vip/none"))


def test_a_secret_is_read_once_until_it_is_forgotten_or_old(
    manager: Any, stored: Callable[[object], str]
) -> None:
    name = stored(WHOLE)
    kept = VipCredentials(VipSettings(secret_id=name))
    fresh = VipCredentials(VipSettings(secret_id=name, credentials_seconds=0))
    kept.client()
    manager.put_secret_value(SecretId=name, SecretString=json.dumps({**WHOLE, "Veson_client_id": "rotated"}))
    assert fresh.client().client_id.get_secret_value() == "rotated"
    assert kept.client().client_id.get_secret_value() == "canary-id"
    kept.forget()
    assert kept.client().client_id.get_secret_value() == "rotated"


def test_threads_share_what_was_read(
    stored: Callable[[object], str], caplog: pytest.LogCaptureFixture
) -> None:
    credentials = VipCredentials(VipSettings(secret_id=stored(WHOLE)))
    found: list[str] = []
    threads = [
        threading.Thread(target=lambda: found.append(credentials.client().client_id.get_secret_value()))
        for _ in range(8)
    ]
    caplog.set_level(logging.DEBUG, "botocore.endpoint")
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == ["canary-id"] * 8
    assert caplog.text.count("Sending http request") == 1


def test_no_log_record_of_a_read_tells_the_secret(
    stored: Callable[[object], str], caplog: pytest.LogCaptureFixture
) -> None:
    given = VipSettings(secret_id=stored(WHOLE))
    caplog.set_level(logging.DEBUG)
    with redacting_logs():
        assert pair(given)[0] == "canary-id"
    assert "SecretString" in caplog.text
    assert "canary" not in caplog.text


def test_rotated_credentials_are_read_again_where_the_old_ones_are_refused(
    manager: Any, stored: Callable[[object], str]
) -> None:
    name = stored(WHOLE)
    rotated = json.dumps({**WHOLE, "Veson_client_secret": "canary-new"})
    refused = Reply(400, {"error": "invalid_client"})
    accepted = Reply(body={"access_token": "t", "expires_in": 3600})
    for first in (refused, Reply(401, {"error": "invalid_client"})):
        with VipApi(token=[first, accepted], export=Reply(body={"JobGuid": "g"})) as api:
            given = api.settings(client_id=None, client_secret=None, secret_id=name)
            credentials = VipCredentials(given)
            credentials.client()
            manager.put_secret_value(SecretId=name, SecretString=rotated)
            assert ask(given, lambda client: client.export(), credentials=credentials).job_guid == "g"
            used = [call.form["client_secret"] for call in api.calls(TOKEN)]
        assert used == ["canary-secret", "canary-new"]
        assert len(api.calls(EXPORT)) == 1
        manager.put_secret_value(SecretId=name, SecretString=json.dumps(WHOLE))


def test_a_refused_list_is_asked_for_with_rotated_credentials(
    manager: Any, stored: Callable[[object], str]
) -> None:
    name = stored(WHOLE)
    with VipApi(files=[Reply(401), Reply(body=[])]) as api:
        given = api.settings(client_id=None, client_secret=None, secret_id=name)
        credentials = VipCredentials(given)
        credentials.client()
        rotated = {**WHOLE, "Veson_client_secret": "canary-new"}
        manager.put_secret_value(SecretId=name, SecretString=json.dumps(rotated))
        assert ask(given, lambda client: client.files("g"), credentials=credentials) == []
        assert [call.query["apiToken"] for call in api.calls(FILES)] == ["canary-secret", "canary-new"]
