"""Where deliveries go, and with whose keys."""

from __future__ import annotations

import asyncio
import logging
import pickle
import sys
from typing import TYPE_CHECKING, Any

import pytest
from pydantic import SecretStr

from metaplat.model.errors import MissingExtraError, SettingsError
from metaplat.settings import Settings
from metaplat.stores.deliveries import DeliveryKeys, open_deliveries
from metaplat_tests.standins.stub_s3 import stub_s3

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

KEYS = DeliveryKeys("vendor-bucket", SecretStr("AKIACANARY"), SecretStr("canary-secret"))


def opened(keys: DeliveryKeys | None = None, **settings: Any) -> str:
    return open_deliveries(Settings(**settings), keys).address


def test_the_target_comes_before_root_and_root_before_home(tmp_path: Path) -> None:
    home, root, target = tmp_path / "home", "s3://lake/some", str(tmp_path / "files")
    assert opened(home=home) == str(home)
    assert opened(home=home, root=root) == root
    assert opened(home=home, root=root, vip={"target": target}) == target
    assert opened(home=home, root=root, vip={"target": "s3://other/x/"}) == "s3://other/x"


def test_a_folder_may_be_relative_or_of_the_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "me"))
    assert opened(vip={"target": "files"}) == str(tmp_path / "files")
    assert opened(vip={"target": "~/files"}) == str(tmp_path / "me/files")


@pytest.mark.parametrize(
    ("bucket", "target", "address"),
    [
        ("vendor-bucket", None, "s3://vendor-bucket"),
        ("vendor-bucket/deep/", None, "s3://vendor-bucket/deep"),
        ("s3://vendor-bucket/deep", None, "s3://vendor-bucket/deep"),
        ("vendor-bucket", "s3://vendor-bucket/mine", "s3://vendor-bucket/mine"),
    ],
)
def test_the_bucket_of_the_secret_is_the_target(bucket: str, target: str | None, address: str) -> None:
    assert opened(DeliveryKeys(bucket), root="s3://lake/some", vip={"target": target}) == address


@pytest.mark.parametrize(
    ("keys", "target", "key"),
    [
        (None, "gs://user:canary-secret@bucket/x?token=canary-secret", "vip.target"),
        (KEYS, "s3://another-bucket", "vip.target"),
        (KEYS, "folder", "vip.target"),
        (DeliveryKeys("b", SecretStr("AKIACANARY")), None, "vip.secret_id"),
        (DeliveryKeys("b", None, SecretStr("canary-secret")), None, "vip.secret_id"),
    ],
    ids=["scheme", "two buckets", "folder and bucket", "half a pair", "the other half"],
)
def test_what_cannot_be_meant_is_a_settings_error_without_secrets(
    keys: DeliveryKeys | None, target: str | None, key: str
) -> None:
    with pytest.raises(SettingsError) as caught:
        opened(keys, vip={"target": target})
    assert caught.value.key == key
    assert "canary" not in str(caught.value).lower()


def test_keys_of_the_secret_are_told_of_once_and_shown_nowhere(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        store = open_deliveries(Settings(), KEYS)
    assert [record.getMessage() for record in caplog.records] == [
        "static AWS keys from the secret are in use; a role (the AWS chain) is safer"
    ]
    shown = repr(store) + repr(KEYS) + str(store.objects) + caplog.text
    assert "canary" not in shown.lower()
    assert pickle.loads(pickle.dumps(KEYS)) == KEYS


def test_without_keys_the_aws_chain_is_used_and_nothing_told(caplog: pytest.LogCaptureFixture) -> None:
    opened(DeliveryKeys("vendor-bucket"))
    opened(vip={"target": "s3://bucket"})
    assert caplog.records == []


def test_keys_of_the_secret_sign_every_request(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where the environment holds others, with a token that is not of these keys."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAOTHER")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "other")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "token-of-others")

    async def chunks(mib: int) -> AsyncIterator[bytes]:
        for _ in range(mib):
            yield bytes(2**20)

    with stub_s3(hours=1, files=3) as server:
        settings: Any = {"s3": {"endpoint_url": server.endpoint}, "vip": {"part_mb": 5}}
        keys = DeliveryKeys("bucket", KEYS.access_key, KEYS.secret_key)
        store = open_deliveries(Settings(**settings), keys)
        for mib in (1, 12):
            asyncio.run(store.write("a", chunks(mib), mib * 2**20))
        folder = "DEV/IMOSDL/Hourly/20220208/08/"
        assert store.listing([folder]).height == 3
        assert store.objects.get(f"{folder}createTables.sql")
        with pytest.raises(KeyError):
            store.objects.get("DEV//odd")
        assert store.listing(["DEV//odd/"]).is_empty()
        assert server.counts()["identities"] == ["AKIACANARY"]


def test_without_arrow_a_listing_on_s3_names_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "arro3", None)
    monkeypatch.setitem(sys.modules, "arro3.core", None)
    with pytest.raises(MissingExtraError, match=r"metaplat\[vip\]"):
        open_deliveries(Settings(root="s3://bucket")).listing(["a/"])
