"""Copying hours that are missing here from where else they were delivered."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from metaplat.model.errors import StoreError
from metaplat.settings import S3Settings, Settings, VipSettings
from metaplat.stores.deliveries import open_deliveries
from metaplat.vip.history import consolidate
from metaplat.vip.history.consolidate import Consolidated, copy_missing_hours
from metaplat_tests.standins.vip_hour_folders import HourFolders

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def there(tmp_path: Path) -> HourFolders:
    return HourFolders(tmp_path / "there")


@pytest.fixture
def here(tmp_path: Path) -> HourFolders:
    return HourFolders(tmp_path / "here")


def _copy(there: HourFolders, here: HourFolders, count: int = 3) -> Consolidated:
    return copy_missing_hours(there.deliveries, here.deliveries, here.settings, here.hours(count))


def _files(folders: HourFolders) -> dict[str, bytes]:
    paths = (path for path in folders.root.rglob("*") if path.is_file())
    return {path.relative_to(folders.root).as_posix(): path.read_bytes() for path in paths}


def test_missing_hours_are_copied_byte_for_byte_and_only_once(there: HourFolders, here: HourFolders) -> None:
    for number in (0, 2):
        there.put(number, {"Voyages_0.csv.gz": b"abc", "Empty_0.csv.gz": 0, "deep/notes.txt": "note"})
        there.manifest(number, job_guid="one")
    done = _copy(there, here)
    assert (done.copied, done.nowhere, done.files) == ([here.hour(0), here.hour(2)], [here.hour(1)], 8)
    assert _files(here) == _files(there)
    again = _copy(there, here)
    assert (again.copied, again.already_here, again.files) == ([], [here.hour(0), here.hour(2)], 0)
    assert str(again) == "0 hours copied (0 files, 0 bytes), 2 already here, 1 nowhere"


def test_large_files_are_copied_part_by_part(
    there: HourFolders, here: HourFolders, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consolidate, "PART_BYTES", 1_000)
    content = bytes(range(256)) * 40
    there.put(0, {"Voyages_0.csv.gz": content})
    assert _copy(there, here).bytes == len(content)
    assert list(_files(here).values()) == [content]


def test_a_copy_that_was_cut_off_goes_on(there: HourFolders, here: HourFolders) -> None:
    files = {"Voyages_0.csv.gz": b"abc", "Ports_0.csv.gz": b"de"}
    there.put(0, files)
    here.put(0, {"Ports_0.csv.gz": b"de"})
    done = _copy(there, here)
    assert (done.copied, done.files) == ([here.hour(0)], 1)
    assert _files(here) == _files(there)


@pytest.mark.parametrize(
    "mine", [{"Voyages_0.csv.gz": b"other"}, {"Berths_0.csv.gz": b"x"}, {"_manifest.json": b"{}"}]
)
def test_an_hour_of_another_job_here_stays_as_it_is(
    mine: dict[str, bytes], there: HourFolders, here: HourFolders
) -> None:
    there.put(0, {"Voyages_0.csv.gz": b"abc", "Ports_0.csv.gz": b"de"})
    here.put(0, mine)
    before = _files(here)
    assert _copy(there, here).kept == [here.hour(0)]
    assert _files(here) == before


def test_configurations_are_never_mixed(there: HourFolders, here: HourFolders) -> None:
    for number in range(2):
        there.put(number, {"Voyages_0.csv.gz": b"abc"})
    there.manifest(0, config_name="onDemandExtract1DayTest")
    here.manifest(1, config_name="onDemandExtract1DayTest")
    before = _files(here)
    done = _copy(there, here)
    assert done.other_configuration == here.hours(2)
    assert _files(here) == before


def test_live_addresses_are_not_copied(there: HourFolders, here: HourFolders) -> None:
    there.put(0, {"Voyages_0.csv.gz": b"abc"})
    there.promise(0, {"Voyages_0.csv.gz": 3})
    assert _copy(there, here).copied == [here.hour(0)]
    copied = next(content for name, content in _files(here).items() if name.endswith("_PresignedUrls.json"))
    assert b"s3cr3t" not in copied
    (entry,) = json.loads(copied)
    assert entry["presignedDownloadURL"] == "https://vendor.s3.amazonaws.com/job/Voyages_0.csv.gz"
    assert (entry["key"], entry["size"]) == ("job/Voyages_0.csv.gz", 3)
    assert _copy(there, here).already_here == [here.hour(0)]
    assert here.build(here.hours(1)).jobs["status"].to_list() == ["ok"]


def test_a_promise_that_nobody_can_read_is_left_out_and_the_rest_is_copied(
    there: HourFolders, here: HourFolders
) -> None:
    there.put(
        0, {"Voyages_0.csv.gz": b"abc", "_PresignedUrls.json": b'[{"u": "https://x/y?X-Amz-Signature=s3cr3t'}
    )
    there.manifest(0)
    there.put(1, {"Voyages_0.csv.gz": b"abc"})
    done = _copy(there, here)
    assert (done.copied, list(done.failed)) == ([here.hour(1)], [here.hour(0)])
    assert "it is not copied" in str(done)
    names = {name.rpartition("/")[2] for name in _files(here)}
    assert names == {
        "Voyages_0.csv.gz"
    }  # the manifest, which says that an hour is whole, is not there either


def test_a_file_that_cannot_be_written_stops_no_other(there: HourFolders, here: HourFolders) -> None:
    for number in range(2):
        there.put(number, {"Voyages_0.csv.gz": b"abc"})
    there.put(0, {"Odd\\name.csv": b"x"})
    there.manifest(0)
    done = _copy(there, here)
    assert (done.copied, list(done.failed), done.files) == ([here.hour(1)], [here.hour(0)], 2)
    assert "Odd" in done.failed[here.hour(0)]
    names = sorted(name.rpartition("/")[2] for name in _files(here))
    assert names == ["Voyages_0.csv.gz", "Voyages_0.csv.gz"]


def test_from_a_bucket_to_a_folder_and_back(
    tmp_path: Path, s3_bucket: str, s3_client: Any, moto_endpoint: str, here: HourFolders
) -> None:
    del tmp_path
    folder = here.settings.vip.folder(here.hour(1))
    s3_client.put_object(Bucket=s3_bucket, Key=f"old/{folder}Voyages_0.csv.gz", Body=b"abc" * 1_000)
    s3_client.put_object(Bucket=s3_bucket, Key=f"old/{folder}", Body=b"")
    bucket = Settings(
        s3=S3Settings(endpoint_url=moto_endpoint),
        vip=VipSettings(environment="Prod", target=f"s3://{s3_bucket}/old"),
    )
    source = open_deliveries(bucket)
    done = copy_missing_hours(source, here.deliveries, here.settings, here.hours(2))
    assert (done.copied, done.bytes) == ([here.hour(1)], 3_000)
    here.put(0, {"Ports_0.csv.gz": b"de"})
    back = copy_missing_hours(here.deliveries, source, bucket, here.hours(2))
    assert (back.copied, back.already_here) == ([here.hour(0)], [here.hour(1)])
    read = s3_client.get_object(
        Bucket=s3_bucket, Key=f"old/{here.settings.vip.folder(here.hour(0))}Ports_0.csv.gz"
    )
    assert read["Body"].read() == b"de"


def test_an_outage_is_an_error(here: HourFolders) -> None:
    nowhere = Settings(
        s3=S3Settings(endpoint_url="http://127.0.0.1:9", retries=0, timeout_seconds=2),
        vip=VipSettings(environment="Prod", target="s3://bucket/lake"),
    )
    with pytest.raises(StoreError):
        copy_missing_hours(open_deliveries(nowhere), here.deliveries, here.settings, here.hours(1))
