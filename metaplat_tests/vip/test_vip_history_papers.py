"""Papers in hour folders that are broken or hostile, or hold secrets: nothing stops, and nothing gets out."""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING

import pytest

from metaplat.model.errors import StoreError
from metaplat.settings import S3Settings, Settings, VipSettings
from metaplat.stores.deliveries import open_deliveries
from metaplat.vip.history.build import build_history
from metaplat.vip.history.calendar import known_range
from metaplat.vip.history.histories import Histories
from metaplat_tests.standins.vip_hour_folders import CONFIG, FIRST, HourFolders

if TYPE_CHECKING:
    from pathlib import Path

VOYAGES = {"Voyages_0.csv.gz": 5}
BROKEN = {
    "cut": b'[{"key": "Voyages_0.csv.gz", "size"',
    "empty": b"",
    "no text": b"\xff\xfe\x00",
    "a number": b"3",
    "a text": b'"Voyages"',
    "too deep": b"[" * 5_000,
    "an object": b'{"key": "Voyages_0.csv.gz", "size": 5}',
    "entries that are none": b"[1, null, [], {}]",
    "an error page": b"<Error><Code>AccessDenied</Code></Error>",
}


@pytest.fixture
def folders(tmp_path: Path) -> HourFolders:
    return HourFolders(tmp_path)


@pytest.mark.parametrize("content", BROKEN.values(), ids=BROKEN)
def test_a_broken_promise_leaves_its_hour_without_one(content: bytes, folders: HourFolders) -> None:
    for number in range(3):
        folders.put(number, VOYAGES)
        folders.promise(number, VOYAGES)
    folders.put(1, {"_PresignedUrls.json": content})
    rows = folders.build(folders.hours(3)).jobs
    assert rows["n_files_promised"].to_list() == [1, None, 1]
    assert rows["status"].to_list() == ["ok", "ok", "ok"]


@pytest.mark.parametrize("content", BROKEN.values(), ids=BROKEN)
def test_a_broken_manifest_leaves_the_saved_promise(content: bytes, folders: HourFolders) -> None:
    folders.put(0, {**VOYAGES, "_manifest.json": content})
    folders.promise(0, VOYAGES)
    row = folders.job()
    assert (row["n_files_promised"], row["status"], row["job_guid"]) == (1, "ok", None)


@pytest.mark.parametrize("content", BROKEN.values(), ids=BROKEN)
def test_a_broken_schema_file_leaves_its_hour_to_earlier_jobs(content: bytes, folders: HourFolders) -> None:
    for number in range(2):
        folders.put(number, {**VOYAGES, "_MasterTableSchema.json": content})
    row = folders.job(1)
    assert (row["expected_source"], row["status"], row["n_files_schema"]) == ("jobs", "ok", 1)


def test_an_empty_promise_is_one_of_no_file(folders: HourFolders) -> None:
    folders.put(0, {**VOYAGES, "_PresignedUrls.json": "[]"})
    row = folders.job()
    assert (row["n_files_promised"], row["file_completeness"], row["status"]) == (0, None, "ok")


def test_sizes_that_are_none_are_unknown(folders: HourFolders) -> None:
    sizes = [5, "5", 5.0, None, -1, True, "much", 1e300, 2**80, [5]]
    folders.put(0, {f"T{number}_0.gz": 5 for number in range(len(sizes))})
    entries = [{"key": f"T{number}_0.gz", "size": size} for number, size in enumerate(sizes)]
    folders.put(0, {"_PresignedUrls.json": json.dumps(entries)})
    row = folders.job()
    assert (row["n_files_promised"], row["n_files_delivered"]) == (len(sizes), len(sizes))


def test_hostile_names_are_promised_and_not_delivered(folders: HourFolders) -> None:
    names = ["../../etc/passwd", "a\\b", "a\x00b", "n" * 2_048, "x\ud800y", "/", "<script>_0.csv", ""]
    entries = [{"key": name, "size": 1} for name in names]
    folders.put(0, {**VOYAGES, "_PresignedUrls.json": json.dumps(entries)})
    row = folders.job()
    assert (row["status"], row["n_files_promised"], row["n_files_delivered"]) == ("incomplete", 7, 0)
    assert folders.tables().keys() == {"Voyages"}


def test_live_addresses_of_an_older_program_get_nowhere(
    folders: HourFolders, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    folders.put(0, VOYAGES)
    folders.promise(0, VOYAGES)
    folders.put(
        1,
        {**VOYAGES, "_PresignedUrls.json": b'[{"presignedDownloadURL": "https://x/y?X-Amz-Signature=s3cr3t"'},
    )
    made = folders.build(folders.hours(2))
    told = "".join(frame.write_json() for frame in (made.jobs, made.tables, made.sizes)) + caplog.text
    assert "s3cr3t" not in told
    assert "_PresignedUrls.json cannot be read in 1 hours" in caplog.text


def test_a_paper_that_is_too_large_is_not_read(tmp_path: Path) -> None:
    folders = HourFolders(tmp_path, max_manifest_mb=0.001)
    folders.put(0, VOYAGES)
    folders.promise(0, {f"T{number}_0.csv.gz": 1 for number in range(100)})
    assert folders.job()["n_files_promised"] is None


def test_an_outage_is_an_error_and_never_missing_hours() -> None:
    settings = Settings(
        s3=S3Settings(endpoint_url="http://127.0.0.1:9", retries=0, timeout_seconds=2),
        vip=VipSettings(environment="Prod", target="s3://bucket/lake"),
    )
    deliveries = open_deliveries(settings)
    with pytest.raises(StoreError):
        build_history(settings, deliveries, [FIRST], Histories.empty(), {}, CONFIG)
    with pytest.raises(StoreError):
        known_range(deliveries, settings, {})
