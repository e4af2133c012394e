"""Where the settings put every store."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from metaplat.model.retention import Retention
from metaplat.settings import HotSettings, S3Settings, Settings
from metaplat.stores.home import open_stores
from metaplat_tests.stores.lake_domains import DAILY, HOT, domain, frame_of

if TYPE_CHECKING:
    from pathlib import Path

NAMES = ("landing", "quarantine", "state", "reports")


def test_everything_is_under_home_where_no_root_is_set(tmp_path: Path) -> None:
    home = tmp_path / "home"
    stores = open_stores(Settings(home=home))
    for name in NAMES:
        getattr(stores, name).put("a/b", b"1")
        assert (home / name / "a/b").read_bytes() == b"1"
    stores.lake.write(DAILY, "2025-11-29", frame_of("2025-11-29", "a"))
    assert (home / "lake/runs/date=2025-11-29/data.parquet").is_file()


def test_opening_makes_no_folder_and_asks_nobody(tmp_path: Path) -> None:
    local = open_stores(Settings(home=tmp_path / "home"))
    remote = open_stores(Settings(root="s3://bucket/x", s3=S3Settings(endpoint_url="http://127.0.0.1:1")))
    assert (local.landing.list_objects(), local.lake.partitions(DAILY)) == ([], [])
    assert not (tmp_path / "home").exists()
    assert remote.landing.address == "s3://bucket/x/landing"
    assert remote.lake.address(DAILY) == "s3://bucket/x/lake/runs"


@pytest.mark.parametrize("prefix", ["", "/", "/deep/prefix", "/deep/prefix/"])
def test_a_root_on_s3_holds_the_same_names(moto_endpoint: str, s3_bucket: str, prefix: str) -> None:
    settings = Settings(root=f"s3://{s3_bucket}{prefix}", s3=S3Settings(endpoint_url=moto_endpoint))
    stores = open_stores(settings)
    for name in NAMES:
        getattr(stores, name).put("a", b"1")
    stores.lake.write(DAILY, "2025-11-29", frame_of("2025-11-29", "a"))
    found = [item.key for item in stores.lake.objects.list_objects()]
    assert found == sorted([f"{name}/a" for name in NAMES] + ["lake/runs/date=2025-11-29/data.parquet"])
    assert stores.landing.address == f"s3://{s3_bucket}{prefix.rstrip('/')}/landing"


def test_hot_rows_are_in_one_file_for_domains_that_have_them(tmp_path: Path) -> None:
    stores = open_stores(Settings(home=tmp_path))
    assert stores.hot(DAILY) is None
    assert stores.hot(domain(hot=HOT, retention=Retention(archive=timedelta(days=1)))) is None
    hot = stores.hot(domain(hot=HOT))
    assert hot is not None
    hot.put({"job_name": "a", "id_bucket": 1_700_000_000, "rows": 3}, 1_700_000_001)
    assert (tmp_path / "hot.sqlite").is_file()


def test_dynamodb_is_chosen_by_the_settings(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, hot=HotSettings(backend="dynamodb"))
    assert type(open_stores(settings).hot(domain(hot=HOT))).__name__ == "DynamoHot"
