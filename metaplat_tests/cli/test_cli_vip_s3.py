"""``metaplat vip`` with everything on S3: pulled from the stand-in vendor, and remembered in a bucket."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from metaplat_tests.standins.vip import CANARY, Scenario, VipServer
from metaplat_tests.standins.vip.history_tree import HistoryFaults, copy_to_s3, write_history
from metaplat_tests.standins.vip.hour_edge import away_from_the_hours_edge

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from metaplat_tests.cli.conftest import Invoke


@pytest.fixture(autouse=True)
def one_hour() -> None:
    away_from_the_hours_edge()


@pytest.fixture
def vendor(s3_bucket: str, moto_endpoint: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[VipServer]:
    monkeypatch.setenv("METAPLAT_ROOT", f"s3://{s3_bucket}")
    monkeypatch.setenv("AWS_ENDPOINT_URL", moto_endpoint)
    with VipServer(Scenario(files=8, size=30_000)) as server:
        for name, value in server.environment.items():
            monkeypatch.setenv(name, value)
        yield server


def objects(client: Any, bucket: str) -> dict[str, bytes]:
    listed = client.list_objects_v2(Bucket=bucket)["Contents"]
    return {item["Key"]: client.get_object(Bucket=bucket, Key=item["Key"])["Body"].read() for item in listed}


def test_the_files_lie_in_the_folder_of_the_hour_and_the_promise_without_any_secret(
    metaplat: Invoke, vendor: VipServer, s3_bucket: str, s3_client: Any
) -> None:
    answer = metaplat("vip", "pull", "--json")
    assert (answer.code, answer.json["status"]) == (0, "ok"), answer.err
    found, guid = objects(s3_client, s3_bucket), answer.json["job_guid"]
    hour = datetime.fromisoformat(answer.json["hour"])
    folder = f"DEV/IMOSDL/Hourly/{hour:%Y%m%d}/{hour:%H}/"
    for key in vendor.sizes(guid):
        assert found[folder + key.rpartition("/")[2]] == vendor.expected_bytes(guid, key)
    promise = json.loads(found[folder + "_PresignedUrls.json"])
    assert {entry["key"] for entry in promise} == set(vendor.sizes(guid))
    assert not any("?" in str(entry["presignedDownloadURL"]) for entry in promise)
    assert not [key for key, content in found.items() if CANARY.encode() in content]
    sent = vendor.bytes_sent
    assert metaplat("vip", "pull", "--json").json["status"] == "ok"
    assert (vendor.export_calls, vendor.bytes_sent) == (1, sent)


def test_credentials_come_from_secrets_manager_under_the_names_of_the_vendor(
    metaplat: Invoke,
    vendor: VipServer,
    moto_endpoint: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    secrets = boto3.client("secretsmanager", endpoint_url=moto_endpoint, region_name="us-east-1")
    secret = {
        "Veson_client_id": vendor.vendor.client_id,
        "Veson_client_secret": vendor.vendor.client_secret,
    }
    name = f"vendor/{vendor.url}"
    secrets.create_secret(Name=name, SecretString=json.dumps(secret))
    monkeypatch.delenv("METAPLAT_VIP__CLIENT_ID")
    monkeypatch.delenv("METAPLAT_VIP__CLIENT_SECRET")
    monkeypatch.setenv("METAPLAT_VIP__SECRET_ID", name)
    answer = metaplat("vip", "pull", "--json")
    assert (answer.code, answer.json["status"]) == (0, "ok"), answer.err
    assert CANARY not in answer.out + answer.err


def test_the_history_of_a_bucket_is_that_of_the_same_files_in_a_folder(
    metaplat: Invoke,
    s3_bucket: str,
    s3_client: Any,
    moto_endpoint: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    first = datetime(2022, 2, 8, 8, tzinfo=UTC)
    faults = HistoryFaults(missing=(3,), incomplete=(5,))
    write_history(
        tmp_path / "tree", first, 9, prefix="IMOSDL/Hourly/", tables=3, mean_bytes=3000, faults=faults
    )
    copy_to_s3(tmp_path / "tree", s3_client, s3_bucket)
    monkeypatch.setenv("METAPLAT_VIP__ENVIRONMENT", "Prod")
    monkeypatch.setenv("AWS_ENDPOINT_URL", moto_endpoint)
    written = {}
    for name, target in (("folder", str(tmp_path / "tree")), ("bucket", f"s3://{s3_bucket}")):
        monkeypatch.setenv("METAPLAT_HOME", str(tmp_path / name))
        monkeypatch.setenv("METAPLAT_VIP__TARGET", target)
        answer = metaplat("vip", "history", "--csv", tmp_path / f"csv-{name}", "--json")
        assert (answer.code, answer.json["hours"]) == (0, 9), answer.err
        written[name] = {path.name: path.read_text("utf-8") for path in (tmp_path / f"csv-{name}").iterdir()}
    assert written["bucket"] == written["folder"]
