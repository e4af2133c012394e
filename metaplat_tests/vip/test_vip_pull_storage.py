"""Where files go: to S3 as to a folder, and what happens where our own storage gives up half-way."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from metaplat.model.errors import PermanentStoreError, SettingsError, StoreError
from metaplat.model.extract import ExtractStatus
from metaplat.settings import Settings, VipSettings
from metaplat.stores.home import open_stores
from metaplat.vip.pulling.pull import pull
from metaplat_tests.standins.vip import CANARY, Scenario, VipServer
from metaplat_tests.vip.refusing_s3 import refusing_s3
from metaplat_tests.vip.vip_pulls import FOLDER, QUICK, Hand, Site

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from metaplat.model.extract import Extract

SMALL_DISK = """
import resource, runpy, sys
resource.setrlimit(resource.RLIMIT_FSIZE, (40_000, resource.RLIM_INFINITY))
runpy.run_module("metaplat_tests.vip.mortal_pull", run_name="__main__")
"""
"""A pull that may write no file beyond 40,000 bytes: the nearest thing to a full disk without one."""


@pytest.fixture
def server() -> Iterator[VipServer]:
    with VipServer(Scenario(files=6, tables=3), Hand()) as vendor:
        yield vendor


def s3_settings(server: VipServer, home: Path, endpoint: str, bucket: str) -> Settings:
    """Return settings that keep state and files in a bucket."""
    vip = VipSettings(**{**server.settings, **QUICK, "target": f"s3://{bucket}/lake"})
    s3: Any = {"endpoint_url": endpoint, "retries": 0}
    return Settings(home=home, root=f"s3://{bucket}/platform", s3=s3, vip=vip)


def pulled_into(settings: Settings, saved: list[Extract]) -> Extract:
    """Pull with the state where the settings say."""
    return pull(settings, open_stores(settings).state, Hand(), saved=saved.append).extract


def test_a_pull_into_s3_delivers_every_file_byte_for_byte(
    server: VipServer, tmp_path: Path, moto_endpoint: str, s3_bucket: str, s3_client: Any
) -> None:
    settings = s3_settings(server, tmp_path, moto_endpoint, s3_bucket)
    extract = pulled_into(settings, [])
    assert (extract.status, len(extract.delivered)) == (ExtractStatus.OK, 8)
    found = content_of(s3_client, s3_bucket)
    guid = server.jobs[0]
    sent = {
        f"lake/{FOLDER}{key.rpartition('/')[2]}": server.expected_bytes(guid, key)
        for key in server.sizes(guid)
    }
    own = {f"lake/{FOLDER}_manifest.json", f"lake/{FOLDER}_PresignedUrls.json"}
    assert {key: found[key] for key in found.keys() - own if key.startswith("lake/")} == sent
    assert not [key for key, content in found.items() if CANARY.encode() in content]
    requests = len(server.requests)
    again = pulled_into(settings, [])
    assert (again.status, again.transferred_files, len(server.requests)) == (ExtractStatus.OK, 0, requests)


def test_s3_denied_half_way_is_told_and_gone_on_with_once_it_is_allowed_again(
    server: VipServer, tmp_path: Path, moto_endpoint: str, s3_bucket: str
) -> None:
    saved: list[Extract] = []
    with refusing_s3(moto_endpoint, 3, FOLDER) as refusing, pytest.raises(PermanentStoreError) as caught:
        pulled_into(s3_settings(server, tmp_path, refusing, s3_bucket), saved)
    assert CANARY not in str(caught.value)
    assert [each.status for each in saved] == [ExtractStatus.INCOMPLETE]
    assert len(saved[0].delivered) <= 3
    assert saved[0].reason == str(caught.value)
    again = pulled_into(s3_settings(server, tmp_path, moto_endpoint, s3_bucket), saved)
    assert (again.status, again.transferred_files) == (ExtractStatus.OK, 5)
    assert server.export_calls == 1


def test_a_target_that_cannot_be_read_is_found_out_before_the_slot_is_used(
    server: VipServer, tmp_path: Path, moto_endpoint: str
) -> None:
    settings = s3_settings(server, tmp_path, moto_endpoint, "no-such-bucket-anywhere")
    with pytest.raises(StoreError, match="no-such-bucket-anywhere"):
        pulled_into(settings.model_copy(update={"root": None}), [])
    assert server.export_calls == 0


def test_a_job_that_cannot_be_noted_at_once_is_noted_later(
    server: VipServer, tmp_path: Path, moto_endpoint: str, s3_bucket: str
) -> None:
    with refusing_s3(moto_endpoint, 0, "08.job.json", refusals=2) as refusing:
        extract = pulled_into(s3_settings(server, tmp_path, refusing, s3_bucket), [])
    assert (extract.status, extract.job_guid) == (ExtractStatus.OK, server.jobs[0])
    assert server.export_calls == 1


def test_a_job_that_cannot_be_noted_is_named_in_the_error_and_in_what_is_saved(
    server: VipServer, tmp_path: Path, moto_endpoint: str, s3_bucket: str
) -> None:
    saved: list[Extract] = []
    with refusing_s3(moto_endpoint, 0, "08.job.json") as refusing, pytest.raises(StoreError) as caught:
        pulled_into(s3_settings(server, tmp_path, refusing, s3_bucket), saved)
    assert f"note job {server.jobs[0]}, which the API has accepted" in str(caught.value)
    assert [(each.status, each.export_calls) for each in saved] == [(ExtractStatus.FAILED, 1)]
    assert saved[0].reason == str(caught.value)


def test_a_target_of_another_kind_is_shown_as_it_was_written(server: VipServer, tmp_path: Path) -> None:
    vip = VipSettings(**{**server.settings, **QUICK, "target": "gs://key:secret@bucket/lake?token=1"})
    with pytest.raises(SettingsError, match=r"'gs://bucket/lake' is neither a folder nor") as caught:
        pulled_into(Settings(home=tmp_path, vip=vip), [])
    assert "secret" not in str(caught.value)


def test_a_full_disk_is_told_and_gone_on_with_once_there_is_room(tmp_path: Path) -> None:
    with VipServer(Scenario(files=6, tables=3, size=60_000), Hand()) as vendor:
        site = Site(tmp_path, vendor)
        settings = json.dumps({"home": str(tmp_path), "vip": {**vendor.settings, **QUICK}})
        program = [sys.executable, "-c", SMALL_DISK, settings, "never", "0"]
        ended = subprocess.run(program, check=False, capture_output=True, text=True, timeout=120)
        assert "StoreError" in ended.stderr
        assert CANARY not in ended.stderr + ended.stdout
        left = site.remembered()
        assert left is not None
        assert (left.status, left.job_guid) == (ExtractStatus.INCOMPLETE, vendor.jobs[0])
        pulled = site.pull().extract
        assert pulled.status is ExtractStatus.OK
        assert site.is_as_sent(pulled)
        assert vendor.export_calls == 1


def test_a_home_that_is_a_file_is_one_clear_line(server: VipServer, tmp_path: Path) -> None:
    (tmp_path / "home").write_bytes(b"")
    with pytest.raises(StoreError, match="take the lock of onDemandExtract1DayTest"):
        Site(tmp_path / "home", server).pull()
    assert server.export_calls == 0


def content_of(client: Any, bucket: str) -> dict[str, bytes]:
    """Return everything in a bucket by key."""
    listed = client.list_objects_v2(Bucket=bucket).get("Contents", [])
    return {each["Key"]: client.get_object(Bucket=bucket, Key=each["Key"])["Body"].read() for each in listed}
