"""The snapshot file and the raw input behind it."""

from __future__ import annotations

import codecs
from datetime import date
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from metaplat.model.errors import StoreError
from metaplat.model.table import MonitoredTable
from metaplat.model.table_evidence import RawInputFacts, SnapshotFacts
from metaplat.monitor import raw_input
from metaplat.monitor.raw_input import count_raw_input, raw_input_address
from metaplat.monitor.snapshot import decoded, read_snapshot
from metaplat.settings import S3Settings
from metaplat_tests.standins.sick_s3 import sick_s3

if TYPE_CHECKING:
    from pathlib import Path

DAY = date(2025, 11, 3)


@pytest.fixture
def s3(moto_endpoint: str) -> S3Settings:
    return S3Settings(endpoint_url=moto_endpoint)


def local_snapshot(folder: Path, content: bytes | None) -> SnapshotFacts | None:
    (folder / "part_a").mkdir(exist_ok=True)
    (folder / "metadata").mkdir(exist_ok=True)
    if content is not None:
        (folder / "metadata" / "snapshot_dt.txt").write_bytes(content)
    return read_snapshot(f"{folder}/part_a/", S3Settings())


@pytest.mark.parametrize(
    ("content", "text", "day"),
    [
        (b"2025-11-03", "2025-11-03", DAY),
        (b" \t2025-11-03\r\n\n", "2025-11-03", DAY),
        (codecs.BOM_UTF8 + b"2025-11-03\n", "2025-11-03", DAY),
        ("2025-11-03\n".encode("utf-16"), "2025-11-03", DAY),
        (b"2025-11-03 extra", "2025-11-03 extra", None),
        (b"20251103", "20251103", None),
        (b"2025-W45-1", "2025-W45-1", None),
        (b"2025-02-30", "2025-02-30", None),
        ("\uff12\uff10\uff12\uff15-11-03".encode(), "\uff12\uff10\uff12\uff15-11-03", None),
        (b"\xff\xfa\x00", "\ufffd\ufffd", None),
        (b"", "", None),
        (b" \n", "", None),
        (b"x" * 1_000_000, "x" * 100, None),
    ],
)
def test_a_snapshot_file_of_any_content_is_read(
    tmp_path: Path, content: bytes, text: str, day: date | None
) -> None:
    address = f"{tmp_path}/metadata/snapshot_dt.txt"
    assert local_snapshot(tmp_path, content) == SnapshotFacts(address, text, day)


def test_a_missing_snapshot_file_has_no_text(tmp_path: Path) -> None:
    snapshot = local_snapshot(tmp_path, None)
    assert snapshot is not None
    assert (snapshot.text, snapshot.day) == (None, None)


def test_a_folder_in_place_of_the_file_counts_as_missing(tmp_path: Path) -> None:
    (tmp_path / "metadata" / "snapshot_dt.txt").mkdir(parents=True)
    snapshot = local_snapshot(tmp_path, None)
    assert snapshot is not None
    assert snapshot.text is None


@given(content=st.binary(max_size=300))
@example(content=codecs.BOM_UTF16_LE + b"\x00\xd8")
def test_any_bytes_give_a_short_text(content: bytes) -> None:
    assert len(decoded(content)) <= 100


def test_the_file_lies_in_the_parent_prefix(s3: S3Settings, s3_bucket: str, s3_client: Any) -> None:
    s3_client.put_object(Bucket=s3_bucket, Key="lake/metadata/snapshot_dt.txt", Body=b"\n2025-11-03")
    s3_client.put_object(Bucket=s3_bucket, Key="lake/part_a/metadata/snapshot_dt.txt", Body=b"1999-01-01")
    for location in (f"s3://{s3_bucket}/lake/part_a", f"s3://{s3_bucket}/lake/part_a/"):
        snapshot = read_snapshot(location, s3)
        assert snapshot == SnapshotFacts(f"s3://{s3_bucket}/lake/metadata/snapshot_dt.txt", "2025-11-03", DAY)


def test_the_parent_of_a_table_may_be_the_bucket(s3: S3Settings, s3_bucket: str, s3_client: Any) -> None:
    s3_client.put_object(Bucket=s3_bucket, Key="metadata/snapshot_dt.txt", Body=b"2025-11-03")
    snapshot = read_snapshot(f"s3://{s3_bucket}/part_a/", s3)
    assert snapshot == SnapshotFacts(f"s3://{s3_bucket}/metadata/snapshot_dt.txt", "2025-11-03", DAY)


@pytest.mark.parametrize("location", ["s3://lake", "s3://lake/", "/"])
def test_a_location_without_parent_has_no_snapshot(location: str) -> None:
    assert read_snapshot(location, S3Settings()) is None


def test_a_store_that_refuses_is_an_error_and_no_missing_snapshot() -> None:
    with sick_s3(403, b"<Error><Code>AccessDenied</Code></Error>") as address, pytest.raises(StoreError):
        read_snapshot("s3://lake/part_a", S3Settings(endpoint_url=address, retries=0))


def test_raw_input_counts_objects_with_data(
    s3: S3Settings, s3_bucket: str, s3_client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = MonitoredTable("part_orders_eu", "s3://lake/part_orders_eu", "id")
    address = raw_input_address(table, s3_bucket, DAY)
    assert address == f"s3://{s3_bucket}/opus/orders_eu/raw_input/snapshot_dt=2025-11-03/"
    assert count_raw_input(address, s3) == RawInputFacts(address, 0)
    prefix = "opus/orders_eu/raw_input/snapshot_dt=2025-11-03"
    for name, body in {"a.csv": b"1", "deep/b.csv": b"2", "_SUCCESS": b"x", "empty": b"", "": b""}.items():
        s3_client.put_object(Bucket=s3_bucket, Key=f"{prefix}/{name}", Body=body)
    s3_client.put_object(Bucket=s3_bucket, Key=f"{prefix}0/c.csv", Body=b"of another day")
    assert count_raw_input(address, s3) == RawInputFacts(address, 2)
    monkeypatch.setattr(raw_input, "MOST_COUNTED", 1)
    assert count_raw_input(address, s3) == RawInputFacts(address, 1)


def test_a_data_bucket_that_does_not_exist_is_an_error(s3: S3Settings) -> None:
    with pytest.raises(StoreError, match="NoSuchBucket"):
        count_raw_input("s3://bucket-that-nobody-made/opus/a/raw_input/snapshot_dt=2025-11-03/", s3)
